package parquet

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
	"columnvault/internal/structured"
)

// columnWriter writes a column of the vault.
type columnWriter struct {
	// schema has the elements of the column, groups before what is in them.
	schema []element
	leaves []*leafWriter
	// add adds rows. An error is about the row that is returned.
	add func(c exchange.Column, from, to int) (int, error)
}

// shapeName and dataName are the lists of arrays that each have a shape of their
// own.
const (
	shapeName = "shape"
	dataName  = "values"
)

// newColumnWriter returns the writer of a column.
func newColumnWriter(f exchange.Field) (*columnWriter, error) {
	c := &columnWriter{}
	repetition := required
	if f.Meaning.Null {
		repetition = optional
	}
	one := func(e element) *leafWriter {
		e.name, e.repetition = f.Name, repetition
		l := &leafWriter{path: []string{f.Name}, physical: e.physical, width: (&node{element: e}).width(), maxDef: repetition}
		c.schema, c.leaves = []element{e}, []*leafWriter{l}
		return l
	}
	small := func(bits int, unsigned bool) element {
		return element{physical: typeInt32, logical: integer, bits: bits, unsigned: unsigned}
	}
	switch f.Type.Kind {
	case dtype.KindBool:
		c.add = boolsTo(one(element{physical: typeBool}))
	case dtype.KindInt8:
		c.add = numbersTo(one(small(8, false)), dtype.Int8, put32[int8])
	case dtype.KindInt16:
		c.add = numbersTo(one(small(16, false)), dtype.Int16, put32[int16])
	case dtype.KindInt32:
		c.add = numbersTo(one(small(32, false)), dtype.Int32, put32[int32])
	case dtype.KindInt64:
		c.add = int64sTo(one, f.Meaning)
	case dtype.KindUint8:
		c.add = numbersTo(one(small(8, true)), dtype.Uint8, put32[uint8])
	case dtype.KindUint16:
		c.add = numbersTo(one(small(16, true)), dtype.Uint16, put32[uint16])
	case dtype.KindUint32:
		c.add = numbersTo(one(small(32, true)), dtype.Uint32, put32[uint32])
	case dtype.KindUint64:
		c.add = numbersTo(one(element{physical: typeInt64, logical: integer, bits: 64, unsigned: true}), dtype.Uint64, put64[uint64])
	case dtype.KindFloat16:
		c.add = halvesTo(one(element{physical: typeFixed, size: 2, logical: float16}))
	case dtype.KindFloat32:
		c.add = numbersTo(one(element{physical: typeFloat}), dtype.Float32, putFloat32)
	case dtype.KindFloat64:
		c.add = numbersTo(one(element{physical: typeDouble}), dtype.Float64, putFloat64)
	case dtype.KindText:
		c.add = bytesTo[string](one(element{physical: typeBytes, logical: text}), true)
	case dtype.KindBytes:
		if f.Type.Sized && f.Type.Size > 0 {
			c.add = bytesTo[[]byte](one(element{physical: typeFixed, size: f.Type.Size}), false)
		} else {
			c.add = bytesTo[[]byte](one(element{physical: typeBytes}), true)
		}
	case dtype.KindMsgPack, dtype.KindCBOR:
		repetition = optional
		c.add = jsonTo(one(element{physical: typeBytes, logical: jsonText}))
	case dtype.KindVector:
		return vectorWriter(f)
	}
	if c.add == nil {
		return nil, fmt.Errorf("%w: %v has no form in Parquet", dtype.ErrSyntax, f.Type)
	}
	return c, nil
}

func put32[T int8 | int16 | int32 | uint8 | uint16 | uint32](dst []byte, v T) []byte {
	return binary.LittleEndian.AppendUint32(dst, uint32(v))
}

func put64[T int64 | uint64](dst []byte, v T) []byte {
	return binary.LittleEndian.AppendUint64(dst, uint64(v))
}

func putFloat32(dst []byte, v float32) []byte {
	return binary.LittleEndian.AppendUint32(dst, math.Float32bits(v))
}

func putFloat64(dst []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
}

// stretches calls present for the stretches of rows that are there, and missing
// for each that is not.
func stretches(c exchange.Column, gaps []bool, from, to int, present func(from, to int), missing func()) {
	if len(gaps) == 0 {
		present(from, to)
		return
	}
	for from < to {
		end := from
		for end < to && !gaps[end] {
			end++
		}
		if end > from {
			present(from, end)
		}
		for from = end; from < to && gaps[from]; from++ {
			missing()
		}
	}
}

// numbersTo returns the function that adds numbers.
func numbersTo[T dtype.Element](l *leafWriter, t dtype.Type[T], put func([]byte, T) []byte) func(exchange.Column, int, int) (int, error) {
	b, total := &numberBounds[T]{put: put}, &numberBounds[T]{put: put}
	l.bounds, l.total = b, total
	return func(c exchange.Column, from, to int) (int, error) {
		v := c.(*exchange.Vector[T])
		stretches(c, v.Missing, from, to, func(from, to int) {
			list := v.Values[from:to]
			b.see(list)
			l.addPresent(len(list))
			if as := t.Bytes(list); as != nil && len(as) == len(list)*l.width { // it lies in the vault as in the file
				l.values = append(l.values, as...)
				return
			}
			for _, x := range list {
				l.values = put(l.values, x)
			}
		}, l.addMissing)
		return 0, l.endFull()
	}
}

// endFull ends the page if it is full.
func (l *leafWriter) endFull() error {
	if l.full() {
		return l.endPage()
	}
	return nil
}

// int64sTo returns the function that adds integers of 64 bits, times or dates.
func int64sTo(one func(element) *leafWriter, m dtype.Meaning) func(exchange.Column, int, int) (int, error) {
	turned := func(add func(exchange.Column, int, int) (int, error), turn func(int64) (int64, error)) func(exchange.Column, int, int) (int, error) {
		return func(c exchange.Column, from, to int) (int, error) {
			v := c.(*exchange.Vector[int64])
			own := &exchange.Vector[int64]{Values: make([]int64, to-from)}
			if len(v.Missing) > 0 {
				own.Missing = v.Missing[from:to]
			}
			for i := from; i < to; i++ {
				if v.IsMissing(i) {
					continue
				}
				n, err := turn(v.Values[i])
				if err != nil {
					return i, err
				}
				own.Values[i-from] = n
			}
			row, err := add(own, 0, to-from)
			return row + from, err
		}
	}
	switch {
	case m.Date:
		put := func(dst []byte, v int64) []byte { return binary.LittleEndian.AppendUint32(dst, uint32(v)) }
		return turned(numbersTo(one(element{physical: typeInt32, logical: date}), dtype.Int64, put), func(n int64) (int64, error) {
			if int64(int32(n)) != n {
				return 0, fmt.Errorf("%w: the date %d has no form in Parquet", dtype.ErrValue, n)
			}
			return n, nil
		})
	case m.Time == 0:
		return numbersTo(one(element{physical: typeInt64, logical: integer, bits: 64}), dtype.Int64, put64[int64])
	}
	unit := map[dtype.Unit]int{dtype.Second: 1, dtype.Millisecond: 1, dtype.Microsecond: 2, dtype.Nanosecond: 3}[m.Time]
	add := numbersTo(one(element{physical: typeInt64, logical: timestamp, unit: unit, utc: true}), dtype.Int64, put64[int64])
	if m.Time != dtype.Second {
		return add
	}
	return turned(add, func(n int64) (int64, error) { return fit.Multiply(n, 1000) })
}

// boolsTo returns the function that adds booleans.
func boolsTo(l *leafWriter) func(exchange.Column, int, int) (int, error) {
	b, total := &numberBounds[uint8]{}, &numberBounds[uint8]{}
	b.put = func(dst []byte, v uint8) []byte { return append(dst, v) }
	total.put = b.put
	l.bounds, l.total = b, total
	return func(c exchange.Column, from, to int) (int, error) {
		v := c.(*exchange.Vector[bool])
		stretches(c, v.Missing, from, to, func(from, to int) {
			l.addPresent(to - from)
			for _, x := range v.Values[from:to] {
				if l.bits&7 == 0 {
					l.values = append(l.values, 0)
				}
				bit := uint8(0)
				if x {
					bit = 1
				}
				l.values[len(l.values)-1] |= bit << (l.bits & 7)
				l.bits++
				b.see([]uint8{bit})
			}
		}, l.addMissing)
		return 0, l.endFull()
	}
}

// halvesTo returns the function that adds floats of 16 bits.
func halvesTo(l *leafWriter) func(exchange.Column, int, int) (int, error) {
	return func(c exchange.Column, from, to int) (row int, err error) {
		v := c.(*exchange.Vector[float32])
		stretches(c, v.Missing, from, to, func(from, to int) {
			l.addPresent(to - from)
			if err == nil {
				row = from
				l.values, _, err = dtype.Float16.AppendAll(l.values, nil, v.Values[from:to])
			}
		}, l.addMissing)
		if err != nil {
			return row, err
		}
		return 0, l.endFull()
	}
}

// bytesTo returns the function that adds text or bytes, with their lengths if
// these vary.
func bytesTo[T string | []byte](l *leafWriter, sized bool) func(exchange.Column, int, int) (int, error) {
	b, total := &byteBounds{}, &byteBounds{}
	l.bounds, l.total = b, total
	return func(c exchange.Column, from, to int) (int, error) {
		v := c.(*exchange.Vector[T])
		for i := from; i < to; i++ {
			if v.IsMissing(i) {
				l.addMissing()
				continue
			}
			l.addPresent(1)
			x := v.Values[i]
			if sized {
				l.values = binary.LittleEndian.AppendUint32(l.values, uint32(len(x)))
			}
			start := len(l.values)
			l.values = append(l.values, x...)
			b.see(l.values[start:])
			if err := l.endFull(); err != nil {
				return i, err
			}
		}
		return 0, nil
	}
}

// jsonTo returns the function that adds values of msgpack and cbor as JSON.
func jsonTo(l *leafWriter) func(exchange.Column, int, int) (int, error) {
	return func(c exchange.Column, from, to int) (int, error) {
		v := c.(*exchange.Vector[any])
		for i := from; i < to; i++ {
			if v.IsMissing(i) || v.Values[i] == nil {
				l.addMissing()
				continue
			}
			l.addPresent(1)
			start := len(l.values)
			out, err := structured.AppendJSON(append(l.values, 0, 0, 0, 0), v.Values[i])
			if err != nil {
				return i, err
			}
			binary.LittleEndian.PutUint32(out[start:], uint32(len(out)-start-4))
			l.values = out
			if err := l.endFull(); err != nil {
				return i, err
			}
		}
		return 0, nil
	}
}

// vectorWriter returns the writer of a column of vectors.
func vectorWriter(f exchange.Field) (*columnWriter, error) {
	switch f.Type.Elem {
	case dtype.KindInt8:
		return vectorsOf(f, element{physical: typeInt32, logical: integer, bits: 8}, put32[int8])
	case dtype.KindInt16:
		return vectorsOf(f, element{physical: typeInt32, logical: integer, bits: 16}, put32[int16])
	case dtype.KindInt32:
		return vectorsOf(f, element{physical: typeInt32, logical: integer, bits: 32}, put32[int32])
	case dtype.KindInt64:
		return vectorsOf(f, element{physical: typeInt64, logical: integer, bits: 64}, put64[int64])
	case dtype.KindUint8:
		return vectorsOf(f, element{physical: typeInt32, logical: integer, bits: 8, unsigned: true}, put32[uint8])
	case dtype.KindUint16:
		return vectorsOf(f, element{physical: typeInt32, logical: integer, bits: 16, unsigned: true}, put32[uint16])
	case dtype.KindUint32:
		return vectorsOf(f, element{physical: typeInt32, logical: integer, bits: 32, unsigned: true}, put32[uint32])
	case dtype.KindUint64:
		return vectorsOf(f, element{physical: typeInt64, logical: integer, bits: 64, unsigned: true}, put64[uint64])
	case dtype.KindFloat32:
		return vectorsOf(f, element{physical: typeFloat}, putFloat32)
	}
	return vectorsOf(f, element{physical: typeDouble}, putFloat64)
}

func vectorsOf[E dtype.Element](f exchange.Field, e element, put func([]byte, E) []byte) (*columnWriter, error) {
	if len(f.Type.Dims) > 0 {
		c := &columnWriter{}
		l := c.addList(nil, f.Name, e)
		c.add = func(col exchange.Column, from, to int) (int, error) {
			v := col.(*exchange.Vector[[]E])
			for i := from; i < to; i++ {
				if err := addList(l, v.Values[i], put); err != nil {
					return i, err
				}
			}
			return 0, nil
		}
		return c, nil
	}
	c := &columnWriter{schema: []element{{name: f.Name, physical: -1, children: 2}}}
	shapes := c.addList([]string{f.Name}, shapeName, element{physical: typeInt32, logical: integer, bits: 32})
	data := c.addList([]string{f.Name}, dataName, e)
	c.add = func(col exchange.Column, from, to int) (int, error) {
		v := col.(*exchange.Vector[dtype.Tensor[E]])
		var shape []int32
		for i := from; i < to; i++ {
			shape = shape[:0]
			for _, d := range v.Values[i].Shape {
				if d > math.MaxInt32 {
					return i, fmt.Errorf("%w: a dimension of %d has no form in Parquet", dtype.ErrValue, d)
				}
				shape = append(shape, int32(d))
			}
			err := addList(shapes, shape, put32[int32])
			if err == nil {
				err = addList(data, v.Values[i].Data, put)
			}
			if err != nil {
				return i, err
			}
		}
		return 0, nil
	}
	return c, nil
}

// addList adds a list of numbers to the schema.
func (c *columnWriter) addList(parents []string, name string, e element) *leafWriter {
	e.name = "element"
	c.schema = append(c.schema, element{name: name, physical: -1, logical: listGroup, children: 1},
		element{name: "list", physical: -1, repetition: repeated, children: 1}, e)
	path := append(slices.Clone(parents), name, "list", "element")
	l := &leafWriter{path: path, physical: e.physical, maxDef: 1, maxRep: 1}
	c.leaves = append(c.leaves, l)
	return l
}

func addList[E dtype.Element](l *leafWriter, list []E, put func([]byte, E) []byte) error {
	l.addList(len(list))
	for _, x := range list {
		l.values = put(l.values, x)
	}
	return l.endFull()
}

package parquet

import (
	"fmt"
	"math"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
	"columnvault/internal/structured"
)

// columnWriter writes a column of the vault.
type columnWriter struct {
	node   pq.Node
	leaves []*leafWriter
	// add adds rows. An error is about the row that is returned.
	add adder
}

type adder func(c exchange.Column, from, to int) (int, error)

// shapeName and dataName are the lists of arrays that each have a shape of their
// own.
const (
	shapeName = "shape"
	dataName  = "values"
)

// newColumnWriter returns the writer of a column.
func newColumnWriter(f exchange.Field) (*columnWriter, error) {
	if f.Type.Kind == dtype.KindVector {
		return vectorWriter(f)
	}
	l := &leafWriter{}
	var node pq.Node
	var add adder
	null := f.Meaning.Null
	switch f.Type.Kind {
	case dtype.KindBool:
		node, add = pq.Leaf(pq.BooleanType), numbersTo(l, pq.BooleanValue)
	case dtype.KindInt8:
		node, add = pq.Int(8), numbersTo(l, value32[int8])
	case dtype.KindInt16:
		node, add = pq.Int(16), numbersTo(l, value32[int16])
	case dtype.KindInt32:
		node, add = pq.Int(32), numbersTo(l, value32[int32])
	case dtype.KindInt64:
		node, add = int64sTo(l, f.Meaning)
	case dtype.KindUint8:
		node, add = pq.Uint(8), numbersTo(l, value32[uint8])
	case dtype.KindUint16:
		node, add = pq.Uint(16), numbersTo(l, value32[uint16])
	case dtype.KindUint32:
		node, add = pq.Uint(32), numbersTo(l, value32[uint32])
	case dtype.KindUint64:
		node, add = pq.Uint(64), numbersTo(l, value64[uint64])
	case dtype.KindFloat16:
		node, add = pq.Leaf(newHalf()), halvesTo(l)
	case dtype.KindFloat32:
		node, add = pq.Leaf(bounded{pq.FloatType, outerZeros}), numbersTo(l, pq.FloatValue)
	case dtype.KindFloat64:
		node, add = pq.Leaf(bounded{pq.DoubleType, outerZeros}), numbersTo(l, pq.DoubleValue)
	case dtype.KindText:
		node, add = pq.Leaf(bounded{pq.String().Type(), shortText}), bytesTo[string](l, pq.ByteArrayValue)
	case dtype.KindBytes:
		if n := f.Type.Size; f.Type.Sized && n > 0 && n <= encoding.MaxFixedLenByteArraySize {
			node, add = pq.Leaf(pq.FixedLenByteArrayType(n)), bytesTo[[]byte](l, pq.FixedLenByteArrayValue)
		} else {
			node, add = pq.Leaf(bounded{pq.ByteArrayType, shortBytes}), bytesTo[[]byte](l, pq.ByteArrayValue)
		}
	case dtype.KindMsgPack, dtype.KindCBOR:
		null = true
		node, add = pq.Leaf(bounded{pq.JSON().Type(), shortText}), jsonTo(l)
	default:
		return nil, fmt.Errorf("%w: %v has no form in Parquet", dtype.ErrSyntax, f.Type)
	}
	if null {
		l.def = 1
	} else if isDirect(f) {
		node, l.direct = pq.Leaf(direct{node.Type(), l}), true
	}
	node = pq.Encoded(node, &pq.Plain)
	if null {
		node = pq.Optional(node)
	}
	return &columnWriter{node, []*leafWriter{l}, add}, nil
}

func value32[T int8 | int16 | int32 | uint8 | uint16 | uint32](v T) pq.Value {
	return pq.Int32Value(int32(v))
}

func value64[T int64 | uint64](v T) pq.Value { return pq.Int64Value(int64(v)) }

// leafWriter writes the values of a column of the schema.
type leafWriter struct {
	out    *pq.ColumnWriter
	column int
	def    int // the level of a value that is there
	// values have not been given to out. Text among them lies in arena.
	values []pq.Value
	arena  []byte
	size   int // of the text
	starts int // rows among them
	rows   int // of the page
	// direct says that numbers go to buffer, which out makes with its first value,
	// as they lie in memory, and text and bytes as they are in the file.
	direct bool
	buffer pq.ColumnBuffer
}

// pageRows bounds the rows of a page, so that its statistics are of use.
// heldValues and heldBytes bound what is held beside the page.
const (
	pageRows   = 64 << 10
	heldValues = 16 << 10
	heldBytes  = 64 << 10
)

// add adds a value. Where none may be missing it needs no levels.
func (l *leafWriter) add(v pq.Value) {
	if l.def > 0 {
		v = v.Level(0, l.def, l.column)
	}
	l.values = append(l.values, v)
}

// addMissing adds a value that is missing, or an empty list.
func (l *leafWriter) addMissing() { l.values = append(l.values, pq.NullValue().Level(0, 0, l.column)) }

// endRow ends a row. From time to time it gives out what is held.
func (l *leafWriter) endRow() error {
	l.starts++
	if len(l.values) < heldValues && l.size < heldBytes {
		return nil
	}
	return l.flush()
}

// flush gives out what is held, and ends the page if it is full.
func (l *leafWriter) flush() error {
	if len(l.values) == 0 {
		return nil
	}
	if _, err := l.out.WriteRowValues(l.values); err != nil {
		return err
	}
	n := l.starts
	l.values, l.arena, l.size, l.starts = l.values[:0], l.arena[:0], 0, 0
	return l.written(n)
}

// written counts rows that are in the page, and ends it if it is full.
func (l *leafWriter) written(rows int) error {
	l.rows += rows
	if l.rows < pageRows {
		return nil
	}
	l.rows = 0
	return l.out.Flush()
}

// numbersTo returns the function that adds numbers.
func numbersTo[T any](l *leafWriter, value func(T) pq.Value) adder {
	return func(c exchange.Column, from, to int) (int, error) {
		v := c.(*exchange.Vector[T])
		if l.direct && l.buffer != nil && len(v.Missing) == 0 {
			return l.addDirect(from, to, func(from, to int) (int, error) { return to, writeNumbers(l.buffer, v.Values[from:to]) })
		}
		for i := from; i < to; i++ {
			if v.IsMissing(i) {
				l.addMissing()
			} else {
				l.add(value(v.Values[i]))
			}
			if err := l.endRow(); err != nil {
				return i, err
			}
		}
		return from, nil
	}
}

// turned adds integers, made others.
func turned(l *leafWriter, turn func(int64) (pq.Value, error)) adder {
	return func(c exchange.Column, from, to int) (int, error) {
		v := c.(*exchange.Vector[int64])
		for i := from; i < to; i++ {
			if v.IsMissing(i) {
				l.addMissing()
			} else {
				n, err := turn(v.Values[i])
				if err != nil {
					return i, err
				}
				l.add(n)
			}
			if err := l.endRow(); err != nil {
				return i, err
			}
		}
		return from, nil
	}
}

// int64sTo returns the node of integers of 64 bits, times or dates, and the
// function that adds them.
func int64sTo(l *leafWriter, m dtype.Meaning) (pq.Node, adder) {
	switch {
	case m.Date:
		return pq.Date(), turned(l, func(n int64) (pq.Value, error) {
			if int64(int32(n)) != n {
				return pq.Value{}, fmt.Errorf("%w: the date %d has no form in Parquet", dtype.ErrValue, n)
			}
			return pq.Int32Value(int32(n)), nil
		})
	case m.Time == dtype.Second:
		return pq.Timestamp(pq.Millisecond), turned(l, func(n int64) (pq.Value, error) {
			ms, err := fit.Multiply(n, 1000)
			return pq.Int64Value(ms), err
		})
	case m.Time == dtype.Millisecond:
		return pq.Timestamp(pq.Millisecond), numbersTo(l, value64[int64])
	case m.Time == dtype.Microsecond:
		return pq.Timestamp(pq.Microsecond), numbersTo(l, value64[int64])
	case m.Time == dtype.Nanosecond:
		return pq.Timestamp(pq.Nanosecond), numbersTo(l, value64[int64])
	}
	return pq.Int(64), numbersTo(l, value64[int64])
}

// halvesTo returns the function that adds floats of 16 bits.
func halvesTo(l *leafWriter) adder {
	return func(c exchange.Column, from, to int) (row int, err error) {
		v := c.(*exchange.Vector[float32])
		for i := from; i < to; i++ {
			if v.IsMissing(i) {
				l.addMissing()
			} else {
				start := len(l.arena)
				if l.arena, _, err = dtype.Float16.AppendAll(l.arena, nil, v.Values[i:i+1]); err != nil {
					return i, err
				}
				l.add(pq.FixedLenByteArrayValue(l.arena[start:]))
			}
			if err := l.endRow(); err != nil {
				return i, err
			}
		}
		return from, nil
	}
}

// bytesTo returns the function that adds text or bytes.
func bytesTo[T string | []byte](l *leafWriter, value func([]byte) pq.Value) adder {
	return func(c exchange.Column, from, to int) (int, error) {
		v := c.(*exchange.Vector[T])
		if l.direct && l.buffer != nil && len(v.Missing) == 0 {
			return l.addDirect(from, to, func(from, to int) (int, error) { return writePlain(l, v.Values, from, to) })
		}
		for i := from; i < to; i++ {
			if v.IsMissing(i) {
				l.addMissing()
			} else {
				start := len(l.arena)
				l.arena = append(l.arena, v.Values[i]...)
				l.size += len(v.Values[i])
				l.add(value(l.arena[start:len(l.arena):len(l.arena)]))
			}
			if err := l.endRow(); err != nil {
				return i, err
			}
		}
		return from, nil
	}
}

// jsonTo returns the function that adds values of msgpack and cbor as JSON.
func jsonTo(l *leafWriter) adder {
	return func(c exchange.Column, from, to int) (int, error) {
		v := c.(*exchange.Vector[any])
		for i := from; i < to; i++ {
			if v.IsMissing(i) || v.Values[i] == nil {
				l.addMissing()
			} else {
				start := len(l.arena)
				out, err := structured.AppendJSON(l.arena, v.Values[i])
				if err != nil {
					return i, err
				}
				l.arena = out
				l.size += len(out) - start
				l.add(pq.ByteArrayValue(out[start:len(out):len(out)]))
			}
			if err := l.endRow(); err != nil {
				return i, err
			}
		}
		return from, nil
	}
}

// vectorWriter returns the writer of a column of vectors.
func vectorWriter(f exchange.Field) (*columnWriter, error) {
	switch f.Type.Elem {
	case dtype.KindInt8:
		return vectorsOf(f, pq.Int(8), value32[int8]), nil
	case dtype.KindInt16:
		return vectorsOf(f, pq.Int(16), value32[int16]), nil
	case dtype.KindInt32:
		return vectorsOf(f, pq.Int(32), value32[int32]), nil
	case dtype.KindInt64:
		return vectorsOf(f, pq.Int(64), value64[int64]), nil
	case dtype.KindUint8:
		return vectorsOf(f, pq.Uint(8), value32[uint8]), nil
	case dtype.KindUint16:
		return vectorsOf(f, pq.Uint(16), value32[uint16]), nil
	case dtype.KindUint32:
		return vectorsOf(f, pq.Uint(32), value32[uint32]), nil
	case dtype.KindUint64:
		return vectorsOf(f, pq.Uint(64), value64[uint64]), nil
	case dtype.KindFloat32:
		return vectorsOf(f, pq.Leaf(pq.FloatType), pq.FloatValue), nil
	}
	return vectorsOf(f, pq.Leaf(pq.DoubleType), pq.DoubleValue), nil
}

// listOfNumbers returns the node of lists, without missing ones.
func listOfNumbers(n pq.Node) pq.Node { return pq.List(pq.Encoded(n, &pq.Plain)) }

func vectorsOf[E dtype.Element](f exchange.Field, n pq.Node, value func(E) pq.Value) *columnWriter {
	data := &leafWriter{def: 1}
	if len(f.Type.Dims) > 0 {
		return &columnWriter{listOfNumbers(n), []*leafWriter{data}, func(c exchange.Column, from, to int) (int, error) {
			v := c.(*exchange.Vector[[]E])
			for i := from; i < to; i++ {
				if err := addList(data, v.Values[i], value); err != nil {
					return i, err
				}
			}
			return from, nil
		}}
	}
	shapes := &leafWriter{def: 1}
	both := &group{}
	both.add(shapeName, listOfNumbers(pq.Int(32)))
	both.add(dataName, listOfNumbers(n))
	return &columnWriter{both, []*leafWriter{shapes, data}, func(c exchange.Column, from, to int) (int, error) {
		v := c.(*exchange.Vector[dtype.Tensor[E]])
		var shape []int32
		for i := from; i < to; i++ {
			shape = shape[:0]
			for _, d := range v.Values[i].Shape {
				if d > math.MaxInt32 {
					return i, fmt.Errorf("%w: a dimension of %d has no form in Parquet", dtype.ErrValue, d)
				}
				shape = append(shape, int32(d))
			}
			err := addList(shapes, shape, value32[int32])
			if err == nil {
				err = addList(data, v.Values[i].Data, value)
			}
			if err != nil {
				return i, err
			}
		}
		return from, nil
	}}
}

// addList adds a list of numbers.
func addList[E dtype.Element](l *leafWriter, list []E, value func(E) pq.Value) error {
	if len(list) == 0 {
		l.addMissing()
	}
	for i, x := range list {
		l.values = append(l.values, value(x).Level(min(i, 1), l.def, l.column))
	}
	return l.endRow()
}

package arrow

import (
	"encoding/binary"
	"fmt"
	"math"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
	"columnvault/internal/structured"
)

// columnWriter writes a column of the vault.
type columnWriter struct {
	schema *field
	// add adds the values of a batch. An error is about the row that is returned.
	add func(b *body, c exchange.Column) (int, error)
}

// newColumnWriter returns the writer of a column.
func newColumnWriter(f exchange.Field) (*columnWriter, error) {
	c := &columnWriter{schema: &field{name: f.Name, nullable: f.Meaning.Null, dict: -1}}
	switch f.Type.Kind {
	case dtype.KindBool:
		c.schema.kind = kindBool
		c.add = addBools
	case dtype.KindInt64:
		c.int64s(f.Meaning)
	case dtype.KindInt8:
		numbersTo(c, dtype.Int8)
	case dtype.KindInt16:
		numbersTo(c, dtype.Int16)
	case dtype.KindInt32:
		numbersTo(c, dtype.Int32)
	case dtype.KindUint8:
		numbersTo(c, dtype.Uint8)
	case dtype.KindUint16:
		numbersTo(c, dtype.Uint16)
	case dtype.KindUint32:
		numbersTo(c, dtype.Uint32)
	case dtype.KindUint64:
		numbersTo(c, dtype.Uint64)
	case dtype.KindFloat16:
		numbersTo(c, dtype.Float16)
	case dtype.KindFloat32:
		numbersTo(c, dtype.Float32)
	case dtype.KindFloat64:
		numbersTo(c, dtype.Float64)
	case dtype.KindText:
		c.schema.kind = kindText
		c.add = addTexts[string]
	case dtype.KindBytes:
		c.schema.kind = kindBinary
		c.add = addTexts[[]byte]
		if f.Type.Sized && f.Type.Size > 0 {
			c.schema.kind, c.schema.size = kindFixedBinary, f.Type.Size
			c.add = addFixed
		}
	case dtype.KindMsgPack, dtype.KindCBOR:
		c.schema.kind, c.schema.nullable, c.schema.json = kindText, true, true
		c.add = addJSON
	case dtype.KindVector:
		c.vectors(f.Type)
	}
	if c.add == nil {
		return nil, fmt.Errorf("%w: %v has no form in Arrow", dtype.ErrSyntax, f.Type)
	}
	return c, nil
}

// setNumber sets the type of numbers.
func (f *field) setNumber(s dtype.Spec) {
	f.kind, f.bits = kindInt, 8*s.ElemSize()
	switch s.Kind {
	case dtype.KindFloat16, dtype.KindFloat32, dtype.KindFloat64:
		f.kind = kindFloat
	case dtype.KindUint8, dtype.KindUint16, dtype.KindUint32, dtype.KindUint64:
		f.unsigned = true
	}
}

// numbersTo makes c write numbers.
func numbersTo[T dtype.Element](c *columnWriter, t dtype.Type[T]) {
	c.schema.setNumber(t.Spec())
	c.add = func(b *body, col exchange.Column) (int, error) {
		v := col.(*exchange.Vector[T])
		b.validity(len(v.Values), v.Missing)
		p, err := fit.Stored(t, v.Values)
		b.buffer(p)
		return 0, err
	}
}

// int64s makes c write integers of 64 bits, times or dates.
func (c *columnWriter) int64s(m dtype.Meaning) {
	numbersTo(c, dtype.Int64)
	switch {
	case m.Date:
		c.schema.kind, c.schema.bits, c.schema.unit = kindDate, 32, unitDay
		c.add = addDates
	case m.Time != 0:
		c.schema.kind, c.schema.unit, c.schema.zone = kindTimestamp, int16(m.Time-dtype.Second), m.Zone
		if m.Zone == "" {
			c.schema.zone = "UTC"
		}
	}
}

func addDates(b *body, col exchange.Column) (int, error) {
	v := col.(*exchange.Vector[int64])
	b.validity(len(v.Values), v.Missing)
	days := make([]byte, 0, 4*len(v.Values))
	for i, n := range v.Values {
		if v.IsMissing(i) {
			n = 0
		}
		if int64(int32(n)) != n {
			return i, fmt.Errorf("%w: the date %d has no form in Arrow", dtype.ErrValue, n)
		}
		days = binary.LittleEndian.AppendUint32(days, uint32(n))
	}
	b.buffer(days)
	return 0, nil
}

func addBools(b *body, col exchange.Column) (int, error) {
	v := col.(*exchange.Vector[bool])
	b.validity(len(v.Values), v.Missing)
	bits := make([]byte, (len(v.Values)+7)/8)
	for i, x := range v.Values {
		if x && !v.IsMissing(i) {
			bits[i>>3] |= 1 << (i & 7)
		}
	}
	b.buffer(bits)
	return 0, nil
}

var errTooLong = fmt.Errorf("%w: the values of a record batch are longer than 2 GiB", dtype.ErrValue)

func addTexts[T string | []byte](b *body, col exchange.Column) (int, error) {
	v := col.(*exchange.Vector[T])
	b.validity(len(v.Values), v.Missing)
	size := 0
	for _, x := range v.Values {
		size += len(x)
	}
	ends, all := make([]byte, 4, 4*len(v.Values)+4), make([]byte, 0, size)
	for i, x := range v.Values {
		if !v.IsMissing(i) {
			all = append(all, x...)
		}
		if len(all) > math.MaxInt32 {
			return i, errTooLong
		}
		ends = binary.LittleEndian.AppendUint32(ends, uint32(len(all)))
	}
	b.buffer(ends)
	b.buffer(all)
	return 0, nil
}

func addFixed(b *body, col exchange.Column) (int, error) {
	v := col.(*exchange.Vector[[]byte])
	b.validity(len(v.Values), v.Missing)
	var all []byte
	for _, x := range v.Values {
		all = append(all, x...)
	}
	b.buffer(all)
	return 0, nil
}

func addJSON(b *body, col exchange.Column) (int, error) {
	v := col.(*exchange.Vector[any])
	text := &exchange.Vector[string]{}
	for i := range v.Values {
		value := v.At(i)
		if value == nil {
			text.AddMissing()
			continue
		}
		out, err := structured.AppendJSON(nil, value)
		if err != nil {
			return i, err
		}
		text.Add(string(out))
	}
	return addTexts[string](b, text)
}

// vectors makes c write vectors.
func (c *columnWriter) vectors(s dtype.Spec) {
	switch s.Elem {
	case dtype.KindInt8:
		vectorsTo(c, s, dtype.Int8)
	case dtype.KindInt16:
		vectorsTo(c, s, dtype.Int16)
	case dtype.KindInt32:
		vectorsTo(c, s, dtype.Int32)
	case dtype.KindInt64:
		vectorsTo(c, s, dtype.Int64)
	case dtype.KindUint8:
		vectorsTo(c, s, dtype.Uint8)
	case dtype.KindUint16:
		vectorsTo(c, s, dtype.Uint16)
	case dtype.KindUint32:
		vectorsTo(c, s, dtype.Uint32)
	case dtype.KindUint64:
		vectorsTo(c, s, dtype.Uint64)
	case dtype.KindFloat32:
		vectorsTo(c, s, dtype.Float32)
	case dtype.KindFloat64:
		vectorsTo(c, s, dtype.Float64)
	}
}

func vectorsTo[E dtype.Element](c *columnWriter, s dtype.Spec, t dtype.Type[E]) {
	item := func() *field {
		f := &field{name: "item", dict: -1}
		f.setNumber(t.Spec())
		return f
	}
	if len(s.Dims) == 0 {
		dims := &field{name: "item", dict: -1}
		dims.setNumber(dtype.Int32.Spec())
		c.schema.kind = kindStruct
		c.schema.children = []*field{{name: shapeName, kind: kindList, children: []*field{dims}}, {name: dataName, kind: kindList, children: []*field{item()}}}
		c.add = func(b *body, col exchange.Column) (int, error) { return addTensors(b, t, col) }
		return
	}
	c.schema.kind, c.schema.children, c.schema.size = kindFixedList, []*field{item()}, 1
	for _, d := range s.Dims {
		c.schema.size *= d
	}
	c.add = func(b *body, col exchange.Column) (int, error) {
		v := col.(*exchange.Vector[[]E])
		b.validity(len(v.Values), v.Missing)
		return 0, addNumbers(b, t, v.Values)
	}
}

// addNumbers adds the numbers of lists as one array.
func addNumbers[E dtype.Element](b *body, t dtype.Type[E], lists [][]E) error {
	size := 0
	for _, l := range lists {
		size += len(l)
	}
	all := make([]E, 0, size)
	for _, l := range lists {
		all = append(all, l...)
	}
	b.validity(size, nil)
	p, err := fit.Stored(t, all)
	b.buffer(p)
	return err
}

// addLists adds lists of any length.
func addLists[E dtype.Element](b *body, t dtype.Type[E], lists [][]E) (int, error) {
	b.validity(len(lists), nil)
	ends, end := make([]byte, 4, 4*len(lists)+4), 0
	for i, l := range lists {
		if end += len(l); end > math.MaxInt32 {
			return i, errTooLong
		}
		ends = binary.LittleEndian.AppendUint32(ends, uint32(end))
	}
	b.buffer(ends)
	return 0, addNumbers(b, t, lists)
}

func addTensors[E dtype.Element](b *body, t dtype.Type[E], col exchange.Column) (int, error) {
	v := col.(*exchange.Vector[dtype.Tensor[E]])
	b.validity(len(v.Values), v.Missing)
	shapes, data := make([][]int32, len(v.Values)), make([][]E, len(v.Values))
	for i, x := range v.Values {
		data[i] = x.Data
		for _, d := range x.Shape {
			if d > math.MaxInt32 {
				return i, fmt.Errorf("%w: a dimension of %d has no form in Arrow", dtype.ErrValue, d)
			}
			shapes[i] = append(shapes[i], int32(d))
		}
	}
	if row, err := addLists(b, dtype.Int32, shapes); err != nil {
		return row, err
	}
	return addLists(b, t, data)
}

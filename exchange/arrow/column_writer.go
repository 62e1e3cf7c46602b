package arrow

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
	"columnvault/internal/structured"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// columnWriter writes a column of the vault.
type columnWriter struct {
	field arrow.Field
	// data returns the values of a batch, in its memory where that is possible. An
	// error is about the row that is returned.
	data func(c exchange.Column) (*array.Data, int, error)
}

// newColumnWriter returns the writer of a column.
func newColumnWriter(f exchange.Field) (*columnWriter, error) {
	c := &columnWriter{field: arrow.Field{Name: f.Name, Nullable: f.Meaning.Null}}
	switch f.Type.Kind {
	case dtype.KindBool:
		c.field.Type, c.data = arrow.FixedWidthTypes.Boolean, boolData
	case dtype.KindInt64:
		c.int64s(f.Meaning)
	case dtype.KindInt8:
		numbersTo[int8](c)
	case dtype.KindInt16:
		numbersTo[int16](c)
	case dtype.KindInt32:
		numbersTo[int32](c)
	case dtype.KindUint8:
		numbersTo[uint8](c)
	case dtype.KindUint16:
		numbersTo[uint16](c)
	case dtype.KindUint32:
		numbersTo[uint32](c)
	case dtype.KindUint64:
		numbersTo[uint64](c)
	case dtype.KindFloat16:
		c.field.Type, c.data = arrow.FixedWidthTypes.Float16, halfData
	case dtype.KindFloat32:
		numbersTo[float32](c)
	case dtype.KindFloat64:
		numbersTo[float64](c)
	case dtype.KindText:
		c.field.Type, c.data = arrow.BinaryTypes.String, textsTo[string](arrow.BinaryTypes.String)
	case dtype.KindBytes:
		c.field.Type, c.data = arrow.BinaryTypes.Binary, textsTo[[]byte](arrow.BinaryTypes.Binary)
		if f.Type.Sized && f.Type.Size > 0 {
			t := &arrow.FixedSizeBinaryType{ByteWidth: f.Type.Size}
			c.field.Type, c.data = t, fixedTo(t)
		}
	case dtype.KindMsgPack, dtype.KindCBOR:
		c.field.Type, c.data, c.field.Nullable = arrow.BinaryTypes.String, jsonData, true
		c.field.Metadata = arrow.NewMetadata([]string{ipc.ExtensionTypeKeyName}, []string{jsonText})
	case dtype.KindVector:
		c.vectors(f.Type)
	}
	if c.data == nil {
		return nil, fmt.Errorf("%w: %v has no form in Arrow", dtype.ErrSyntax, f.Type)
	}
	return c, nil
}

// newData returns an array. The first of its buffers is made of the gaps.
func newData(t arrow.DataType, rows int, gaps []bool, values ...[]byte) *array.Data {
	return nestedData(t, rows, gaps, nil, values...)
}

func nestedData(t arrow.DataType, rows int, gaps []bool, children []arrow.ArrayData, values ...[]byte) *array.Data {
	missing := 0
	for _, gap := range gaps {
		if gap {
			missing++
		}
	}
	buffers := make([]*memory.Buffer, 1, 1+len(values))
	if missing > 0 {
		bits := make([]byte, (rows+7)/8)
		for i, gap := range gaps {
			if !gap {
				bits[i>>3] |= 1 << (i & 7)
			}
		}
		buffers[0] = memory.NewBufferBytes(bits)
	}
	for _, b := range values {
		buffers = append(buffers, memory.NewBufferBytes(b))
	}
	return array.NewData(t, rows, buffers, children, missing, 0)
}

// numbersTo makes c write numbers.
func numbersTo[E dtype.Element](c *columnWriter) {
	t := arrow.GetDataType[E]()
	c.field.Type = t
	c.data = func(col exchange.Column) (*array.Data, int, error) {
		v := col.(*exchange.Vector[E])
		return newData(t, len(v.Values), v.Missing, arrow.GetBytes(v.Values)), 0, nil
	}
}

// int64s makes c write integers of 64 bits, times or dates.
func (c *columnWriter) int64s(m dtype.Meaning) {
	numbersTo[int64](c)
	switch {
	case m.Date:
		c.field.Type, c.data = arrow.FixedWidthTypes.Date32, dateData
	case m.Time != 0:
		t := &arrow.TimestampType{Unit: arrow.TimeUnit(m.Time - dtype.Second), TimeZone: m.Zone}
		if m.Zone == "" {
			t.TimeZone = "UTC"
		}
		c.field.Type = t
		c.data = func(col exchange.Column) (*array.Data, int, error) {
			v := col.(*exchange.Vector[int64])
			return newData(t, len(v.Values), v.Missing, arrow.GetBytes(v.Values)), 0, nil
		}
	}
}

func dateData(col exchange.Column) (*array.Data, int, error) {
	v := col.(*exchange.Vector[int64])
	days := make([]int32, len(v.Values))
	for i, n := range v.Values {
		if v.IsMissing(i) {
			continue
		}
		if days[i] = int32(n); int64(days[i]) != n {
			return nil, i, fmt.Errorf("%w: the date %d has no form in Arrow", dtype.ErrValue, n)
		}
	}
	return newData(arrow.FixedWidthTypes.Date32, len(days), v.Missing, arrow.GetBytes(days)), 0, nil
}

func halfData(col exchange.Column) (*array.Data, int, error) {
	v := col.(*exchange.Vector[float32])
	raw, err := fit.Stored(dtype.Float16, v.Values)
	if err != nil {
		return nil, 0, err
	}
	halves := make([]uint16, len(v.Values))
	for i := range halves {
		halves[i] = binary.LittleEndian.Uint16(raw[2*i:])
	}
	return newData(arrow.FixedWidthTypes.Float16, len(halves), v.Missing, arrow.GetBytes(halves)), 0, nil
}

func boolData(col exchange.Column) (*array.Data, int, error) {
	v := col.(*exchange.Vector[bool])
	bits := make([]byte, (len(v.Values)+7)/8)
	for i, x := range v.Values {
		if x && !v.IsMissing(i) {
			bits[i>>3] |= 1 << (i & 7)
		}
	}
	return newData(arrow.FixedWidthTypes.Boolean, len(v.Values), v.Missing, bits), 0, nil
}

var errTooLong = fmt.Errorf("%w: the values of a record batch are longer than 2 GiB", dtype.ErrValue)

// textsTo returns the function that writes values that vary in size.
func textsTo[T string | []byte](t arrow.DataType) func(exchange.Column) (*array.Data, int, error) {
	return func(col exchange.Column) (*array.Data, int, error) {
		v := col.(*exchange.Vector[T])
		size := 0
		for _, x := range v.Values {
			size += len(x)
		}
		ends, all := make([]int32, 1, len(v.Values)+1), make([]byte, 0, size)
		for i, x := range v.Values {
			if !v.IsMissing(i) {
				all = append(all, x...)
			}
			if len(all) > math.MaxInt32 {
				return nil, i, errTooLong
			}
			ends = append(ends, int32(len(all)))
		}
		return newData(t, len(v.Values), v.Missing, arrow.GetBytes(ends), all), 0, nil
	}
}

// fixedTo returns the function that writes bytes of one size.
func fixedTo(t *arrow.FixedSizeBinaryType) func(exchange.Column) (*array.Data, int, error) {
	return func(col exchange.Column) (*array.Data, int, error) {
		v := col.(*exchange.Vector[[]byte])
		all := make([]byte, len(v.Values)*t.ByteWidth)
		for i, x := range v.Values {
			copy(all[i*t.ByteWidth:(i+1)*t.ByteWidth], x)
		}
		return newData(t, len(v.Values), v.Missing, all), 0, nil
	}
}

func jsonData(col exchange.Column) (*array.Data, int, error) {
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
			return nil, i, err
		}
		text.Add(string(out))
	}
	return textsTo[string](arrow.BinaryTypes.String)(text)
}

// vectors makes c write vectors.
func (c *columnWriter) vectors(s dtype.Spec) {
	switch s.Elem {
	case dtype.KindInt8:
		vectorsTo[int8](c, s)
	case dtype.KindInt16:
		vectorsTo[int16](c, s)
	case dtype.KindInt32:
		vectorsTo[int32](c, s)
	case dtype.KindInt64:
		vectorsTo[int64](c, s)
	case dtype.KindUint8:
		vectorsTo[uint8](c, s)
	case dtype.KindUint16:
		vectorsTo[uint16](c, s)
	case dtype.KindUint32:
		vectorsTo[uint32](c, s)
	case dtype.KindUint64:
		vectorsTo[uint64](c, s)
	case dtype.KindFloat32:
		vectorsTo[float32](c, s)
	case dtype.KindFloat64:
		vectorsTo[float64](c, s)
	}
}

func vectorsTo[E dtype.Element](c *columnWriter, s dtype.Spec) {
	if len(s.Dims) == 0 {
		t := arrow.StructOf(arrow.Field{Name: shapeName, Type: arrow.ListOfField(item[int32]())},
			arrow.Field{Name: dataName, Type: arrow.ListOfField(item[E]())})
		c.field.Type = t
		c.data = func(col exchange.Column) (*array.Data, int, error) { return tensorData[E](t, col) }
		return
	}
	t := arrow.FixedSizeListOfField(int32(fit.RowLen(s)), item[E]())
	c.field.Type = t
	c.data = func(col exchange.Column) (*array.Data, int, error) {
		v := col.(*exchange.Vector[[]E])
		lists := v.Values
		if len(v.Missing) > 0 { // what is missing takes room, too
			lists = make([][]E, len(v.Values))
			for i, l := range v.Values {
				if lists[i] = l; len(l) != int(t.Len()) {
					lists[i] = make([]E, t.Len())
				}
			}
		}
		return nestedData(t, len(lists), v.Missing, []arrow.ArrayData{joined(lists)}), 0, nil
	}
}

// item is the field of the numbers of lists.
func item[E dtype.Element]() arrow.Field {
	return arrow.Field{Name: "item", Type: arrow.GetDataType[E]()}
}

// joined returns the numbers of lists as one array.
func joined[E dtype.Element](lists [][]E) arrow.ArrayData {
	all := slices.Concat(lists...)
	return newData(arrow.GetDataType[E](), len(all), nil, arrow.GetBytes(all))
}

// listData returns lists of any length.
func listData[E dtype.Element](t arrow.DataType, lists [][]E) (*array.Data, int, error) {
	ends, end := make([]int32, 1, len(lists)+1), 0
	for i, l := range lists {
		if end += len(l); end > math.MaxInt32 {
			return nil, i, errTooLong
		}
		ends = append(ends, int32(end))
	}
	return nestedData(t, len(lists), nil, []arrow.ArrayData{joined(lists)}, arrow.GetBytes(ends)), 0, nil
}

func tensorData[E dtype.Element](t *arrow.StructType, col exchange.Column) (*array.Data, int, error) {
	v := col.(*exchange.Vector[dtype.Tensor[E]])
	shapes, lists := make([][]int32, len(v.Values)), make([][]E, len(v.Values))
	for i, x := range v.Values {
		lists[i] = x.Data
		for _, d := range x.Shape {
			if d > math.MaxInt32 {
				return nil, i, fmt.Errorf("%w: a dimension of %d has no form in Arrow", dtype.ErrValue, d)
			}
			shapes[i] = append(shapes[i], int32(d))
		}
	}
	first, row, err := listData(t.Field(0).Type, shapes)
	if err != nil {
		return nil, row, err
	}
	second, row, err := listData(t.Field(1).Type, lists)
	if err != nil {
		return nil, row, err
	}
	return nestedData(t, len(v.Values), v.Missing, []arrow.ArrayData{first, second}), 0, nil
}

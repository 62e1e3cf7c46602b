package arrow

import (
	"errors"

	"columnvault/dtype"
	"columnvault/exchange"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// errGaps is that of lists of numbers that hold missing values, or are missing.
var errGaps = errors.New("a list has missing values")

// listOf returns the column of lists of numbers, or nil if f is none.
func listOf(f arrow.Field) column {
	length := 0
	switch t := storageType(f.Type).(type) {
	case *arrow.StructType:
		return tensorOf(t)
	case *arrow.MapType:
		return nil
	case *arrow.FixedSizeListType:
		length = int(t.Len())
	case *arrow.ListType, *arrow.LargeListType:
	default:
		return nil
	}
	switch storageType(f.Type).(arrow.ListLikeType).Elem().(type) {
	case *arrow.Int8Type:
		return list[int8]{dtype.KindInt8, length}
	case *arrow.Int16Type:
		return list[int16]{dtype.KindInt16, length}
	case *arrow.Int32Type:
		return list[int32]{dtype.KindInt32, length}
	case *arrow.Int64Type:
		return list[int64]{dtype.KindInt64, length}
	case *arrow.Uint8Type:
		return list[uint8]{dtype.KindUint8, length}
	case *arrow.Uint16Type:
		return list[uint16]{dtype.KindUint16, length}
	case *arrow.Uint32Type:
		return list[uint32]{dtype.KindUint32, length}
	case *arrow.Uint64Type:
		return list[uint64]{dtype.KindUint64, length}
	case *arrow.Float32Type:
		return list[float32]{dtype.KindFloat32, length}
	case *arrow.Float64Type:
		return list[float64]{dtype.KindFloat64, length}
	}
	return nil
}

// list is a column of lists of numbers.
type list[E dtype.Element] struct {
	elem   dtype.Kind
	length int // of all lists, or 0
}

func (c list[E]) field() exchange.Field {
	s := dtype.Spec{Kind: dtype.KindVector, Elem: c.elem}
	if c.length > 0 {
		s.Dims = []int{c.length}
	}
	return plain(s)
}

// each calls add for the lists, in the memory of the array.
func (c list[E]) each(from arrow.Array, at, to int, add func(i int, l []E)) error {
	a := from.(array.ListLike)
	if gaps(a, at, to) != nil {
		return errGaps
	}
	first, last, err := extent(a, at, to)
	if err != nil {
		return err
	}
	if gaps(a.ListValues(), first, last) != nil {
		return errGaps
	}
	all, err := elements[E](a.ListValues(), first, last)
	if err != nil {
		return err
	}
	for i := at; i < to; i++ {
		start, end := a.ValueOffsets(i)
		add(i-at, all[int(start)-first:int(end)-first:int(end)-first])
	}
	return nil
}

func (c list[E]) read(a arrow.Array, from, to int, dst exchange.Column) error {
	if v, ok := dst.(*exchange.Vector[[]E]); ok {
		lists := v.Extend(to - from)
		return c.each(a, from, to, func(i int, l []E) { lists[i] = l })
	}
	v := dst.(*exchange.Vector[dtype.Tensor[E]])
	return c.each(a, from, to, func(_ int, l []E) { v.Add(dtype.Tensor[E]{Shape: []int{len(l)}, Data: l}) })
}

// shapeName and dataName are the fields of arrays that each have a shape of
// their own.
const (
	shapeName = "shape"
	dataName  = "values"
)

// tensorOf returns the column of arrays as a Writer writes them, or nil.
func tensorOf(t *arrow.StructType) column {
	if t.NumFields() != 2 || t.Field(0).Name != shapeName || t.Field(1).Name != dataName ||
		t.Field(0).Type.ID() != arrow.LIST || t.Field(1).Type.ID() != arrow.LIST {
		return nil
	}
	if shapes, ok := listOf(t.Field(0)).(list[int32]); !ok || shapes.length != 0 {
		return nil
	}
	switch data := listOf(t.Field(1)).(type) {
	case list[int8]:
		return tensor[int8]{data}
	case list[int16]:
		return tensor[int16]{data}
	case list[int32]:
		return tensor[int32]{data}
	case list[int64]:
		return tensor[int64]{data}
	case list[uint8]:
		return tensor[uint8]{data}
	case list[uint16]:
		return tensor[uint16]{data}
	case list[uint32]:
		return tensor[uint32]{data}
	case list[uint64]:
		return tensor[uint64]{data}
	case list[float32]:
		return tensor[float32]{data}
	case list[float64]:
		return tensor[float64]{data}
	}
	return nil
}

// tensor is a column of arrays that each have a shape of their own.
type tensor[E dtype.Element] struct{ data list[E] }

func (c tensor[E]) field() exchange.Field { return c.data.field() }

func (c tensor[E]) read(a arrow.Array, from, to int, dst exchange.Column) error {
	if gaps(a, from, to) != nil {
		return errGaps
	}
	group := a.(*array.Struct)
	shapes := make([][]int, to-from)
	err := list[int32]{}.each(group.Field(0), from, to, func(i int, l []int32) {
		for _, d := range l {
			shapes[i] = append(shapes[i], int(d))
		}
	})
	if err != nil {
		return err
	}
	v := dst.(*exchange.Vector[dtype.Tensor[E]])
	return c.data.each(group.Field(1), from, to, func(i int, l []E) {
		v.Add(dtype.Tensor[E]{Shape: shapes[i], Data: l}) // the column checks the shape
	})
}

package arrow

import (
	"errors"

	"columnvault/dtype"
	"columnvault/exchange"
)

// errGaps is that of lists of numbers that hold missing values, or are missing.
var errGaps = errors.New("a list has missing values")

// listOf returns the column of lists of numbers, or nil if f is none.
func listOf(f *field) column {
	switch f.kind {
	case kindList, kindLargeList, kindFixedList:
	case kindStruct:
		return tensorOf(f)
	default:
		return nil
	}
	child := f.children[0]
	if child.index != nil || child.kind != kindInt && child.kind != kindFloat || child.bits == 16 && child.kind == kindFloat {
		return nil
	}
	length := 0
	if f.kind == kindFixedList {
		if length = f.size; length == 0 {
			return nil
		}
	}
	switch c := columnOf(child, false).(type) {
	case fixed[int8]:
		return &list[int8]{c, length}
	case fixed[int16]:
		return &list[int16]{c, length}
	case fixed[int32]:
		return &list[int32]{c, length}
	case fixed[int64]:
		return &list[int64]{c, length}
	case fixed[uint8]:
		return &list[uint8]{c, length}
	case fixed[uint16]:
		return &list[uint16]{c, length}
	case fixed[uint32]:
		return &list[uint32]{c, length}
	case fixed[uint64]:
		return &list[uint64]{c, length}
	case fixed[float32]:
		return &list[float32]{c, length}
	case fixed[float64]:
		return &list[float64]{c, length}
	}
	return nil
}

// list is a column of lists of numbers.
type list[E dtype.Element] struct {
	of     fixed[E]
	length int // of all lists, or 0
}

func (c *list[E]) field() exchange.Field {
	s := dtype.Spec{Kind: dtype.KindVector, Elem: c.of.f.Type.Kind}
	if c.length > 0 {
		s.Dims = []int{c.length}
	}
	return plain(s)
}

// lists returns lists, which lie in one piece of memory.
func (c *list[E]) lists(a *array, from, to int64) ([][]E, error) {
	gaps, err := a.gaps(from, to)
	if err != nil {
		return nil, err
	}
	if gaps != nil {
		return nil, errGaps
	}
	var ends []int64
	if a.kind == kindFixedList {
		ends = make([]int64, to-from+1)
		for i := range ends {
			ends[i] = (from + int64(i)) * int64(a.size)
		}
	} else if ends, err = a.offsets(from, to); err != nil {
		return nil, err
	}
	first, last := ends[0], ends[len(ends)-1]
	child := a.children[0]
	if last > child.length {
		return nil, errDamaged
	}
	if gaps, err = child.gaps(first, last); err != nil {
		return nil, err
	}
	if gaps != nil {
		return nil, errGaps
	}
	if last-first > dtype.MaxSize {
		return nil, errDamaged
	}
	all := make([]E, last-first)
	if err := c.of.get(child, first, last, all); err != nil {
		return nil, err
	}
	lists := make([][]E, to-from)
	for i := range lists {
		lists[i] = all[ends[i]-first : ends[i+1]-first : ends[i+1]-first]
	}
	return lists, nil
}

func (c *list[E]) read(a *array, from, to int64, dst exchange.Column) error {
	lists, err := c.lists(a, from, to)
	if err != nil {
		return err
	}
	if v, ok := dst.(*exchange.Vector[[]E]); ok {
		copy(v.Extend(len(lists)), lists)
		return nil
	}
	v := dst.(*exchange.Vector[dtype.Tensor[E]])
	for _, l := range lists {
		v.Add(dtype.Tensor[E]{Shape: []int{len(l)}, Data: l})
	}
	return nil
}

// shapeName and dataName are the fields of arrays that each have a shape of
// their own.
const (
	shapeName = "shape"
	dataName  = "values"
)

// tensorOf returns the column of arrays as a Writer writes them, or nil.
func tensorOf(f *field) column {
	if len(f.children) != 2 || f.children[0].name != shapeName || f.children[1].name != dataName ||
		f.children[0].kind != kindList || f.children[1].kind != kindList {
		return nil
	}
	shapes, ok := listOf(f.children[0]).(*list[int32])
	if !ok {
		return nil
	}
	switch data := listOf(f.children[1]).(type) {
	case *list[int8]:
		return &tensor[int8]{shapes, data}
	case *list[int16]:
		return &tensor[int16]{shapes, data}
	case *list[int32]:
		return &tensor[int32]{shapes, data}
	case *list[int64]:
		return &tensor[int64]{shapes, data}
	case *list[uint8]:
		return &tensor[uint8]{shapes, data}
	case *list[uint16]:
		return &tensor[uint16]{shapes, data}
	case *list[uint32]:
		return &tensor[uint32]{shapes, data}
	case *list[uint64]:
		return &tensor[uint64]{shapes, data}
	case *list[float32]:
		return &tensor[float32]{shapes, data}
	case *list[float64]:
		return &tensor[float64]{shapes, data}
	}
	return nil
}

// tensor is a column of arrays that each have a shape of their own.
type tensor[E dtype.Element] struct {
	shapes *list[int32]
	data   *list[E]
}

func (c *tensor[E]) field() exchange.Field { return c.data.field() }

func (c *tensor[E]) read(a *array, from, to int64, dst exchange.Column) error {
	gaps, err := a.gaps(from, to)
	if err == nil && gaps != nil {
		err = errGaps
	}
	if err != nil {
		return err
	}
	shapes, err := c.shapes.lists(a.children[0], from, to)
	if err != nil {
		return err
	}
	lists, err := c.data.lists(a.children[1], from, to)
	if err != nil {
		return err
	}
	v := dst.(*exchange.Vector[dtype.Tensor[E]])
	for i, l := range lists {
		shape := make([]int, len(shapes[i]))
		for k, d := range shapes[i] {
			shape[k] = int(d)
		}
		v.Add(dtype.Tensor[E]{Shape: shape, Data: l}) // the column checks the shape
	}
	return nil
}

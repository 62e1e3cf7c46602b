package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"columnvault/dtype"
	"columnvault/exchange"
)

// errNested is that of lists of numbers which hold missing values, or are
// missing, and errLength of one that is not as long as those before.
var (
	errNested = errors.New("a list has missing values")
	errLength = errors.New("a list is longer or shorter than others")
)

// listOf returns the column of lists of a kind of numbers.
func listOf(k any, length int) column {
	switch k := k.(type) {
	case numbers[int8]:
		return newList(dtype.KindInt8, k, length)
	case numbers[int16]:
		return newList(dtype.KindInt16, k, length)
	case numbers[int32]:
		return newList(dtype.KindInt32, k, length)
	case numbers[int64]:
		return newList(dtype.KindInt64, k, length)
	case numbers[uint8]:
		return newList(dtype.KindUint8, k, length)
	case numbers[uint16]:
		return newList(dtype.KindUint16, k, length)
	case numbers[uint32]:
		return newList(dtype.KindUint32, k, length)
	case numbers[uint64]:
		return newList(dtype.KindUint64, k, length)
	case numbers[float32]:
		return newList(dtype.KindFloat32, k, length)
	case numbers[float64]:
		return newList(dtype.KindFloat64, k, length)
	}
	return nil
}

func newList[E dtype.Element](elem dtype.Kind, k numbers[E], length int) column {
	return &listColumn[E]{elem: elem, kind: k, length: length}
}

// maxList bounds the elements of a list.
const maxList = dtype.MaxSize

// listColumn is a column of lists of numbers.
type listColumn[E dtype.Element] struct {
	elem   dtype.Kind
	kind   numbers[E]
	length int // of all lists, or 0
	p      *pages
	// data has the numbers of the lists that are held, one after the other, of
	// which ends has the ends; what follows is a list that has not ended.
	data  []E
	ends  []int
	open  bool
	ended bool
	part  []E
}

// field is the type of the column.
func (c *listColumn[E]) field() exchange.Field {
	s := dtype.Spec{Kind: dtype.KindVector, Elem: c.elem}
	if c.length > 0 {
		s.Dims = []int{c.length}
	}
	return plainField(s)
}

func (c *listColumn[E]) begin(p []*pages) {
	c.p = p[0]
	c.data, c.ends, c.open, c.ended = nil, nil, false, false
}

func (c *listColumn[E]) fill(rows int) (int, error) {
	for len(c.ends) < rows && !c.ended && (len(c.ends) == 0 || len(c.data) < fillBytes/8) {
		err := c.p.more()
		if errors.Is(err, io.EOF) {
			c.ended = true
			if c.open {
				err = c.end()
			} else {
				err = nil
			}
		} else if err == nil {
			err = c.read(min(step, c.p.n))
		}
		if err != nil {
			return 0, err
		}
	}
	if len(c.ends) == 0 {
		return 0, errEarly
	}
	return min(rows, len(c.ends)), nil
}

// read reads the next n numbers, among which empty lists count.
func (c *listColumn[E]) read(n int) error {
	if c.part == nil {
		c.part = make([]E, step)
	}
	reps, defs := c.p.takeLevels(n)
	part := c.part[:bytes.Count(defs, []byte{byte(c.p.leaf.def)})]
	if err := c.kind.read(c.p, part); err != nil {
		return err
	}
	return c.add(reps, defs, part)
}

// add adds numbers with their levels.
func (c *listColumn[E]) add(reps, defs []byte, part []E) error {
	leaf := byte(c.p.leaf.def)
	filled := leaf // where a list has an element
	if c.p.leaf.repetition == optional {
		filled--
	}
	empty := filled - 1
	if c.data == nil {
		c.data = make([]E, 0, max(len(part), fillBytes/8/4))
	}
	for i, def := range defs {
		if reps[i] == 0 {
			if c.open {
				if err := c.end(); err != nil {
					return err
				}
			}
			c.open = true
		} else if !c.open {
			return errDamaged
		}
		switch {
		case def == leaf:
			if len(part) == 0 {
				return errDamaged
			}
			c.data = append(c.data, part[0])
			part = part[1:]
		case def == empty && c.length == 0:
		case def == empty:
			return errLength
		default:
			return errNested
		}
	}
	if last := c.lastEnd(); len(c.data)-last > maxList {
		return fmt.Errorf("%w: a list has more than %d elements", dtype.ErrValue, maxList)
	}
	return nil
}

func (c *listColumn[E]) lastEnd() int {
	if len(c.ends) == 0 {
		return 0
	}
	return c.ends[len(c.ends)-1]
}

// end ends the open list.
func (c *listColumn[E]) end() error {
	if c.length > 0 && len(c.data)-c.lastEnd() != c.length {
		return errLength
	}
	c.ends = append(c.ends, len(c.data))
	c.open = false
	return nil
}

// next returns the next list.
func (c *listColumn[E]) next(i, start int) []E { return c.data[start:c.ends[i]:c.ends[i]] }

func (c *listColumn[E]) take(rows int, dst exchange.Column) error {
	start := 0
	switch v := dst.(type) {
	case *exchange.Vector[[]E]:
		for i := range rows {
			v.Add(c.next(i, start))
			start = c.ends[i]
		}
	case *exchange.Vector[dtype.Tensor[E]]:
		for i := range rows {
			list := c.next(i, start)
			v.Add(dtype.Tensor[E]{Shape: []int{len(list)}, Data: list})
			start = c.ends[i]
		}
	}
	c.drop(rows)
	return nil
}

// drop forgets lists. What has been taken lies in the memory of data.
func (c *listColumn[E]) drop(rows int) {
	if rows == 0 {
		return
	}
	at := c.ends[rows-1]
	rest := append(make([]E, 0, max(len(c.data)-at, fillBytes/8/4)), c.data[at:]...)
	ends := c.ends[:0]
	for _, end := range c.ends[rows:] {
		ends = append(ends, end-at)
	}
	c.data, c.ends = rest, ends
}

// tensorColumn is a column of arrays that each have a shape of their own: a
// group of two lists.
type tensorColumn[E dtype.Element] struct {
	shapes *listColumn[int32]
	data   *listColumn[E]
}

// tensorOf returns the column of arrays whose numbers are in a column of lists.
func tensorOf(shapes, data column) column {
	s, ok := shapes.(*listColumn[int32])
	if !ok {
		return nil
	}
	switch d := data.(type) {
	case *listColumn[int8]:
		return &tensorColumn[int8]{s, d}
	case *listColumn[int16]:
		return &tensorColumn[int16]{s, d}
	case *listColumn[int32]:
		return &tensorColumn[int32]{s, d}
	case *listColumn[int64]:
		return &tensorColumn[int64]{s, d}
	case *listColumn[uint8]:
		return &tensorColumn[uint8]{s, d}
	case *listColumn[uint16]:
		return &tensorColumn[uint16]{s, d}
	case *listColumn[uint32]:
		return &tensorColumn[uint32]{s, d}
	case *listColumn[uint64]:
		return &tensorColumn[uint64]{s, d}
	case *listColumn[float32]:
		return &tensorColumn[float32]{s, d}
	case *listColumn[float64]:
		return &tensorColumn[float64]{s, d}
	}
	return nil
}

func (c *tensorColumn[E]) field() exchange.Field { return c.data.field() }

func (c *tensorColumn[E]) begin(p []*pages) {
	c.shapes.begin(p[:1])
	c.data.begin(p[1:])
}

func (c *tensorColumn[E]) fill(rows int) (int, error) {
	n, err := c.shapes.fill(rows)
	if err != nil {
		return 0, err
	}
	return c.data.fill(n)
}

func (c *tensorColumn[E]) take(rows int, dst exchange.Column) error {
	v := dst.(*exchange.Vector[dtype.Tensor[E]])
	at, shapeAt := 0, 0
	for i := range rows {
		dims := c.shapes.next(i, shapeAt)
		shapeAt = c.shapes.ends[i]
		shape := make([]int, len(dims))
		for k, d := range dims {
			shape[k] = int(d)
		}
		v.Add(dtype.Tensor[E]{Shape: shape, Data: c.data.next(i, at)}) // the column checks the shape
		at = c.data.ends[i]
	}
	c.shapes.drop(rows)
	c.data.drop(rows)
	return nil
}

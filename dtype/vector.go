package dtype

import (
	"fmt"
	"slices"
)

// VectorType is vectors of E as flat slices. A fixed one, vec:E:D1:D2.., stores a type byte and the elements of each row
// in C order (the last dimension varies fastest); a row of another length is refused. One without dimensions, vec:E,
// stores the length with every row and reads only what has one dimension: see [Tensors] for all shapes.
type VectorType[E Element] struct {
	*base
	row int // elements of a row; 0: varies
}

// Vector is rows of E with the given dimensions, or of any length if there are none.
func Vector[E Element](dims ...int) VectorType[E] {
	return newVector[E](Spec{Kind: KindVector, Elem: kindOf[E](), Dims: slices.Clone(dims)})
}

func newVector[E Element](s Spec) VectorType[E] {
	t := VectorType[E]{base: newBase(s)}
	if len(s.Dims) > 0 {
		t.row = volume(s.Dims)
	}
	return t
}

// RowLen returns how many elements a row has, or 0 if that varies.
func (t VectorType[E]) RowLen() int { return t.row }

// Append appends the stored form of the row v to dst. On error the result is dst.
func (t VectorType[E]) Append(dst []byte, v []E) ([]byte, error) {
	switch err := t.Err(); {
	case err != nil:
		return dst, err
	case t.row == 0:
		return appendTensor(dst, t.spec.Elem, []int{len(v)}, v)
	case len(v) != t.row:
		return dst, fmt.Errorf("%w: a row of %d elements, but %s has %d", ErrValue, len(v), t.spec.shown(), t.row)
	}
	return appendNumbers(append(dst, t.spec.Elem.code()), v), nil
}

// AppendAll is described at [Type].
func (t VectorType[E]) AppendAll(dst []byte, ends []int, vs [][]E) ([]byte, []int, error) {
	return appendEach(t, dst, ends, vs)
}

// AppendFlat is AppendAll for rows of a fixed vector that lie back to back in flat.
func (t VectorType[E]) AppendFlat(dst []byte, flat []E) ([]byte, error) {
	if err := t.checkFlat(len(flat), ErrValue); err != nil {
		return dst, err
	}
	dst = slices.Grow(dst, len(flat)/t.row*t.size)
	code := t.spec.Elem.code()
	for row := range slices.Chunk(flat, t.row) {
		dst = appendNumbers(append(dst, code), row)
	}
	return dst, nil
}

// DecodeFlat is DecodeAll for a fixed vector, with the rows back to back in dst.
func (t VectorType[E]) DecodeFlat(dst []E, data []byte) error {
	if err := t.checkFlat(len(dst), ErrData); err != nil {
		return err
	}
	es, err := newElements(t.size, len(dst)/t.row, data, nil)
	if err != nil {
		return err
	}
	for i := range len(dst) / t.row {
		src, _ := es.at(i)
		if err := checkCode(src[0], t.spec.Elem); err != nil {
			return &ElementError{i, err}
		}
		readNumbers(dst[i*t.row:(i+1)*t.row], src[1:])
	}
	return nil
}

// checkFlat checks that a flat slice of n elements is a whole number of rows.
func (t VectorType[E]) checkFlat(n int, kind error) error {
	switch err := t.Err(); {
	case err != nil:
		return err
	case t.row == 0:
		return fmt.Errorf("%w: rows of %s vary in length and cannot lie in one flat slice", kind, t.spec.shown())
	case n%t.row != 0:
		return fmt.Errorf("%w: %d elements are no whole number of rows of %s, which have %d", kind, n, t.spec.shown(), t.row)
	}
	return nil
}

// Decode decodes one row into memory of its own.
func (t VectorType[E]) Decode(src []byte) ([]E, error) {
	switch err := t.Err(); {
	case err != nil:
		return nil, err
	case t.row == 0:
		tensor, err := readTensor[E](src, t.spec.Elem)
		if err == nil && len(tensor.Shape) != 1 {
			err = fmt.Errorf("%w: shape %v where a single dimension is wanted: read the column as tensors", ErrData, tensor.Shape)
		}
		if err != nil {
			return nil, err
		}
		return tensor.Data, nil
	}
	src, err := t.element(src)
	if err == nil {
		err = checkCode(src[0], t.spec.Elem)
	}
	if err != nil {
		return nil, err
	}
	row := make([]E, t.row)
	readNumbers(row, src[1:])
	return row, nil
}

// DecodeAll is described at [Type]. Rows of a fixed vector lie in one piece of memory, which each of them keeps alive.
func (t VectorType[E]) DecodeAll(dst [][]E, data []byte, ends []int) error {
	if err := t.Err(); err != nil {
		return err
	}
	if t.row == 0 {
		return decodeEach(t, dst, data, ends)
	}
	if _, err := newElements(t.size, len(dst), data, nil); err != nil {
		return err // before memory is allocated
	}
	flat := make([]E, len(dst)*t.row)
	if err := t.DecodeFlat(flat, data); err != nil {
		return err
	}
	for i := range dst {
		dst[i] = flat[i*t.row : (i+1)*t.row : (i+1)*t.row]
	}
	return nil
}

// Bytes returns nil, because a type byte is stored with every row.
func (VectorType[E]) Bytes([][]E) []byte { return nil }

// Match returns what Append writes for v: rows are equal if their bytes are.
func (t VectorType[E]) Match(v []E) ([][]byte, error) { return matchOne(t, v) }

// checkCode checks the type byte of a stored vector. Python's package believes it in place of the dtype, which would
// make the type of a value change from element to element.
func checkCode(code byte, want Kind) error {
	if code == want.code() {
		return nil
	}
	if kind, ok := VectorElem([]byte{code}); ok {
		return fmt.Errorf("%w: a vector of %v in a column of vec:%v", ErrData, kind, want)
	}
	return fmt.Errorf("%w: the vector has the unknown element type %d", ErrData, code)
}

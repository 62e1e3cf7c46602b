// Package rows moves the fields of many rows to the stored form of columns, and
// back: a field of all rows in one pass, by its offset, without reflection.
//
// Rows are Go structs, of which [Of] looks at the type once, or lists of any
// values, see [Dynamic].
package rows

import (
	"errors"
	"fmt"
	"unsafe"

	"columnvault/dtype"
)

// Field is a field of a row that is stored in a column of its own.
type Field struct {
	// Name is that of the column within its table.
	Name    string
	Spec    dtype.Spec
	Meaning dtype.Meaning
	// Default is the stored form of what rows have that are older than the
	// field; nil if the tag gives none.
	Default []byte

	codec codec
}

// codec moves one field of n rows, which begin at base and follow each other in
// steps of stride bytes.
type codec interface {
	// gather appends the stored forms, as [dtype.Type.AppendAll] does.
	gather(dst []byte, ends []int, base unsafe.Pointer, stride uintptr, n int) ([]byte, []int, error)
	// scatter sets the field from elements, as [dtype.Type.DecodeAll] does. The
	// field is zero before.
	scatter(base unsafe.Pointer, stride uintptr, n int, data []byte, ends []int) error
}

// Gather appends the stored forms of the field of all rows to dst. If they vary
// in size, it also appends the length of dst after each of them to ends. An
// error about one row is a [dtype.ElementError]; the results are then dst and
// ends. The field must be one of T.
func Gather[T any](f *Field, dst []byte, ends []int, rows []T) ([]byte, []int, error) {
	if len(rows) == 0 {
		return dst, ends, nil
	}
	return f.codec.gather(dst, ends, unsafe.Pointer(unsafe.SliceData(rows)), unsafe.Sizeof(rows[0]), len(rows))
}

// Scatter sets the field in all rows, where it must be zero, from as many
// elements: back to back in data, and where they vary in size, element i ends at
// ends[i]. Values may lie in the memory of data. An error about one row is a
// [dtype.ElementError]. The field must be one of T.
func Scatter[T any](f *Field, rows []T, data []byte, ends []int) error {
	if len(rows) == 0 {
		return nil
	}
	return f.codec.scatter(unsafe.Pointer(unsafe.SliceData(rows)), unsafe.Sizeof(rows[0]), len(rows), data, ends)
}

// Borrows tells whether values may lie in the memory that they are read from.
func (f *Field) Borrows() bool { return f.Spec.Kind > dtype.KindFloat64 }

// at makes the error about an element one about the element that many further
// on.
func at(err error, further int) error {
	var bad *dtype.ElementError
	if errors.As(err, &bad) {
		return &dtype.ElementError{Index: bad.Index + further, Err: bad.Err}
	}
	return err
}

// element is the bytes of element i, of size bytes or, if that is 0, up to its
// end.
func element(size, i int, data []byte, ends []int) ([]byte, error) {
	from, to := i*size, (i+1)*size
	if size == 0 {
		from = 0
		if i > 0 {
			from = ends[i-1]
		}
		to = ends[i]
	}
	if from < 0 || to < from || to > len(data) {
		return nil, fmt.Errorf("%w: bytes %d to %d of %d", dtype.ErrData, from, to, len(data))
	}
	return data[from:to:to], nil
}

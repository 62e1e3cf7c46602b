package rows

import (
	"fmt"
	"unsafe"

	"columnvault/dtype"
)

// Dynamic makes fields of rows that are lists of values, one for each column, of
// the Go types that [dtype.Meaning.Type] takes and returns.
func Dynamic(fields []Field) []*Field {
	all := make([]*Field, len(fields))
	for i, f := range fields {
		f.codec = &listed{f.Meaning.Type(f.Spec), i, len(fields)}
		all[i] = &f
	}
	return all
}

// listed is the codec of value i of rows that have n.
type listed struct {
	t    dtype.Type[any]
	i, n int
}

func (c *listed) rows(base unsafe.Pointer, n int) [][]any {
	return unsafe.Slice((*[]any)(base), n)
}

func (c *listed) gather(dst []byte, ends []int, base unsafe.Pointer, _ uintptr, n int) ([]byte, []int, error) {
	out, outEnds := dst, ends
	for i, row := range c.rows(base, n) {
		var err error
		if len(row) != c.n {
			err = fmt.Errorf("%w: a row of %d values for %d columns", dtype.ErrValue, len(row), c.n)
		} else {
			out, err = c.t.Append(out, row[c.i])
		}
		if err != nil {
			return dst, ends, &dtype.ElementError{Index: i, Err: err}
		}
		if c.t.Size() == 0 {
			outEnds = append(outEnds, len(out))
		}
	}
	return out, outEnds, nil
}

func (c *listed) scatter(base unsafe.Pointer, _ uintptr, n int, data []byte, ends []int) error {
	values := make([]any, n)
	if err := c.t.DecodeAll(values, data, ends); err != nil {
		return err
	}
	rows := c.rows(base, n)
	for i, v := range values {
		if rows[i] == nil {
			rows[i] = make([]any, c.n)
		}
		rows[i][c.i] = v
	}
	return nil
}

package columnvault

import (
	"context"
	"fmt"

	"columnvault/dtype"
	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/position"
)

// flat returns the vector type of the column, whose rows must have one length.
func flat[E dtype.Element](c *Column[[]E]) (dtype.VectorType[E], error) {
	t, ok := c.t.(dtype.VectorType[E])
	if !ok || t.RowLen() == 0 {
		return t, fmt.Errorf("%w: the rows of %s do not all have the same length", ErrInvalidArgument, excerpt.Line(c.dtype, excerpt.Name))
	}
	return t, nil
}

// ReadFlat reads the rows of a column of fixed vectors, from position at on,
// back to back into one slice: as many as fit in into and are there. It returns
// their number, and allocates nothing for a row.
func ReadFlat[E dtype.Element](ctx context.Context, c *Column[[]E], into []E, at int) (rows int, err error) {
	t, err := flat(c)
	if err != nil {
		return 0, c.fail("read", err)
	}
	err = c.read(ctx, "read", func(o *opened) error {
		from := position.Clamp(at, o.Len())
		to := from + min(int64(len(into)/t.RowLen()), o.Len()-from)
		rows = 0
		b := column.Elements{Data: o.tx.scratch[:0]}
		for i := from; i < to; {
			b.Reset()
			next, err := o.Read(ctx, o.tx.r, &b, i, to, o.tx.v.buffer)
			o.tx.scratch = b.Data
			if err != nil {
				return err
			}
			n := int(next - i)
			if err := t.DecodeFlat(into[rows*t.RowLen():(rows+n)*t.RowLen()], b.Data); err != nil {
				return err
			}
			rows, i = rows+n, next
		}
		return nil
	})
	return rows, err
}

// AppendFlat adds rows that lie back to back in one slice to a column of fixed
// vectors.
func AppendFlat[E dtype.Element](ctx context.Context, c *Column[[]E], rows []E) error {
	t, err := flat(c)
	if err != nil {
		return c.fail("append", err)
	}
	data, err := t.AppendFlat(nil, rows)
	if err != nil {
		return c.fail("append", err)
	}
	return c.append(ctx, column.Elements{Data: data})
}

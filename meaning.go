package columnvault

import (
	"context"
	"errors"
	"fmt"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/writeback"
)

// RetypeOptions say how [Vault.Retype] looks at a column.
type RetypeOptions struct {
	// Turn allows elements that are values to become missing, because they are
	// what stands for that, and missing ones to become values again, which is
	// [ErrTurned] otherwise. NaN and null are no values, and need no permission.
	Turn bool
	// Progress is called from time to time with the bytes that have been read,
	// and with those that will be; that is below 0 if it is not known.
	Progress func(done, total int64)
}

// Retype changes what the elements of a column mean beyond their dtype: makes
// times of numbers, for example, or lets elements be missing. It returns how
// many elements are missing now. The elements stay as they are, and so do words
// in the file that only other versions know. nil options mean the defaults.
//
// All elements are read first, in the transaction that changes the meaning. If
// one does not fit, nothing changes, and the error names its position: times and
// dates must be of the years 0 to 9999. A meaning that the dtype cannot have is
// an [ErrInvalidArgument].
//
// Handles of the old meaning then get [ErrDType]. What caches of other vaults
// hold is still appended, because its stored form is that of the same dtype.
func (s *scope) Retype(ctx context.Context, name string, m dtype.Meaning, o *RetypeOptions) (missing int, err error) {
	if o == nil {
		o = &RetypeOptions{}
	}
	err = s.update(ctx, "retype", name, func(tx *Tx) error {
		names := catalog.NamesOf(name)
		col, err := tx.open(ctx, &names)
		if err != nil {
			return err
		}
		spec, err := col.spec()
		if err == nil {
			err = col.checkType(spec.String(), spec.ElemSize())
		}
		if err == nil {
			err = m.Check(spec)
		}
		if err != nil {
			return err
		}
		change := dtype.Change{Spec: spec, From: col.attrs.Meaning(spec), To: m}
		if err := col.look(ctx, &change, o.Progress); err != nil {
			return err
		}
		if change.Turned > 0 && !o.Turn {
			return turnedError(&change)
		}
		e, err := tx.find(ctx, name)
		if err != nil {
			return err
		}
		defer tx.forget(name)
		if err := catalog.Retype(ctx, tx.w, e, m); err != nil {
			return err
		}
		tx.changes = append(tx.changes, writeback.Change{ID: e.ID(), From: name, To: name})
		missing = change.Missing
		return nil
	})
	return missing, err
}

// turnedError is the error of values that would become missing, or the reverse.
func turnedError(c *dtype.Change) error {
	if c.To.Null {
		return fmt.Errorf("%w: elements with the value that would stand for a missing one: %d", ErrTurned, c.Turned)
	}
	return fmt.Errorf("%w: missing elements that would have a value: %d", ErrTurned, c.Turned)
}

// look has the change look at all elements of the column.
func (o *opened) look(ctx context.Context, c *dtype.Change, progress func(done, total int64)) error {
	if c.To == (dtype.Meaning{}) && !c.From.Null {
		return nil // nothing is asked of them
	}
	done, total := int64(0), int64(-1)
	if o.elem > 0 {
		total = o.elem * o.Len()
	}
	var b column.Elements
	for i := int64(0); i < o.Len(); {
		b.Reset()
		next, err := o.Read(ctx, o.tx.r, &b, i, o.Len(), o.tx.v.buffer)
		if err != nil {
			return err
		}
		var bad *dtype.ElementError
		if err := c.Look(b.Data, b.Ends, int(next-i)); errors.As(err, &bad) {
			return fail("retype", o.name, int(i)+bad.Index, bad.Err)
		} else if err != nil {
			return err
		}
		i, done = next, done+int64(len(b.Data))
		if progress != nil {
			progress(done, total)
		}
	}
	return nil
}

// Package copying copies vaults from one storage engine to another, and
// compares them.
//
// All that is read is of one snapshot. A column is copied under another name, in
// many transactions, and gets its own with the last one; pairs are put in place.
// So a copy that ended early is made again by the same call: what is there whole
// and equal stays, and what is half is begun anew.
package copying

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// Options are how a vault is copied.
type Options struct {
	// Verify reads the copy and compares it with what was copied.
	Verify bool
	// Progress is told how many bytes have been copied or compared. The total is
	// not known: it is -1.
	Progress func(done, total int64)
}

// Result is what was copied.
type Result struct {
	// Columns and Tables are how many there are in the copy, Elements and Pairs
	// what they hold.
	Columns, Tables int
	Elements, Pairs int64
	// Bytes is the size of the elements, keys and values.
	Bytes int64
	// Kept is how many of the columns were there already.
	Kept int
	// Skipped are columns that cannot be copied, each with the reason.
	Skipped []string
}

// unfinished ends the names of columns that are not whole yet.
const unfinished = ".columnvault-copying"

// ErrDiffers: the copy is not what was copied.
var ErrDiffers = fmt.Errorf("%w: the copy differs", store.ErrCorrupt)

// copier is one copy.
type copier struct {
	from     store.Snapshot
	caps     store.Caps // of what is copied
	to       store.Store
	o        Options
	window   int64
	done     int64
	result   Result
	columns  []copied
	tables   []copied
	elements column.Elements
}

// copied is a column or table that was copied, and its digest.
type copied struct {
	name string
	sum  []byte
}

// Copy copies a vault into another one, which may hold other columns. A column
// or pairs that it holds under the same names and that differ give ErrExists.
func Copy(ctx context.Context, from, to store.Store, o Options) (Result, error) {
	snap, err := from.Snapshot(ctx)
	if err != nil {
		return Result{}, err
	}
	defer snap.Close()
	c := &copier{from: snap, caps: from.Caps(), to: to, o: o, window: max(from.Caps().Window, to.Caps().Window)}
	if err := c.copy(ctx); err != nil {
		return c.result, err
	}
	if o.Verify {
		return c.result, c.verify(ctx)
	}
	return c.result, nil
}

func (c *copier) copy(ctx context.Context) error {
	entries, err := catalog.List(ctx, c.from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch {
		case e.Kind == catalog.Half:
			c.skip(e, "only half of it was created")
		case e.Hidden:
			c.skip(e, "another column has its name")
		default:
			if err := c.column(ctx, e); err != nil {
				return fmt.Errorf("column %s: %w", show(e.Name), err)
			}
		}
	}
	tables, err := c.from.Tables(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := c.table(ctx, t); err != nil {
			return fmt.Errorf("table %s: %w", show(t.Name), err)
		}
	}
	return nil
}

func (c *copier) skip(e catalog.Entry, reason string) {
	c.result.Skipped = append(c.result.Skipped, show(e.Name)+": "+reason)
}

func show(name string) string { return excerpt.Quote(name, excerpt.Name) }

// moved takes note of bytes that have been copied or compared.
func (c *copier) moved(n int64) {
	c.done += n
	if c.o.Progress != nil {
		c.o.Progress(c.done, -1)
	}
}

// column copies a column, unless it is there.
func (c *copier) column(ctx context.Context, e catalog.Entry) error {
	there, err := c.find(ctx, e.Name)
	if err != nil {
		return err
	}
	src, err := e.Open(c.caps)
	if err != nil {
		return err
	}
	var sum []byte
	if there != nil {
		if sum, err = c.same(ctx, e, src, *there); err != nil {
			return err
		}
		c.result.Kept++
	} else if sum, err = c.copyColumn(ctx, e, src); err != nil {
		return err
	}
	c.columns = append(c.columns, copied{e.Name, sum})
	c.result.Columns++
	c.result.Elements += src.Len()
	return nil
}

// find returns the column of a name in the copy, or nil.
func (c *copier) find(ctx context.Context, name string) (*catalog.Entry, error) {
	snap, err := c.to.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	names := catalog.NamesOf(name)
	e, err := catalog.Find(ctx, snap, &names)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return &e, err
}

// same refuses a column of the copy that is not that which is to be copied.
func (c *copier) same(ctx context.Context, e catalog.Entry, src column.Column, there catalog.Entry) ([]byte, error) {
	if there.DType != e.DType || there.Attrs() != e.Attrs() || there.Len() != e.Len() {
		return nil, fmt.Errorf("%w in the copy, with %d elements of %s", store.ErrExists, there.Len(), excerpt.Line(there.DType, excerpt.Name))
	}
	sum, err := c.digest(ctx, c.from, src)
	if err != nil {
		return nil, err
	}
	other, err := c.digestCopied(ctx, e.Name)
	if err == nil && !bytes.Equal(sum, other) {
		err = fmt.Errorf("%w in the copy, with other elements", store.ErrExists)
	}
	return sum, err
}

// copyColumn copies a column under another name, and renames it.
func (c *copier) copyColumn(ctx context.Context, e catalog.Entry, src column.Column) ([]byte, error) {
	var made catalog.Entry
	err := c.to.Update(ctx, func(tx store.Tx) (err error) {
		names := catalog.NamesOf(e.Name + unfinished)
		old, err := catalog.Find(ctx, tx, &names)
		if err == nil {
			err = catalog.Drop(ctx, tx, old)
		} else if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		if err == nil {
			made, err = c.create(ctx, tx, e)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	d := column.NewDigest("")
	err = c.read(ctx, c.from, src, func(elements *column.Elements) error {
		addElements(d, src.Size(), elements)
		c.result.Bytes += int64(len(elements.Data))
		return c.to.Update(ctx, func(tx store.Tx) error {
			found, err := catalog.FindID(ctx, tx, made.ID())
			if err != nil {
				return err
			}
			dst, err := found.Open(c.to.Caps())
			if err != nil {
				return err
			}
			return dst.Append(ctx, tx, *elements)
		})
	})
	if err != nil {
		return nil, err
	}
	err = c.to.Update(ctx, func(tx store.Tx) error {
		found, err := catalog.FindID(ctx, tx, made.ID())
		if err != nil {
			return err
		}
		return catalog.Rename(ctx, tx, found, e.Name)
	})
	return d.Sum(), err
}

// create adds an empty column for the elements of e.
func (c *copier) create(ctx context.Context, tx store.Tx, e catalog.Entry) (catalog.Entry, error) {
	name := e.Name + unfinished
	if e.Kind != catalog.V1 {
		return catalog.Twin(ctx, tx, e, name, c.to.Caps())
	}
	spec, err := dtype.ParseSpec(e.DType)
	if err != nil {
		return catalog.Entry{}, fmt.Errorf("%w: this version does not know the dtype %s", errors.ErrUnsupported, excerpt.Quote(e.DType, excerpt.Name))
	}
	return catalog.Create(ctx, tx, name, spec, catalog.Options{Meaning: e.Attrs().Meaning(spec), Home: e.Home()}, c.to.Caps())
}

// read reads a column, a window at a time.
func (c *copier) read(ctx context.Context, r store.Reader, col column.Column, found func(*column.Elements) error) error {
	for i := int64(0); i < col.Len(); {
		c.elements.Reset()
		if err := col.Backed(ctx, r, i, min(col.Len(), i+1)); err != nil {
			return err
		}
		next, err := col.Read(ctx, r, &c.elements, i, col.Len(), c.window)
		if err != nil {
			return err
		}
		i = next
		if err := found(&c.elements); err != nil {
			return err
		}
		c.moved(int64(len(c.elements.Data)))
	}
	return nil
}

// digest is that of all elements of a column.
func (c *copier) digest(ctx context.Context, r store.Reader, col column.Column) ([]byte, error) {
	d := column.NewDigest("")
	err := c.read(ctx, r, col, func(e *column.Elements) error { addElements(d, col.Size(), e); return nil })
	return d.Sum(), err
}

// digestCopied is that of a column in the copy.
func (c *copier) digestCopied(ctx context.Context, name string) ([]byte, error) {
	snap, err := c.to.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	names := catalog.NamesOf(name)
	e, err := catalog.Find(ctx, snap, &names)
	if err != nil {
		return nil, err
	}
	col, err := e.Open(c.to.Caps())
	if err != nil {
		return nil, err
	}
	return c.digest(ctx, snap, col)
}

// verify compares the copy with what was copied.
func (c *copier) verify(ctx context.Context) error {
	for _, col := range c.columns {
		sum, err := c.digestCopied(ctx, col.name)
		if err == nil && !bytes.Equal(sum, col.sum) {
			err = ErrDiffers
		}
		if err != nil {
			return fmt.Errorf("column %s: %w", show(col.name), err)
		}
	}
	snap, err := c.to.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	for _, t := range c.tables {
		sum, err := c.digestTable(ctx, snap, t.name)
		if err == nil && !bytes.Equal(sum, t.sum) {
			err = ErrDiffers
		}
		if err != nil {
			return fmt.Errorf("table %s: %w", show(t.name), err)
		}
	}
	return nil
}

// addElements adds elements to a digest, or their bytes alone where all have one
// size.
func addElements(d *column.Digest, size int, e *column.Elements) {
	if size > 0 {
		d.More(e.Data)
		return
	}
	d.Elements(size, e)
}

package salvage

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/column/layout0"
	"columnvault/internal/column/layout1"
	"columnvault/internal/column/native"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
)

// target is the new vault.
type target struct {
	*sqlite.Store
}

// read runs fn on the present state of the new vault.
func (t *target) read(ctx context.Context, fn func(store.Reader) error) error {
	snap, err := t.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	return fn(snap)
}

const (
	// batchBytes and batchElements are what one transaction writes.
	batchBytes    = 4 << 20
	batchElements = 256 << 10
)

// column creates a column under its name or, if there cannot be one, under one
// that says that it was recovered. The row is that of the damaged file, with an
// ElemSize of 0 where elements vary in size.
func (t *target) column(ctx context.Context, c *Column, row store.Row, o catalog.Options) (*writer, error) {
	if c.DType == "" {
		c.DType = "bytes"
	}
	// Bounds that this version does not give, or no name that it can give.
	bounds := []catalog.Options{o, {Codec: o.Codec}}
	for n := range 100 {
		name := c.Name
		if n > 0 {
			name = fmt.Sprintf("recovered/%d", row.ID)
		}
		if n > 1 {
			name = fmt.Sprintf("recovered/%d-%d", row.ID, n)
		}
		for _, o := range bounds {
			e, err := t.create(ctx, name, c.DType, row, o)
			switch {
			case err == nil:
				if name != c.Name {
					c.Saved = name
				}
				w := &writer{t: t, entry: e, size: row.ElemSize, blank: blank(c.DType, row)}
				if e.Kind == catalog.V1 {
					w.blocks = layout1.NewWriter(e.Data, nil)
				}
				return w, nil
			case !errors.Is(err, store.ErrInvalidArgument) && !errors.Is(err, store.ErrExists):
				return nil, err
			}
		}
	}
	return nil, fmt.Errorf("%w: no name could be found for the column %s", store.ErrExists, show(c.Name))
}

// blank is the stored form of what stands for a missing element.
func blank(text string, row store.Row) []byte {
	if spec, err := dtype.ParseSpec(text); err == nil {
		if m := dtype.Attrs(row.Attrs).Meaning(spec); m.Null && int64(spec.ElemSize()) == row.ElemSize {
			return m.Zero(spec)
		}
	}
	return make([]byte, row.ElemSize)
}

func (t *target) create(ctx context.Context, name, text string, row store.Row, o catalog.Options) (e catalog.Entry, err error) {
	size := row.ElemSize
	if row.Layout != store.LayoutV0 { // as it is stored, whatever the dtype
		made := layout1.Row(name, text, size)
		if row.Layout == store.LayoutNative {
			if made, err = native.Row(name, text, size, o.MaxChunk, t.Caps()); err != nil {
				return e, err
			}
		}
		made.Attrs = row.Attrs
		err = t.Update(ctx, func(tx store.Tx) error {
			made, err = tx.CreateColumn(ctx, made)
			if err == nil && made.Layout == store.LayoutNative {
				if err = native.Start(ctx, tx, made, o.Codec); err != nil {
					tx.Abort(err)
				}
			}
			return err
		})
		if err != nil {
			return e, err
		}
		return catalog.Entries([]store.Row{made})[0], nil
	}
	spec, unknown := dtype.ParseSpec(text)
	known := unknown == nil && int64(spec.ElemSize()) == size
	err = t.Update(ctx, func(tx store.Tx) error {
		if known {
			e, err = catalog.Create(ctx, tx, name, spec, o, t.Caps())
			if err == nil && row.Attrs != "" {
				err = tx.SetAttrs(ctx, e.Data.ID, row.Attrs)
			}
			return err
		}
		// A dtype of another version: the bytes are kept, and its text.
		bounds := layout0.Bounds{Min: o.MinChunk, Max: o.MaxChunk}
		e = catalog.Entry{Kind: catalog.Fixed, Name: name, DType: text}
		if size > 0 {
			if e.Data, err = layout0.FixedRow(name, text, size, bounds, t.Caps()); err != nil {
				return err
			}
			e.Data, err = tx.CreateColumn(ctx, e.Data)
			return err
		}
		e.Kind = catalog.VarSize
		names := catalog.NamesOf(name)
		if e.Data, e.Index, err = layout0.VarSizeRows(names.Data, names.Index, text, bounds, t.Caps()); err != nil {
			return err
		}
		if e.Data, err = tx.CreateColumn(ctx, e.Data); err == nil {
			e.Index, err = tx.CreateColumn(ctx, e.Index)
		}
		return err
	})
	return e, err
}

// writer appends elements to a column of the new vault, many in a transaction.
type writer struct {
	t     *target
	entry catalog.Entry
	size  int64
	// blank stands for a missing element.
	blank []byte
	held  column.Elements
	// blocks fills a column of layout 1.
	blocks *layout1.Writer
}

// add appends elements of one size.
func (w *writer) add(ctx context.Context, data []byte) error {
	w.held.Data = append(w.held.Data, data...)
	return w.flushFull(ctx)
}

// addValue appends an element of any size.
func (w *writer) addValue(ctx context.Context, value []byte) error {
	w.held.Data = append(w.held.Data, value...)
	w.held.Ends = append(w.held.Ends, len(w.held.Data))
	return w.flushFull(ctx)
}

// addBlank appends n elements that stand for missing ones.
func (w *writer) addBlank(ctx context.Context, n int64) error {
	for n > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if w.size == 0 {
			n--
			if err := w.addValue(ctx, w.blank); err != nil {
				return err
			}
			continue
		}
		k := min(n, max(1, pieceBytes/w.size))
		n -= k
		if err := w.add(ctx, bytes.Repeat(w.blank, int(k))); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) flushFull(ctx context.Context) error {
	if len(w.held.Data) < batchBytes && len(w.held.Ends) < batchElements {
		return nil
	}
	return w.flush(ctx)
}

func (w *writer) flush(ctx context.Context) error {
	if len(w.held.Data) == 0 && len(w.held.Ends) == 0 {
		return nil
	}
	err := w.t.Update(ctx, func(tx store.Tx) error {
		if w.blocks != nil {
			return w.blocks.Append(ctx, tx, w.held)
		}
		e, err := catalog.FindID(ctx, tx, w.entry.ID())
		if err != nil {
			return err
		}
		col, err := e.Open(w.t.Caps())
		if err != nil {
			return err
		}
		return col.Append(ctx, tx, w.held)
	})
	w.held = column.Elements{Data: w.held.Data[:0], Ends: w.held.Ends[:0]}
	return err
}

// end writes what is left.
func (w *writer) end(ctx context.Context) error {
	err := w.flush(ctx)
	if err == nil && w.blocks != nil {
		err = w.t.Update(ctx, func(tx store.Tx) error { return w.blocks.Close(ctx, tx) })
	}
	return err
}

package layout0

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// walk is a Walk on its way.
type walk struct {
	r     store.Reader
	limit int64
	found func(i int64, e *column.Elements) error
	lost  func(i, j int64, why error) error
	buf   column.Elements
}

// walks keeps the memory of walks: a file may have many columns that say that
// they are long.
var walks = sync.Pool{New: func() any { return new(walk) }}

func newWalk(r store.Reader, limit int64, found func(int64, *column.Elements) error, lost func(int64, int64, error) error) *walk {
	w := walks.Get().(*walk)
	w.r, w.limit, w.found, w.lost = r, limit, found, lost
	return w
}

// end gives the memory back, unless a large element has made it large.
func (w *walk) end() {
	if int64(cap(w.buf.Data)) > 2*w.limit {
		w.buf = column.Elements{}
	}
	w.r, w.found, w.lost = nil, nil, nil
	walks.Put(w)
}

// Walk implements column.Column.
func (c *Fixed) Walk(ctx context.Context, r store.Reader, limit int64, found func(int64, *column.Elements) error, lost func(int64, int64, error) error) error {
	w := newWalk(r, limit, found, lost)
	defer w.end()
	for i := int64(0); i < c.length; {
		w.buf.Reset()
		j, err := c.Read(ctx, r, &w.buf, i, c.length, limit)
		switch {
		case err == nil:
			err = found(i, &w.buf)
		case errors.Is(err, store.ErrCorrupt):
			j, err = c.walkChunk(ctx, w, i)
		}
		if err != nil {
			return err
		}
		i = j
	}
	return nil
}

// walkChunk reads what can be read of the chunk in which element i lies, or
// goes to the next chunk that there is. It returns where to go on.
func (c *Fixed) walkChunk(ctx context.Context, w *walk, i int64) (int64, error) {
	number, offset := c.at.locate(i * c.at.Size)
	_, end := c.elements(number, number+1)
	next, err := chunkFrom(ctx, w.r, c.id, number)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return c.length, w.lost(i, c.length, fmt.Errorf("%w: chunk %d and all after it are missing", store.ErrCorrupt, number))
	case errors.Is(err, store.ErrCorrupt):
		// It may be listed badly and be there all the same.
	case err != nil:
		return 0, err
	case next > number:
		next = min(next, c.at.chunks(c.length))
		j, _ := c.elements(next, next)
		return j, w.lost(i, j, fmt.Errorf("%w: chunk %d is missing", store.ErrCorrupt, number))
	}
	have, err := column.Stored(ctx, w.r, c.id, number, offset+(end-i)*c.at.Size)
	if err != nil {
		return 0, err
	}
	j := i + max(0, have-offset)/c.at.Size
	for at := i; at < j; {
		to := min(j, at+max(1, w.limit/c.at.Size))
		if err := c.bisect(ctx, w, at, to); err != nil {
			return 0, err
		}
		at = to
	}
	if j < end {
		err = w.lost(j, end, fmt.Errorf("%w: chunk %d has only %d bytes", store.ErrCorrupt, number, have))
	}
	return end, err
}

// chunkFrom is the number of the first chunk that is not before from.
func chunkFrom(ctx context.Context, r store.Reader, id store.ColumnID, from int64) (int64, error) {
	for chunk, err := range r.Chunks(ctx, id, from, maxPosition) {
		return chunk.Number, err
	}
	return 0, store.ErrNotFound
}

// bisect reads the elements from i up to j of a chunk that has bytes for them,
// and narrows down those that cannot be read.
func (c *Fixed) bisect(ctx context.Context, w *walk, i, j int64) error {
	w.buf.Reset()
	err := c.Backed(ctx, w.r, i, j)
	if err == nil {
		err = c.readBytes(ctx, w.r, w.buf.Extend((j-i)*c.at.Size), i*c.at.Size)
	}
	switch {
	case err == nil:
		return w.found(i, &w.buf)
	case !errors.Is(err, store.ErrCorrupt):
		return err
	case j == i+1:
		return w.lost(i, j, err)
	}
	middle := i + (j-i)/2
	if err := c.bisect(ctx, w, i, middle); err != nil {
		return err
	}
	return c.bisect(ctx, w, middle, j)
}

// Extent implements column.Column.
func (c *Fixed) Extent(ctx context.Context, r store.Reader) (int64, error) {
	inUse := c.at.chunks(c.length)
	last := int64(-1)
	for chunk, err := range r.Chunks(ctx, c.id, 0, inUse) {
		if err != nil {
			return 0, err
		}
		last = chunk.Number
	}
	if last < 0 {
		return 0, nil
	}
	i, j := c.elements(last, last+1)
	have, err := column.Stored(ctx, r, c.id, last, (j-i)*c.at.Size)
	return i + have/c.at.Size, err
}

// Walk implements column.Column.
func (c *VarSize) Walk(ctx context.Context, r store.Reader, limit int64, found func(int64, *column.Elements) error, lost func(int64, int64, error) error) error {
	w := newWalk(r, limit, found, lost)
	defer w.end()
	visit := func(i int64, e *column.Elements) error {
		for entries := entryList(e.Data); entries.Len() > 0; {
			n, _ := fitting(entries, limit, true)
			if err := c.walkEntries(ctx, w, i, entries[:n*EntrySize]); err != nil {
				return err
			}
			i, entries = i+int64(n), entries[n*EntrySize:]
		}
		return nil
	}
	return c.index.Walk(ctx, r, c.window*EntrySize, visit, lost)
}

// walkEntries reads the elements of the entries from position i on.
func (c *VarSize) walkEntries(ctx context.Context, w *walk, i int64, entries entryList) error {
	w.buf.Reset()
	err := c.readEntries(ctx, w.r, &w.buf, i, entries)
	switch {
	case err == nil:
		return w.found(i, &w.buf)
	case !errors.Is(err, store.ErrCorrupt):
		return err
	case entries.Len() == 1:
		return w.lost(i, i+1, err)
	}
	half := entries.Len() / 2
	if err := c.walkEntries(ctx, w, i, entries[:half*EntrySize]); err != nil {
		return err
	}
	return c.walkEntries(ctx, w, i+int64(half), entries[half*EntrySize:])
}

// Extent implements column.Column.
func (c *VarSize) Extent(ctx context.Context, r store.Reader) (int64, error) {
	return c.index.Extent(ctx, r)
}

package column

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"columnvault/internal/layout"
	"columnvault/internal/store"
)

// VarSize is a column whose elements vary in size. Their bytes lie in data
// chunks; an index of fixed-size entries says where.
//
// What holds of the data chunks in every state that we write, and what 0.8.6
// needs to update such a column:
//
//   - Inside a chunk, elements ascend with their position and do not overlap.
//   - Every live element ends at or before the chunk's used bytes, and these
//     lie within its capacity.
//   - A chunk is not larger than the maximum, unless one element is: then the
//     chunk holds that alone.
//   - The elements of a chunk are a run: no element between them lies
//     elsewhere. Only where the file is not ours may this be otherwise, so
//     nothing is overwritten or dropped on the strength of it (see alone).
type VarSize struct {
	id     store.ColumnID
	bounds layout.Bounds
	index  *Fixed
	// found and spans are reused from call to call.
	found Batch
	spans []store.Span
	// tail is the chunk that appends go to, once known in this transaction.
	tail *tail
}

const (
	// indexWindow is the number of entries read at once where all are wanted.
	indexWindow = 64 << 10
	// indexStep is the number of entries read at once where their elements may
	// end the reading at any of them.
	indexStep = 4 << 10
)

// OpenVarSize opens the column of these two catalogue rows.
func OpenVarSize(data, index store.Column) (*VarSize, error) {
	bounds, err := layout.Bounds{Min: data.MinChunk, Max: data.MaxChunk}.Align(1)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrCorrupt, err)
	}
	idx, err := OpenFixed(index)
	if err != nil {
		return nil, err
	}
	return &VarSize{id: data.ID, bounds: bounds, index: idx}, nil
}

func (c *VarSize) Len() int64 { return c.index.Len() }

func (c *VarSize) size() int { return 0 }

func (c *VarSize) Backed(ctx context.Context, r store.Reader, i, j int64) error {
	return c.index.Backed(ctx, r, i, j)
}

// entries reads the index entries from i up to j.
func (c *VarSize) entries(ctx context.Context, r store.Reader, i, j int64) (layout.Entries, error) {
	var b Batch
	_, err := c.index.Read(ctx, r, &b, i, j, NoLimit)
	return layout.Entries(b.Data), err
}

func (c *VarSize) Read(ctx context.Context, r store.Reader, b *Batch, i, j, limit int64) (int64, error) {
	if err := checkRange(i, j, c.Len()); err != nil {
		return i, err
	}
	found := &c.found // the entries of the elements to read
	found.Reset()
	next := i
	for next < j && len(found.Data) < indexWindow*layout.EntrySize {
		old := len(found.Data)
		step, err := c.index.Read(ctx, r, found, next, min(j, next+indexStep), NoLimit)
		if err != nil {
			return i, err
		}
		n, size := fitting(layout.Entries(found.Data[old:]), limit, next == i)
		if next+int64(n) < step {
			found.Data = found.Data[:old+n*layout.EntrySize]
			return next + int64(n), c.readEntries(ctx, r, b, i, layout.Entries(found.Data))
		}
		next, limit = step, limit-size
	}
	if err := c.readEntries(ctx, r, b, i, layout.Entries(found.Data)); err != nil || next == j || limit <= 0 {
		return next, err
	}
	return c.Read(ctx, r, b, next, j, limit)
}

// fitting is how many of the elements are together within limit, and their
// size. One element at least is, if one has to be.
func fitting(entries layout.Entries, limit int64, one bool) (n int, size int64) {
	for n = range entries.Len() {
		next := max(0, entries.At(n).Len())
		if next > limit-size && (n > 0 || !one) {
			return n, size
		}
		size += next
	}
	return entries.Len(), size
}

func (c *VarSize) Before(ctx context.Context, r store.Reader, j, limit int64) (int64, error) {
	if err := checkRange(j, j, c.Len()); err != nil {
		return j, err
	}
	size := int64(0)
	for i := j; i > 0; {
		entries, err := c.entries(ctx, r, max(0, i-indexStep), i)
		if err != nil {
			return j, err
		}
		for k := entries.Len() - 1; k >= 0; k-- {
			size += max(0, entries.At(k).Len())
			if size > limit && i < j {
				return i, nil
			}
			i--
		}
	}
	return 0, nil
}

func (c *VarSize) Gather(ctx context.Context, r store.Reader, b *Batch, at []int64) error {
	var entries Batch
	if err := c.index.Gather(ctx, r, &entries, at); err != nil {
		return err
	}
	return c.readEntries(ctx, r, b, -1, layout.Entries(entries.Data))
}

// readEntries appends the elements of these entries. first is the position of
// the first, for messages, or -1.
func (c *VarSize) readEntries(ctx context.Context, r store.Reader, b *Batch, first int64, entries layout.Entries) error {
	total, err := c.checkEntries(ctx, r, first, entries)
	if err != nil {
		return err
	}
	p := b.extend(total)
	end := len(b.Data) - len(p)
	b.Ends = slices.Grow(b.Ends, entries.Len())
	// Elements that follow each other in a chunk are read in one go.
	spans := c.spans[:0]
	for k := range entries.Len() {
		e := entries.At(k)
		n := int(e.Len())
		end += n
		b.Ends = append(b.Ends, end)
		if n == 0 {
			continue // nothing to read, whatever the chunk
		}
		if last := len(spans) - 1; last >= 0 && spans[last].Chunk == int64(e.Chunk) &&
			spans[last].Offset+int64(len(spans[last].Data)) == int64(e.Start) {
			spans[last].Data = spans[last].Data[:len(spans[last].Data)+n]
		} else {
			spans = append(spans, store.Span{Chunk: int64(e.Chunk), Offset: int64(e.Start), Data: p[:n]})
		}
		p = p[n:]
	}
	c.spans = spans
	return r.ReadAt(ctx, c.id, spans)
}

// checkEntries adds up the sizes of the elements. Before more memory is taken
// than a damaged entry may cost, the chunks must be as large as the entries
// say.
func (c *VarSize) checkEntries(ctx context.Context, r store.Reader, first int64, entries layout.Entries) (total int64, err error) {
	for k := range entries.Len() {
		e := entries.At(k)
		if err := e.Check(); err != nil {
			return 0, fmt.Errorf("%w: element %s: %w", store.ErrCorrupt, position(first, k), err)
		}
		total += e.Len()
	}
	if total <= trusted {
		return total, nil
	}
	chunk := store.Chunk{Number: -1}
	for k := range entries.Len() {
		e := entries.At(k)
		if e.Len() > 0 && int64(e.Chunk) != chunk.Number {
			if chunk, err = r.Chunk(ctx, c.id, int64(e.Chunk)); errors.Is(err, store.ErrNotFound) {
				err = fmt.Errorf("%w: element %s: chunk %d does not exist", store.ErrCorrupt, position(first, k), e.Chunk)
			}
			if err != nil {
				return 0, err
			}
		}
		if int64(e.End) > max(chunk.Capacity, chunk.Used) && e.Len() > 0 {
			return 0, fmt.Errorf("%w: element %s ends at %d of chunk %d, which has %d bytes",
				store.ErrCorrupt, position(first, k), e.End, e.Chunk, chunk.Capacity)
		}
	}
	return total, nil
}

func position(first int64, k int) string {
	if first < 0 {
		return "asked for"
	}
	return fmt.Sprint(first + int64(k))
}

// entry reads one index entry and checks it.
func (c *VarSize) entry(ctx context.Context, r store.Reader, i int64) (layout.Entry, error) {
	var p [layout.EntrySize]byte
	if err := c.index.ReadInto(ctx, r, p[:], i); err != nil {
		return layout.Entry{}, err
	}
	e := layout.ParseEntry(p[:])
	if err := e.Check(); err != nil {
		return e, fmt.Errorf("%w: element %d: %w", store.ErrCorrupt, i, err)
	}
	return e, nil
}

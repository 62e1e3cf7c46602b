package layout0

import (
	"context"
	"fmt"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// stretch is where elements lie that follow each other in one chunk without a gap.
type stretch struct {
	entry
	last int // the last of them, counted from the first that is read with it
}

// stretches are where elements lie that are read together. All that is asked
// about elements is asked about these, of which there are far fewer.
type stretches struct {
	// first is the position of the first element, for messages, or -1 if they are
	// not neighbors.
	first int64
	// count is the number of elements, and total their size.
	count int
	total int64
	list  []stretch
}

// gathering begins to gather elements. Those gathered before are forgotten.
func (c *VarSize) gathering(first int64) *stretches {
	c.stretches = stretches{first: first, list: c.stretches.list[:0]}
	return &c.stretches
}

// add adds elements, as long as all that have been added are together within
// limit, and returns how many. One element at least is added, if one has to be.
// Their ends are appended to those of b.
func (s *stretches) add(b *column.Elements, entries entryList, limit int64, one bool) (int, error) {
	room := entries.Len()
	if limit != column.NoLimit {
		room = min(room, indexStep)
	}
	ends, start := slices.Grow(b.Ends, room), int64(len(b.Data))
	var here stretch // without bytes as long as there is none
	if last := len(s.list) - 1; last >= 0 {
		here, s.list = s.list[last], s.list[:last]
	}
	n, total := 0, s.total
	for ; len(entries) >= EntrySize; entries = entries[EntrySize:] {
		e := parseEntry(entries)
		size := e.Len()
		if size > limit-total && (n > 0 || !one) {
			break
		}
		if e.nowhere() {
			return 0, fmt.Errorf("%w: %s: %w", store.ErrCorrupt, s.element(s.count+n), e.Check())
		}
		total += size
		ends = append(ends, int(start+total))
		if size > 0 { // else there is nothing to read, whatever the chunk
			if e.Chunk != here.Chunk || e.Start != here.End {
				if here.End > 0 {
					s.list = append(s.list, here)
				}
				here.entry = e
			}
			here.End, here.last = e.End, s.count+n
		}
		n++
	}
	if here.End > 0 {
		s.list = append(s.list, here)
	}
	b.Ends = ends
	s.count, s.total = s.count+n, total
	return n, nil
}

// makeRoom takes memory for the ends of so many elements more, or of those that fit
// if they are as large as the others, and for as many as add asks for at the end.
// Otherwise it would grow step by step.
func (s *stretches) makeRoom(b *column.Elements, elements, limit int64) {
	mean := max(1, s.total/int64(s.count))
	b.Ends = slices.Grow(b.Ends, int(min(elements, max(0, limit-s.total)/mean))+indexStep)
}

// element names element k.
func (s *stretches) element(k int) string {
	if s.first < 0 {
		return "an element"
	}
	return fmt.Sprint("element ", s.first+int64(k))
}

// readEntries appends the elements of these entries. first is the position of
// the first, for messages, or -1 if they are not neighbors.
func (c *VarSize) readEntries(ctx context.Context, r store.Reader, b *column.Elements, first int64, entries entryList) error {
	s := c.gathering(first)
	if _, err := s.add(b, entries, column.NoLimit, true); err != nil {
		return err
	}
	return c.readStretches(ctx, r, b, s)
}

// readStretches reads elements whose ends are in b already.
func (c *VarSize) readStretches(ctx context.Context, r store.Reader, b *column.Elements, s *stretches) error {
	spans, err := c.spansOf(ctx, r, b, s)
	if err != nil || len(spans) == 0 {
		return err
	}
	return r.ReadAt(ctx, c.id, spans)
}

// spansOf is readStretches, but for the reading: it returns the spans that are to
// be filled.
func (c *VarSize) spansOf(ctx context.Context, r store.Reader, b *column.Elements, s *stretches) ([]store.Span, error) {
	if err := c.reach(ctx, r, s); err != nil {
		return nil, err
	}
	p := b.Extend(s.total)
	c.spans = c.spans[:0]
	for _, x := range s.list {
		n := x.Len()
		c.spans = append(c.spans, store.Span{Chunk: int64(x.Chunk), Offset: int64(x.Start), Data: p[:n]})
		p = p[n:]
	}
	return c.spans, nil
}

// reach looks whether the chunks are as large as the entries say, before more
// memory is taken than a damaged entry may cost.
func (c *VarSize) reach(ctx context.Context, r store.Reader, s *stretches) error {
	if s.total <= trusted {
		return nil
	}
	for k := 0; k < len(s.list); {
		// Of neighbors in one chunk, the one that ends last tells for all.
		far := s.list[k]
		for ; k < len(s.list) && s.list[k].Chunk == far.Chunk; k++ {
			if s.list[k].End > far.End {
				far = s.list[k]
			}
		}
		if err := reaches(ctx, r, c.id, int64(far.Chunk), int64(far.End)); err != nil {
			return fmt.Errorf("%s: %w", s.element(far.last), err)
		}
	}
	return nil
}

// overlaps finds elements that lie over each other: twelve bytes of the index
// could stand for a chunk each, and a short file for more than fits into memory.
type overlaps struct {
	total int64
	// chunks says of each chunk how much of it has been read, and up to where.
	chunks map[int32]extentRead
}

type extentRead struct{ sum, end int64 }

// add adds elements, and reports when they are more than their chunks have room
// for. A little more is let pass.
func (o *overlaps) add(s *stretches) error {
	if o.total += s.total; o.total <= trusted {
		return nil
	}
	if o.chunks == nil {
		o.chunks = map[int32]extentRead{}
	}
	for _, x := range s.list {
		read := o.chunks[x.Chunk]
		read.sum, read.end = read.sum+x.Len(), max(read.end, int64(x.End))
		if read.sum > read.end+trusted {
			return fmt.Errorf("%w: elements overlap: there are %d bytes of them in the %d bytes of chunk %d", store.ErrCorrupt, read.sum, read.end, x.Chunk)
		}
		o.chunks[x.Chunk] = read
	}
	return nil
}

package layout0

import (
	"context"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// entries reads the index entries from i up to j.
func (c *VarSize) entries(ctx context.Context, r store.Reader, i, j int64) (entryList, error) {
	var b column.Elements
	_, err := c.index.Read(ctx, r, &b, i, j, column.NoLimit)
	return entryList(b.Data), err
}

// crowds are the chunks that hold crowd elements in a row before or after a
// position, -1 where there is none.
type crowds [2]int32

func (c crowds) in(chunk int64) bool { return int64(c[0]) == chunk || int64(c[1]) == chunk }

// around reads the entries from i up to j into buf, or into new memory if it is
// too small, and in the same call looks for crowds before and after position p:
// a chunk that has none takes more.
func (c *VarSize) around(ctx context.Context, r store.Reader, buf []byte, i, j, p int64) (entryList, crowds, error) {
	buf = c.askAround(buf, i, j, p)
	err := r.ReadAt(ctx, c.index.id, c.index.spans)
	entries, found := c.seeAround(buf, i, j, p)
	return entries, found, err
}

// askAround makes the spans of what around reads, and returns the memory that
// they are read into.
func (c *VarSize) askAround(buf []byte, i, j, p int64) []byte {
	n := (j - i) * EntrySize
	buf = slices.Grow(buf[:0], int(n)+2*EntrySize)[:n+2*EntrySize]
	c.index.spans = c.index.spans[:0]
	c.index.addSpans(buf[:n], i*EntrySize)
	for k, at := range c.far(p) {
		if at >= 0 {
			c.index.addSpans(buf[n:][k*EntrySize:][:EntrySize], at*EntrySize)
		}
	}
	return buf
}

// seeAround is what has been read into that memory.
func (c *VarSize) seeAround(buf []byte, i, j, p int64) (entryList, crowds) {
	n := (j - i) * EntrySize
	found := crowds{-1, -1}
	for k, at := range c.far(p) {
		if at >= 0 {
			found[k] = parseEntry(buf[n:][k*EntrySize:]).Chunk
		}
	}
	return buf[:n], found
}

// far are the elements by whose chunks crowds before and after position p are
// known, -1 where there is none.
func (c *VarSize) far(p int64) [2]int64 {
	far := [2]int64{p - crowd, p + crowd - 1}
	for k, at := range far {
		if at < 0 || at >= c.Len() {
			far[k] = -1
		}
	}
	return far
}

// maxRead is the number of elements that are read at once where that is limited
// at all: those without bytes take memory too.
const maxRead = 1 << 20

func (c *VarSize) Read(ctx context.Context, r store.Reader, b *column.Elements, i, j, limit int64) (int64, error) {
	if err := column.CheckRange(i, j, c.Len()); err != nil {
		return i, err
	}
	all := limit == column.NoLimit
	var seen overlaps
	if !all {
		j = min(j, i+maxRead)
	}
	next := i
	for more := true; more && next < j; {
		s := c.gathering(next)
		for more && next < j && int64(s.count) < c.window {
			entries, err := c.look(ctx, r, next, j, all)
			if err != nil {
				return i, err
			}
			n, err := s.add(b, entries, limit, next == i)
			if err != nil {
				return i, err
			}
			next += int64(n)
			if more = n == entries.Len(); more && next < j && s.count == n {
				s.makeRoom(b, min(j-next, c.window), limit)
			}
		}
		limit -= s.total
		if err := seen.add(s); err != nil {
			return i, err
		}
		if err := c.readStretches(ctx, r, b, s); err != nil {
			return i, err
		}
	}
	return next, nil
}

// Ahead asks for entries where Spans would have to read some.
func (c *VarSize) Ahead(i, j int64) store.ColumnSpans {
	a := &c.ahead
	a.settle()
	if i >= a.from && i < a.end() || i >= j {
		return store.ColumnSpans{}
	}
	n := min(a.next(i, j, c.window, false), trusted/EntrySize)
	a.asked = true
	return store.ColumnSpans{Column: c.index.id, Spans: c.index.split(a.entries.Extend(n*EntrySize), i*EntrySize)}
}

func (c *VarSize) Spans(ctx context.Context, r store.Reader, b *column.Elements, i, j, limit int64) (int64, store.ColumnSpans, error) {
	if err := column.CheckRange(i, j, c.Len()); err != nil || i == j {
		return i, store.ColumnSpans{}, err
	}
	c.ahead.asked = false // they have been read
	entries, err := c.look(ctx, r, i, min(j, i+maxRead), false)
	if err != nil {
		return i, store.ColumnSpans{}, err
	}
	n, _ := fitting(entries, limit, true) // which tells how much memory their ends take
	x := c.gathering(i)
	if _, err := x.add(b, entries[:n*EntrySize], column.NoLimit, true); err != nil {
		return i, store.ColumnSpans{}, err
	}
	var seen overlaps
	if err := seen.add(x); err != nil {
		return i, store.ColumnSpans{}, err
	}
	spans, err := c.spansOf(ctx, r, b, x)
	if err != nil {
		return i, store.ColumnSpans{}, err
	}
	return i + int64(n), store.ColumnSpans{Column: c.id, Spans: spans}, nil
}

// lookahead holds entries that have been read, from position from on, so that a
// read that goes on where the last one ended finds them. Changes reset it.
type lookahead struct {
	from    int64
	entries column.Elements
	// last is how many were read last.
	last int64
	// asked says that the last ones have been asked for, and are not known to
	// have been read.
	asked bool
}

// settle forgets entries that have been asked for and perhaps not read.
func (a *lookahead) settle() {
	if a.asked {
		a.reset()
	}
}

// next makes room for entries from i on that are to be read next, and returns
// how many. Those before are forgotten. See look.
func (a *lookahead) next(i, j, window int64, all bool) int64 {
	step := int64(indexStep)
	grows := i == a.end() && i > a.from
	if grows {
		step = max(step, 2*a.last)
	}
	a.reset()
	a.from = i
	if all {
		step = window
	}
	a.last = min(step, window, j-i)
	if grows && !a.entries.Has(a.last*EntrySize) { // memory for all that follow
		a.entries = column.Elements{}
		a.entries.Room(min(window, j-i, trusted/EntrySize) * EntrySize)
	}
	return a.last
}

// end is the position after the last entry.
func (a *lookahead) end() int64 { return a.from + int64(len(a.entries.Data)/EntrySize) }

func (a *lookahead) reset() {
	a.from, a.last, a.asked = 0, 0, false
	a.entries.Reset()
}

// part is the entries from i up to j.
func (a *lookahead) part(i, j int64) entryList {
	return entryList(a.entries.Data[(i-a.from)*EntrySize : (j-a.from)*EntrySize])
}

// look returns entries from i on: at least one, and none from j on. They are good
// until the next call. Reads that follow each other grow, up to the window; the
// first one reaches that far only if all entries up to j are wanted.
func (c *VarSize) look(ctx context.Context, r store.Reader, i, j int64, all bool) (entryList, error) {
	a := &c.ahead
	a.settle()
	if i < a.from || i >= a.end() {
		n := a.next(i, j, c.window, all)
		if _, err := c.index.Read(ctx, r, &a.entries, i, i+n, column.NoLimit); err != nil {
			a.reset()
			return nil, err
		}
	}
	return a.part(i, min(j, a.end())), nil
}

// fitting is how many of the elements are together within limit, and their
// size. One element at least is, if one has to be.
func fitting(entries entryList, limit int64, one bool) (n int, size int64) {
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
	if err := column.CheckRange(j, j, c.Len()); err != nil {
		return j, err
	}
	size := int64(0)
	least := max(0, j-maxRead)
	for i, step := j, int64(indexStep); i > least; step = min(2*step, c.window) {
		entries, err := c.entries(ctx, r, max(least, i-step), i)
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
	return least, nil
}

func (c *VarSize) Gather(ctx context.Context, r store.Reader, b *column.Elements, at []int64) error {
	var entries column.Elements
	if err := c.index.Gather(ctx, r, &entries, at); err != nil {
		return err
	}
	return c.readEntries(ctx, r, b, -1, entryList(entries.Data))
}

package native

import (
	"context"
	"errors"
	"math"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Check implements column.Column. It reads what is known of every run, and where
// elements that vary in size end.
func (c *Column) Check(ctx context.Context, r store.Reader, found column.Report) error {
	var last *store.Chunk
	if c.exists {
		last = &store.Chunk{Number: c.last.number}
	}
	sum, err := Counted(ctx, r, c.row.ID, last)
	if err != nil {
		return err
	}
	if sum != c.base() {
		found.Damage(column.Problem{Kind: column.ProblemMissing, Chunk: -1, From: min(sum, c.base()), To: c.base()},
			"the runs before the last have %d elements, and the catalog says %d", sum, c.base())
	}
	if err := c.load(ctx, r); err != nil {
		return err
	}
	for k := range c.count() {
		if err := c.checkRun(ctx, r, c.run(k), found); err != nil {
			return err
		}
	}
	return nil
}

// Counted is how many elements the runs of a column before the last have.
func Counted(ctx context.Context, r store.Reader, id store.ColumnID, last *store.Chunk) (sum int64, err error) {
	if last == nil {
		return 0, nil
	}
	for chunk, err := range r.Chunks(ctx, id, math.MinInt64, last.Number) {
		if err != nil {
			return 0, err
		}
		sum += max(0, min(chunk.Used, maxRows))
	}
	return sum, nil
}

func (c *Column) checkRun(ctx context.Context, r store.Reader, x *run, found column.Report) error {
	p := column.Problem{Kind: column.ProblemSize, Chunk: x.number, From: x.first, To: x.end(), Bytes: x.capacity}
	if x.codec == broken {
		found.Damage(p, "run %d says impossible things of its %d elements", x.number, x.rows)
		return nil
	}
	if x.rows == 0 && c.count() > 1 {
		p.Kind = column.ProblemStray
		found.Hazard(p, "run %d has no elements", x.number)
		return nil
	}
	if x.stored() == 0 {
		return nil
	}
	p.Kind = column.ProblemShort
	err := column.Holds(ctx, r, c.row.ID, x.number, x.capacity)
	if errors.Is(err, store.ErrCorrupt) {
		found.Damage(p, "run %d has fewer than its %d bytes", x.number, x.capacity)
		return nil
	}
	if err == nil && c.size == 0 {
		var offs []int64
		offs, err = c.offsets(ctx, r, x, 0, x.stored())
		if end := x.bytes; err == nil && x.codec == Raw && offs[x.stored()] != end {
			err = corrupt("the elements of run %d end at %d, and it says %d", x.number, offs[x.stored()], end)
		}
	}
	if errors.Is(err, store.ErrCorrupt) {
		p.Kind = column.ProblemEntry
		found.Damage(p, "%v", err)
		return nil
	}
	return err
}

// Stretch implements column.Walked.
func (c *Column) Stretch(ctx context.Context, r store.Reader, i int64) (end int64, why, err error) {
	x, err := c.find(ctx, r, i)
	switch {
	case errors.Is(err, store.ErrCorrupt) && c.dir != nil:
		return c.last.first, err, nil // there is no run up to the last
	case err != nil:
		return 0, nil, err
	case x.codec == broken:
		return x.end(), errBroken(x), nil
	case i < x.first+x.stored():
		return x.first + x.stored(), nil, nil
	}
	return x.end(), nil, nil
}

// Walk implements column.Column.
func (c *Column) Walk(ctx context.Context, r store.Reader, limit int64, found func(i int64, e *column.Elements) error, lost func(i, j int64, why error) error) error {
	return column.Walk(ctx, r, c, limit, found, lost)
}

// Extent implements column.Column. Where runs are missing nobody knows, so none
// is cut off for it.
func (c *Column) Extent(ctx context.Context, r store.Reader) (int64, error) {
	return c.Len(), ctx.Err()
}

// Stat implements column.Column.
func (c *Column) Stat(ctx context.Context, r store.Reader) (column.Stat, error) {
	beside := int64(len(c.tail.Data)) // they take no room of their own
	if c.size > 0 {
		s, err := column.StatFixed(ctx, r, c.row.ID, c.Len(), c.size)
		s.Capacity += beside
		s.DeadBytes = max(0, s.Capacity-s.LiveBytes)
		s.Slack = s.DeadBytes
		return s, err
	}
	s := column.Stat{Elements: c.Len(), Smallest: math.MaxInt64, Capacity: beside}
	if err := c.load(ctx, r); err != nil {
		return s, err
	}
	for k := range c.count() {
		x := c.run(k)
		s.Chunks++
		s.Capacity += x.capacity
		for from := int64(0); from < x.rows; {
			to := x.rows
			if from < x.stored() {
				to = x.stored()
			}
			if err := c.holds(ctx, r, x); err != nil {
				return s, err
			}
			offs, err := c.offsets(ctx, r, x, from, to)
			if err != nil {
				return s, err
			}
			for q := range offs[1:] {
				n := offs[q+1] - offs[q]
				s.LiveBytes += n
				s.Smallest, s.Largest = min(s.Smallest, n), max(s.Largest, n)
			}
			from = to
		}
	}
	if s.Elements == 0 {
		s.Smallest = 0
	}
	s.DeadBytes = max(0, s.Capacity-s.LiveBytes)
	s.Slack = s.DeadBytes
	return s, nil
}

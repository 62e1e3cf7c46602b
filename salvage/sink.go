package salvage

import (
	"context"

	"columnvault/internal/catalog"
	"columnvault/internal/store"
)

// sink takes the elements of a column in their order, the missing ones too, and
// keeps the report of it.
type sink struct {
	job *job
	c   *Column
	w   *writer
	// at is the position of the next element.
	at int64
	// cut says that elements were not believed.
	cut bool
}

// begin creates the column in the new vault. The row is that of the damaged file,
// with an ElemSize of 0 where elements vary in size.
func (j *job) begin(ctx context.Context, c *Column, row store.Row) (*sink, error) {
	return j.beginWith(ctx, c, row, catalog.Options{MinChunk: row.MinChunk, MaxChunk: row.MaxChunk})
}

// beginWith is begin for a column that is stored so, if that is possible.
func (j *job) beginWith(ctx context.Context, c *Column, row store.Row, o catalog.Options) (*sink, error) {
	w, err := j.target.column(ctx, c, row, o)
	return &sink{job: j, c: c, w: w}, err
}

// piece takes elements of one size.
func (s *sink) piece(ctx context.Context, p piece) error {
	if p.reason != "" {
		return s.lose(ctx, p.to, p.reason)
	}
	s.c.Read += p.to - p.from
	s.at = p.to
	return s.w.add(ctx, p.data)
}

// value takes an element of any size, or why it cannot be read.
func (s *sink) value(ctx context.Context, value []byte, reason string) error {
	if reason != "" {
		return s.lose(ctx, s.at+1, reason)
	}
	s.c.Read++
	if s.at++; s.at%1024 == 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return s.w.addValue(ctx, value)
}

// lose takes what stands for the elements up to number to, which are missing.
func (s *sink) lose(ctx context.Context, to int64, reason string) error {
	if to <= s.at {
		return nil
	}
	n := to - s.at
	s.c.lose(s.at, to, reason)
	s.at = to
	if s.job.opts.Holes == Drop {
		return nil
	}
	s.c.Filled += n
	return s.w.addBlank(ctx, n)
}

// finish writes what is left and reports the column.
func (s *sink) finish(ctx context.Context, err error) error {
	if err == nil {
		err = s.w.end(ctx)
	}
	s.job.report.Columns = append(s.job.report.Columns, *s.c)
	return err
}

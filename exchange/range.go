package exchange

import (
	"context"
	"errors"
	"io"
	"math"

	"columnvault/internal/position"
)

// ranged gives some of the rows of a source.
type ranged struct {
	Source
	start, stop int
	// rows is the number of rows that the source has, -1 if it is not known.
	rows int64
	// The rows from first up to end are given, and next is the next that comes.
	first, end, next int64
}

// rangeOf returns a source of the rows [start:stop] of another, as Python has
// them in a list; but a stop of 0 is the end.
func rangeOf(src Source, start, stop int) Source {
	if start == math.MinInt {
		start = 0
	}
	if stop == 0 {
		stop = math.MaxInt
	}
	if start == 0 && stop == math.MaxInt {
		return src
	}
	return &ranged{Source: src, start: start, stop: stop, rows: -1}
}

// Begin goes to the first row. Where positions count from the end, all rows are
// read once before, to count them.
func (r *ranged) Begin(ctx context.Context, as map[string]Field) ([]Field, error) {
	fields, err := r.Source.Begin(ctx, as)
	if err == nil && (r.start < 0 || r.stop < 0) && r.rows < 0 {
		if err = r.count(ctx, fields); err == nil {
			fields, err = r.Source.Begin(ctx, as)
		}
	}
	if err != nil {
		return nil, err
	}
	rows := r.rows
	if rows < 0 {
		rows = math.MaxInt64
	}
	r.next = 0
	r.first, r.end = position.Range(r.start, r.stop, rows)
	return fields, nil
}

// count counts the rows.
func (r *ranged) count(ctx context.Context, fields []Field) error {
	b, rows := NewBatch(fields), int64(0)
	for {
		err := r.Source.Next(ctx, b)
		if errors.Is(err, io.EOF) {
			r.rows = rows
			return nil
		}
		if err != nil {
			return err
		}
		rows += int64(b.Rows)
		b.Reset()
	}
}

// Next adds rows. What comes after the last is not read.
func (r *ranged) Next(ctx context.Context, b *Batch) error {
	for r.next < r.end && r.first < r.end {
		if err := r.Source.Next(ctx, b); err != nil {
			return err
		}
		from, rows := r.first-r.next, int64(b.Rows)
		to := min(rows, r.end-r.next)
		r.next += rows
		if from < to {
			if from > 0 || to < rows {
				b.keep(int(max(0, from)), int(to))
			}
			return nil
		}
		b.Reset()
	}
	return io.EOF
}

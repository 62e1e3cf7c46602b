package exchange

import (
	"context"
	"fmt"
)

// Parts is a sink that divides rows among several: a folder of files.
type Parts struct {
	rows   int
	open   func(part int) (Sink, func() error, error)
	fields []Field
	sink   Sink
	done   func() error
	part   int
	filled int // rows of the open part
	left   int // rows to come, -1 if that is not known
}

// NewParts returns a sink that puts so many rows into each part. open opens the
// sink of a part, counted from 0, and returns what is called when all of the
// part has been written. There is one part at least.
func NewParts(rows int, open func(part int) (Sink, func() error, error)) *Parts {
	return &Parts{rows: rows, open: open, left: -1}
}

// SetRows sets the number of rows, which sinks of parts may want to know.
func (p *Parts) SetRows(rows int) { p.left = rows }

// Begin opens the first part.
func (p *Parts) Begin(ctx context.Context, fields []Field) error {
	if p.rows <= 0 {
		return argumentf("parts of %d rows", p.rows)
	}
	p.fields = fields
	return p.next(ctx)
}

// next opens a part.
func (p *Parts) next(ctx context.Context) (err error) {
	if p.sink, p.done, err = p.open(p.part); err != nil {
		return err
	}
	if s, ok := p.sink.(interface{ SetRows(rows int) }); ok && p.left >= 0 {
		s.SetRows(min(p.rows, p.left))
	}
	p.filled = 0
	return p.sink.Begin(ctx, p.fields)
}

// Write writes the rows of a batch.
func (p *Parts) Write(ctx context.Context, b *Batch) error {
	for from := 0; from < b.Rows; {
		if p.filled == p.rows {
			if err := p.end(ctx); err != nil {
				return err
			}
			if err := p.next(ctx); err != nil {
				return err
			}
		}
		n := min(b.Rows-from, p.rows-p.filled)
		if err := p.sink.Write(ctx, b.Slice(from, from+n)); err != nil {
			return fmt.Errorf("part %d: %w", p.part, err)
		}
		from += n
		p.filled += n
		p.left -= min(n, max(p.left, 0))
	}
	return nil
}

func (p *Parts) end(ctx context.Context) error {
	if err := p.sink.End(ctx); err != nil {
		return fmt.Errorf("part %d: %w", p.part, err)
	}
	p.part++
	return p.done()
}

// End ends the last part.
func (p *Parts) End(ctx context.Context) error { return p.end(ctx) }

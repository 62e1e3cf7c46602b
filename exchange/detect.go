package exchange

import (
	"context"
	"errors"
	"io"
)

// DetectOptions configure [Detect].
type DetectOptions struct {
	// Types has types and meanings of columns, by name, in place of those that
	// are found.
	Types map[string]Field
	// Start and Stop choose rows, as those of [ImportOptions] do.
	Start, Stop int
	// Seen is called with each batch, which is not valid after the call. If the
	// source begins again, so do the calls.
	Seen func(b *Batch)
	// Progress is called after each batch, with what [Source.Progress] returns.
	Progress func(done, total int64)
}

// Detect reads all rows of a source and writes nothing. The result has the
// columns as [Import] would create them; their length is that of the rows.
func Detect(ctx context.Context, src Source, o *DetectOptions) (*Result, error) {
	if o == nil {
		o = &DetectOptions{}
	}
	src = rangeOf(src, o.Start, o.Stop)
	for attempt := 1; ; attempt++ {
		result, err := detectOnce(ctx, src, o)
		if errors.Is(err, ErrRetype) && attempt < maxAttempts {
			continue
		}
		return result, err
	}
}

func detectOnce(ctx context.Context, src Source, o *DetectOptions) (*Result, error) {
	fields, err := src.Begin(ctx, o.Types)
	if err != nil {
		return nil, err
	}
	r := &Result{Columns: make([]Imported, len(fields))}
	for i, f := range fields {
		f.Meaning.Null = f.Nullable || o.Types[f.Name].Meaning.Null // else if values are missing
		r.Columns[i].Field = f
	}
	b := NewBatch(fields)
	for {
		err := src.Next(ctx, b)
		if errors.Is(err, io.EOF) {
			return r, nil
		}
		if err != nil {
			return nil, err
		}
		r.Rows += b.Rows
		for i, c := range b.Columns {
			r.Columns[i].Len += b.Rows
			for _, missing := range c.gaps() {
				if missing {
					r.Columns[i].Missing++
					r.Columns[i].Meaning.Null = nullable(fields[i].Type)
				}
			}
		}
		if o.Seen != nil {
			o.Seen(b)
		}
		if o.Progress != nil {
			o.Progress(src.Progress())
		}
		b.Reset()
	}
}

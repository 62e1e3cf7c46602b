package jsonl

import (
	"context"
	"io"

	"columnvault/exchange"
	"columnvault/exchange/internal/records"
	"columnvault/internal/values"
)

// Writer writes rows as JSON lines. A missing value is null.
type Writer struct{ rows *records.Writer }

// NewWriter returns a sink that writes to w. It does not close it.
func NewWriter(w io.Writer) *Writer { return &Writer{records.NewWriter(w)} }

// Begin takes the columns.
func (w *Writer) Begin(_ context.Context, fields []exchange.Field) error {
	for i, f := range fields {
		before := byte(',')
		if i == 0 {
			before = '{'
		}
		c := &records.Printer{Missing: []byte("null"), Before: append(values.AppendString([]byte{before}, f.Name), ':')}
		c.SetFormat(f)
		w.rows.Add(c)
	}
	w.rows.End = []byte("}\n")
	return nil
}

// Write writes the rows of a batch.
func (w *Writer) Write(ctx context.Context, b *exchange.Batch) error { return w.rows.Write(ctx, b) }

// End does nothing: nothing is held.
func (w *Writer) End(context.Context) error { return nil }

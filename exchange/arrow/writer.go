package arrow

import (
	"context"
	"io"

	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
	"columnvault/exchange/internal/note"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// WriterOptions configure a [Writer].
type WriterOptions struct {
	// Stream writes a stream, in place of a file that can be read from any place.
	Stream bool
}

// Writer writes rows as a file or a stream of Arrow IPC, a record batch for each
// batch, without compression, so that others can map it into memory. Vectors are
// lists of a fixed size, arrays without dimensions structs of two lists, and
// msgpack and cbor JSON text. A note in the schema says which dtypes and
// meanings the columns have, so that a [Reader] gives them back.
type Writer struct {
	w       io.Writer
	o       WriterOptions
	fields  []exchange.Field
	columns []*columnWriter
	schema  *arrow.Schema
	row     int64

	write func(arrow.RecordBatch) error
	close func() error
}

// NewWriter returns a sink that writes to w. It does not close it.
func NewWriter(w io.Writer, o *WriterOptions) *Writer {
	if o == nil {
		o = &WriterOptions{}
	}
	return &Writer{w: w, o: *o}
}

// Begin prepares the schema, which is written before the first record batch.
func (w *Writer) Begin(_ context.Context, fields []exchange.Field) error {
	w.fields = fields
	types := make([]arrow.Field, len(fields))
	for i, f := range fields {
		c, err := newColumnWriter(f)
		if err != nil {
			return fit.In(f.Name, err)
		}
		w.columns, types[i] = append(w.columns, c), c.field
	}
	notes := arrow.NewMetadata([]string{note.Key}, []string{note.Encode(fields)})
	w.schema = arrow.NewSchema(types, &notes)
	if w.o.Stream {
		stream := ipc.NewWriter(w.w, ipc.WithSchema(w.schema))
		w.write, w.close = stream.Write, stream.Close
		return nil
	}
	file, err := ipc.NewFileWriter(w.w, ipc.WithSchema(w.schema))
	if err != nil {
		return err
	}
	w.write, w.close = file.Write, file.Close
	return nil
}

// Write writes a record batch.
func (w *Writer) Write(ctx context.Context, b *exchange.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	arrays := make([]arrow.Array, len(w.columns))
	for i, c := range w.columns {
		data, row, err := c.data(b.Columns[i])
		if err != nil {
			return fit.At(w.row+int64(row), w.fields[i].Name, err)
		}
		arrays[i] = array.MakeFromData(data)
	}
	if err := w.write(array.NewRecordBatch(w.schema, arrays, int64(b.Rows))); err != nil {
		return err
	}
	w.row += int64(b.Rows)
	return nil
}

// End writes the end, and of a file where everything is.
func (w *Writer) End(context.Context) error { return w.close() }

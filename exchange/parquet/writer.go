package parquet

import (
	"context"
	"fmt"
	"io"
	"sync"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
	"columnvault/exchange/internal/note"
)

// WriterOptions configure a [Writer]. The zero value compresses with zstd.
type WriterOptions struct {
	// Plain writes pages without compression.
	Plain bool
	// GroupRows is the most rows of a row group; 0 means 1,048,576. A row group is
	// also ended at 64 MiB, as it is held in memory. A file has at most 32,767 row
	// groups.
	GroupRows int
	// FieldID gives the numbers of fields in the schema, by which tables of Iceberg
	// know them; 0 is none. A field has the path NAME, and what lies in it
	// NAME.list.element, NAME.shape, NAME.shape.list.element and so on.
	FieldID func(path string) int
}

// Writer writes rows as a Parquet file. Values that may be missing are optional
// columns, vectors lists, arrays without dimensions groups of two lists, and
// msgpack and cbor JSON text. Times in seconds become milliseconds. A note in
// the metadata says which dtypes and meanings the columns have, so that a
// [Reader] gives them back. Pages and row groups have statistics.
type Writer struct {
	w       io.Writer
	o       WriterOptions
	out     *pq.GenericWriter[any]
	fields  []exchange.Field
	columns []*columnWriter
	rows    int // of the open row group
	row     int64
	start   int64 // of the open row group in the file
}

// groupBytes is how much of a row group is held in memory, and pageBytes how
// large a page becomes.
const (
	groupBytes = 64 << 20
	groupRows  = 1 << 20
	pageBytes  = 1 << 20
)

// NewWriter returns a sink that writes to w. It does not close it.
func NewWriter(w io.Writer, o *WriterOptions) *Writer {
	if o == nil {
		o = &WriterOptions{}
	}
	return &Writer{w: w, o: *o}
}

// Begin takes the columns.
func (w *Writer) Begin(_ context.Context, fields []exchange.Field) error {
	w.fields = fields
	root := &group{}
	var leaves []*leafWriter
	for _, f := range fields {
		c, err := newColumnWriter(f)
		if err != nil {
			return fit.In(f.Name, err)
		}
		if w.o.FieldID != nil {
			c.node = numbered(c.node, f.Name, w.o.FieldID)
		}
		root.add(f.Name, c.node)
		leaves = append(leaves, c.leaves...)
		w.columns = append(w.columns, c)
	}
	options := []pq.WriterOption{pq.NewSchema("schema", root), pq.KeyValueMetadata(note.Key, note.Encode(fields)),
		pq.CreatedBy("columnvault", "1.0.0", ""), pq.PageBufferSize(pageBytes), pq.DataPageVersion(1), pq.DataPageStatistics(false)}
	if !w.o.Plain {
		options = append(options, pq.Compression(&zstd.Codec{Level: zstd.SpeedFastest}))
	}
	w.out = pq.NewGenericWriter[any](w.w, options...)
	for i, out := range w.out.ColumnWriters() {
		leaves[i].out, leaves[i].column = out, i
	}
	return nil
}

// Write writes the rows of a batch.
func (w *Writer) Write(ctx context.Context, b *exchange.Batch) error {
	limit := w.o.GroupRows
	if limit <= 0 {
		limit = groupRows
	}
	for from := 0; from < b.Rows; {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := min(b.Rows, from+limit-w.rows, from+pieceRows)
		if err := w.add(b, from, to); err != nil {
			return err
		}
		w.rows += to - from
		w.row += int64(to - from)
		from = to
		if w.rows >= limit || w.out.Size()-w.start >= groupBytes {
			if err := w.out.Flush(); err != nil {
				return err
			}
			w.rows, w.start = 0, w.out.Size()
		}
	}
	return nil
}

// Size is about how large the file is, in bytes, with what is held of it.
func (w *Writer) Size() int64 { return w.out.Size() }

// pieceRows is how many rows are encoded before the size of the row group is
// looked at.
const pieceRows = 8 << 10

// add encodes rows, the columns side by side.
func (w *Writer) add(b *exchange.Batch, from, to int) error {
	failed := make([]error, len(w.columns))
	var working sync.WaitGroup
	for i, c := range w.columns {
		add := func() {
			row, err := c.add(b.Columns[i], from, to)
			for _, l := range c.leaves {
				if err == nil {
					err = l.flush()
				}
			}
			if err != nil {
				failed[i] = fit.At(w.row+int64(row-from), w.fields[i].Name, err)
			}
		}
		if i == len(w.columns)-1 {
			add() // not in a goroutine, as mostly there is one column
		} else {
			working.Go(add)
		}
	}
	working.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// End writes what is held and the footer.
func (w *Writer) End(context.Context) error {
	if err := w.out.Close(); err != nil {
		return fmt.Errorf("the end of the file: %w", err)
	}
	return nil
}

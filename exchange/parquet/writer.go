package parquet

import (
	"context"
	"fmt"
	"io"
	"sync"

	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
)

// WriterOptions configure a [Writer]. The zero value compresses with zstd.
type WriterOptions struct {
	// Plain writes pages without compression.
	Plain bool
	// GroupRows is the most rows of a row group; 0 means 1,048,576. A row group is
	// also ended at 64 MiB, as it is held in memory.
	GroupRows int
}

// Writer writes rows as a Parquet file. Values that may be missing are optional
// columns, vectors lists, arrays without dimensions groups of two lists, and
// msgpack and cbor JSON text. Times in seconds become milliseconds. A note in
// the metadata says which dtypes and meanings the columns have, so that a
// [Reader] gives them back. Pages and row groups have statistics.
type Writer struct {
	out     counter
	o       WriterOptions
	fields  []exchange.Field
	leaves  []*leafWriter
	columns []*columnWriter
	rows    int // of the open row group
	row     int64
	groups  []group
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
	return &Writer{out: counter{w: w}, o: *o}
}

// counter counts what is written.
type counter struct {
	w  io.Writer
	at int64
}

func (c *counter) write(p []byte) error {
	n, err := c.w.Write(p)
	c.at += int64(n)
	return err
}

// Begin takes the columns.
func (w *Writer) Begin(_ context.Context, fields []exchange.Field) error {
	w.fields = fields
	for _, f := range fields {
		c, err := newColumnWriter(f)
		if err != nil {
			return fit.In(f.Name, err)
		}
		for _, leaf := range c.leaves {
			leaf.plain = w.o.Plain
			w.leaves = append(w.leaves, leaf)
		}
		w.columns = append(w.columns, c)
	}
	return w.out.write([]byte(magic))
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
		if w.rows >= limit || w.size() >= groupBytes {
			if err := w.endGroup(); err != nil {
				return err
			}
		}
	}
	return nil
}

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

// size is the memory of the open row group.
func (w *Writer) size() (n int) {
	for _, leaf := range w.leaves {
		n += len(leaf.pages) + len(leaf.values)
	}
	return n
}

// endGroup writes the open row group.
func (w *Writer) endGroup() error {
	g := group{rows: int64(w.rows)}
	for _, leaf := range w.leaves {
		if err := leaf.endPage(); err != nil {
			return fmt.Errorf("column %s: %w", leaf.path[0], err)
		}
		c := leaf.endChunk(w.out.at)
		if err := w.out.write(leaf.pages); err != nil {
			return err
		}
		leaf.pages = leaf.pages[:0]
		g.bytes += c.raw
		g.chunks = append(g.chunks, c)
	}
	w.groups = append(w.groups, g)
	w.rows = 0
	return nil
}

// End writes what is held and the footer.
func (w *Writer) End(context.Context) error {
	if w.rows > 0 {
		if err := w.endGroup(); err != nil {
			return err
		}
	}
	if err := w.writeIndexes(); err != nil {
		return err
	}
	return w.writeFooter()
}

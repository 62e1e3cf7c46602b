package layout1

import (
	"context"
	"encoding/binary"
	"fmt"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// BlockBytes is the size of the blocks of a new column: that which KohakuVault
// 1.1.0 chooses.
const BlockBytes = 1 << 20

// Row is the catalog row of a new column. size is that of an element as it is
// stored, 0 where it varies.
func Row(name, dtype string, size int64) store.Row {
	return store.Row{Name: name, DType: dtype, ElemSize: size, MinChunk: BlockBytes, MaxChunk: BlockBytes, Layout: store.LayoutV1}
}

// Writer fills a new column, as 1.1.0 does when it appends: a block takes
// elements as long as there is room, and then another begins. It keeps one block
// in memory.
type Writer struct {
	row   store.Row
	form  *Form
	block store.Block
	// number is that of the block, data the bytes of its elements, and ends
	// where each of them ends, where they vary in size.
	number   int64
	data     []byte
	ends     []int64
	capacity int64
	stored   []byte
}

// NewWriter begins to fill the empty column of a catalog row that Row has made.
func NewWriter(row store.Row, form *Form) *Writer {
	w := &Writer{row: row, form: form}
	w.begin()
	return w
}

// begin makes the next block an ordinary one.
func (w *Writer) begin() {
	w.block.Rows = 0
	w.data, w.ends = w.data[:0], w.ends[:0]
	if size := w.row.ElemSize; size > 0 {
		w.capacity = capacity(size, w.row.MaxChunk)
		w.block.Room = w.capacity / size
		return
	}
	w.capacity, w.block.Room = w.row.MaxChunk, max(1, w.row.MaxChunk/rowShare)
}

// Append adds elements as they are read.
func (w *Writer) Append(ctx context.Context, tx store.Tx, e column.Elements) error {
	size := int(w.row.ElemSize)
	if w.form != nil {
		size = int(w.form.Size)
	}
	for k := range e.Count(size) {
		p := e.At(size, k)
		if w.form != nil {
			w.stored = w.form.Store(w.stored[:0], p)
			p = w.stored
		}
		if err := w.add(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}

// add adds an element as it is stored.
func (w *Writer) add(ctx context.Context, tx store.Tx, p []byte) error {
	n := int64(len(p))
	if size := w.row.ElemSize; size > 0 && n != size {
		return fmt.Errorf("%w: an element of %d bytes in a column of %d", store.ErrInvalidArgument, n, size)
	}
	if w.block.Rows == w.block.Room || w.block.Rows > 0 && n > w.capacity-int64(len(w.data)) {
		if err := w.flush(ctx, tx); err != nil {
			return err
		}
	}
	if n > w.capacity { // it gets a block of its own
		w.capacity, w.block.Room = n, 1
	}
	w.data = append(w.data, p...)
	if w.row.ElemSize == 0 {
		w.ends = append(w.ends, int64(len(w.data)))
	}
	w.block.Rows++
	return nil
}

// flush stores the block and begins another.
func (w *Writer) flush(ctx context.Context, tx store.Tx) error {
	used := int64(len(w.data))
	c := store.Chunk{Number: w.number, Capacity: w.capacity, Used: used, Meta: w.block.Meta()}
	data := w.data
	if w.row.ElemSize == 0 {
		c.Capacity += w.block.Offsets()
		data = append(data, make([]byte, c.Capacity-used)...)
		for k, end := range w.ends {
			binary.LittleEndian.PutUint64(data[w.capacity+int64(k+1)*offsetSize:], uint64(end))
		}
	}
	if err := tx.PutChunk(ctx, w.row.ID, c, data); err != nil {
		return err
	}
	w.data = data
	w.number++
	w.block.First += w.block.Rows
	w.begin()
	return nil
}

// Close stores the last block and the length.
func (w *Writer) Close(ctx context.Context, tx store.Tx) error {
	if w.block.Rows > 0 {
		if err := w.flush(ctx, tx); err != nil {
			return err
		}
	}
	return tx.SetLength(ctx, w.row.ID, w.block.First)
}

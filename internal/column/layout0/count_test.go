package layout0

import (
	"context"
	"fmt"
	"iter"

	"columnvault/internal/store"
)

// calls counts what a column asks of the storage.
type calls struct {
	lookups int // of a chunk, or of the last one
	lists   int // of chunks
	listed  int // chunks
	reads   int
	spans   int // read
	read    int64
	writes  int // of bytes, chunks and lengths
	written int64
}

func (c *calls) total() int { return c.lookups + c.lists + c.reads + c.writes }

func (c *calls) String() string {
	return fmt.Sprintf("%d calls: %d lookups, %d lists of %d chunks, %d reads of %d spans and %d bytes, %d writes of %d bytes",
		c.total(), c.lookups, c.lists, c.listed, c.reads, c.spans, c.read, c.writes, c.written)
}

// counted is a transaction whose calls are counted.
type counted struct {
	store.Tx
	*calls
}

func (t counted) Chunk(ctx context.Context, id store.ColumnID, number int64) (store.Chunk, error) {
	t.lookups++
	return t.Tx.Chunk(ctx, id, number)
}

func (t counted) LastChunk(ctx context.Context, id store.ColumnID) (store.Chunk, error) {
	t.lookups++
	return t.Tx.LastChunk(ctx, id)
}

func (t counted) Chunks(ctx context.Context, id store.ColumnID, from, to int64) iter.Seq2[store.Chunk, error] {
	t.lists++
	return func(yield func(store.Chunk, error) bool) {
		for chunk, err := range t.Tx.Chunks(ctx, id, from, to) {
			t.listed++
			if !yield(chunk, err) {
				return
			}
		}
	}
}

func (t counted) ReadAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	t.reads++
	t.spans += len(spans)
	for _, s := range spans {
		t.read += int64(len(s.Data))
	}
	return t.Tx.ReadAt(ctx, id, spans)
}

func (t counted) WriteAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	t.writes++
	for _, s := range spans {
		t.written += int64(len(s.Data))
	}
	return t.Tx.WriteAt(ctx, id, spans)
}

func (t counted) PutChunk(ctx context.Context, id store.ColumnID, c store.Chunk, data []byte) error {
	t.writes++
	t.written += int64(len(data))
	return t.Tx.PutChunk(ctx, id, c, data)
}

func (t counted) SetChunk(ctx context.Context, id store.ColumnID, c store.Chunk) error {
	t.writes++
	return t.Tx.SetChunk(ctx, id, c)
}

func (t counted) SetLength(ctx context.Context, id store.ColumnID, length int64) error {
	t.writes++
	return t.Tx.SetLength(ctx, id, length)
}

func (t counted) DropChunks(ctx context.Context, id store.ColumnID, from, to int64) error {
	t.writes++
	return t.Tx.DropChunks(ctx, id, from, to)
}

// count counts the calls of an operation in a transaction.
func (l *list) count(fn func(tx store.Tx, c *VarSize) error) *calls {
	l.t.Helper()
	var n *calls
	l.change(func(tx store.Tx, c *VarSize) error {
		n = &calls{} // once more if the engine begins anew
		return fn(counted{tx, n}, c)
	})
	return n
}

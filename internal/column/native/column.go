package native

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Column is a column in a snapshot or a transaction.
type Column struct {
	row store.Row
	// size is that of the elements in bytes, 0 where it varies.
	size int64
	// window is the number of bytes that a move takes at once.
	window int64
	order  column.Order
	cache  *Cache
	// last is the last run, if one exists; its first is how many elements are
	// before it. tail is what lies in its Meta.
	last   run
	exists bool
	tail   column.Elements
	// seal is how full runs are to be stored.
	seal Codec
	// dir is the directory once somebody needed it, owned says that it is that
	// of this transaction. at is the run that was found last.
	dir   *Directory
	owned bool
	at    int
	// restructured says that the structure has a new number in this transaction.
	// rowChanged and lastChanged say what the file has not been told yet.
	restructured, published bool
	rowChanged, lastChanged bool
	// spans, offs, bytes and image are reused from call to call, and so is codec,
	// which few columns need: see coding.
	spans []store.Span
	one   [1]store.Span
	offs  []int64
	bytes []byte
	image []byte
	codec *codec
}

var _ column.Bounded = (*Column)(nil)

// Options are how a column is opened.
type Options struct {
	// Window is the number of bytes that a move takes at once.
	Window int64
	// Order is that of the elements.
	Order column.Order
	// Cache keeps the directory; nil is no cache.
	Cache *Cache
}

const (
	// stride is the distance between the numbers of runs that are appended. A
	// run that is split takes a number in between.
	stride = 1 << 36
	// maxLength is more than the elements of any column.
	maxLength = 1 << 56
	// trusted is the number of bytes of memory that are taken on the word of Meta
	// alone, before the chunks have been asked.
	trusted = 4 << 20
	// LeastRun is the size in bytes of the smallest run that there may be.
	LeastRun = 16
)

// Row is the row of a new column whose elements have size bytes, 0 where that
// varies. Runs get up to runBytes, 0 for what suits the engine.
func Row(name, dtype string, size, runBytes int64, caps store.Caps) (store.Row, error) {
	if runBytes == 0 {
		runBytes = caps.RunBytes
	}
	if runBytes < LeastRun || runBytes > caps.ChunkSize {
		return store.Row{}, fmt.Errorf("%w: runs of %d bytes, and the limits are %d and %d", store.ErrInvalidArgument, runBytes, LeastRun, caps.ChunkSize)
	}
	return store.Row{Name: name, DType: dtype, ElemSize: size, MaxChunk: runBytes, Layout: store.LayoutNative}, nil
}

// Start gives a new column its first run, which says how full ones are stored.
func Start(ctx context.Context, tx store.Tx, row store.Row, seal Codec) error {
	x := run{meta: meta{seal: seal}}
	return tx.PutChunk(ctx, row.ID, store.Chunk{Number: 0, Meta: x.encode(nil, row.ElemSize)}, nil)
}

// CodecOf is how the column of this last chunk stores full runs.
func CodecOf(last store.Chunk) Codec {
	if p := last.Meta; len(p) >= headSize && p[0] == metaVersion && p[2] <= byte(Zstd) {
		return Codec(p[2])
	}
	return Raw
}

// Clear removes all elements of the column of this row, whatever state it is in.
func Clear(ctx context.Context, tx store.Tx, row store.Row, seal Codec) error {
	if err := tx.DropChunks(ctx, row.ID, math.MinInt64, math.MaxInt64); err != nil {
		return err
	}
	row.Length, row.MinChunk = 0, newStructure()
	if err := tx.SetColumn(ctx, row); err != nil {
		return err
	}
	return Start(ctx, tx, row, seal)
}

// SetLength writes how many elements the row says are before the last run.
func SetLength(ctx context.Context, tx store.Tx, row store.Row) error {
	row.MinChunk = newStructure()
	return tx.SetColumn(ctx, row)
}

// newStructure is a number that no structure has yet: not even one of a copy of
// the file, which may take its place.
func newStructure() int64 { return rand.Int64N(math.MaxInt64-1) + 1 }

// Length is the number of elements of the column of this row and this last
// chunk, nil for none.
func Length(row store.Row, last *store.Chunk) int64 {
	n := row.Length
	if last != nil {
		n += max(0, min(last.Used, maxRows))
	}
	return n
}

// Open opens the column of this row and this last chunk, nil for none.
func Open(row store.Row, last *store.Chunk, o Options) (*Column, error) {
	if row.ElemSize < 0 || row.ElemSize > column.MaxElement || row.Length < 0 || row.Length > maxLength || row.MaxChunk < LeastRun || row.MaxChunk > maxBytes/2 {
		return nil, corrupt("%d elements of %d bytes before the last run, in runs of %d bytes", row.Length, row.ElemSize, row.MaxChunk)
	}
	c := &Column{row: row, size: row.ElemSize, window: max(1, o.Window), order: o.Order, cache: o.Cache}
	c.spans = c.one[:0]
	c.last.first = row.Length
	if last == nil {
		return c, nil
	}
	var err error
	c.exists = true
	if c.last, err = runOf(*last, c.size); err == nil {
		c.tail, err = tailOf(&c.last, last.Meta, c.size)
	}
	if err != nil {
		c.last.meta = meta{codec: broken}
	}
	c.last.first = row.Length
	c.seal = c.last.seal
	return c, nil
}

// base is how many elements are before the last run.
func (c *Column) base() int64 { return c.last.first }

// Len implements column.Column.
func (c *Column) Len() int64 { return c.last.end() }

// Size implements column.Column.
func (c *Column) Size() int { return int(c.size) }

// Sealed is how full runs are stored.
func (c *Column) Sealed() Codec { return c.seal }

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{store.ErrCorrupt}, args...)...)
}

// restructure notes that the runs before the last are others now.
func (c *Column) restructure() {
	if !c.restructured {
		c.restructured = true
		c.row.MinChunk = newStructure()
	}
	c.rowChanged = true
	c.at = 0
}

// settle tells the file what it has not been told yet.
func (c *Column) settle(ctx context.Context, tx store.Tx) error {
	if c.lastChanged {
		c.lastChanged = false
		if err := c.setChunk(ctx, tx, &c.last); err != nil {
			return err
		}
	}
	if !c.rowChanged && c.row.Length == c.last.first {
		return nil
	}
	c.rowChanged = false
	c.row.Length = c.last.first
	if err := tx.SetColumn(ctx, c.row); err != nil {
		return err
	}
	if !c.published {
		c.published = true
		tx.OnCommit(c.publish)
	}
	return nil
}

// publish gives the directory to the cache, once the transaction is committed.
func (c *Column) publish() {
	if c.owned && c.dir != nil {
		c.cache.put(c.row.ID, &Directory{structure: c.row.MinChunk, runs: c.dir.runs})
	}
}

// setChunk writes what is known of a run.
func (c *Column) setChunk(ctx context.Context, tx store.Tx, x *run) error {
	return tx.SetChunk(ctx, c.row.ID, store.Chunk{Number: x.number, Used: x.rows, Meta: x.encode(&c.tail, c.size)})
}

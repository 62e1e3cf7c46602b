package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"columnvault/internal/store"
)

// Memory is a storage engine without storage. Its chunks are small.
type Memory struct {
	*content
	closed bool
}

// content is what engines share that are open on the same.
type content struct {
	// turn holds one token: whoever has it may write.
	turn chan struct{}
	// mu guards state, and closed in each of the engines.
	mu    sync.Mutex
	state *state
}

// state is everything at one moment. A committed state does not change.
type state struct {
	columns map[store.ColumnID]store.Row
	chunks  map[store.ColumnID]map[int64]chunk
	tables  map[string]map[string][]byte
	nextID  store.ColumnID
	// catalog is the version of the catalog.
	catalog uint64
}

type chunk struct {
	store.Chunk
	data []byte
}

var _ store.Store = (*Memory)(nil)

// NewMemory returns an empty engine.
func NewMemory() *Memory {
	m := &Memory{content: &content{turn: make(chan struct{}, 1), state: &state{
		columns: map[store.ColumnID]store.Row{},
		chunks:  map[store.ColumnID]map[int64]chunk{},
		tables:  map[string]map[string][]byte{},
		nextID:  1,
	}}}
	m.turn <- struct{}{}
	return m
}

// Again returns another engine on the same content, as if a file was opened
// once more.
func (m *Memory) Again() *Memory { return &Memory{content: m.content} }

func (s *state) clone() *state {
	c := &state{columns: maps.Clone(s.columns), chunks: map[store.ColumnID]map[int64]chunk{},
		tables: map[string]map[string][]byte{}, nextID: s.nextID, catalog: s.catalog}
	for name, table := range s.tables {
		c.tables[name] = maps.Clone(table)
	}
	for id, chunks := range s.chunks {
		c.chunks[id] = maps.Clone(chunks)
	}
	return c
}

func (m *Memory) Caps() store.Caps {
	return store.Caps{MinChunk: 4 << 10, ChunkSize: 64 << 10, RunBytes: 8 << 10, MaxChunk: 64 << 20, MaxValue: 64 << 20, Window: 64 << 10, CrossHome: true}
}

func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return store.ErrClosed
	}
	m.closed = true
	return nil
}

func (m *Memory) Read(ctx context.Context) (store.Snapshot, error) { return m.Snapshot(ctx) }

func (m *Memory) Snapshot(ctx context.Context) (store.Snapshot, error) {
	state, err := m.now()
	if err != nil {
		return nil, err
	}
	return &memoryTx{m: m, state: state}, ctx.Err()
}

// now is the present state.
func (m *Memory) now() (*state, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, store.ErrClosed
	}
	return m.state, nil
}

func (m *Memory) Update(ctx context.Context, fn func(store.Tx) error) error {
	select {
	case <-m.turn:
		defer func() { m.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	now, err := m.now()
	if err != nil {
		return err
	}
	tx := &memoryTx{state: now.clone()}
	defer func() { tx.ended = true }()
	err = fn(tx)
	if err == nil {
		err = cmp.Or(tx.aborted, ctx.Err())
	}
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.state = tx.state
	m.mu.Unlock()
	for _, fn := range tx.onCommit {
		fn()
	}
	return nil
}

// memoryTx is a snapshot, where m is set, or a transaction.
type memoryTx struct {
	m       *Memory
	state   *state
	aborted error
	// onCommit is to be called after the commit.
	onCommit []func()
	// found is what the last lookup found.
	found []store.Row
	ended bool
}

func (t *memoryTx) Close() error {
	t.ended = true
	return nil
}

func (t *memoryTx) check(ctx context.Context) error {
	if t.ended {
		return store.ErrClosed
	}
	if t.m != nil {
		t.m.mu.Lock()
		defer t.m.mu.Unlock()
		if t.m.closed {
			return store.ErrClosed
		}
	}
	return ctx.Err()
}

func (t *memoryTx) OnCommit(fn func()) { t.onCommit = append(t.onCommit, fn) }

func (t *memoryTx) Abort(cause error) { t.aborted = cmp.Or(t.aborted, cause) }

func (t *memoryTx) Lookup(ctx context.Context, names ...string) ([]store.Row, error) {
	t.endFound()
	best := map[string]store.Row{}
	for _, row := range t.state.columns {
		if other, twice := best[row.Name]; slices.Contains(names, row.Name) && (!twice || other.Layout == store.LayoutV1) {
			best[row.Name] = row
		}
	}
	t.found = slices.AppendSeq(t.found, maps.Values(best))
	return t.found, t.check(ctx)
}

func (t *memoryTx) LookupID(ctx context.Context, ids ...store.ColumnID) ([]store.Row, error) {
	t.endFound()
	for _, id := range ids {
		if row, ok := t.state.columns[id]; ok {
			t.found = append(t.found, row)
		}
	}
	return t.found, t.check(ctx)
}

// endFound makes what the last lookup found useless, so that tests notice who
// still uses it.
func (t *memoryTx) endFound() {
	clear(t.found)
	t.found = t.found[:0]
}

func (t *memoryTx) Columns(ctx context.Context) ([]store.Row, error) {
	byID := func(a, b store.Row) int { return cmp.Compare(a.ID, b.ID) }
	return slices.SortedFunc(maps.Values(t.state.columns), byID), t.check(ctx)
}

// versions gives the catalog of every state that differs from the one before a
// number that no other has.
var versions atomic.Uint64

func (t *memoryTx) CatalogVersion(ctx context.Context) (uint64, error) {
	return t.state.catalog, t.check(ctx)
}

// Verify finds nothing: what could be wrong here is up to nobody but this
// package.
func (t *memoryTx) Verify(ctx context.Context, _ bool) ([]store.Finding, error) {
	return nil, t.check(ctx)
}

func (t *memoryTx) Chunk(ctx context.Context, id store.ColumnID, number int64) (store.Chunk, error) {
	c, ok := t.state.chunks[id][number]
	if !ok {
		return store.Chunk{}, store.ErrNotFound
	}
	return c.Chunk, t.check(ctx)
}

func (t *memoryTx) LastChunk(ctx context.Context, id store.ColumnID) (store.Chunk, error) {
	numbers := t.numbers(id)
	if len(numbers) == 0 {
		return store.Chunk{}, store.ErrNotFound
	}
	return t.Chunk(ctx, id, numbers[len(numbers)-1])
}

// numbers are those of the chunks of a column, in ascending order.
func (t *memoryTx) numbers(id store.ColumnID) []int64 {
	return slices.Sorted(maps.Keys(t.state.chunks[id]))
}

func (t *memoryTx) Chunks(ctx context.Context, id store.ColumnID, from, to int64) iter.Seq2[store.Chunk, error] {
	return func(yield func(store.Chunk, error) bool) {
		for _, number := range t.numbers(id) {
			if number < from || number >= to {
				continue
			}
			c, err := t.Chunk(ctx, id, number)
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// span finds the bytes of a chunk that s speaks of.
func (t *memoryTx) span(id store.ColumnID, s store.Span) ([]byte, error) {
	c, ok := t.state.chunks[id][s.Chunk]
	if !ok || s.Offset < 0 || s.Offset+int64(len(s.Data)) > int64(len(c.data)) {
		return nil, fmt.Errorf("%w: no bytes %d+%d in chunk %d", store.ErrCorrupt, s.Offset, len(s.Data), s.Chunk)
	}
	return c.data[s.Offset:][:len(s.Data)], nil
}

func (t *memoryTx) ReadAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	for _, s := range spans {
		p, err := t.span(id, s)
		if err != nil {
			return err
		}
		copy(s.Data, p)
	}
	return t.check(ctx)
}

func (t *memoryTx) ReadAll(ctx context.Context, columns []store.ColumnSpans) error {
	for _, c := range columns {
		if err := t.ReadAt(ctx, c.Column, c.Spans); err != nil {
			return err
		}
	}
	return t.check(ctx)
}

// taken tells whether a column has the name that is not of the layout beside.
func (t *memoryTx) taken(name string, beside store.Layout) bool {
	for _, col := range t.state.columns {
		if col.Name == name && col.Layout != beside {
			return true
		}
	}
	return false
}

func (t *memoryTx) CreateColumn(ctx context.Context, col store.Row) (store.Row, error) {
	beside := map[store.Layout]store.Layout{store.LayoutV0: store.LayoutV1, store.LayoutV1: store.LayoutV0, store.LayoutNative: -1}
	if t.taken(col.Name, beside[col.Layout]) {
		return col, store.ErrExists
	}
	if col.Layout == store.LayoutV1 && col.MinChunk != col.MaxChunk {
		return col, store.ErrInvalidArgument
	}
	if len(col.Attrs) > store.MaxAttrs {
		return col, store.ErrTooLarge
	}
	t.state.catalog = versions.Add(1)
	col.ID, col.Length, col.Home = t.state.nextID, 0, 0
	t.state.nextID++
	t.state.columns[col.ID] = col
	t.state.chunks[col.ID] = map[int64]chunk{}
	return col, t.check(ctx)
}

func (t *memoryTx) RenameColumn(ctx context.Context, id store.ColumnID, name string) error {
	if t.taken(name, -1) {
		return store.ErrExists
	}
	t.state.catalog = versions.Add(1)
	return t.change(ctx, id, func(col *store.Row) { col.Name = name })
}

func (t *memoryTx) DropColumn(ctx context.Context, id store.ColumnID) error {
	t.state.catalog = versions.Add(1)
	delete(t.state.columns, id)
	delete(t.state.chunks, id)
	return t.check(ctx)
}

func (t *memoryTx) SetColumn(ctx context.Context, c store.Row) error {
	return t.change(ctx, c.ID, func(col *store.Row) {
		col.ElemSize, col.Length, col.MinChunk, col.MaxChunk = c.ElemSize, c.Length, c.MinChunk, c.MaxChunk
	})
}

// Reindex has nothing to do: there are no indexes.
func (t *memoryTx) Reindex(ctx context.Context, _ string) error { return t.check(ctx) }

func (t *memoryTx) SetAttrs(ctx context.Context, id store.ColumnID, attrs string) error {
	if len(attrs) > store.MaxAttrs {
		return store.ErrTooLarge
	}
	t.state.catalog = versions.Add(1)
	return t.change(ctx, id, func(col *store.Row) { col.Attrs = attrs })
}

func (t *memoryTx) SetLength(ctx context.Context, id store.ColumnID, length int64) error {
	return t.change(ctx, id, func(col *store.Row) { col.Length = length })
}

func (t *memoryTx) change(ctx context.Context, id store.ColumnID, do func(*store.Row)) error {
	col, ok := t.state.columns[id]
	if !ok {
		return store.ErrNotFound
	}
	do(&col)
	t.state.columns[id] = col
	return t.check(ctx)
}

// checkMeta refuses what the layout of the column does not keep.
func (t *memoryTx) checkMeta(id store.ColumnID, c store.Chunk) error {
	switch {
	case len(c.Meta) > store.MaxMeta:
		return fmt.Errorf("%w: Meta of %d bytes", store.ErrTooLarge, len(c.Meta))
	case len(c.Meta) > 0 && t.state.columns[id].Layout == store.LayoutV0:
		return fmt.Errorf("%w: the chunks of layout 0 have no Meta", errors.ErrUnsupported)
	case t.state.columns[id].Layout == store.LayoutV1:
		_, err := store.ParseBlock(c.Meta)
		return err
	}
	return nil
}

func (t *memoryTx) PutChunk(ctx context.Context, id store.ColumnID, c store.Chunk, data []byte) error {
	if int64(len(data)) > c.Capacity || c.Capacity > 64<<20 {
		return store.ErrTooLarge
	}
	if err := t.checkMeta(id, c); err != nil {
		return err
	}
	if t.state.chunks[id] == nil {
		return fmt.Errorf("%w: no such column", store.ErrCorrupt)
	}
	filled := make([]byte, c.Capacity)
	copy(filled, data)
	c.Meta = bytes.Clone(c.Meta)
	t.state.chunks[id][c.Number] = chunk{Chunk: c, data: filled}
	return t.check(ctx)
}

func (t *memoryTx) SetChunk(ctx context.Context, id store.ColumnID, c store.Chunk) error {
	if err := t.checkMeta(id, c); err != nil {
		return err
	}
	old, ok := t.state.chunks[id][c.Number]
	if !ok {
		return fmt.Errorf("%w: no chunk %d", store.ErrCorrupt, c.Number)
	}
	old.Used, old.Meta = c.Used, bytes.Clone(c.Meta)
	t.state.chunks[id][c.Number] = old
	return t.check(ctx)
}

func (t *memoryTx) WriteAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	for _, s := range spans {
		if _, err := t.span(id, s); err != nil {
			return err
		}
		c := t.state.chunks[id][s.Chunk]
		c.data = slices.Clone(c.data)
		copy(c.data[s.Offset:], s.Data)
		t.state.chunks[id][s.Chunk] = c
	}
	return t.check(ctx)
}

func (t *memoryTx) DropChunks(ctx context.Context, id store.ColumnID, from, to int64) error {
	maps.DeleteFunc(t.state.chunks[id], func(number int64, _ chunk) bool { return number >= from && number < to })
	return t.check(ctx)
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"columnvault/internal/store"
)

// mostWrites is how many bytes of writes are collected before they are sent.
const mostWrites = 4 << 20

// writes are what a transaction has still to send. Within a column, ranges that
// are dropped go first: a write that comes after a drop is kept beside it, one
// that came before is thrown away by it.
type writes struct {
	columns map[store.ColumnID]*columnWrites
	tables  map[string]*tableWrites
	bytes   int
}

// columnWrites are those to a column, or to a large value.
type columnWrites struct {
	// row says that the numbers of the row have changed.
	row    bool
	drops  [][2]int64
	chunks map[int64]*chunkWrite
}

// chunkWrite is what becomes of a chunk.
type chunkWrite struct {
	// image says that all of the chunk is here, with data and zeros after it.
	image bool
	// fresh says that the column had no such chunk before the transaction.
	fresh bool
	chunk store.Chunk
	data  []byte
	// Without an image: set says that Used and Meta change, patches are bytes
	// that do, and need is the capacity that there must be for them.
	set     bool
	patches patches
	need    int64
}

// tableWrites are those to a key-value table.
type tableWrites struct {
	cleared bool
	puts    map[string]pairWrite
}

// pairWrite is a new value: its bytes, or the size of one in chunks of its own.
type pairWrite struct {
	data []byte
	blob int64
	size int64
}

func (w *writes) init() {
	w.columns, w.tables, w.bytes = map[store.ColumnID]*columnWrites{}, map[string]*tableWrites{}, 0
}

func (w *writes) empty() bool { return len(w.columns)+len(w.tables) == 0 }

func (w *writes) column(id store.ColumnID) *columnWrites {
	c := w.columns[id]
	if c == nil {
		c = &columnWrites{chunks: map[int64]*chunkWrite{}}
		w.columns[id] = c
	}
	return c
}

func (c *columnWrites) chunk(number int64) *chunkWrite {
	w := c.chunks[number]
	if w == nil {
		w = &chunkWrite{}
		c.chunks[number] = w
	}
	return w
}

func (w *writes) table(name string) *tableWrites {
	t := w.tables[name]
	if t == nil {
		t = &tableWrites{puts: map[string]pairWrite{}}
		w.tables[name] = t
	}
	return t
}

// sendIfMany sends what was collected if it is much.
func (t *tx) sendIfMany(ctx context.Context) error {
	if t.writes.bytes < mostWrites {
		return nil
	}
	if err := t.sendFresh(ctx); err != nil || t.writes.empty() {
		return err
	}
	return t.ask(ctx, &trip{})
}

// changing returns a column that is to be changed, or absent.
func (t *tx) changing(ctx context.Context, id store.ColumnID, absent error) (*held, error) {
	if err := t.column(ctx, id); err != nil {
		return nil, err
	}
	h := t.columns[id]
	if h.row.ID == 0 {
		return nil, fmt.Errorf("%w: no such column", absent)
	}
	return h, t.enter(homeOf(id))
}

func (t *tx) SetColumn(ctx context.Context, c store.Row) error {
	return t.setRow(ctx, c.ID, func(r *store.Row) {
		r.ElemSize, r.Length, r.MinChunk, r.MaxChunk = c.ElemSize, c.Length, c.MinChunk, c.MaxChunk
	})
}

func (t *tx) SetLength(ctx context.Context, id store.ColumnID, length int64) error {
	return t.setRow(ctx, id, func(r *store.Row) { r.Length = length })
}

func (t *tx) setRow(ctx context.Context, id store.ColumnID, change func(r *store.Row)) error {
	h, err := t.changing(ctx, id, store.ErrNotFound)
	if err != nil {
		return err
	}
	change(&h.row)
	t.writes.column(id).row = true
	return nil
}

// checkMeta refuses what the layout of a column does not keep.
func checkMeta(layout store.Layout, c store.Chunk) error {
	switch {
	case len(c.Meta) > store.MaxMeta:
		return fmt.Errorf("%w: %d bytes beside a chunk, and the limit is %d", store.ErrTooLarge, len(c.Meta), store.MaxMeta)
	case len(c.Meta) > 0 && layout == store.LayoutV0:
		return fmt.Errorf("%w: the chunks of layout 0 have no Meta", errors.ErrUnsupported)
	case layout == store.LayoutV1:
		_, err := store.ParseBlock(c.Meta)
		return err
	}
	return nil
}

func (t *tx) PutChunk(ctx context.Context, id store.ColumnID, c store.Chunk, data []byte) error {
	h, err := t.changing(ctx, id, store.ErrCorrupt)
	if err != nil {
		return err
	}
	if most := t.s.Caps().MaxChunk; int64(len(data)) > c.Capacity || c.Capacity > most {
		return fmt.Errorf("%w: %d bytes in a chunk of %d, and the limit is %d", store.ErrTooLarge, len(data), c.Capacity, most)
	}
	if err := checkMeta(h.row.Layout, c); err != nil {
		return err
	}
	c.Meta = append([]byte{}, c.Meta...)
	fresh := h.lastKnown && (!h.hasChunks || c.Number > h.last.Number)
	if h.lastKnown && (!h.hasChunks || c.Number >= h.last.Number) {
		h.last, h.hasChunks = c, true
	}
	if old := t.writes.column(id).chunks[c.Number]; old != nil {
		fresh = old.fresh
	}
	t.writes.put(id, c, data)
	t.writes.columns[id].chunks[c.Number].fresh = fresh
	return t.sendIfMany(ctx)
}

func (w *writes) put(id store.ColumnID, c store.Chunk, data []byte) {
	w.column(id).chunks[c.Number] = &chunkWrite{image: true, chunk: c, data: append([]byte{}, data...)}
	w.bytes += len(data) + len(c.Meta) + 100
}

func (t *tx) SetChunk(ctx context.Context, id store.ColumnID, c store.Chunk) error {
	h, err := t.changing(ctx, id, store.ErrCorrupt)
	if err != nil {
		return err
	}
	if err := checkMeta(h.row.Layout, c); err != nil {
		return err
	}
	meta := append([]byte{}, c.Meta...)
	if h.lastKnown && h.hasChunks && c.Number == h.last.Number {
		h.last.Used, h.last.Meta = c.Used, meta
	}
	w := t.writes.column(id).chunk(c.Number)
	w.chunk.Number, w.chunk.Used, w.chunk.Meta = c.Number, c.Used, meta
	w.set = true
	t.writes.bytes += len(meta) + 100
	return t.sendIfMany(ctx)
}

func (t *tx) WriteAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	if _, err := t.changing(ctx, id, store.ErrCorrupt); err != nil {
		return err
	}
	if err := t.writes.patch(id, spans); err != nil {
		return err
	}
	return t.sendIfMany(ctx)
}

func (w *writes) patch(id store.ColumnID, spans []store.Span) error {
	c := w.column(id)
	for _, s := range spans {
		if err := checkSpan(s); err != nil {
			return err
		}
		if there := c.chunks[s.Chunk]; there != nil && there.image && s.Offset+int64(len(s.Data)) > there.chunk.Capacity {
			return noBytes(s)
		}
	}
	for _, s := range spans {
		c.chunk(s.Chunk).write(s)
		w.bytes += len(s.Data) + 100
	}
	return nil
}

func (w *chunkWrite) write(s store.Span) {
	end := s.Offset + int64(len(s.Data))
	if !w.image {
		w.need = max(w.need, end)
		w.patches = w.patches.add(s.Offset, s.Data)
		return
	}
	if len(s.Data) == 0 {
		return
	}
	if missing := end - int64(len(w.data)); missing > 0 {
		w.data = append(w.data, make([]byte, missing)...)
	}
	copy(w.data[s.Offset:], s.Data)
}

func (t *tx) DropChunks(ctx context.Context, id store.ColumnID, from, to int64) error {
	if err := t.column(ctx, id); err != nil {
		return err
	}
	if err := t.enter(homeOf(id)); err != nil {
		return err
	}
	h := t.columns[id]
	if from >= to {
		return nil
	}
	if h.lastKnown && (!h.hasChunks || from > h.last.Number) {
		return nil // there are none
	}
	switch {
	case from == math.MinInt64 && (to == math.MaxInt64 || h.lastKnown && to > h.last.Number):
		h.lastKnown, h.hasChunks = true, false
	case h.lastKnown && to > h.last.Number:
		h.lastKnown = false
	}
	c := t.writes.column(id)
	c.drops = append(c.drops, [2]int64{from, to})
	maps.DeleteFunc(c.chunks, func(number int64, _ *chunkWrite) bool { return number >= from && number < to })
	return nil
}

// sendWrites adds the statements of all writes that were collected.
func (t *tx) sendWrites(all *trip) {
	w := &t.writes
	if w.empty() {
		return
	}
	t.written = true
	var put putArrays
	for _, id := range slices.Sorted(maps.Keys(w.columns)) {
		c := w.columns[id]
		if h := t.columns[id]; h != nil && h.row.ID != 0 {
			t.sendRow(all, h, c.row)
		}
		for _, d := range c.drops {
			all.add(nil, `DELETE FROM columnvault_chunks WHERE col_id = $1 AND chunk_idx >= $2 AND chunk_idx < $3`+t.s.atColumn("col_id", id), int64(id), d[0], d[1])
		}
		var replaced []int64
		for _, number := range slices.Sorted(maps.Keys(c.chunks)) {
			switch chunk := c.chunks[number]; {
			case !chunk.image:
				chunk.send(all, id, number, t.s.atColumn("col_id", id))
			default:
				put.add(id, chunk)
				if !chunk.fresh {
					replaced = append(replaced, number)
				}
			}
		}
		if len(replaced) > 0 {
			all.add(nil, `DELETE FROM columnvault_chunks WHERE col_id = $1 AND chunk_idx = ANY($2)`+t.s.atColumn("col_id", id), int64(id), replaced)
		}
	}
	put.send(all)
	for _, name := range slices.Sorted(maps.Keys(w.tables)) {
		state := t.tables[name]
		t.sendPairs(all, w.tables[name], name)
		if !state.raised {
			state.raised = true
			all.add(nil, `UPDATE columnvault_tables SET rev = rev + 1 WHERE name = $1`+t.atTable("tbl_id", name), []byte(name))
		}
	}
	w.init()
}

// sendRow raises the revision of a column, and writes its numbers.
func (t *tx) sendRow(all *trip, h *held, row bool) {
	if h.raised && !row {
		return
	}
	raise := int64(1)
	if h.raised {
		raise = 0
	}
	h.raised = true
	h.rev += raise
	r := h.row
	all.require(fmt.Errorf("%w: the column is gone", store.ErrCorrupt), `WITH u AS (UPDATE columnvault_columns
		SET rev = rev + $2, elem_size = $3, length = $4, min_chunk = $5, max_chunk = $6 WHERE col_id = $1`+t.s.atColumn("col_id", r.ID)+` RETURNING 1) SELECT 1 / count(*) FROM u`,
		int64(r.ID), raise, r.ElemSize, r.Length, r.MinChunk, r.MaxChunk)
}

// send changes a chunk that must be there. A server that finds none, or one
// that is too short, says so, and the transaction fails: without that, what is
// written would be lost without a word.
func (w *chunkWrite) send(all *trip, id store.ColumnID, number int64, at string) {
	if w.set {
		all.require(fmt.Errorf("%w: no chunk %d", store.ErrCorrupt, number),
			`WITH u AS (UPDATE columnvault_chunks SET used = $3, meta = $4 WHERE col_id = $1 AND chunk_idx = $2`+at+` RETURNING 1) SELECT 1 / count(*) FROM u`,
			int64(id), number, w.chunk.Used, notNil(w.chunk.Meta))
	}
	missing := fmt.Errorf("%w: no %d bytes in chunk %d", store.ErrCorrupt, w.need, number)
	if len(w.patches) == 0 {
		if !w.set || w.need > 0 {
			all.require(missing, `SELECT 1 / count(*) FROM columnvault_chunks WHERE col_id = $1 AND chunk_idx = $2 AND capacity >= $3`+at, int64(id), number, w.need)
		}
		return
	}
	// The bytes become those between the patches, zeros where they have not been
	// stored yet, with a patch after each; and the rest.
	var gaps, sizes []int64
	var data [][]byte
	end := int64(0)
	for _, p := range w.patches {
		gaps, sizes, data = append(gaps, end), append(sizes, p.at-end), append(data, p.data)
		end = p.end()
	}
	all.require(missing, `WITH u AS (UPDATE columnvault_chunks c SET data = (
		SELECT string_agg(substring(c.data FROM (p.gap + 1)::int FOR p.size::int)
			|| decode(repeat('00', greatest(0, p.gap + p.size - greatest(p.gap, length(c.data)))::int), 'hex') || p.bytes, ''::bytea ORDER BY p.gap)
		FROM unnest($3::bigint[], $4::bigint[], $5::bytea[]) AS p (gap, size, bytes)) || substring(c.data FROM ($6::bigint + 1)::int)
		WHERE col_id = $1 AND chunk_idx = $2 AND capacity >= $7`+at+` RETURNING 1) SELECT 1 / count(*) FROM u`,
		int64(id), number, gaps, sizes, data, end, w.need)
}

// putArrays are whole chunks, none of which exists.
type putArrays struct {
	ids, numbers, capacities, used []int64
	meta, data                     [][]byte
}

func (p *putArrays) add(id store.ColumnID, w *chunkWrite) {
	p.ids, p.numbers = append(p.ids, int64(id)), append(p.numbers, w.chunk.Number)
	p.capacities, p.used = append(p.capacities, w.chunk.Capacity), append(p.used, w.chunk.Used)
	p.meta, p.data = append(p.meta, notNil(w.chunk.Meta)), append(p.data, notNil(w.data))
}

func (p *putArrays) send(all *trip) {
	if len(p.ids) == 0 {
		return
	}
	all.add(nil, `INSERT INTO columnvault_chunks (col_id, chunk_idx, capacity, used, meta, data)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bytea[])`,
		p.ids, p.numbers, p.capacities, p.used, p.meta, p.data)
}

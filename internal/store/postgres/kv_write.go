package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"columnvault/internal/store"
)

// putting returns the table that a pair is written to, and creates it.
func (t *tx) putting(ctx context.Context, table string, key []byte) (*tableState, error) {
	if len(key) > largestKey {
		return nil, fmt.Errorf("%w: the key has %d bytes, and the limit of a PostgreSQL vault is %d", store.ErrTooLarge, len(key), largestKey)
	}
	if err := t.table(ctx, table); err != nil {
		return nil, err
	}
	return t.tables[table], t.ensureTable(ctx, table, 0)
}

// ensureTable creates a table in a home if it does not exist, and enters the home
// that it is in.
func (t *tx) ensureTable(ctx context.Context, table string, home int64) error {
	state := t.tables[table]
	if !state.exists {
		var found store.Table
		var asked trip
		asked.add(func(rows pgx.Rows) error { state.exists = true; return scanTable(rows, &found) },
			`SELECT tbl_id, name FROM columnvault_tables WHERE name = $1`, []byte(table))
		if err := t.lockCatalog(ctx, &asked); err != nil {
			return err
		}
		if state.exists {
			state.home = found.Home
		}
	}
	if state.exists {
		return t.enter(state.home)
	}
	if err := t.enter(home); err != nil {
		return err
	}
	var create trip
	create.add(nil, `INSERT INTO columnvault_tables (tbl_id, name, rev) VALUES (nextval('columnvault_ids') + $2, $1, 1)`, []byte(table), home<<homeShift)
	if err := t.changeCatalog(ctx, &create); err != nil {
		return err
	}
	state.exists, state.raised, state.home = true, true, home
	return nil
}

func (t *tx) CreateTable(ctx context.Context, table string, home int64) error {
	if err := store.CheckHome(home); err != nil {
		return err
	}
	if err := t.table(ctx, table); err != nil {
		return err
	}
	err := t.ensureTable(ctx, table, home)
	if there := t.tables[table]; err == nil && there.home != home {
		err = fmt.Errorf("%w: the table is in the home %d", store.ErrExists, there.home)
	}
	return err
}

func (t *tx) Put(ctx context.Context, table string, key, value []byte) error {
	if len(value) > inline {
		if err := t.PutZero(ctx, table, key, int64(len(value))); err != nil {
			return err
		}
		return t.putAll(ctx, table, key, value)
	}
	state, err := t.putting(ctx, table, key)
	if err != nil {
		return err
	}
	t.dropBlob(state, key)
	t.writes.table(table).puts[string(key)] = pairWrite{data: append([]byte{}, value...), size: int64(len(value))}
	t.writes.bytes += len(key) + len(value) + 100
	return t.sendIfMany(ctx)
}

// putAll writes a large value, of which a half must not stay.
func (t *tx) putAll(ctx context.Context, table string, key, value []byte) error {
	for at := 0; at < len(value); at += window {
		if err := t.PutAt(ctx, table, key, value[at:min(at+window, len(value))], int64(at)); err != nil {
			t.Abort(err)
			return err
		}
	}
	return nil
}

// dropBlob throws away writes to a large value of the transaction's own.
func (t *tx) dropBlob(state *tableState, key []byte) {
	if v, ok := state.sizes[string(key)]; ok {
		if v.blob != nil {
			delete(t.writes.columns, store.ColumnID(*v.blob))
			t.writes.column(store.ColumnID(*v.blob)).drops = [][2]int64{{0, farthest}}
		}
		delete(state.sizes, string(key))
	}
}

func (t *tx) PutZero(ctx context.Context, table string, key []byte, size int64) error {
	if size < 0 || size > largestValue {
		return fmt.Errorf("%w: a value of %d bytes, and the limit is %d", store.ErrTooLarge, size, int64(largestValue))
	}
	if size <= inline {
		if err := t.Put(ctx, table, key, make([]byte, size)); err != nil {
			return err
		}
		t.tables[table].keep(key, value{size: size})
		return nil
	}
	state, err := t.putting(ctx, table, key)
	if err != nil {
		return err
	}
	t.dropBlob(state, key)
	var blob int64
	var asked trip
	asked.add(func(rows pgx.Rows) error { return rows.Scan(&blob) }, `SELECT nextval('columnvault_ids') + $1`, state.home<<homeShift)
	if err := t.ask(ctx, &asked); err != nil {
		return err
	}
	for number := int64(0); number*inline < size; number++ {
		t.writes.put(store.ColumnID(blob), store.Chunk{Number: number, Capacity: min(inline, size-number*inline)}, nil)
	}
	t.writes.table(table).puts[string(key)] = pairWrite{blob: blob, size: size}
	state.keep(key, value{size: size, blob: &blob})
	return t.sendIfMany(ctx)
}

func (s *tableState) keep(key []byte, v value) {
	if s.sizes == nil {
		s.sizes = map[string]value{}
	}
	s.sizes[string(key)] = v
}

func (t *tx) PutAt(ctx context.Context, table string, key, p []byte, offset int64) error {
	if err := t.table(ctx, table); err != nil {
		return err
	}
	state := t.tables[table]
	v, known := state.sizes[string(key)]
	if !known {
		var err error
		if v, err = t.find(ctx, table, key, false); err != nil {
			return err
		}
	}
	if err := checkRange(v.size, offset, len(p)); err != nil {
		return err
	}
	if err := t.enter(state.home); err != nil {
		return err
	}
	if v.blob != nil {
		if err := t.writes.patch(store.ColumnID(*v.blob), blobSpans(p, offset)); err != nil {
			return err
		}
		t.writes.table(table) // whose revision rises with it
		return t.sendIfMany(ctx)
	}
	whole, err := t.Get(ctx, table, key)
	if err != nil {
		return err
	}
	copy(whole[offset:], p)
	if err := t.Put(ctx, table, key, whole); err != nil {
		return err
	}
	state.keep(key, value{size: v.size})
	return nil
}

// Get also finds what has not been sent yet.
func (t *tx) Get(ctx context.Context, table string, key []byte) ([]byte, error) {
	if w := t.writes.tables[table]; w != nil {
		if p, ok := w.puts[string(key)]; ok && p.blob == 0 {
			return append([]byte{}, p.data...), t.check(ctx)
		}
	}
	return t.reader.Get(ctx, table, key)
}

func (t *tx) Delete(ctx context.Context, table string, key []byte) (there bool, err error) {
	if err := t.table(ctx, table); err != nil {
		return false, err
	}
	state := t.tables[table]
	if err := t.enter(state.home); err != nil {
		return false, err
	}
	t.dropBlob(state, key)
	deleted := int64(0)
	var asked trip
	asked.add(func(rows pgx.Rows) error { return rows.Scan(&deleted) }, `WITH `+t.deletePairs(table, ` AND p.key = $2`)+` SELECT count(*) FROM d`,
		[]byte(table), notNil(key))
	if err := t.ask(ctx, &asked); err != nil {
		return false, err
	}
	if deleted > 0 {
		t.written = true
		t.writes.table(table) // whose revision rises
	}
	return deleted > 0, nil
}

func (t *tx) Clear(ctx context.Context, table string) error {
	if err := t.table(ctx, table); err != nil {
		return err
	}
	state := t.tables[table]
	if err := t.enter(state.home); err != nil {
		return err
	}
	for key := range state.sizes {
		t.dropBlob(state, []byte(key))
	}
	w := t.writes.table(table)
	w.cleared = true
	clear(w.puts)
	return nil
}

// deletePairs deletes pairs of a table, whose name is $1, with the chunks of
// large values. d has a row for each.
func (t *tx) deletePairs(table, and string) string {
	return `d AS (DELETE ` + t.ofTable(table) + and + ` RETURNING p.blob),
		b AS (DELETE FROM columnvault_chunks WHERE col_id IN (SELECT blob FROM d WHERE blob IS NOT NULL)` + t.atTable("col_id", table) + `)`
}

// sendPairs adds the statements of the writes to a table.
func (t *tx) sendPairs(all *trip, w *tableWrites, table string) {
	name := []byte(table)
	if w.cleared {
		all.add(nil, `WITH `+t.deletePairs(table, ``)+` SELECT 1`, name)
	}
	if len(w.puts) == 0 {
		return
	}
	var keys, data [][]byte
	var sizes []int64
	var blobs []*int64
	for _, key := range slices.Sorted(maps.Keys(w.puts)) {
		p := w.puts[key]
		keys, sizes = append(keys, []byte(key)), append(sizes, p.size)
		if p.blob != 0 {
			data, blobs = append(data, nil), append(blobs, &p.blob)
		} else {
			data, blobs = append(data, notNil(p.data)), append(blobs, nil)
		}
	}
	all.add(nil, `WITH `+t.deletePairs(table, ` AND p.key = ANY($2)`)+` SELECT 1`, name, keys)
	// All of them must be stored: a table that somebody has removed together with
	// the vault would swallow them without a word.
	all.require(errGone, `WITH u AS (INSERT INTO columnvault_pairs (tbl_id, key, size, value, blob)
		SELECT t.tbl_id, n.* FROM columnvault_tables t, unnest($2::bytea[], $3::bigint[], $4::bytea[], $5::bigint[]) AS n WHERE t.name = $1`+t.atTable("t.tbl_id", table)+` RETURNING 1)
		SELECT 1 / (count(*) = $6)::int FROM u`, name, keys, sizes, data, blobs, int64(len(keys)))
}

// errGone: a key-value table has been removed, which a vault never does.
var errGone = fmt.Errorf("%w: the table of the pairs is gone", store.ErrReplaced)

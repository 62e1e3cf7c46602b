package sqlite

import (
	"errors"
	"fmt"

	"columnvault/internal/store"
)

// nativeDDL creates the tables of native columns, which a file gets with its
// first one. What is known of a chunk lies apart from its bytes, because to
// change a row is to write all of it anew. The numbers of columns are never
// used again.
var nativeDDL = []string{
	`CREATE TABLE IF NOT EXISTS columnvault_columns (
		col_id INTEGER PRIMARY KEY AUTOINCREMENT,
		name TEXT UNIQUE NOT NULL,
		dtype TEXT NOT NULL,
		elem_size INTEGER NOT NULL,
		length INTEGER NOT NULL,
		structure INTEGER NOT NULL,
		run_bytes INTEGER NOT NULL,
		` + attrsField + ` TEXT
	)`,
	`CREATE TABLE IF NOT EXISTS columnvault_runs (
		col_id INTEGER NOT NULL,
		number INTEGER NOT NULL,
		capacity INTEGER NOT NULL,
		used INTEGER NOT NULL,
		bytes_id INTEGER NOT NULL,
		meta BLOB NOT NULL,
		PRIMARY KEY (col_id, number)
	) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS columnvault_bytes (
		bytes_id INTEGER PRIMARY KEY,
		data BLOB NOT NULL
	)`,
}

var nativeChunks = newChunkTable(`number, capacity, used`, `columnvault_runs`, `number`, `bytes_id, NULL`, `, meta`, bytesField{`columnvault_bytes`, `data`},
	orphansOf(`col_id, count(*), sum(capacity)`, `columnvault_runs`, `columnvault_columns`))

// insertNative adds the row of a native column, and the tables if it is the
// first.
func (t *tx) insertNative(col store.Row) error {
	insert := func() error {
		return t.c.run(`INSERT INTO columnvault_columns (name, dtype, elem_size, length, structure, run_bytes) VALUES (?, ?, ?, 0, ?, ?)`,
			col.Name, col.DType, col.ElemSize, col.MinChunk, col.MaxChunk)
	}
	err := insert()
	if !noTable(err) {
		return err
	}
	if err := t.c.blobs.close(); err != nil {
		return err
	}
	for _, sql := range nativeDDL {
		if err := t.c.exec(sql); err != nil {
			t.Abort(err)
			return err
		}
	}
	t.c.catalog.tables[store.LayoutNative] = tableWithAttrs
	return insert()
}

// putNative stores a chunk of a native column: its bytes, and what is known of
// them.
func (t *tx) putNative(id store.ColumnID, c store.Chunk, data []byte) error {
	at := place{id: id, number: c.Number}
	found, err := t.c.blobs.rowid(at)
	row := found.row
	switch {
	case errors.Is(err, store.ErrCorrupt): // there is no such chunk
		if err = t.c.run(`INSERT INTO columnvault_bytes (data) VALUES (?)`, blobArg(data)); err != nil {
			return err
		}
		row = t.c.db.LastInsertRowID()
		t.c.blobs.keepRow(at, bytesRow{row, wholeRow})
	case err != nil:
		return err
	default:
		if err = t.c.run(`UPDATE columnvault_bytes SET data = ? WHERE bytes_id = ?`, blobArg(data), row); err != nil {
			return err
		}
		if t.c.db.Changes() == 0 {
			return fmt.Errorf("%w: the bytes of chunk %d are missing", store.ErrCorrupt, c.Number)
		}
	}
	err = t.c.run(`INSERT INTO columnvault_runs (col_id, number, capacity, used, bytes_id, meta) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (col_id, number) DO UPDATE SET capacity = excluded.capacity, used = excluded.used, meta = excluded.meta`,
		rowOf(id), c.Number, c.Capacity, c.Used, row, blobArg(c.Meta))
	if err != nil {
		t.Abort(err) // the bytes have changed
	}
	return err
}

// setNative changes what is known of a chunk. The handles at the bytes can stay
// open: the bytes are in another table.
func (t *tx) setNative(id store.ColumnID, c store.Chunk) error {
	return t.c.run(`UPDATE columnvault_runs SET used = ?, meta = ? WHERE col_id = ? AND number = ?`, c.Used, blobArg(c.Meta), rowOf(id), c.Number)
}

// dropNative removes chunks of a native column.
func (t *tx) dropNative(id store.ColumnID, from, to int64) error {
	const which = `col_id = ? AND number >= ? AND number < ?`
	err := t.c.run(`DELETE FROM columnvault_bytes WHERE bytes_id IN (SELECT bytes_id FROM columnvault_runs WHERE `+which+`)`, rowOf(id), from, to)
	if err != nil {
		return err
	}
	err = t.c.run(`DELETE FROM columnvault_runs WHERE `+which, rowOf(id), from, to)
	if err != nil {
		t.Abort(err) // the bytes are gone
	}
	return err
}

// runBytes is about 256 KiB, and such that of a chunk with so many bytes the
// least possible lies in the leaf of the tree, the rest on whole pages: so many
// leaves fit on one page, and one that is read seldom is another.
func runBytes(pageSize int64) int64 {
	const about = 256 << 10
	const header = 5 // of the row: its size, the types of two fields, and 3 bytes for the size of the second
	least := (pageSize-12)*32/255 - 23
	return least + (about-least)/(pageSize-4)*(pageSize-4) - header
}

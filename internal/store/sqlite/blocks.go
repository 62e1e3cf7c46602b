package sqlite

import (
	"errors"
	"fmt"

	"columnvault/internal/store"
)

// blocksDDL creates the tables of KohakuVault 1.x, to the letter as it writes
// them.
var blocksDDL = []string{`
            CREATE TABLE IF NOT EXISTS kvault_col_format (
                singleton INTEGER PRIMARY KEY CHECK(singleton = 1),
                version INTEGER NOT NULL
            )`, `
            INSERT OR IGNORE INTO kvault_col_format (singleton, version) VALUES (1, 1)`, `
            CREATE TABLE IF NOT EXISTS kvault_col_columns (
                col_id INTEGER PRIMARY KEY AUTOINCREMENT,
                name TEXT NOT NULL UNIQUE,
                dtype TEXT NOT NULL,
                elem_size INTEGER NOT NULL CHECK(elem_size >= 0),
                length INTEGER NOT NULL DEFAULT 0 CHECK(length >= 0),
                block_bytes INTEGER NOT NULL CHECK(block_bytes > 0)
            )`, `
            CREATE TABLE IF NOT EXISTS kvault_col_blocks (
                block_id INTEGER PRIMARY KEY,
                col_id INTEGER NOT NULL REFERENCES kvault_col_columns(col_id) ON DELETE CASCADE,
                block_no INTEGER NOT NULL,
                first_row INTEGER NOT NULL,
                row_count INTEGER NOT NULL,
                used_bytes INTEGER NOT NULL,
                capacity_bytes INTEGER NOT NULL,
                row_capacity INTEGER NOT NULL,
                UNIQUE(col_id, block_no)
            )`, `
            CREATE INDEX IF NOT EXISTS kvault_col_row_index
                ON kvault_col_blocks(col_id, first_row)`, `
            CREATE TABLE IF NOT EXISTS kvault_col_data (
                block_id INTEGER PRIMARY KEY REFERENCES kvault_col_blocks(block_id) ON DELETE CASCADE,
                payload BLOB NOT NULL,
                offsets BLOB
            )`,
}

// withOffsets is the condition that a block has a table of offsets: the elements
// of its column vary in size.
const withOffsets = `(SELECT elem_size FROM kvault_col_columns AS c WHERE c.col_id = kvault_col_blocks.col_id) = 0`

// blocks is the table of layout 1. A block has its offsets, if it has them, in a
// field of their own.
var blocks = func() *chunkTable {
	t := newChunkTable(`block_no, capacity_bytes + iif(`+withOffsets+`, 8 * (row_capacity + 1), 0), used_bytes`, `kvault_col_blocks`, `block_no`,
		`block_id, iif(`+withOffsets+`, capacity_bytes, NULL)`, `, first_row, row_count, row_capacity`, bytesField{`kvault_col_data`, `payload`},
		orphansOf(`col_id, count(*), sum(capacity_bytes)`, `kvault_col_blocks`, `kvault_col_columns`))
	t.rest = bytesField{`kvault_col_data`, `offsets`}
	return t
}()

// blocksVersion is the version of the format of layout 1 that is known here.
const blocksVersion = 1

// chunksOf is the table of a column's chunks, nil for an ID that no column has,
// and with an error for one whose chunks are not ours to read.
func (c *conn) chunksOf(id store.ColumnID) (*chunkTable, error) {
	if layoutOf(id) == store.LayoutV1 {
		if err := c.checkBlocks(); err != nil {
			return nil, err
		}
	}
	return chunksOf(id), nil
}

// checkBlocks reports that layout 1 is another than the one that is known.
func (c *conn) checkBlocks() error {
	cat := &c.catalog
	if !cat.blocksKnown {
		version, err := c.integer(`SELECT version FROM kvault_col_format WHERE singleton = 1`)
		switch {
		case noTable(err), errors.Is(err, store.ErrNotFound):
			err = fmt.Errorf("%w: the file does not say which version of layout 1 it has", store.ErrCorrupt)
		case err != nil && !errors.Is(err, store.ErrCorrupt):
			return err // it may pass
		case err == nil && version != blocksVersion:
			err = fmt.Errorf("%w: the columns of layout 1 are of version %d, and this engine knows version %d", errors.ErrUnsupported, version, blocksVersion)
		}
		cat.blocks, cat.blocksKnown = err, true
	}
	return cat.blocks
}

// insertV1 adds the row of a column of layout 1, and the tables if it is the
// first. KohakuVault never gives the number of a column again.
func (t *tx) insertV1(col store.Row) error {
	if col.MinChunk != col.MaxChunk {
		return fmt.Errorf("%w: blocks of %d to %d bytes, where all have one size", store.ErrInvalidArgument, col.MinChunk, col.MaxChunk)
	}
	if state, err := t.c.stateOf(tableOf(idOf(store.LayoutV1, 1))); err != nil {
		return err
	} else if state == tableMissing {
		if err := t.c.blobs.close(); err != nil {
			return err
		}
		for _, sql := range blocksDDL {
			if err := t.c.exec(sql); err != nil {
				t.Abort(err)
				return err
			}
		}
		t.c.catalog.tables[store.LayoutV1] = tableWithoutAttrs
		t.c.catalog.blocksKnown = false
	}
	if err := t.c.checkBlocks(); err != nil {
		return err
	}
	return t.c.run(`INSERT INTO kvault_col_columns (name, dtype, elem_size, length, block_bytes) VALUES (?, ?, ?, 0, ?)`,
		col.Name, col.DType, col.ElemSize, col.MaxChunk)
}

// putBlock stores a block: the fields that its Meta stands for, its bytes and,
// where elements vary in size, their offsets.
func (t *tx) putBlock(id store.ColumnID, c store.Chunk, data []byte) error {
	b, err := store.ParseBlock(c.Meta)
	if err != nil {
		return err
	}
	col, err := t.c.rowByID(id)
	if err != nil {
		return err
	}
	if col == nil {
		return fmt.Errorf("%w: no such column", store.ErrCorrupt)
	}
	payload, offsets := data, []byte(nil)
	first := int64(wholeRow)
	if col.ElemSize == 0 {
		if first = c.Capacity - b.Offsets(); first < 0 {
			return fmt.Errorf("%w: a block of %d bytes has no room for %d offsets", store.ErrCorrupt, c.Capacity, b.Room+1)
		}
		payload, offsets = data[:first], data[first:]
	}
	at := place{id: id, number: c.Number}
	old, err := t.c.blobs.rowid(at)
	if err == nil || errors.Is(err, store.ErrCorrupt) { // there is no such block
		err = t.c.run(`INSERT INTO kvault_col_blocks (col_id, block_no, first_row, row_count, used_bytes, capacity_bytes, row_capacity) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (col_id, block_no) DO UPDATE SET first_row = excluded.first_row, row_count = excluded.row_count, used_bytes = excluded.used_bytes,
				capacity_bytes = excluded.capacity_bytes, row_capacity = excluded.row_capacity`,
			rowOf(id), c.Number, b.First, b.Rows, c.Used, int64(len(payload)), b.Room)
	}
	if err == nil {
		row := old.row
		if row == 0 {
			row = t.c.db.LastInsertRowID()
		}
		t.c.blobs.keepRow(at, bytesRow{row, first})
		// A writer without foreign keys may have left bytes with the number.
		err = t.c.run(`INSERT OR REPLACE INTO kvault_col_data (block_id, payload, offsets) VALUES (?, ?, nullif(?, x''))`, row, blobArg(payload), blobArg(offsets))
	}
	if err != nil {
		t.Abort(err) // a part of it may be done
	}
	return err
}

// setBlock changes what is known of a block.
func (t *tx) setBlock(id store.ColumnID, c store.Chunk) error {
	b, err := store.ParseBlock(c.Meta)
	if err != nil {
		return err
	}
	return t.c.run(`UPDATE kvault_col_blocks SET first_row = ?, row_count = ?, used_bytes = ? WHERE col_id = ? AND block_no = ? AND row_capacity = ?`,
		b.First, b.Rows, c.Used, rowOf(id), c.Number, b.Room)
}

// dropBlocks removes blocks and their bytes.
func (t *tx) dropBlocks(id store.ColumnID, from, to int64) error {
	const which = `col_id = ? AND block_no >= ? AND block_no < ?`
	err := t.c.run(`DELETE FROM kvault_col_data WHERE block_id IN (SELECT block_id FROM kvault_col_blocks WHERE `+which+`)`, rowOf(id), from, to)
	if err != nil {
		return err
	}
	err = t.c.run(`DELETE FROM kvault_col_blocks WHERE `+which, rowOf(id), from, to)
	if err != nil {
		t.Abort(err) // the bytes are gone
	}
	return err
}

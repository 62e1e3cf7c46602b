package sqlite

import (
	"context"
	"encoding/binary"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store/sqlite/btree"
)

// SQLite reads a BLOB with a call to the system for each of its pages, into memory of
// its own, from which the caller gets a copy. Where the file is the snapshot, long
// reads go past it: they follow the chain of pages themselves and read many of them
// at once. That the file is the snapshot, and stays it until that ends, is what a
// backup relies on too; filecopy.go says why.
//
// What is unusual in any way is left to SQLite, which also says what is wrong: a log
// of which not all is in the file, a row that has no such chain, a page that is not
// there. So nothing depends on a file being read like this.

// directRead is the size in bytes from which on a read is worth it.
const directRead = 16 << 10

// direct is what a connection knows for such reads.
type direct struct {
	// looked says that file says what there is in this snapshot; its R is nil if
	// SQLite has to be asked.
	looked bool
	file   btree.File
	// fields are where the fields of chunks are, as long as the schema has this
	// number.
	fields map[bytesField]treeField
	schema uint32
	// field is the one that was read last, of the bytes in this row of a table.
	field btree.Field
	in    bytesField
	row   int64
}

// treeField is a field of the rows in a tree; root is 0 if there is none.
type treeField struct {
	root  int64
	index int
}

// readDirect is read for a long span at a place, if it can be read past SQLite.
func (b *blobs) readDirect(ctx context.Context, p place, data []byte, offset int64) (done bool, err error) {
	if b.write || len(data) < directRead {
		return false, nil
	}
	d := &b.c.direct
	if !d.looked {
		if err := d.look(b.c); err != nil {
			return false, err
		}
	}
	if d.file.R == nil {
		return false, nil
	}
	row, err := b.rowid(p)
	if err != nil {
		return false, err
	}
	if in := fieldOf(p); d.in != in || d.row != row.row {
		tree, err := d.tree(b.c, in)
		if err != nil {
			return false, err
		}
		d.in, d.row = in, row.row
		if tree.root == 0 || !d.field.Find(&d.file, tree.root, row.row, tree.index) {
			d.in = bytesField{}
			return false, nil
		}
	}
	if d.field.Read(ctx, data, offset) {
		return true, nil
	}
	d.in = bytesField{}
	return false, ctx.Err()
}

// look looks whether the file is the snapshot.
func (d *direct) look(c *conn) error {
	d.looked, d.file.R, d.in = true, nil, bytesField{}
	file, settled, err := c.settledFile()
	if err != nil || !settled {
		return err
	}
	var header [100]byte
	if n, _ := file.ReadAt(header[:], 0); n < len(header) || header[20] != 0 {
		return nil // bytes that are reserved on each page hold checksums, say
	}
	d.file.R, d.file.PageSize, d.file.Pages = file, file.pageSize, file.pages
	if schema := binary.BigEndian.Uint32(header[40:]); d.fields == nil || schema != d.schema {
		d.fields, d.schema = map[bytesField]treeField{}, schema
	}
	return nil
}

// tree looks for the field in the schema.
func (d *direct) tree(c *conn, f bytesField) (treeField, error) {
	tree, ok := d.fields[f]
	if ok {
		return tree, nil
	}
	err := c.query(`SELECT s.rootpage, f.cid FROM sqlite_schema AS s, pragma_table_xinfo(s.name) AS f
		WHERE s.type = 'table' AND lower(s.name) = ? AND lower(f.name) = ?
		AND NOT EXISTS (SELECT 1 FROM pragma_table_xinfo(s.name) WHERE hidden <> 0)`, // those need not be stored
		func(st *sqlite3.Stmt) { tree = treeField{st.ColumnInt64(0), int(st.ColumnInt64(1))} }, f.table, f.column)
	if err == nil {
		d.fields[f] = tree
	}
	return tree, err
}

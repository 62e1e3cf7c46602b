package query

import (
	"context"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
)

// pairTable is a key-value table.
type pairTable struct {
	c *conn
	t *table
}

// BestIndex has nothing to choose: a table of pairs is read from its beginning
// to its end.
func (t *pairTable) BestIndex(x *sqlite3.IndexInfo) error {
	x.EstimatedRows = 10_000
	x.EstimatedCost = 100_000
	return nil
}

func (t *pairTable) Open() (sqlite3.VTabCursor, error) {
	return &pairCursor{c: t.c, kv: t.c.vault.KVTable(t.t.pairs).In(t.c.tx)}, nil
}

// pairCursor goes through the keys of a table. A value is read when it is asked
// for, so that others cost nothing.
type pairCursor struct {
	c    *conn
	kv   *columnvault.KV
	keys [][]byte // those that have been read ahead, from the one it is at
	row  int64
	end  bool // there are no more than these
}

// How many keys are read ahead at most, and how many bytes of them.
const (
	keysAhead  = 1000
	bytesAhead = 1 << 20
)

func (cur *pairCursor) Filter(int, string, ...sqlite3.Value) error {
	cur.keys, cur.row, cur.end = nil, 0, false
	return cur.read(nil)
}

// read reads keys ahead, from one on. A loop over the keys must end before the
// engine goes on: a table may be read by several cursors at a time.
func (cur *pairCursor) read(from []byte) error {
	size := 0
	cur.keys, cur.end = cur.keys[:0], true
	for key, err := range cur.kv.Keys(cur.c.ctx, &columnvault.Range{From: from}) {
		if err != nil {
			return cur.c.failed(err)
		}
		cur.keys = append(cur.keys, key)
		if size += len(key); size > bytesAhead || len(cur.keys) == keysAhead {
			cur.end = false
			break
		}
	}
	return nil
}

func (cur *pairCursor) Next() error {
	cur.row++
	last := cur.keys[0]
	cur.keys = cur.keys[1:]
	if len(cur.keys) > 0 || cur.end {
		return nil
	}
	// The least key that is greater.
	return cur.read(append(last[:len(last):len(last)], 0))
}

func (cur *pairCursor) EOF() bool { return len(cur.keys) == 0 }

func (cur *pairCursor) RowID() (int64, error) { return cur.row, nil }

func (cur *pairCursor) Column(ctx sqlite3.Context, n int) error {
	key := cur.keys[0]
	if n == 0 {
		if utf8.Valid(key) {
			ctx.ResultText(string(key))
		} else {
			ctx.ResultBlob(key)
		}
		return nil
	}
	value, err := cur.value(cur.c.ctx, key)
	if err != nil {
		return cur.c.failed(err)
	}
	cur.c.setJSON(ctx, value)
	return nil
}

// value reads the value of a key. JSON that no Go value holds is given as it is,
// and so are the bytes of encodings that nobody reads.
func (cur *pairCursor) value(ctx context.Context, key []byte) (any, error) {
	value, err := columnvault.GetValue[any](ctx, cur.kv, key)
	if !errors.Is(err, columnvault.ErrUnsupportedEncoding) {
		return value, err
	}
	if text, err := columnvault.GetValue[json.RawMessage](ctx, cur.kv, key); err == nil {
		return text, nil
	}
	if value == nil {
		return cur.kv.Get(ctx, key)
	}
	return value, nil
}

package storetest

import (
	"context"
	"iter"

	"columnvault/internal/store"
)

// call is one call of a method of a Reader or Tx.
type call struct {
	method string
	// names and rows are those of a Lookup, which gets its rows when it has
	// been answered.
	names []string
	ids   []store.ColumnID
	rows  []store.Row
	// spans is how many there were, and bytes how many bytes were read or
	// written.
	spans int
	bytes int64
}

// tap sees the calls of one transaction. An error of before becomes that of the
// method, which then does nothing.
type tap interface {
	before(*call) error
	// after is called for a Lookup that has been answered.
	after(*call)
}

// tapped is a Reader, and a Tx where there is one, that shows its calls to a
// tap.
type tapped struct {
	r   store.Reader
	tx  store.Tx
	tap tap
}

var _ store.Tx = tapped{}

func sizeOf(spans []store.Span) (n int64) {
	for _, s := range spans {
		n += int64(len(s.Data))
	}
	return n
}

// failed is a sequence that ends at once.
func failed[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		yield(none, err)
	}
}

func (t tapped) lookup(c *call, ask func() ([]store.Row, error)) ([]store.Row, error) {
	if err := t.tap.before(c); err != nil {
		return nil, err
	}
	rows, err := ask()
	if err == nil {
		c.rows = rows
		t.tap.after(c)
	}
	return rows, err
}

func (t tapped) Lookup(ctx context.Context, names ...string) ([]store.Row, error) {
	return t.lookup(&call{method: "Lookup", names: names}, func() ([]store.Row, error) { return t.r.Lookup(ctx, names...) })
}

func (t tapped) LookupID(ctx context.Context, ids ...store.ColumnID) ([]store.Row, error) {
	return t.lookup(&call{method: "LookupID", ids: ids}, func() ([]store.Row, error) { return t.r.LookupID(ctx, ids...) })
}

func (t tapped) Columns(ctx context.Context) ([]store.Row, error) {
	if err := t.tap.before(&call{method: "Columns"}); err != nil {
		return nil, err
	}
	return t.r.Columns(ctx)
}

func (t tapped) CatalogVersion(ctx context.Context) (uint64, error) {
	if err := t.tap.before(&call{method: "CatalogVersion"}); err != nil {
		return 0, err
	}
	return t.r.CatalogVersion(ctx)
}

func (t tapped) Verify(ctx context.Context, full bool) ([]store.Finding, error) {
	if err := t.tap.before(&call{method: "Verify"}); err != nil {
		return nil, err
	}
	return t.r.Verify(ctx, full)
}

func (t tapped) Chunk(ctx context.Context, id store.ColumnID, number int64) (store.Chunk, error) {
	if err := t.tap.before(&call{method: "Chunk"}); err != nil {
		return store.Chunk{}, err
	}
	return t.r.Chunk(ctx, id, number)
}

func (t tapped) LastChunk(ctx context.Context, id store.ColumnID) (store.Chunk, error) {
	if err := t.tap.before(&call{method: "LastChunk", ids: []store.ColumnID{id}}); err != nil {
		return store.Chunk{}, err
	}
	return t.r.LastChunk(ctx, id)
}

func (t tapped) Chunks(ctx context.Context, id store.ColumnID, from, to int64) iter.Seq2[store.Chunk, error] {
	if err := t.tap.before(&call{method: "Chunks"}); err != nil {
		return failed[store.Chunk](err)
	}
	return t.r.Chunks(ctx, id, from, to)
}

func (t tapped) ReadAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	if err := t.tap.before(&call{method: "ReadAt", spans: len(spans), bytes: sizeOf(spans)}); err != nil {
		return err
	}
	return t.r.ReadAt(ctx, id, spans)
}

func (t tapped) ReadAll(ctx context.Context, columns []store.ColumnSpans) error {
	c := &call{method: "ReadAll"}
	for _, of := range columns {
		c.spans += len(of.Spans)
		c.bytes += sizeOf(of.Spans)
	}
	if err := t.tap.before(c); err != nil {
		return err
	}
	return t.r.ReadAll(ctx, columns)
}

func (t tapped) Tables(ctx context.Context) ([]store.Table, error) {
	if err := t.tap.before(&call{method: "Tables"}); err != nil {
		return nil, err
	}
	return t.r.Tables(ctx)
}

func (t tapped) Table(ctx context.Context, table string) (store.Table, error) {
	if err := t.tap.before(&call{method: "Table"}); err != nil {
		return store.Table{}, err
	}
	return t.r.Table(ctx, table)
}

func (t tapped) Get(ctx context.Context, table string, key []byte) ([]byte, error) {
	if err := t.tap.before(&call{method: "Get"}); err != nil {
		return nil, err
	}
	return t.r.Get(ctx, table, key)
}

func (t tapped) Size(ctx context.Context, table string, key []byte) (int64, error) {
	if err := t.tap.before(&call{method: "Size"}); err != nil {
		return 0, err
	}
	return t.r.Size(ctx, table, key)
}

func (t tapped) GetAt(ctx context.Context, table string, key, p []byte, offset int64) error {
	if err := t.tap.before(&call{method: "GetAt", spans: 1, bytes: int64(len(p))}); err != nil {
		return err
	}
	return t.r.GetAt(ctx, table, key, p, offset)
}

func (t tapped) Count(ctx context.Context, table string) (int64, error) {
	if err := t.tap.before(&call{method: "Count"}); err != nil {
		return 0, err
	}
	return t.r.Count(ctx, table)
}

func (t tapped) Scan(ctx context.Context, table string, r store.KeyRange) iter.Seq2[store.Pair, error] {
	if err := t.tap.before(&call{method: "Scan"}); err != nil {
		return failed[store.Pair](err)
	}
	return t.r.Scan(ctx, table, r)
}

func (t tapped) Abort(cause error) { t.tx.Abort(cause) }

func (t tapped) OnCommit(fn func()) { t.tx.OnCommit(fn) }

func (t tapped) CreateColumn(ctx context.Context, c store.Row) (store.Row, error) {
	if err := t.tap.before(&call{method: "CreateColumn"}); err != nil {
		return c, err
	}
	return t.tx.CreateColumn(ctx, c)
}

func (t tapped) RenameColumn(ctx context.Context, id store.ColumnID, name string) error {
	if err := t.tap.before(&call{method: "RenameColumn"}); err != nil {
		return err
	}
	return t.tx.RenameColumn(ctx, id, name)
}

func (t tapped) DropColumn(ctx context.Context, id store.ColumnID) error {
	if err := t.tap.before(&call{method: "DropColumn"}); err != nil {
		return err
	}
	return t.tx.DropColumn(ctx, id)
}

func (t tapped) SetColumn(ctx context.Context, c store.Row) error {
	if err := t.tap.before(&call{method: "SetColumn"}); err != nil {
		return err
	}
	return t.tx.SetColumn(ctx, c)
}

func (t tapped) Reindex(ctx context.Context, index string) error {
	if err := t.tap.before(&call{method: "Reindex"}); err != nil {
		return err
	}
	return t.tx.Reindex(ctx, index)
}

func (t tapped) SetAttrs(ctx context.Context, id store.ColumnID, attrs string) error {
	if err := t.tap.before(&call{method: "SetAttrs"}); err != nil {
		return err
	}
	return t.tx.SetAttrs(ctx, id, attrs)
}

func (t tapped) SetLength(ctx context.Context, id store.ColumnID, length int64) error {
	if err := t.tap.before(&call{method: "SetLength"}); err != nil {
		return err
	}
	return t.tx.SetLength(ctx, id, length)
}

func (t tapped) PutChunk(ctx context.Context, id store.ColumnID, c store.Chunk, data []byte) error {
	if err := t.tap.before(&call{method: "PutChunk", spans: 1, bytes: c.Capacity}); err != nil {
		return err
	}
	return t.tx.PutChunk(ctx, id, c, data)
}

func (t tapped) SetChunk(ctx context.Context, id store.ColumnID, c store.Chunk) error {
	if err := t.tap.before(&call{method: "SetChunk"}); err != nil {
		return err
	}
	return t.tx.SetChunk(ctx, id, c)
}

func (t tapped) WriteAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	if err := t.tap.before(&call{method: "WriteAt", spans: len(spans), bytes: sizeOf(spans)}); err != nil {
		return err
	}
	return t.tx.WriteAt(ctx, id, spans)
}

func (t tapped) DropChunks(ctx context.Context, id store.ColumnID, from, to int64) error {
	if err := t.tap.before(&call{method: "DropChunks"}); err != nil {
		return err
	}
	return t.tx.DropChunks(ctx, id, from, to)
}

func (t tapped) CreateTable(ctx context.Context, table string, home int64) error {
	if err := t.tap.before(&call{method: "CreateTable"}); err != nil {
		return err
	}
	return t.tx.CreateTable(ctx, table, home)
}

func (t tapped) Put(ctx context.Context, table string, key, value []byte) error {
	if err := t.tap.before(&call{method: "Put", spans: 1, bytes: int64(len(value))}); err != nil {
		return err
	}
	return t.tx.Put(ctx, table, key, value)
}

func (t tapped) PutZero(ctx context.Context, table string, key []byte, size int64) error {
	if err := t.tap.before(&call{method: "PutZero"}); err != nil {
		return err
	}
	return t.tx.PutZero(ctx, table, key, size)
}

func (t tapped) PutAt(ctx context.Context, table string, key, p []byte, offset int64) error {
	if err := t.tap.before(&call{method: "PutAt", spans: 1, bytes: int64(len(p))}); err != nil {
		return err
	}
	return t.tx.PutAt(ctx, table, key, p, offset)
}

func (t tapped) Delete(ctx context.Context, table string, key []byte) (bool, error) {
	if err := t.tap.before(&call{method: "Delete"}); err != nil {
		return false, err
	}
	return t.tx.Delete(ctx, table, key)
}

func (t tapped) Clear(ctx context.Context, table string) error {
	if err := t.tap.before(&call{method: "Clear"}); err != nil {
		return err
	}
	return t.tx.Clear(ctx, table)
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// createKV makes a key-value table, to the letter as KohakuVault does.
const createKV = `
            CREATE TABLE IF NOT EXISTS %s (
                key   BLOB PRIMARY KEY NOT NULL,
                value BLOB NOT NULL
            )`

const (
	// scanRows and scanBytes bound what a scan reads at once: SQLite is not
	// kept waiting between two batches.
	scanRows  = 1024
	scanBytes = 1 << 20
)

// clearAtOnce is the size in bytes of files in which a table of any size can be
// cleared in no time. It is a variable for tests.
var clearAtOnce int64 = 64 << 20

// putPair stores a pair in place of what the key had.
const putPair = `INSERT INTO %s (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`

// sizeAndValue is the size of a value and, if that is below bigRow, the value
// itself. A larger one goes through a BLOB handle: SQLite would load it whole,
// and never give the memory back.
var sizeAndValue = fmt.Sprintf(`octet_length(value), CASE WHEN octet_length(value) < %d THEN value END`, bigRow)

var (
	selectValue = `SELECT ` + sizeAndValue + ` FROM %s WHERE key = ?`
	selectPairs = `SELECT key, ` + sizeAndValue + ` FROM %s WHERE key >= ?`
)

// readValue returns the size of a value and the value, unless that is to go
// through a BLOB handle, from the two columns of sizeAndValue. What is neither a
// BLOB nor text was never put: SQLite would give its digits.
func readValue(st *sqlite3.Stmt, column int) (size int64, value []byte, err error) {
	size = st.ColumnInt64(column)
	switch kind := st.ColumnType(column + 1); {
	case kind == sqlite3.BLOB, kind == sqlite3.TEXT, kind == sqlite3.NULL && size >= bigRow:
		return size, append([]byte{}, st.ColumnRawBlob(column+1)...), nil
	default:
		return 0, nil, fmt.Errorf("%w: the value is of SQLite's type %s, and must be a BLOB", store.ErrCorrupt, kind)
	}
}

// value is a BLOB handle at the value of a key.
type value struct {
	*sqlite3.Blob
	table, key string
}

// kvSQL puts the name of a table into a statement. The results are kept, as
// the statements themselves are.
func (c *conn) kvSQL(format, table string) string {
	key := [2]string{format, table}
	sql, ok := c.kvTexts[key]
	if !ok {
		if len(c.kvTexts) >= maxStmts {
			clear(c.kvTexts)
		}
		sql = fmt.Sprintf(format, sqlite3.QuoteIdentifier(table))
		c.kvTexts[key] = sql
	}
	return sql
}

// blobArg makes a key or value fit for binding: nil would be NULL.
func blobArg(p []byte) []byte {
	if p == nil {
		return []byte{}
	}
	return p
}

// kvError is the error of a statement about a table of pairs: ErrInvalidArgument
// if the table is not one, or has a rule that the pair breaks.
func kvError(table string, err error) error {
	if err == nil {
		return nil
	}
	var cause *sqlite3.Error
	switch {
	case !errors.As(err, &cause), errors.Is(cause, sqlite3.CONSTRAINT_TRIGGER):
		return err
	case errors.Is(cause, sqlite3.CONSTRAINT):
		return fmt.Errorf("%w: the table %s has a rule that the pair breaks: %s", store.ErrInvalidArgument, excerpt.Quote(table, excerpt.Name), excerpt.Line(cause.Error(), excerpt.Name))
	case errors.Is(cause, sqlite3.ERROR), errors.Is(cause, sqlite3.MISMATCH):
		return fmt.Errorf("%w: %s is not a key-value table: %s", store.ErrInvalidArgument, excerpt.Quote(table, excerpt.Name), excerpt.Line(cause.Error(), excerpt.Name))
	}
	return err
}

// enterKV is enter for the methods that read pairs.
func (r *reader) enterKV(ctx context.Context, table string) error {
	if err := store.CheckTable(table); err != nil {
		return err
	}
	if err := r.enter(ctx); err != nil {
		return err
	}
	err := r.c.readsPairs()
	if err != nil {
		r.leave()
	}
	return err
}

// checkKV is check for the methods that write pairs.
func (t *tx) checkKV(ctx context.Context, table string) error {
	if err := store.CheckTable(table); err != nil {
		return err
	}
	return t.check(ctx)
}

func (r *reader) Get(ctx context.Context, table string, key []byte) (found []byte, err error) {
	if err := r.enterKV(ctx, table); err != nil {
		return nil, err
	}
	defer r.leave()
	size, wrong := int64(0), store.ErrNotFound
	err = r.c.query(r.c.kvSQL(selectValue, table), func(st *sqlite3.Stmt) {
		size, found, wrong = readValue(st, 0)
	}, blobArg(key))
	if err == nil {
		err = wrong
	} else if noTable(err) {
		err = store.ErrNotFound
	}
	if err == nil && size >= bigRow {
		return r.getBig(ctx, table, key, size)
	}
	return found, kvError(table, err)
}

// getBig reads a whole value through a BLOB handle.
func (r *reader) getBig(ctx context.Context, table string, key []byte, size int64) ([]byte, error) {
	v, err := r.c.blobs.valueAt(table, key)
	if err != nil {
		return nil, err
	}
	found := make([]byte, size)
	return found, r.c.readBlob(ctx, v.Blob, found, 0)
}

func (r *reader) Size(ctx context.Context, table string, key []byte) (int64, error) {
	if err := r.enterKV(ctx, table); err != nil {
		return 0, err
	}
	defer r.leave()
	// The length of a BLOB stands in the head of its row.
	n, err := r.c.integer(r.c.kvSQL(`SELECT octet_length(value) FROM %s WHERE key = ?`, table), blobArg(key))
	if noTable(err) {
		err = store.ErrNotFound
	}
	return n, kvError(table, err)
}

func (r *reader) GetAt(ctx context.Context, table string, key, p []byte, offset int64) error {
	if err := r.enterKV(ctx, table); err != nil {
		return err
	}
	defer r.leave()
	v, err := r.c.blobs.valueAt(table, key)
	if err != nil {
		return err
	}
	return r.c.readBlob(ctx, v.Blob, p, offset)
}

// valueAt returns a handle at the value of the key. Only the last one is kept:
// large values are read and written from one end to the other.
func (b *blobs) valueAt(table string, key []byte) (_ *value, err error) {
	defer b.c.guard(&err, catchFaults())
	if b.value != nil && b.value.table == table && b.value.key == string(key) {
		return b.value, nil
	}
	row, err := b.c.integer(b.c.kvSQL(`SELECT rowid FROM %s WHERE key = ?`, table), blobArg(key))
	if noTable(err) {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, kvError(table, err)
	}
	if err := b.closeValue(); err != nil {
		return nil, err
	}
	h, err := b.c.db.OpenBlob("main", table, "value", row, b.write)
	if err != nil {
		return nil, wrap(err)
	}
	b.value = &value{Blob: h, table: table, key: string(key)}
	return b.value, nil
}

func (b *blobs) closeValue() error {
	if b.value == nil {
		return nil
	}
	err := b.c.closing(b.value.Close)
	b.value = nil
	return wrap(err)
}

func (r *reader) Count(ctx context.Context, table string) (int64, error) {
	if err := r.enterKV(ctx, table); err != nil {
		return 0, err
	}
	defer r.leave()
	n := int64(0)
	err := r.c.within(ctx, func() (err error) {
		n, err = r.c.integer(r.c.kvSQL(`SELECT count(key) FROM %s`, table))
		return err
	})
	if noTable(err) {
		return 0, nil
	}
	return n, kvError(table, err)
}

func (r *reader) Scan(ctx context.Context, table string, rng store.KeyRange) iter.Seq2[store.Pair, error] {
	return func(yield func(store.Pair, error) bool) {
		from, inclusive := blobArg(rng.From), true
		for {
			pairs, more, err := r.scanBatch(ctx, table, rng, from, inclusive)
			if err != nil {
				yield(store.Pair{}, err)
				return
			}
			for _, p := range pairs {
				if !yield(p, nil) {
					return
				}
			}
			if !more {
				return
			}
			if last := pairs[len(pairs)-1].Key; rng.Reverse {
				rng.To = last
			} else {
				from, inclusive = last, false
			}
		}
	}
}

// scanBatch collects the first pairs of a range before anything is yielded, so
// that the loop's body may use the reader.
func (r *reader) scanBatch(ctx context.Context, table string, rng store.KeyRange, from []byte, inclusive bool) (pairs []store.Pair, more bool, err error) {
	if err := r.enterKV(ctx, table); err != nil {
		return nil, false, err
	}
	defer r.leave()
	sql, args := selectPairs, []any{from}
	if rng.MaxValue > 0 {
		sql = strings.Replace(sql, fmt.Sprintf(`< %d `, bigRow), fmt.Sprintf(`<= %d `, min(rng.MaxValue, bigRow-1)), 1)
	}
	if rng.KeysOnly {
		sql = `SELECT key FROM %s WHERE key >= ?`
	}
	if !inclusive {
		sql = strings.Replace(sql, ">=", ">", 1)
	}
	if rng.To != nil {
		sql, args = sql+` AND key < ?`, append(args, rng.To)
	}
	sql += ` ORDER BY key`
	if rng.Reverse {
		sql += ` DESC`
	}
	size, last := int64(0), int64(0)
	var wrong error
	row := func(st *sqlite3.Stmt) bool {
		p := store.Pair{Key: append([]byte{}, st.ColumnRawBlob(0)...)}
		if !rng.KeysOnly {
			if size := st.ColumnInt64(1); rng.MaxValue > 0 && size > rng.MaxValue {
				last = 0
			} else if last, p.Value, wrong = readValue(st, 1); wrong != nil {
				return false
			}
		}
		pairs = append(pairs, p)
		size += int64(len(p.Key)) + last
		more = len(pairs) >= scanRows || size >= scanBytes
		return !more
	}
	err = r.c.within(ctx, func() error { return r.c.queryWhile(r.c.kvSQL(sql, table), row, args...) })
	if noTable(err) {
		return nil, false, nil
	}
	if err == nil {
		err = wrong
	}
	if err == nil && last >= bigRow {
		p := &pairs[len(pairs)-1]
		p.Value, err = r.getBig(ctx, table, p.Key, last)
	}
	return pairs, more, kvError(table, err)
}

func (t *tx) Put(ctx context.Context, table string, key, value []byte) error {
	if err := checkPair(key, int64(len(value))); err != nil {
		return err
	}
	if len(value) >= bigRow {
		return t.putBig(ctx, table, key, value)
	}
	return t.putKV(ctx, table, func() error {
		return t.c.run(t.c.kvSQL(putPair, table), blobArg(key), blobArg(value))
	})
}

// putBig stores a value through a BLOB handle: SQLite would assemble the row in
// memory, up to three times over.
func (t *tx) putBig(ctx context.Context, table string, key, value []byte) error {
	if err := t.PutZero(ctx, table, key, int64(len(value))); err != nil {
		return err
	}
	err := t.PutAt(ctx, table, key, value, 0)
	if err != nil {
		t.Abort(err)
	}
	return err
}

func (t *tx) PutZero(ctx context.Context, table string, key []byte, size int64) error {
	if err := checkPair(key, size); err != nil {
		return err
	}
	return t.putKV(ctx, table, func() error {
		// Not in place of an old value: SQLite would make the zeros in memory.
		if err := t.c.run(t.c.kvSQL(`DELETE FROM %s WHERE key = ?`, table), blobArg(key)); err != nil {
			return err
		}
		err := t.c.run(t.c.kvSQL(`INSERT INTO %s (key, value) VALUES (?, ?)`, table), blobArg(key), sqlite3.ZeroBlob(size))
		if err != nil {
			t.Abort(err)
		}
		return err
	})
}

// checkPair refuses what does not fit into a row.
func checkPair(key []byte, size int64) error {
	if most := int64(maxValue - len(key)); size < 0 || size > most {
		return fmt.Errorf("%w: a value of %d bytes, and the limit is %d", store.ErrTooLarge, size, most)
	}
	return nil
}

// putKV runs a statement that stores a value, after it has created the table
// if that is missing.
func (t *tx) putKV(ctx context.Context, table string, put func() error) error {
	if err := t.checkKV(ctx, table); err != nil {
		return err
	}
	if err := t.c.blobs.closeValue(); err != nil {
		return err
	}
	err := put()
	if noTable(err) {
		if err = t.c.run(t.c.kvSQL(createKV, table)); err == nil {
			err = put()
		}
	}
	return kvError(table, err)
}

// CreateTable implements store.KVWriter. A file has one home.
func (t *tx) CreateTable(ctx context.Context, table string, _ int64) error {
	found, err := t.Table(ctx, table)
	if err == nil && found.Kind == store.TableNone {
		err = kvError(table, t.c.run(t.c.kvSQL(createKV, table)))
	}
	return err
}

func (t *tx) PutAt(ctx context.Context, table string, key, p []byte, offset int64) (err error) {
	if err := t.checkKV(ctx, table); err != nil {
		return err
	}
	v, err := t.c.blobs.valueAt(table, key)
	if err != nil {
		return err
	}
	return t.c.writeBlob(v.Blob, p, offset)
}

func (t *tx) Delete(ctx context.Context, table string, key []byte) (bool, error) {
	n, err := t.removeKV(ctx, table, `DELETE FROM %s WHERE key = ?`, blobArg(key))
	return n > 0, err
}

// Clear implements store.KVWriter.
func (t *tx) Clear(ctx context.Context, table string) error {
	if err := t.checkKV(ctx, table); err != nil {
		return err
	}
	_, plain, err := t.declared(table)
	if err != nil {
		return err
	}
	// SQLite frees the pages of a whole table without a look at its rows, and
	// does not end in between. In a table of another shape those without a key
	// are not pairs, and one without a column of that name is not for pairs.
	sql := `DELETE FROM %s WHERE key IS NOT NULL`
	if plain && ctx.Done() != nil {
		pages, err := t.c.integer(`PRAGMA page_count`)
		if err != nil {
			return err
		}
		plain = pages*t.c.pageSize <= clearAtOnce
	}
	if plain {
		sql = `DELETE FROM %s`
	}
	_, err = t.removeKV(ctx, table, sql)
	return err
}

// removeKV runs a statement that removes pairs, and returns how many it did.
func (t *tx) removeKV(ctx context.Context, table, format string, args ...any) (int64, error) {
	if err := t.checkKV(ctx, table); err != nil {
		return 0, err
	}
	if err := t.c.blobs.closeValue(); err != nil {
		return 0, err
	}
	err := t.within(ctx, func() error { return t.c.run(t.c.kvSQL(format, table), args...) })
	if noTable(err) {
		return 0, nil
	}
	return t.c.db.Changes(), kvError(table, err)
}

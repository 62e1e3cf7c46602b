package postgres

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"columnvault/internal/store"
)

const (
	// inline is the size, in bytes, of the largest value that lies in the row of
	// its pair. Larger ones are in chunks of that size.
	inline = 256 << 10
	// largestKey is what an index of PostgreSQL takes for certain.
	largestKey = 2 << 10
	// largestValue is that of a value, in bytes.
	largestValue = 1 << 30
)

// ofTable selects the pairs of a table, whose name is $1.
func (r *reader) ofTable(table string) string {
	return `FROM columnvault_pairs p WHERE p.tbl_id = (SELECT tbl_id FROM columnvault_tables WHERE name = $1` + r.atTable("tbl_id", table) + `)` + r.atTable("p.tbl_id", table)
}

// table refuses names, and makes the next trip look at the table.
func (r *reader) table(ctx context.Context, name string) error {
	if err := store.CheckTable(name); err != nil {
		return err
	}
	return r.touch(ctx, name)
}

func (r *reader) Table(ctx context.Context, table string) (found store.Table, err error) {
	found.Name = table
	if err := r.table(ctx, table); err != nil {
		return found, err
	}
	var t trip
	t.add(func(rows pgx.Rows) error { return scanTable(rows, &found) },
		`SELECT tbl_id, name FROM columnvault_tables WHERE name = $1`+r.atTable("tbl_id", table), []byte(table))
	return found, r.ask(ctx, &t)
}

// scanTable reads the ID and the name of a table.
func scanTable(rows pgx.Rows, t *store.Table) error {
	var id store.ColumnID
	var name []byte
	err := rows.Scan(&id, &name)
	*t = store.Table{Name: string(name), Kind: store.TablePlain, Home: homeOf(id)}
	return err
}

// value is what is stored for a key.
type value struct {
	size int64
	data []byte
	// blob is where the bytes are instead, or nil.
	blob *int64
}

// find returns the row of a pair; without bytes, it leaves them out.
func (r *reader) find(ctx context.Context, table string, key []byte, bytes bool) (v value, err error) {
	if err := r.table(ctx, table); err != nil {
		return v, err
	}
	found := false
	fields := `p.size, NULL::bytea, p.blob `
	if bytes {
		fields = `p.size, p.value, p.blob `
	}
	var t trip
	t.add(func(rows pgx.Rows) error {
		found = true
		return rows.Scan(&v.size, &v.data, &v.blob)
	}, `SELECT `+fields+r.ofTable(table)+` AND p.key = $2`, []byte(table), notNil(key))
	if err := r.ask(ctx, &t); err != nil {
		return v, err
	}
	if !found {
		return v, fmt.Errorf("%w: no such key", store.ErrNotFound)
	}
	return v, nil
}

// notNil is what is sent for bytes: the driver sends NULL for nil.
func notNil(p []byte) []byte {
	if p == nil {
		return []byte{}
	}
	return p
}

func (r *reader) Get(ctx context.Context, table string, key []byte) ([]byte, error) {
	v, err := r.find(ctx, table, key, true)
	if err != nil || v.blob == nil {
		return v.data, err
	}
	return r.load(ctx, v)
}

// load reads a large value. Memory is taken as its bytes arrive.
func (r *reader) load(ctx context.Context, v value) ([]byte, error) {
	if v.size < 0 || v.size > largestValue {
		return nil, fmt.Errorf("%w: a value of %d bytes", store.ErrCorrupt, v.size)
	}
	var data []byte
	for at := int64(0); at < v.size; at += window {
		n := min(window, v.size-at)
		data = append(data, make([]byte, n)...)
		if err := r.readBlob(ctx, *v.blob, data[at:], at); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func (r *reader) readBlob(ctx context.Context, blob int64, p []byte, offset int64) error {
	for len(p) > 0 {
		part := p[:min(window, len(p))]
		if err := r.readSpans(ctx, &trip{}, []store.ColumnSpans{{Column: store.ColumnID(blob), Spans: blobSpans(part, offset)}}); err != nil {
			return err
		}
		p, offset = p[len(part):], offset+int64(len(part))
	}
	return nil
}

// blobSpans are the ranges of bytes in the chunks of a large value.
func blobSpans(p []byte, offset int64) (spans []store.Span) {
	for len(p) > 0 {
		s := store.Span{Chunk: offset / inline, Offset: offset % inline}
		s.Data = p[:min(int64(len(p)), inline-s.Offset)]
		spans = append(spans, s)
		p, offset = p[len(s.Data):], offset+int64(len(s.Data))
	}
	return spans
}

func (r *reader) Size(ctx context.Context, table string, key []byte) (int64, error) {
	v, err := r.find(ctx, table, key, false)
	return v.size, err
}

func (r *reader) GetAt(ctx context.Context, table string, key, p []byte, offset int64) error {
	v, err := r.find(ctx, table, key, false)
	if err != nil {
		return err
	}
	if err := checkRange(v.size, offset, len(p)); err != nil {
		return err
	}
	if v.blob != nil {
		return r.readBlob(ctx, *v.blob, p, offset)
	}
	var data []byte
	var t trip
	t.add(func(rows pgx.Rows) error { return rows.Scan(&data) },
		`SELECT substring(p.value FROM $3::int FOR $4::int) `+r.ofTable(table)+` AND p.key = $2`, []byte(table), notNil(key), offset+1, int64(len(p)))
	if err := r.ask(ctx, &t); err != nil {
		return err
	}
	if copy(p, data) < len(p) {
		return fmt.Errorf("%w: a value is shorter than it says", store.ErrCorrupt)
	}
	return nil
}

func checkRange(size, offset int64, n int) error {
	if offset < 0 || offset > size-int64(n) {
		return fmt.Errorf("%w: no bytes %d+%d in a value of %d", store.ErrCorrupt, offset, n, size)
	}
	return nil
}

func (r *reader) Count(ctx context.Context, table string) (n int64, err error) {
	if err := r.table(ctx, table); err != nil {
		return 0, err
	}
	var t trip
	t.add(func(rows pgx.Rows) error { return rows.Scan(&n) }, `SELECT count(*) `+r.ofTable(table), []byte(table))
	return n, r.ask(ctx, &t)
}

const (
	// pairsAtOnce and window bound what Scan reads in one trip: pairs, and bytes
	// of their values.
	pairsAtOnce = 1000
	window      = 4 << 20
)

// scanned is a pair that Scan has read.
type scanned struct {
	key []byte
	value
}

func (r *reader) Scan(ctx context.Context, table string, in store.KeyRange) iter.Seq2[store.Pair, error] {
	return func(yield func(store.Pair, error) bool) {
		if err := r.table(ctx, table); err != nil {
			yield(store.Pair{}, err)
			return
		}
		for {
			page, whole, err := r.page(ctx, table, in)
			if err != nil {
				yield(store.Pair{}, err)
				return
			}
			for _, p := range page {
				pair := store.Pair{Key: p.key, Value: p.data}
				left := in.KeysOnly || in.MaxValue > 0 && p.size > in.MaxValue
				if left {
					pair.Value = nil
				} else if p.blob != nil {
					pair.Value, err = r.load(ctx, p.value)
				}
				if !yield(pair, err) || err != nil {
					return
				}
			}
			if whole || len(page) == 0 {
				return
			}
			last := page[len(page)-1].key
			if in.Reverse {
				in.To = last
			} else {
				in.From = append(append(make([]byte, 0, len(last)+1), last...), 0) // the next key that there can be
			}
		}
	}
}

// page reads the first pairs of a range. whole says that it has no others.
func (r *reader) page(ctx context.Context, table string, in store.KeyRange) (page []scanned, whole bool, err error) {
	most := in.MaxValue
	if most <= 0 {
		most = largestValue
	}
	if in.KeysOnly {
		most = -1
	}
	order := ` ORDER BY key`
	if in.Reverse {
		order = ` ORDER BY key DESC`
	}
	var t trip
	all := int64(0)
	t.add(func(rows pgx.Rows) error {
		var p scanned
		err := rows.Scan(&p.key, &p.size, &p.data, &p.blob, &all)
		page = append(page, p)
		return err
	}, `SELECT key, size, CASE WHEN size <= $4 THEN value END, blob, n FROM (
		SELECT key, size, value, blob, count(*) OVER () AS n, (sum(load) OVER (`+order+` ROWS UNBOUNDED PRECEDING))::bigint - load AS before
		FROM (SELECT p.key, p.size, p.value, p.blob, CASE WHEN p.size <= $4 AND p.blob IS NULL THEN p.size ELSE 0 END AS load `+r.ofTable(table)+` AND ($2::bytea IS NULL OR p.key >= $2) AND ($3::bytea IS NULL OR p.key < $3)`+order+` LIMIT $5) first
		) bounded WHERE before < $6`+order, []byte(table), in.From, in.To, most, int64(pairsAtOnce), int64(window))
	err = r.ask(ctx, &t)
	return page, all < pairsAtOnce && int64(len(page)) == all, err
}

func (r *reader) listTables(ctx context.Context, lock string) (tables []store.Table, err error) {
	var t trip
	t.add(func(rows pgx.Rows) error {
		var found store.Table
		err := scanTable(rows, &found)
		tables = append(tables, found)
		return err
	}, `SELECT tbl_id, name FROM columnvault_tables ORDER BY name`+lock)
	return tables, r.ask(ctx, &t)
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"columnvault/internal/store"
)

// Vouched implements store.Vouched: bytes that were never written are zeros, and
// take no room.
func (r *reader) Vouched() {}

// asker sends trips in the state that a reader shows.
type asker interface {
	// ask sends the statements, and whatever has to come before them.
	ask(ctx context.Context, t *trip) error
	// touch makes the next trip look at, or lock, the state of a table.
	touch(ctx context.Context, table string) error
	// tableHome is where a table is that touch knows, 0 if it does not exist.
	tableHome(table string) int64
	// column is touch for a column that has not been looked up.
	column(ctx context.Context, id store.ColumnID) error
	// lastKnown is the last chunk of a column, if it is known.
	lastKnown(id store.ColumnID) (e entry, ok bool)
}

// reader has the methods that snapshots and transactions share.
type reader struct {
	s *Store
	asker
}

const (
	rowFields   = `c.col_id, c.name, c.layout, c.dtype, c.attrs, c.elem_size, c.length, c.min_chunk, c.max_chunk, c.rev`
	chunkFields = `chunk_idx, capacity, used, meta`
)

// scanRow reads rowFields.
func scanRow(rows pgx.Rows, e *entry) error {
	var name, dtype, attrs []byte
	r := &e.row
	err := rows.Scan(&r.ID, &name, &r.Layout, &dtype, &attrs, &r.ElemSize, &r.Length, &r.MinChunk, &r.MaxChunk, &e.rev)
	r.Name, r.DType, r.Attrs, r.Home = string(name), string(dtype), string(attrs), homeOf(r.ID)
	return err
}

// addRows adds the statement that reads rows of the catalog.
func (t *trip) addRows(found *[]entry, rest string, args ...any) {
	t.add(func(rows pgx.Rows) error {
		var e entry
		err := scanRow(rows, &e)
		*found = append(*found, e)
		return err
	}, `SELECT `+rowFields+` FROM columnvault_columns c `+rest, args...)
}

// where selects columns, by names or by IDs, which $1 is: their rows, and of all
// chunks those among which theirs are.
type where struct{ columns, chunks string }

var byNames = where{columns: `WHERE c.name = ANY($1)`}

func (s *Store) byIDs(ids []int64) where {
	return where{`WHERE c.col_id = ANY($1)` + s.atColumns("c.col_id", ids), s.atColumns("col_id", ids)}
}

// addLast adds the statement that reads the last chunks of columns.
func (t *trip) addLast(found *[]entry, where where, arg any) {
	t.add(func(rows pgx.Rows) error {
		var id store.ColumnID
		var c store.Chunk
		if err := rows.Scan(&id, &c.Number, &c.Capacity, &c.Used, &c.Meta); err != nil {
			return err
		}
		for i := range *found {
			if e := &(*found)[i]; e.row.ID == id {
				e.last, e.hasChunks = c, true
			}
		}
		return nil
	}, `SELECT c.col_id, l.chunk_idx, l.capacity, l.used, l.meta FROM columnvault_columns c CROSS JOIN LATERAL (SELECT `+chunkFields+
		` FROM columnvault_chunks WHERE col_id = c.col_id`+where.chunks+` ORDER BY chunk_idx DESC LIMIT 1) l `+where.columns, arg)
}

// best tells which of two columns of a name Lookup means.
func best(a, b store.Row) store.Row {
	if a.ID == 0 || a.Layout == store.LayoutV1 {
		return b
	}
	return a
}

func (r *reader) Chunk(ctx context.Context, id store.ColumnID, number int64) (store.Chunk, error) {
	if e, ok := r.lastKnown(id); ok && (!e.hasChunks || number >= e.last.Number) {
		if !e.hasChunks || number > e.last.Number {
			return store.Chunk{}, noChunk(number)
		}
		return e.last, nil
	}
	return r.oneChunk(ctx, id, `AND chunk_idx = $2`, number)
}

func noChunk(number int64) error { return fmt.Errorf("%w: no chunk %d", store.ErrNotFound, number) }

func (r *reader) LastChunk(ctx context.Context, id store.ColumnID) (store.Chunk, error) {
	if e, ok := r.lastKnown(id); ok {
		if !e.hasChunks {
			return store.Chunk{}, fmt.Errorf("%w: there are no chunks", store.ErrNotFound)
		}
		return e.last, nil
	}
	return r.oneChunk(ctx, id, `ORDER BY chunk_idx DESC LIMIT 1`)
}

func (r *reader) oneChunk(ctx context.Context, id store.ColumnID, rest string, args ...any) (c store.Chunk, err error) {
	if err := r.column(ctx, id); err != nil {
		return c, err
	}
	found := false
	var t trip
	t.add(func(rows pgx.Rows) error {
		found = true
		return scanChunk(rows, &c)
	}, `SELECT `+chunkFields+` FROM columnvault_chunks WHERE col_id = $1`+r.s.atColumn("col_id", id)+` `+rest, append([]any{int64(id)}, args...)...)
	if err := r.ask(ctx, &t); err != nil {
		return c, err
	}
	if !found {
		return c, fmt.Errorf("%w: no such chunk", store.ErrNotFound)
	}
	return c, nil
}

func scanChunk(rows pgx.Rows, c *store.Chunk) error {
	return rows.Scan(&c.Number, &c.Capacity, &c.Used, &c.Meta)
}

// chunksAtOnce is how many chunks are listed in one trip.
const chunksAtOnce = 2000

func (r *reader) Chunks(ctx context.Context, id store.ColumnID, from, to int64) iter.Seq2[store.Chunk, error] {
	return func(yield func(store.Chunk, error) bool) {
		if err := r.column(ctx, id); err != nil {
			yield(store.Chunk{}, err)
			return
		}
		for from < to {
			var page []store.Chunk
			var t trip
			t.add(func(rows pgx.Rows) error {
				var c store.Chunk
				err := scanChunk(rows, &c)
				page = append(page, c)
				return err
			}, `SELECT `+chunkFields+` FROM columnvault_chunks WHERE col_id = $1 AND chunk_idx >= $2 AND chunk_idx < $3`+r.s.atColumn("col_id", id)+` ORDER BY chunk_idx LIMIT $4`,
				int64(id), from, to, int64(chunksAtOnce))
			if err := r.ask(ctx, &t); err != nil {
				yield(store.Chunk{}, err)
				return
			}
			for _, c := range page {
				if !yield(c, nil) {
					return
				}
			}
			if len(page) < chunksAtOnce {
				return
			}
			from = page[len(page)-1].Number + 1
		}
	}
}

func (r *reader) ReadAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	return r.ReadAll(ctx, []store.ColumnSpans{{Column: id, Spans: spans}})
}

// farthest is more than the size of any chunk.
const farthest = 1 << 30

func checkSpan(s store.Span) error {
	if s.Offset < 0 || s.Offset > farthest || int64(len(s.Data)) > farthest-s.Offset {
		return noBytes(s)
	}
	return nil
}

func noBytes(s store.Span) error {
	return fmt.Errorf("%w: no bytes %d+%d in chunk %d", store.ErrCorrupt, s.Offset, len(s.Data), s.Chunk)
}

func (r *reader) ReadAll(ctx context.Context, columns []store.ColumnSpans) error {
	for _, c := range columns {
		if err := r.column(ctx, c.Column); err != nil {
			return err
		}
	}
	return r.readSpans(ctx, &trip{}, columns)
}

// readSpans reads chunks, those of large values too, with the other statements of a
// trip.
func (r *reader) readSpans(ctx context.Context, t *trip, columns []store.ColumnSpans) error {
	var flat []store.Span
	var ids, numbers, offsets, sizes []int64
	for _, c := range columns {
		for _, s := range c.Spans {
			if err := checkSpan(s); err != nil {
				return err
			}
			flat = append(flat, s)
			ids, numbers = append(ids, int64(c.Column)), append(numbers, s.Chunk)
			offsets, sizes = append(offsets, s.Offset), append(sizes, int64(len(s.Data)))
		}
	}
	if len(flat) == 0 {
		return ctx.Err()
	}
	var missing error
	filled := 0
	// LATERAL with OFFSET 0 makes it one search in the index for each span,
	// whatever the planner thinks of the table. A whole chunk is sent as it lies
	// there, with a copy less than a part of it.
	t.add(func(rows pgx.Rows) error {
		var at, capacity int64
		var data pgxRaw
		if err := rows.Scan(&at, &capacity, &data); err != nil {
			return err
		}
		s := flat[at-1]
		if s.Offset+int64(len(s.Data)) > capacity {
			missing = noBytes(s)
			return nil
		}
		clear(s.Data[copy(s.Data, data):])
		filled++
		return nil
	}, `SELECT s.at, c.capacity, c.part FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS s(id, number, start, size, at)
		CROSS JOIN LATERAL (SELECT capacity, CASE WHEN s.start = 0 AND s.size >= capacity THEN data ELSE substring(data FROM (s.start + 1)::int FOR s.size::int) END AS part
			FROM columnvault_chunks WHERE col_id = s.id AND chunk_idx = s.number`+r.s.atColumns("col_id", ids)+` OFFSET 0) c`, ids, numbers, offsets, sizes)
	if err := r.ask(ctx, t); err != nil {
		return err
	}
	if missing == nil && filled < len(flat) {
		missing = fmt.Errorf("%w: a chunk is missing", store.ErrCorrupt)
	}
	return missing
}

// pgxRaw takes bytes of an answer without a copy. They are good until the next
// row.
type pgxRaw []byte

// ScanBytes implements pgtype.BytesScanner.
func (p *pgxRaw) ScanBytes(v []byte) error {
	*p = v
	return nil
}

// listColumns lists all columns in the order of their creation, which is that of
// IDs without their homes, and locks them if lock says so.
func (r *reader) listColumns(ctx context.Context, lock string) (all []entry, err error) {
	var t trip
	t.addRows(&all, fmt.Sprintf(`ORDER BY c.col_id & %d`, int64(1)<<homeShift-1)+lock)
	return all, r.ask(ctx, &t)
}

func rowsOf(entries []entry) []store.Row {
	rows := make([]store.Row, len(entries))
	for i, e := range entries {
		rows[i] = e.row
	}
	return rows
}

// Verify looks for chunks of no column and no pair, and for pairs that lack
// chunks. What PostgreSQL can find wrong with its own structures is left to its
// own tools.
func (r *reader) Verify(ctx context.Context, full bool) (found []store.Finding, err error) {
	var t trip
	t.add(func(rows pgx.Rows) error {
		var id, chunks, bytes int64
		if err := rows.Scan(&id, &chunks, &bytes); err != nil {
			return err
		}
		found = append(found, store.Finding{Kind: store.FoundOrphan, Table: "columnvault_chunks", Column: store.ColumnID(id), Number: id, Bytes: bytes,
			Text: fmt.Sprintf("%d chunks of no column", chunks)})
		return nil
	}, `SELECT h.col_id, count(*), sum(length(h.data))::bigint FROM columnvault_chunks h
		WHERE NOT EXISTS (SELECT FROM columnvault_columns c WHERE c.col_id = h.col_id)
		AND NOT EXISTS (SELECT FROM columnvault_pairs p WHERE p.blob = h.col_id) GROUP BY h.col_id ORDER BY h.col_id`)
	t.add(func(rows pgx.Rows) error {
		var table []byte
		var pairs int64
		if err := rows.Scan(&table, &pairs); err != nil {
			return err
		}
		found = append(found, store.Finding{Kind: store.FoundRow, Damage: true, Table: string(table), Text: fmt.Sprintf("%d large values lack some of their bytes", pairs)})
		return nil
	}, `SELECT t.name, count(*) FROM columnvault_pairs p JOIN columnvault_tables t USING (tbl_id) WHERE p.blob IS NOT NULL AND
		coalesce((SELECT sum(h.capacity) FROM columnvault_chunks h WHERE h.col_id = p.blob), 0) <> p.size GROUP BY t.name ORDER BY t.name`)
	return found, r.ask(ctx, &t)
}

var errNoReindex = fmt.Errorf("%w: indexes are PostgreSQL's own; REINDEX of the server makes them anew", errors.ErrUnsupported)

package model_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/query"
	"columnvault/scan"
)

// entry is a row of the table, and of the slice that it should equal.
type entry struct {
	ID    int
	Text  string
	Gap   sql.Null[float64]
	Vec   [3]float32
	Bytes []byte
}

// entryPart lacks a field that may be missing.
type entryPart struct {
	ID    int
	Text  string
	Vec   [3]float32
	Bytes []byte
}

// tableModel is a table and the slice that it should equal.
type tableModel struct {
	path  string
	v     *columnvault.Vault
	db    *sql.DB
	table *columnvault.Table[entry]
	part  *columnvault.Table[entryPart]
	rows  []entry
}

// TestTableModel does the same to a table and to a Go slice of structs: with and
// without caches, inside transactions, through rows that lack a field, through
// lists of values, and after opening the file again.
func TestTableModel(t *testing.T) {
	dir := t.TempDir()
	checks := 0
	rapid.Check(t, func(rt *rapid.T) {
		checks++
		m := &tableModel{path: filepath.Join(dir, fmt.Sprint(checks))}
		m.open(rt)
		defer m.close(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"change": func(rt *rapid.T) { m.rows = m.change(rt, rt.Context(), m.table, m.rows) },
			"update": m.update,
			"batch":  m.batch,
			"part":   m.appendPart,
			"cache":  m.cache,
			"list":   m.list,
			"repair": m.repair,
			"reopen": func(rt *rapid.T) { m.close(rt); m.open(rt) },
			"all":    func(rt *rapid.T) { m.want(rt, m.table, m.rows) },
			"some":   m.wantSome,
			"ask":    m.wantAnswers,
		})
		m.want(rt, m.table, m.rows)
	})
}

func (m *tableModel) open(rt *rapid.T) {
	var err error
	m.v, err = columnvault.Open(rt.Context(), m.path, nil)
	vaulttest.Must(rt, err)
	m.db, err = query.Open(rt.Context(), m.v, nil)
	vaulttest.Must(rt, err)
	m.table, err = columnvault.EnsureTable[entry](rt.Context(), m.v, "rows", nil)
	vaulttest.Must(rt, err)
	m.part, err = columnvault.EnsureTable[entryPart](rt.Context(), m.v, "rows", nil)
	vaulttest.Must(rt, err)
}

func (m *tableModel) close(rt *rapid.T) {
	vaulttest.Must(rt, m.db.Close())
	vaulttest.Must(rt, m.v.Close())
}

func drawEntries(rt *rapid.T) []entry {
	n := rapid.SampledFrom([]int{0, 1, 2, 3, 255, 256, 257, 600}).Draw(rt, "rows")
	seed := rapid.IntRange(0, 1000).Draw(rt, "seed")
	rows := make([]entry, n)
	for i := range rows {
		k := seed + i
		rows[i] = entry{ID: k, Text: strings.Repeat("x", k%11), Vec: [3]float32{float32(k), 1, 2}, Bytes: make([]byte, k%3)}
		if k%4 > 0 {
			rows[i].Gap = sql.Null[float64]{V: float64(k), Valid: true}
		}
	}
	return rows
}

// change does one of the edits, and returns the rows as they should be then.
func (m *tableModel) change(rt *rapid.T, ctx context.Context, table *columnvault.Table[entry], rows []entry) []entry {
	i := rapid.IntRange(-len(rows)-2, len(rows)+2).Draw(rt, "i")
	at := i
	if at < 0 {
		at += len(rows)
	}
	clamped := min(max(at, 0), len(rows))
	added := drawEntries(rt)
	switch rapid.SampledFrom([]string{"append", "insert", "set", "set slice", "set each", "delete"}).Draw(rt, "edit") {
	case "append":
		vaulttest.Must(rt, table.Append(ctx, added...))
		return append(slices.Clip(rows), added...)
	case "insert":
		vaulttest.Must(rt, table.Insert(ctx, i, added...))
		return slices.Insert(slices.Clone(rows), clamped, added...)
	case "set":
		if len(added) == 0 {
			return rows
		}
		err := table.Set(ctx, i, added[0])
		if at != clamped || at == len(rows) {
			if err == nil {
				rt.Errorf("Set(%d) of %d rows", i, len(rows))
			}
			return rows
		}
		vaulttest.Must(rt, err)
		rows = slices.Clone(rows)
		rows[at] = added[0]
	case "set slice":
		n := min(len(added), len(rows)-clamped)
		vaulttest.Must(rt, table.SetSlice(ctx, clamped, clamped+n, added[:n]))
		rows = slices.Clone(rows)
		copy(rows[clamped:], added[:n])
	case "set each":
		n := min(len(added), len(rows))
		rows = slices.Clone(rows)
		positions := vaulttest.Sequence(n, func(k int) int { return (clamped + 3*k) % len(rows) })
		vaulttest.Must(rt, table.SetEach(ctx, positions, added[:n]))
		for k, i := range positions {
			rows[i] = added[k]
		}
	case "delete":
		j := min(clamped+len(added), len(rows))
		vaulttest.Must(rt, table.Delete(ctx, clamped, j))
		return slices.Delete(slices.Clone(rows), clamped, j)
	}
	return rows
}

// update makes several edits in a transaction, which may be undone.
func (m *tableModel) update(rt *rapid.T) {
	undo := rapid.Bool().Draw(rt, "undo")
	rows := m.rows
	err := m.v.Update(rt.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		table := m.table.In(tx)
		for range rapid.IntRange(1, 3).Draw(rt, "edits") {
			rows = m.change(rt, ctx, table, rows)
		}
		m.want(rt, table, rows)
		if undo {
			return vaulttest.ErrOwn
		}
		return nil
	})
	if undo && err == vaulttest.ErrOwn {
		return
	}
	vaulttest.Must(rt, err)
	m.rows = rows
}

func (m *tableModel) batch(rt *rapid.T) {
	one, two := drawEntries(rt), drawEntries(rt)
	vaulttest.Must(rt, m.v.Batch(rt.Context(), func(b *columnvault.Batch) error {
		if err := m.table.AppendTo(b, one...); err != nil {
			return err
		}
		return m.table.AppendTo(b, two...)
	}))
	m.rows = slices.Concat(m.rows, one, two)
}

func (m *tableModel) appendPart(rt *rapid.T) {
	var parts []entryPart
	for _, row := range drawEntries(rt) {
		parts = append(parts, entryPart{row.ID, row.Text, row.Vec, row.Bytes})
		row.Gap = sql.Null[float64]{}
		m.rows = append(slices.Clip(m.rows), row)
	}
	vaulttest.Must(rt, m.part.Append(rt.Context(), parts...))
}

func (m *tableModel) cache(rt *rapid.T) {
	if rapid.Bool().Draw(rt, "on") {
		size := rapid.SampledFrom([]int{0, 1000, 20_000}).Draw(rt, "size")
		vaulttest.Must(rt, m.table.EnableCache(rt.Context(), &columnvault.CacheOptions{CapBytes: size}))
		return
	}
	vaulttest.Must(rt, m.table.DisableCache(rt.Context()))
}

// list appends a row as a list of values, and reads it again.
func (m *tableModel) list(rt *rapid.T) {
	table, err := m.v.Table(rt.Context(), "rows")
	vaulttest.Must(rt, err)
	row := []any{7, "listed", nil, []float32{1, 2, 3}, []byte{1}}
	vaulttest.Must(rt, table.Append(rt.Context(), row))
	m.rows = append(slices.Clip(m.rows), entry{ID: 7, Text: "listed", Vec: [3]float32{1, 2, 3}, Bytes: []byte{1}})
	got, err := table.At(rt.Context(), -1)
	vaulttest.Must(rt, err)
	if row[0] = int64(7); !reflect.DeepEqual(got, row) {
		rt.Errorf("row %v, want %v", got, row)
	}
}

// repair makes the columns unequal and then equal again, as short as the
// shortest.
func (m *tableModel) repair(rt *rapid.T) {
	ctx := rt.Context()
	ids, err := columnvault.Lookup(ctx, m.v, "rows.ID", dtype.Int64)
	vaulttest.Must(rt, err)
	texts, err := columnvault.Lookup(ctx, m.v, "rows.Text", dtype.String)
	vaulttest.Must(rt, err)
	vaulttest.Must(rt, ids.Append(ctx, make([]int64, rapid.SampledFrom([]int{0, 1, 700}).Draw(rt, "more"))...))
	n := len(m.rows) - rapid.IntRange(0, min(3, len(m.rows))).Draw(rt, "fewer")
	vaulttest.Must(rt, texts.Truncate(ctx, n))
	plan, err := m.v.PlanRepair(ctx, columnvault.RepairOptions{Cut: []string{"rows"}, NoBackup: true})
	vaulttest.Must(rt, err)
	vaulttest.Must(rt, m.v.Repair(ctx, plan))
	for _, step := range plan.Steps {
		kept, err := m.v.Column(ctx, step.As)
		vaulttest.Must(rt, err)
		if have, err := kept.Len(ctx); int64(have) != step.To-step.From || err != nil {
			rt.Errorf("%s has %d elements, %v: %+v", step.As, have, err, step)
		}
		vaulttest.Must(rt, m.v.Drop(ctx, step.As))
	}
	m.rows = m.rows[:n]
}

func (m *tableModel) want(rt *rapid.T, table *columnvault.Table[entry], want []entry) {
	got, err := table.Slice(rt.Context(), columnvault.Begin, columnvault.End)
	vaulttest.Must(rt, err)
	i := 0
	for row, err := range table.Values(rt.Context()) {
		vaulttest.Must(rt, err)
		if i >= len(got) || !reflect.DeepEqual(row, got[i]) {
			rt.Fatalf("Values differs from Slice at row %d", i)
		}
		i++
	}
	if len(got) != len(want) || i != len(want) {
		rt.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			rt.Fatalf("row %d: %+v, want %+v", i, got[i], want[i])
		}
	}
}

// wantSome reads a range of the rows, and the same range of a column.
func (m *tableModel) wantSome(rt *rapid.T) {
	ctx := rt.Context()
	from := rapid.IntRange(0, len(m.rows)).Draw(rt, "from")
	into := make([]entry, rapid.SampledFrom([]int{0, 1, 300}).Draw(rt, "n"))
	for i := range into {
		into[i] = entry{ID: -1, Text: "old", Bytes: []byte("old")}
	}
	n, err := m.table.Read(ctx, into, from)
	vaulttest.Must(rt, err)
	want := m.rows[from:min(from+len(into), len(m.rows))]
	if n != len(want) || n > 0 && !reflect.DeepEqual(into[:n], want) {
		rt.Fatalf("Read from %d: %d rows, want %d", from, n, len(want))
	}
	gaps, err := columnvault.Lookup(ctx, m.v, "rows.Gap", dtype.Nullable(dtype.Float64))
	vaulttest.Must(rt, err)
	values, err := gaps.Slice(ctx, from, from+n)
	vaulttest.Must(rt, err)
	for i, v := range values {
		if v != want[i].Gap {
			rt.Fatalf("rows.Gap[%d] is %v, want %v", from+i, v, want[i].Gap)
		}
	}
}

// wantAnswers asks for counts and sums of the rows, pending ones included, by
// scan and in SQL.
func (m *tableModel) wantAnswers(rt *rapid.T) {
	ctx := rt.Context()
	var ids int64
	var sum float64
	present, long := 0, 0
	for _, row := range m.rows {
		ids += int64(row.ID)
		if row.Gap.Valid {
			present++
			sum += row.Gap.V // small integers: exact in any order
		}
		if len(row.Text) > 5 {
			long++
		}
	}
	column, err := columnvault.Lookup(ctx, m.v, "rows.ID", dtype.Int64)
	vaulttest.Must(rt, err)
	gaps, err := columnvault.Lookup(ctx, m.v, "rows.Gap", dtype.Nullable(dtype.Float64))
	vaulttest.Must(rt, err)
	scannedIDs, err := scan.Sum[int64](ctx, scan.Of(column))
	vaulttest.Must(rt, err)
	scannedSum, err := scan.Sum[float64](ctx, scan.OfNull(gaps))
	vaulttest.Must(rt, err)
	scannedCount, err := scan.Count(ctx, scan.OfNull(gaps))
	vaulttest.Must(rt, err)
	if scannedIDs != ids || scannedSum != sum || scannedCount != present {
		rt.Fatalf("scan: sums of %d and %v and %d numbers, want %d, %v and %d", scannedIDs, scannedSum, scannedCount, ids, sum, present)
	}
	want := [5]float64{float64(len(m.rows)), float64(ids), float64(present), sum, float64(long)}
	var got [5]float64
	vaulttest.Must(rt, m.db.QueryRowContext(ctx, `SELECT count(*), total(ID), count(Gap), total(Gap), total(length(Text) > 5) FROM rows`).
		Scan(&got[0], &got[1], &got[2], &got[3], &got[4]))
	if got != want {
		rt.Fatalf("SQL: %v, want %v", got, want)
	}
}

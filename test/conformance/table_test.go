package conformance_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

type celsius float64

type stamped struct {
	When time.Time
	Day  time.Time `columnvault:"day,date"`
}

type place struct {
	Lat, Lon float64
}

// everything has a field of every kind.
type everything struct {
	stamped
	Bool    bool
	Int     int
	I8      int8
	I16     int16
	I32     int32
	I64     int64
	Uint    uint
	U8      uint8
	U16     uint16
	U32     uint32
	U64     uint64
	F32     float32
	F64     float64
	Half    float32 `columnvault:"half,f16"`
	Named   celsius
	Text    string
	Latin   string `columnvault:",str:latin1"`
	Fixed   string `columnvault:",str:8:utf8"`
	Bytes   []byte
	Four    []byte `columnvault:",bytes:4"`
	ID      [16]byte
	Vec     []float32
	Vec3    []float32 `columnvault:",vec:f32:3"`
	Array   [2][3]int16
	Local   time.Time      `columnvault:"local,time=ms,zone=Europe/Berlin"`
	Place   place          `columnvault:",msgpack"`
	Any     any            `columnvault:",cbor"`
	Map     map[string]int `columnvault:",msgpack:64"`
	Skipped int            `columnvault:"-"`
	NInt    sql.Null[int]
	NF64    sql.Null[float64]
	NText   sql.Null[string]
	NTime   sql.Null[time.Time]
	NNamed  sql.Null[celsius]
	NPlace  sql.Null[place] `columnvault:",msgpack"`
	OInt64  sql.NullInt64
	OText   sql.NullString
	OTime   sql.NullTime
	OByte   sql.NullByte
	OBool   sql.NullBool
	_       int
}

func newEverything(i int) everything {
	when := time.Date(2024, 2, 29, 12, 0, i, 123_000_000, time.UTC)
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		berlin = time.UTC
	}
	e := everything{
		stamped: stamped{When: when, Day: time.Date(2024, 1, 1+i%28, 0, 0, 0, 0, time.UTC)},
		Bool:    i%2 == 0, Int: -i, I8: int8(i), I16: int16(-i), I32: int32(i), I64: int64(i) << 40, Uint: uint(i), U8: uint8(i), U16: uint16(i),
		U32: uint32(i), U64: uint64(i) << 50, F32: float32(i) / 2, F64: float64(i) / 3, Half: float32(i % 8), Named: celsius(i),
		Text: fmt.Sprint("text ", i), Latin: "caf\u00e9", Fixed: fmt.Sprint(i), Bytes: []byte(strings.Repeat("b", i%5)), Four: []byte{1, 2, 3, byte(i)},
		ID: [16]byte{15: byte(i)}, Vec: make([]float32, i%4), Vec3: []float32{1, 2, float32(i)}, Array: [2][3]int16{{1, 2, 3}, {4, 5, int16(i)}},
		Local: when.In(berlin), Place: place{float64(i), 1}, Any: fmt.Sprint(i), Map: map[string]int{"i": i},
	}
	if i%3 != 0 {
		e.NInt, e.NF64 = sql.Null[int]{V: i, Valid: true}, sql.Null[float64]{V: float64(i), Valid: true}
		e.NText, e.NTime = sql.Null[string]{V: "t", Valid: true}, sql.Null[time.Time]{V: when, Valid: true}
		e.NNamed, e.NPlace = sql.Null[celsius]{V: 1, Valid: true}, sql.Null[place]{V: place{1, 2}, Valid: true}
		e.OInt64, e.OText = sql.NullInt64{Int64: int64(i), Valid: true}, sql.NullString{String: "x", Valid: true}
		e.OTime, e.OByte, e.OBool = sql.NullTime{Time: when, Valid: true}, sql.NullByte{Byte: 7, Valid: true}, sql.NullBool{Bool: true, Valid: true}
	}
	return e
}

func manyOf[T any](n int, row func(int) T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = row(i)
	}
	return all
}

func wantRows[T any](t *testing.T, table *columnvault.Table[T], want []T) {
	t.Helper()
	ctx := t.Context()
	n, err := table.Len(ctx)
	vaulttest.Must(t, err)
	got, err := table.Slice(ctx, columnvault.Begin, columnvault.End)
	vaulttest.Must(t, err)
	if n != len(want) || !reflect.DeepEqual(got, want) && len(want)+len(got) > 0 {
		t.Fatalf("%d rows %.2000v\nwant %d: %.2000v", n, fmt.Sprintf("%+v", got), len(want), fmt.Sprintf("%+v", want))
	}
	var looped []T
	for row, err := range table.Values(ctx) {
		vaulttest.Must(t, err)
		looped = append(looped, row)
	}
	if !reflect.DeepEqual(looped, got) && len(got) > 0 {
		t.Errorf("Values: %+v, want %+v", looped, got)
	}
	read := make([]T, len(want)+1)
	if n, err := table.Read(ctx, read, 0); n != len(want) || err != nil || !reflect.DeepEqual(read[:n], got) && n > 0 {
		t.Errorf("Read: %d, %v", n, err)
	}
}

func ensure[T any](t *testing.T, in columnvault.Scope, o *columnvault.TableOptions) *columnvault.Table[T] {
	t.Helper()
	table, err := columnvault.EnsureTable[T](t.Context(), in, "trips", o)
	vaulttest.Must(t, err)
	return table
}

func TestTableOfEverything(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	table := ensure[everything](t, v, nil)
	want := manyOf(700, newEverything)
	vaulttest.Must(t, table.Append(ctx, want...))
	wantRows(t, table, want)
	for _, i := range []int{0, 1, -1} {
		row, err := table.At(ctx, i)
		vaulttest.Must(t, err)
		if at := (i + len(want)) % len(want); !reflect.DeepEqual(row, want[at]) {
			t.Errorf("At(%d): %+v", i, row)
		}
	}
	vaulttest.WantErr(t, "At", vaulttest.ErrOf(table.At(ctx, 700)), columnvault.ErrOutOfRange)
	// The columns are those of the dtypes' own codecs.
	texts, err := columnvault.Lookup(ctx, v, "trips.NText", dtype.Nullable(dtype.String))
	vaulttest.Must(t, err)
	text, err := texts.At(ctx, 1)
	vaulttest.Must(t, err)
	if text != want[1].NText {
		t.Errorf("trips.NText: %v", text)
	}
	// The dynamic table has the same rows.
	dynamic, err := v.Table(ctx, "trips")
	vaulttest.Must(t, err)
	row, err := dynamic.At(ctx, 1)
	vaulttest.Must(t, err)
	at := func(name string) any {
		i := slices.IndexFunc(dynamic.Columns(), func(c columnvault.TableColumn) bool { return c.Name == name })
		if i < 0 {
			t.Fatalf("no column %s in %v", name, dynamic.Columns())
		}
		return row[i]
	}
	if at("Text") != "text 1" || at("NInt") != int64(1) || at("day") != want[1].Day || at("Bool") != false {
		t.Errorf("dynamic: %v", row)
	}
	vaulttest.Must(t, dynamic.Append(ctx, row, row))
	vaulttest.WantErr(t, "a short row", dynamic.Append(ctx, row[1:]), columnvault.ErrInvalidArgument)
	wantRows(t, table, append(want, want[1], want[1]))
	vaulttest.Must(t, table.Delete(ctx, -2, columnvault.End))
	// A value that does not fit leaves all columns as they were.
	bad := newEverything(1)
	bad.Half = 1e6
	err = table.Append(ctx, want[0], bad)
	vaulttest.WantErr(t, "too much for f16", err, columnvault.ErrInvalidArgument)
	var e *dtype.ElementError
	if !errors.As(err, &e) || e.Index != 1 || !strings.Contains(err.Error(), "trips.half") {
		t.Errorf("the error does not name value 1 and the column: %v", err)
	}
	wantRows(t, table, want)
}

type trip struct {
	ID   int
	Name string
	Note sql.Null[string]
}

func newTrip(i int) trip {
	return trip{ID: i, Name: strings.Repeat("n", i%7), Note: sql.Null[string]{V: fmt.Sprint(i), Valid: i%2 == 0}}.tidy()
}

func (r trip) tidy() trip {
	if !r.Note.Valid {
		r.Note.V = ""
	}
	return r
}

func TestTableEdits(t *testing.T) {
	ctx := t.Context()
	for name, engine := range vaulttest.Engines() {
		t.Run(name, func(t *testing.T) {
			v, err := vaulttest.OpenOver(engine, t.TempDir()+"/a.db", nil)
			vaulttest.Must(t, err)
			defer v.Close()
			table := ensure[trip](t, v, nil)
			wantRows(t, table, nil)
			want := manyOf(10, newTrip)
			vaulttest.Must(t, table.Append(ctx, want...))
			vaulttest.Must(t, table.Set(ctx, -1, newTrip(99)))
			want[9] = newTrip(99)
			vaulttest.Must(t, table.Insert(ctx, 3, newTrip(50), newTrip(51)))
			want = slices.Insert(want, 3, newTrip(50), newTrip(51))
			vaulttest.Must(t, table.SetSlice(ctx, 0, 2, []trip{newTrip(70), newTrip(71)}))
			want[0], want[1] = newTrip(70), newTrip(71)
			vaulttest.Must(t, table.SetEach(ctx, []int{-1, 1, 1}, []trip{newTrip(72), newTrip(73), newTrip(74)}))
			want[len(want)-1], want[1] = newTrip(72), newTrip(74)
			vaulttest.Must(t, table.Delete(ctx, 4, 6))
			want = slices.Delete(want, 4, 6)
			wantRows(t, table, want)
			vaulttest.WantErr(t, "SetSlice", table.SetSlice(ctx, 0, 3, want[:1]), columnvault.ErrInvalidArgument)
			vaulttest.WantErr(t, "Set", table.Set(ctx, 100, want[0]), columnvault.ErrOutOfRange)
			vaulttest.WantErr(t, "SetEach", table.SetEach(ctx, []int{0, 100}, []trip{newTrip(1), newTrip(2)}), columnvault.ErrOutOfRange)
			vaulttest.WantErr(t, "SetEach", table.SetEach(ctx, []int{0}, want[:2]), columnvault.ErrInvalidArgument)
			wantRows(t, table, want)
		})
	}
}

func TestTableInTransactions(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	table := ensure[trip](t, v, nil)
	vaulttest.Must(t, table.Append(ctx, newTrip(0)))
	err := v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		part := table.In(tx)
		if err := errors.Join(part.Append(ctx, newTrip(1)), part.Insert(ctx, 0, newTrip(2)), part.Delete(ctx, 1, 2)); err != nil {
			return err
		}
		vaulttest.WantErr(t, "outside", table.Append(ctx, newTrip(5)), columnvault.ErrNested)
		vaulttest.WantErr(t, "a cache", part.EnableCache(ctx, nil), columnvault.ErrInvalidArgument)
		if err := part.Set(ctx, 9, newTrip(1)); !errors.Is(err, columnvault.ErrOutOfRange) {
			t.Errorf("Set: %v", err)
		}
		for _, err := range part.Values(ctx) {
			if err != nil {
				vaulttest.WantErr(t, "the loop", err, columnvault.ErrConcurrentChange)
				break
			}
			vaulttest.Must(t, part.Set(ctx, 0, newTrip(3)))
		}
		return nil
	})
	vaulttest.Must(t, err)
	wantRows(t, table, []trip{newTrip(3), newTrip(1)})
	undone := v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		other, err := columnvault.EnsureTable[trip](ctx, tx, "other", nil)
		if err == nil {
			err = other.Append(ctx, newTrip(1))
		}
		if err != nil {
			return err
		}
		return vaulttest.ErrOwn
	})
	if !errors.Is(undone, vaulttest.ErrOwn) {
		t.Error(undone)
	}
	vaulttest.WantErr(t, "Table", vaulttest.ErrOf(v.Table(ctx, "other")), columnvault.ErrNotFound)
	vaulttest.Must(t, v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		part := table.In(tx)
		vaulttest.WantErr(t, "a View", part.Append(ctx, newTrip(1)), columnvault.ErrReadOnly)
		wantRows(t, part, []trip{newTrip(3), newTrip(1)})
		return nil
	}))
}

func TestTableThroughCaches(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	table, other := ensure[trip](t, p.V, nil), ensure[trip](t, p.Other, nil)
	vaulttest.Must(t, table.EnableCache(ctx, nil))
	want := manyOf(5, newTrip)
	for _, row := range want {
		vaulttest.Must(t, table.Append(ctx, row))
	}
	wantRows(t, table, want)
	wantRows(t, other, nil)
	vaulttest.Must(t, p.V.Batch(ctx, func(b *columnvault.Batch) error {
		bad := newTrip(7)
		bad.Name = "\xff"
		if err := table.AppendTo(b, newTrip(5), bad); !errors.Is(err, columnvault.ErrInvalidArgument) {
			t.Errorf("text that is not UTF-8: %v", err)
		}
		return errors.Join(table.AppendTo(b, newTrip(5)), table.AppendTo(b, newTrip(6), newTrip(7)))
	}))
	want = manyOf(8, newTrip)
	wantRows(t, table, want)
	wantRows(t, other, nil)
	n, err := table.Flush(ctx)
	if vaulttest.Must(t, err); n != 3*8 {
		t.Errorf("Flush wrote %d elements", n)
	}
	wantRows(t, other, want)
	vaulttest.Must(t, table.Append(ctx, newTrip(8)))
	vaulttest.Must(t, table.Set(ctx, 0, newTrip(9))) // writes what is held before
	want = append(want, newTrip(8))
	want[0] = newTrip(9)
	wantRows(t, other, want)
	vaulttest.Must(t, table.DisableCache(ctx))
	vaulttest.Must(t, table.Append(ctx, newTrip(10)))
	wantRows(t, other, append(want, newTrip(10)))
	// Another program changes the columns: the next row after a flush finds out.
	vaulttest.Must(t, table.EnableCache(ctx, nil))
	vaulttest.Must(t, vaulttest.ErrOf(columnvault.Create(ctx, p.Other, "trips.More", dtype.Int64, nil)))
	vaulttest.WantErr(t, "Append", table.Append(ctx, newTrip(1)), columnvault.ErrTableChanged)
}

// More fields than trip.
type tripMore struct {
	trip
	Stars int `columnvault:",,default=-3"`
	Grade sql.Null[float32]
	Where string `columnvault:",,default=a, b"`
}

type tripLess struct {
	ID   int
	Name string
}

func TestTableSchemaChanges(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	old, elsewhere := ensure[trip](t, p.V, nil), ensure[trip](t, p.Other, nil)
	rows := manyOf(70_000, newTrip)
	vaulttest.Must(t, old.Append(ctx, rows...))
	vaulttest.Must(t, elsewhere.Append(ctx, newTrip(1)))
	vaulttest.Must(t, elsewhere.Delete(ctx, -1, columnvault.End))

	type noDefault struct {
		trip
		Stars int
	}
	err := vaulttest.ErrOf(columnvault.EnsureTable[noDefault](ctx, p.V, "trips", nil))
	vaulttest.WantErr(t, "no default", err, columnvault.ErrDType)
	wantHint(t, err, "sql.Null")

	var done, total, step int64
	more := ensure[tripMore](t, p.V, &columnvault.TableOptions{Progress: func(d, n int64) { step, done, total = max(step, d-done), d, n }})
	if step == 0 || step > 1<<20 {
		t.Errorf("%d bytes were written at once", step)
	}
	if want := int64(len(rows)) * (8 + 4 + int64(len("a, b"))); done != want || total != want {
		t.Errorf("progress: %d of %d, want %d", done, total, want)
	}
	want := manyOf(len(rows), func(i int) tripMore { return tripMore{trip: newTrip(i), Stars: -3, Where: "a, b"} })
	wantRows(t, more, want)

	// Handles of the old columns read, and do not write, in this process and
	// elsewhere.
	for _, table := range []*columnvault.Table[trip]{old, elsewhere} {
		for name, do := range map[string]func() error{
			"Append":   func() error { return table.Append(ctx, newTrip(1)) },
			"Insert":   func() error { return table.Insert(ctx, 0, newTrip(1)) },
			"Set":      func() error { return table.Set(ctx, 0, newTrip(1)) },
			"SetSlice": func() error { return table.SetSlice(ctx, 0, 1, rows[:1]) },
			"SetEach":  func() error { return table.SetEach(ctx, []int{0}, rows[:1]) },
			"Delete":   func() error { return table.Delete(ctx, 0, 1) },
			"a row that would be held": func() error {
				defer table.DisableCache(ctx)
				if err := table.EnableCache(ctx, nil); err != nil {
					return err
				}
				return table.Append(ctx, newTrip(1))
			},
			"Batch": func() error {
				return p.V.Batch(ctx, func(b *columnvault.Batch) error { return old.AppendTo(b, newTrip(1)) })
			},
			"In": func() error {
				return p.V.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error { return old.In(tx).Append(ctx, newTrip(1)) })
			},
		} {
			err := do()
			vaulttest.WantErr(t, name, err, columnvault.ErrTableChanged)
			if err != nil && !strings.Contains(err.Error(), `added are ["Stars", "Grade", "Where"]`) {
				t.Errorf("%s: %v", name, err)
			}
			wantHint(t, err, "EnsureTable")
		}
		wantRows(t, table, rows)
	}
	wantRows(t, more, want)

	// Rows that lack fields.
	err = vaulttest.ErrOf(columnvault.EnsureTable[trip](ctx, p.V, "trips", nil))
	vaulttest.WantErr(t, "lacking", err, columnvault.ErrDType)
	if !strings.Contains(err.Error(), `"trips.Stars", "trips.Where"`) {
		t.Error(err)
	}
	wantHint(t, err, "Ignore")
	reader := ensure[trip](t, p.V, &columnvault.TableOptions{Ignore: true})
	wantRows(t, reader, rows)
	err = reader.Append(ctx, newTrip(1))
	vaulttest.WantErr(t, "ignoring", err, columnvault.ErrReadOnly)
	wantHint(t, err, "without TableOptions.Ignore")
	for name, err := range map[string]error{
		"Insert":   reader.Insert(ctx, 0, newTrip(1)),
		"Set":      reader.Set(ctx, 0, newTrip(1)),
		"SetSlice": reader.SetSlice(ctx, 0, 1, rows[:1]),
		"SetEach":  reader.SetEach(ctx, []int{0}, rows[:1]),
		"Delete":   reader.Delete(ctx, 0, 1),
		"a new field": vaulttest.ErrOf(columnvault.EnsureTable[struct {
			ID    int
			Fresh sql.Null[int]
		}](ctx, p.V, "trips", &columnvault.TableOptions{Ignore: true})),
	} {
		vaulttest.WantErr(t, "ignoring, "+name, err, columnvault.ErrReadOnly)
	}
	wantRows(t, more, want)
	vaulttest.WantErr(t, "ignoring", p.V.Batch(ctx, func(b *columnvault.Batch) error { return reader.AppendTo(b, newTrip(1)) }), columnvault.ErrReadOnly)

	// Without these, the rest may be missing.
	vaulttest.Must(t, errors.Join(p.Other.Drop(ctx, "trips.Stars"), p.Other.Drop(ctx, "trips.Where")))
	vaulttest.WantErr(t, "gone", more.Append(ctx, want[0]), columnvault.ErrTableChanged)
	less := ensure[tripLess](t, p.V, nil)
	vaulttest.Must(t, less.Append(ctx, tripLess{1, "less"}))
	vaulttest.Must(t, less.Insert(ctx, 0, tripLess{2, "first"}))
	vaulttest.Must(t, less.Set(ctx, 1, tripLess{3, "set"}))
	whole := ensure[trip](t, p.Other, nil)
	rows[0].ID, rows[0].Name = 3, "set" // the note stays
	wantRows(t, whole, append(append([]trip{{ID: 2, Name: "first"}}, rows...), trip{ID: 1, Name: "less"}))

	// Another dtype, another meaning.
	type other struct{ ID int32 }
	vaulttest.WantErr(t, "i32", vaulttest.ErrOf(columnvault.EnsureTable[other](ctx, p.V, "trips", nil)), columnvault.ErrDType)
	type nullable struct {
		ID sql.Null[int]
		trip
	}
	vaulttest.WantErr(t, "null", vaulttest.ErrOf(columnvault.EnsureTable[nullable](ctx, p.V, "trips", nil)), columnvault.ErrDType)
	vaulttest.Must(t, vaulttest.ErrOf(p.Other.Retype(ctx, "trips.ID", dtype.Meaning{Null: true}, &columnvault.RetypeOptions{Turn: true})))
	vaulttest.WantErr(t, "retyped", less.Append(ctx, tripLess{1, "x"}), columnvault.ErrDType)
}

// TestTableRowsHeldMeanwhile: rows that a cache takes for the old columns while
// others are added get the defaults, and none are taken after that.
func TestTableRowsHeldMeanwhile(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	old := ensure[trip](t, v, nil)
	vaulttest.Must(t, old.EnableCache(ctx, nil))
	vaulttest.Must(t, old.Append(ctx, newTrip(0)))
	appended := 1
	more := ensure[tripMore](t, v, &columnvault.TableOptions{Progress: func(done, total int64) {
		vaulttest.Must(t, old.Append(ctx, newTrip(appended)))
		appended++
	}})
	if appended < 2 {
		t.Fatal("no progress")
	}
	vaulttest.WantErr(t, "Append", old.Append(ctx, newTrip(1)), columnvault.ErrTableChanged)
	wantRows(t, more, manyOf(appended, func(i int) tripMore { return tripMore{trip: newTrip(i), Stars: -3, Where: "a, b"} }))
	vaulttest.Must(t, more.Append(ctx, tripMore{}))
}

func wantHint(t *testing.T, err error, part string) {
	t.Helper()
	var e *columnvault.Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint(), part) {
		t.Errorf("%v: the hint does not speak of %q", err, part)
	}
}

func TestTableOfUnequalLengths(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	table := ensure[trip](t, p.V, nil)
	vaulttest.Must(t, table.Append(ctx, manyOf(5, newTrip)...))
	ids, err := columnvault.Lookup(ctx, p.Other, "trips.ID", dtype.Int64)
	vaulttest.Must(t, err)
	vaulttest.Must(t, ids.Append(ctx, 5, 6))
	names, err := columnvault.Lookup(ctx, p.Other, "trips.Name", dtype.String)
	vaulttest.Must(t, err)
	vaulttest.Must(t, names.Truncate(ctx, 4))
	wantRows(t, table, manyOf(4, newTrip))
	for name, do := range map[string]func() error{
		"Append": func() error { return table.Append(ctx, newTrip(1)) },
		"Delete": func() error { return table.Delete(ctx, 0, 1) },
		"Ensure": func() error { return vaulttest.ErrOf(columnvault.EnsureTable[tripMore](ctx, p.V, "trips", nil)) },
		"a row that would be held": func() error {
			if err := table.EnableCache(ctx, nil); err != nil {
				return err
			}
			return table.Append(ctx, newTrip(1))
		},
	} {
		err := do()
		vaulttest.WantErr(t, name, err, columnvault.ErrUneven)
		if err == nil || !strings.Contains(err.Error(), `"ID" has 7, "Name" has 4, "Note" has 5`) {
			t.Errorf("%s: %v", name, err)
		}
		wantHint(t, err, "Truncate")
	}
}

func TestTableNames(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	for _, name := range []string{"", ".", "a.", ".a", "a..b"} {
		vaulttest.WantErr(t, name, vaulttest.ErrOf(columnvault.EnsureTable[trip](ctx, v, name, nil)), columnvault.ErrInvalidArgument)
		vaulttest.WantErr(t, name, vaulttest.ErrOf(v.Table(ctx, name)), columnvault.ErrInvalidArgument)
	}
	vaulttest.WantErr(t, "long", vaulttest.ErrOf(columnvault.EnsureTable[trip](ctx, v, strings.Repeat("n", 254), nil)), columnvault.ErrInvalidArgument)
	// One level: the columns of a.b are not those of a.
	a, err := columnvault.EnsureTable[tripLess](ctx, v, "a", nil)
	vaulttest.Must(t, err)
	ab, err := columnvault.EnsureTable[trip](ctx, v, "a.b", nil)
	vaulttest.Must(t, err)
	vaulttest.Must(t, a.Append(ctx, tripLess{1, "x"}))
	vaulttest.Must(t, ab.Append(ctx, newTrip(1), newTrip(2)))
	wantRows(t, a, []tripLess{{1, "x"}})
}

// refused are rows that are no rows, and a part of what the error says.
func TestTableRefusals(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	refuse := func(part string, err error) {
		t.Helper()
		vaulttest.WantErr(t, part, err, columnvault.ErrInvalidArgument)
		if err != nil && !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %q", err, part)
		}
	}
	refuse("sql.Null[int]", tryTable[struct{ P *int }](ctx, v))
	refuse("embed the struct itself", tryTable[struct{ *trip }](ctx, v))
	refuse("has a dot", tryTable[struct {
		A int `columnvault:"a.b"`
	}](ctx, v))
	refuse("two fields", tryTable[struct {
		A int `columnvault:"B"`
		B int
	}](ctx, v))
	refuse("no exported field", tryTable[struct{ a int }](ctx, v))
	refuse("structs", tryTable[int](ctx, v))
	refuse("structs", tryTable[time.Time](ctx, v))
	refuse("msgpack or cbor", tryTable[struct{ M map[string]int }](ctx, v))
	refuse("msgpack or cbor", tryTable[struct{ S struct{ A int } }](ctx, v))
	refuse("does not fit", tryTable[struct {
		A int64 `columnvault:",f64"`
	}](ctx, v))
	refuse("unknown word", tryTable[struct {
		A int64 `columnvault:",i64,other"`
	}](ctx, v))
	refuse("unknown type", tryTable[struct {
		A int64 `columnvault:",other"`
	}](ctx, v))
	refuse("for a time.Time", tryTable[struct {
		A int64 `columnvault:",time=us"`
	}](ctx, v))
	refuse("needs no word", tryTable[struct {
		A int64 `columnvault:",null"`
	}](ctx, v))
	refuse("default", tryTable[struct {
		A int64 `columnvault:",,default=1.5"`
	}](ctx, v))
	refuse("no value to stand for a missing one", tryTable[struct{ B sql.Null[[]byte] }](ctx, v))
	refuse("cannot hold", tryTable[struct {
		C chan int `columnvault:",msgpack"`
	}](ctx, v))
	if infos, err := v.Columns(ctx); len(infos) != 0 || err != nil {
		t.Errorf("columns: %v, %v", infos, err)
	}
}

func tryTable[T any](ctx context.Context, v *columnvault.Vault) error {
	return vaulttest.ErrOf(columnvault.EnsureTable[T](ctx, v, "trips", nil))
}

// TestTableReadsOneMoment: readers beside writers, with and without caches and
// in another vault, never see a part of a row or of a call.
func TestTableReadsOneMoment(t *testing.T) {
	ctx := vaulttest.Soon(t)
	p := vaulttest.OpenPair(t, vaulttest.Patient())
	type pair struct {
		A int
		B string
	}
	newPair := func(i int) pair { return pair{i, fmt.Sprint(i)} }
	table, other := ensure[pair](t, p.V, nil), ensure[pair](t, p.Other, nil)
	const calls = 60
	done := make(chan error, 1)
	go func() {
		done <- func() error {
			for i := range calls {
				if i == calls/2 {
					if err := table.EnableCache(ctx, nil); err != nil {
						return err
					}
				}
				if err := table.Append(ctx, newPair(2*i), newPair(2*i+1)); err != nil {
					return err
				}
			}
			return vaulttest.ErrOf(table.Flush(ctx))
		}()
	}()
	look := func(table *columnvault.Table[pair]) {
		rows, err := table.Slice(ctx, columnvault.Begin, columnvault.End)
		vaulttest.Must(t, err)
		if len(rows)%2 != 0 {
			t.Fatalf("%d rows: half of a call", len(rows))
		}
		for i, row := range rows {
			if row != newPair(i) {
				t.Fatalf("row %d is %v", i, row)
			}
		}
	}
	for running := true; running; {
		select {
		case err := <-done:
			vaulttest.Must(t, err)
			running = false
		default:
		}
		look(table)
		look(other)
	}
	wantRows(t, other, manyOf(2*calls, newPair))
}

// TestTableErrorsNameTheColumn: the columns of a table are read together, and
// an error is still about one of them.
func TestTableErrorsNameTheColumn(t *testing.T) {
	ctx := t.Context()
	for _, damaged := range []string{"trips.ID", "trips.Name_idx", "trips.Name_data"} {
		p := vaulttest.OpenPair(t, nil)
		table := ensure[trip](t, p.V, nil)
		vaulttest.Must(t, table.Append(ctx, manyOf(10, newTrip)...))
		vaulttest.ExecSQL(t, p.Path, fmt.Sprintf(`DELETE FROM col_chunks WHERE col_id = (SELECT col_id FROM col_meta WHERE name = '%s')`, damaged))
		column, _, _ := strings.Cut(damaged, "_")
		for what, err := range map[string]error{
			"At":    vaulttest.ErrOf(table.At(ctx, 5)),
			"Slice": vaulttest.ErrOf(table.Slice(ctx, 0, 9)),
			"Read":  vaulttest.ErrOf(table.Read(ctx, make([]trip, 3), 4)),
		} {
			vaulttest.WantErr(t, what, err, columnvault.ErrCorrupt)
			var e *columnvault.Error
			if !errors.As(err, &e) || e.Column != column {
				t.Errorf("%s of a table without chunks of %s: %v", what, damaged, err)
			}
		}
	}
}

package rows

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"columnvault/dtype"
)

type inner struct{ Deep, Hidden int16 }

type row struct {
	inner
	Hidden int8
	B      bool
	N      int64
	F      float32 `columnvault:"half,f16"`
	S      string
	Null   sql.Null[string]
	A      [2]float64
	ID     [4]byte
	M      map[string]int           `columnvault:",msgpack"`
	NM     sql.Null[map[string]int] `columnvault:",cbor:32"`
}

func newRow(i int) row {
	return row{inner: inner{Deep: int16(i)}, Hidden: int8(i), B: i%2 == 0, N: int64(i), F: float32(i % 64), S: strings.Repeat("s", i%5),
		Null: sql.Null[string]{V: strings.Repeat("v", i%3), Valid: i%3 > 0}, A: [2]float64{1, float64(i)}, ID: [4]byte{byte(i)},
		M: map[string]int{"i": i}, NM: sql.Null[map[string]int]{V: mapOf(i), Valid: i%3 > 0}}
}

func mapOf(i int) map[string]int {
	if i%3 == 0 {
		return nil
	}
	return map[string]int{"i": i}
}

func fieldsOf(t *testing.T, rowType reflect.Type) map[string]*Field {
	t.Helper()
	fields, err := Of(rowType)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*Field{}
	for _, f := range fields {
		byName[f.Name] = f
	}
	return byName
}

// TestRoundTrip moves numbers of rows at the edges of a batch, after elements
// that are there already.
func TestRoundTrip(t *testing.T) {
	fields := fieldsOf(t, reflect.TypeFor[row]())
	if len(fields) != 11 {
		t.Fatalf("fields: %v", fields)
	}
	for _, n := range []int{0, 1, 2, batchLen - 1, batchLen, batchLen + 1, 3 * batchLen} {
		want := make([]row, n)
		for i := range want {
			want[i] = newRow(i)
		}
		got := make([]row, n)
		for name, f := range fields {
			data, ends, err := Gather(f, []byte("before"), []int{6}, want)
			if err != nil {
				t.Fatal(name, err)
			}
			for i := range ends {
				ends[i] -= 6
			}
			if err := Scatter(f, got, data[6:], ends[1:]); err != nil {
				t.Fatal(name, err)
			}
		}
		for i := range got {
			got[i].inner.Hidden = want[i].inner.Hidden // Hidden of the row hides it
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Fatalf("row %d of %d: %+v, want %+v", i, n, got[i], want[i])
			}
		}
	}
}

// TestGatherErrors: the error of a row says which, and nothing is appended.
func TestGatherErrors(t *testing.T) {
	fields := fieldsOf(t, reflect.TypeFor[row]())
	for name, spoil := range map[string]func(*row){
		"half": func(r *row) { r.F = 1e6 },
		"S":    func(r *row) { r.S = "\xff" },
		"Null": func(r *row) { r.Null = sql.Null[string]{V: "\x00", Valid: true} },
		"M":    func(r *row) { r.M = map[string]int{"\xff": 1} },
		"NM": func(r *row) {
			r.NM = sql.Null[map[string]int]{V: map[string]int{strings.Repeat("long", 10): 1}, Valid: true}
		},
	} {
		for _, n := range []int{1, batchLen + 50} {
			rows := make([]row, n)
			for i := range rows {
				rows[i] = newRow(i)
			}
			spoil(&rows[n-1])
			data, ends, err := Gather(fields[name], []byte("a"), []int{1}, rows)
			var bad *dtype.ElementError
			if !errors.Is(err, dtype.ErrValue) || !errors.As(err, &bad) || bad.Index != n-1 {
				t.Errorf("%s of row %d: %v", name, n-1, err)
			}
			if string(data) != "a" || len(ends) != 1 {
				t.Errorf("%s: %q and %v after an error", name, data, ends)
			}
		}
	}
}

// TestScatterErrors: bytes that do not decode, too few bytes, and ends that lead
// anywhere are errors.
func TestScatterErrors(t *testing.T) {
	fields := fieldsOf(t, reflect.TypeFor[row]())
	const n = batchLen + 50
	want := make([]row, n)
	for i := range want {
		want[i] = newRow(i)
	}
	for name, f := range fields {
		data, ends, err := Gather(f, nil, nil, want)
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, err error, index int) {
			t.Helper()
			var bad *dtype.ElementError
			if !errors.Is(err, dtype.ErrData) || index >= 0 && (!errors.As(err, &bad) || bad.Index != index) {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		if len(ends) == 0 {
			check("too few bytes", Scatter(f, make([]row, n), data[:len(data)-1], nil), -1)
			check("no bytes", Scatter(f, make([]row, n), nil, nil), -1)
		} else {
			for _, end := range []int{-1, len(data) + 1} {
				for _, at := range []int{0, batchLen - 1, batchLen, n - 1} {
					wrong := append([]int(nil), ends...)
					wrong[at] = end
					check(fmt.Sprint("end ", at), Scatter(f, make([]row, n), data, wrong), -1)
				}
			}
		}
		if name == "B" {
			data[n-1] = 7
			check("no bool", Scatter(f, make([]row, n), data, ends), n-1)
		}
		if name == "S" {
			data[len(data)-1] = 0xff
			last := n - 1
			for want[last].S == "" {
				last--
			}
			check("no UTF-8", Scatter(f, make([]row, n), data, ends), last)
		}
	}
}

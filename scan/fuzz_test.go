package scan_test

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"path/filepath"
	"slices"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/scan"
)

// FuzzScan makes columns of any values, of which some are missing, and compares
// every function with a plain loop over them.
func FuzzScan(f *testing.F) {
	long := []byte{0, 0, 0, 255}
	for i := range byte(40) {
		long = append(long, i*37, i*i, i, 255-i, i*3, 0, i, 7*i, 128)
	}
	for kind := range byte(5) {
		for shape := range byte(4) {
			f.Add(append([]byte{kind, shape}, long[2:]...))
		}
		f.Add([]byte{kind, 1, 3, 200})
	}
	v, err := columnvault.Open(f.Context(), filepath.Join(f.TempDir(), "fuzz.db"), nil)
	vaulttest.Must(f, err)
	f.Cleanup(func() { v.Close() })
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 4 {
			return
		}
		kind, s := data[0], fuzzed{v: v, native: data[1]&1 > 0, nullable: data[1]&2 > 0, i: data[2], j: data[3], rest: data[4:]}
		switch kind % 5 {
		case 0:
			rows := scanFuzzed(t, s, dtype.Int8, func(b [8]byte) int8 { return int8(b[0]) })
			nearestFuzzed(t, s, rows)
		case 1:
			scanFuzzed(t, s, dtype.Int64, func(b [8]byte) int64 { return int64(binary.LittleEndian.Uint64(b[:])) })
		case 2:
			scanFuzzed(t, s, dtype.Uint64, func(b [8]byte) uint64 { return binary.LittleEndian.Uint64(b[:]) })
		case 3:
			scanFuzzed(t, s, dtype.Float32, func(b [8]byte) float32 {
				return float32(bounded(float64(math.Float32frombits(binary.LittleEndian.Uint32(b[:])))))
			})
		default:
			scanFuzzed(t, s, dtype.Float64, func(b [8]byte) float64 { return bounded(math.Float64frombits(binary.LittleEndian.Uint64(b[:]))) })
		}
	})
}

// bounded is x, or something smaller if sums of it could be infinite: other
// tests have those.
func bounded(x float64) float64 {
	if math.Abs(x) > 1e290 || math.IsInf(x, 0) {
		return math.Copysign(1, x)
	}
	return x
}

// fuzzed is what a column is made from.
type fuzzed struct {
	v                *columnvault.Vault
	native, nullable bool
	// i and j say which slice is read.
	i, j byte
	// rest has an element in each 9 bytes, the first of which says whether it is
	// missing, what its key is, and how often it is there.
	rest []byte
}

// mostFuzzed is how many elements a column has at most: more than two blocks.
const mostFuzzed = 35_000

var errDone = errors.New("nothing of it has to stay")

// scanFuzzed compares the functions for numbers, and returns the numbers.
func scanFuzzed[T dtype.Element](t *testing.T, f fuzzed, typ dtype.Type[T], value func([8]byte) T) (values []T) {
	var want []*T
	var nulls []sql.Null[T]
	var keys []int8
	null := dtype.Nullable(typ)
	for rest := f.rest; len(rest) >= 9; rest = rest[9:] {
		tag, v := rest[0], value([8]byte(rest[1:9]))
		_, err := null.Append(nil, sql.Null[T]{V: v, Valid: true})
		there := !f.nullable || tag&1 == 0 && err == nil
		for range min(1<<(tag>>4), mostFuzzed-len(values)) {
			values, keys = append(values, v), append(keys, int8(tag>>1&7))
			if there {
				want, nulls = append(want, &v), append(nulls, sql.Null[T]{V: v, Valid: true})
			} else {
				want, nulls = append(want, nil), append(nulls, sql.Null[T]{})
			}
		}
	}
	o := vaulttest.Chunks(128, 4080)
	if f.native {
		o = &columnvault.ColumnOptions{Layout: columnvault.Native}
	}
	err := f.v.Update(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		var all scan.Source[T]
		if f.nullable {
			all = scan.OfNull(createIn(t, ctx, tx, "c", null, o, nulls))
		} else {
			all = scan.Of(createIn(t, ctx, tx, "c", typ, o, values))
		}
		i := len(values) * int(f.i) / 256
		j := i + (len(values)-i)*int(f.j)/255
		for _, s := range []setting[T]{{all, want, 0}, {all.Slice(i, j), want[i:j], i}} {
			wantNumbers(t, ctx, s)
			wantOrder(t, ctx, s)
		}
		wantTallies(t, ctx, scan.Of(createIn(t, ctx, tx, "keys", dtype.Int8, o, keys)), all, keys, want)
		sorted := slices.Sorted(slices.Values(setting[T]{want: want}.values()))
		wantPlaces(t, ctx, scan.Of(createIn(t, ctx, tx, "sorted", typ, o, sorted)), sorted)
		return errDone
	})
	if !errors.Is(err, errDone) {
		t.Fatal(err)
	}
	return values
}

func createIn[T any](t *testing.T, ctx context.Context, tx *columnvault.Tx, name string, typ dtype.Type[T], o *columnvault.ColumnOptions, values []T) *columnvault.Column[T] {
	t.Helper()
	c, err := columnvault.Create(ctx, tx, name, typ, o)
	vaulttest.Must(t, err)
	c = c.In(tx)
	vaulttest.Must(t, c.Append(ctx, values...))
	return c
}

// wantOrder: the first element that does not ascend is found.
func wantOrder[T dtype.Element](t *testing.T, ctx context.Context, s setting[T]) {
	t.Helper()
	bad := slices.IndexFunc(s.want, func(p *T) bool { return p == nil || *p != *p })
	for i := 1; i < len(s.want) && (bad < 0 || i < bad); i++ {
		if *s.want[i] < *s.want[i-1] {
			bad = i
		}
	}
	err := scan.CheckSorted(ctx, s.source)
	if bad < 0 {
		vaulttest.Must(t, err)
		return
	}
	vaulttest.WantErr(t, "CheckSorted", err, columnvault.ErrInvalidArgument)
	vaulttest.WantIndex(t, err, s.first+bad)
}

// wantPlaces looks for some of the elements of a column that ascends.
func wantPlaces[T dtype.Element](t *testing.T, ctx context.Context, s scan.Source[T], sorted []T) {
	t.Helper()
	low, high := smallestAndLargest[T]()
	for _, v := range append([]T{0, 1, low, high}, sorted[:min(len(sorted), 20)]...) {
		left, _ := slices.BinarySearch(sorted, v)
		right, _ := slices.BinarySearchFunc(sorted, v, func(e, v T) int {
			if e <= v {
				return -1
			}
			return 1
		})
		for side, want := range map[scan.Side]int{scan.Left: left, scan.Right: right} {
			if at, err := scan.SearchSorted(ctx, s, v, side); at != want || err != nil {
				t.Fatalf("SearchSorted of %v, side %d: got %d, %v, want %d", v, side, at, err, want)
			}
		}
	}
}

// wantTallies compares groups with those of a plain loop, whose sums are exact.
func wantTallies[T dtype.Element](t *testing.T, ctx context.Context, keys scan.Source[int8], values scan.Source[T], keyed []int8, want []*T) {
	t.Helper()
	type tally struct {
		scan.Group[int8, T, float64]
		exact *big.Float
		size  float64
	}
	var tallies [8]tally
	for i, p := range want {
		if p == nil || *p != *p {
			continue
		}
		g := &tallies[keyed[i]]
		if g.Count == 0 {
			g.Key, g.Min, g.Max, g.exact = keyed[i], *p, *p, new(big.Float).SetPrec(2000)
		}
		g.Count, g.Min, g.Max, g.size = g.Count+1, min(g.Min, *p), max(g.Max, *p), g.size+math.Abs(float64(*p))
		g.exact.Add(g.exact, precise(*p))
	}
	got, err := scan.GroupBy[float64](ctx, keys, values)
	vaulttest.Must(t, err)
	if !slices.IsSortedFunc(got, func(a, b scan.Group[int8, T, float64]) int { return cmp.Compare(a.Key, b.Key) }) {
		t.Fatalf("GroupBy: got %v", got)
	}
	for _, g := range got {
		w := &tallies[g.Key]
		if w.Count == 0 {
			t.Fatalf("GroupBy: got %+v, and there is no such key", g)
		}
		sum, _ := w.exact.Float64()
		if g.Count != w.Count || g.Min != w.Min || g.Max != w.Max || math.Abs(g.Sum-sum) > 1e-14*w.size {
			t.Fatalf("GroupBy: got %+v, want %+v and the sum %v", g, w.Group, sum)
		}
		w.Count = 0
	}
	for _, w := range tallies {
		if w.Count > 0 {
			t.Fatalf("GroupBy: %+v is missing", w.Group)
		}
	}
}

// nearestFuzzed compares the neighbors of rows of three numbers.
func nearestFuzzed(t *testing.T, f fuzzed, values []int8) {
	var rows [][]int8
	for row := range slices.Chunk(values[:len(values)/3*3], 3) {
		if rows = append(rows, row); len(rows) == 500 {
			break
		}
	}
	if len(rows) == 0 {
		return
	}
	err := f.v.Update(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		wantNearest(t, ctx, createIn(t, ctx, tx, "rows", dtype.Vector[int8](3), vaulttest.Chunks(128, 4080), rows), rows, rows[len(rows)/2])
		return errDone
	})
	if !errors.Is(err, errDone) {
		t.Fatal(err)
	}
}

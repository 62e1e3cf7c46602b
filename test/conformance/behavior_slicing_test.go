package conformance_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// What test_slicing and test_setitem of KohakuVault 0.8.6 require. Positions
// that are text or floats, and values of another type, are not refused when
// the program runs as there, but by the compiler; TestSetItemFixed has the
// dynamic column, where values are checked. Steps raise an error there and
// work here.

// bounds are slices as Python writes them: [i:j].
type bounds struct{ i, j int }

func TestSlicingFixed(t *testing.T) {
	v := vaulttest.Open(t)
	ints, floats := vaulttest.Span(0, 10), vaulttest.Sequence(10, func(i int) float64 { return float64(i) / 4 })
	i64 := vaulttest.Create(t, v, "i64", dtype.Int64, ints...)
	f64 := vaulttest.Create(t, v, "f64", dtype.Float64, floats...)
	for _, test := range []struct {
		name     string
		at       bounds
		from, to int
	}{
		{"inner", bounds{2, 5}, 2, 5},
		{"head", bounds{columnvault.Begin, 3}, 0, 3},
		{"tail", bounds{7, columnvault.End}, 7, 10},
		{"negative start", bounds{-3, columnvault.End}, 7, 10},
		{"negative stop", bounds{columnvault.Begin, -2}, 0, 8},
		{"negative bounds", bounds{-5, -2}, 5, 8},
		{"start is stop", bounds{5, 5}, 0, 0},
		{"past the end", bounds{100, 200}, 0, 0},
		{"stop before start", bounds{5, 2}, 0, 0},
		{"one element", bounds{4, 5}, 4, 5},
		{"first element", bounds{0, 1}, 0, 1},
		{"last element", bounds{-1, columnvault.End}, 9, 10},
		{"whole", bounds{columnvault.Begin, columnvault.End}, 0, 10},
		{"whole by length", bounds{0, 10}, 0, 10},
		{"beyond both ends", bounds{-100, 100}, 0, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			vaulttest.WantSlice(t, i64, test.at.i, test.at.j, ints[test.from:test.to]...)
			vaulttest.WantSlice(t, f64, test.at.i, test.at.j, floats[test.from:test.to]...)
		})
	}
}

// TestSlicingStep: the original raises "Step slicing not supported".
func TestSlicingStep(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "fixed", dtype.Int64, vaulttest.Span(0, 10)...)
	every, err := c.SliceStep(ctx, columnvault.Begin, columnvault.End, 3)
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "[::3]", every, []int64{0, 3, 6, 9})
	down, err := c.SliceStep(ctx, 8, 2, -2)
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "[8:2:-2]", down, []int64{8, 6, 4})
	texts := vaulttest.Create(t, v, "varsize", dtype.String, "a", "bb", "", "dddd", "e")
	back, err := texts.SliceStep(ctx, columnvault.End, columnvault.Begin, -1)
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "[::-1]", back, []string{"e", "dddd", "", "bb", "a"})
	_, err = c.SliceStep(ctx, columnvault.Begin, columnvault.End, 0)
	vaulttest.WantErr(t, "step 0", err, columnvault.ErrInvalidArgument)

	// More elements than are picked at once, though few of the column.
	long := vaulttest.Create(t, v, "long", dtype.Int64, vaulttest.Span(0, 400_000)...)
	every, err = long.SliceStep(ctx, 5, columnvault.End, 70)
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "[5::70]", every, vaulttest.Sequence(5715, func(i int) int64 { return int64(5 + i*70) }))
	down, err = long.SliceStep(ctx, columnvault.End, columnvault.Begin, -70)
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "[::-70]", down, vaulttest.Sequence(5715, func(i int) int64 { return int64(399_999 - i*70) }))
}

// TestSlicingLarge is the lines about long slices, over several chunks or not.
func TestSlicingLarge(t *testing.T) {
	for _, test := range []struct {
		name string
		n    int
		o    *columnvault.ColumnOptions
		at   bounds
	}{
		{"8000 of 10000", 10_000, nil, bounds{1000, 9000}},
		{"over several chunks", 1000, fixedChunks, bounds{100, 900}},
		{"along the chunks", 1024, fixedChunks, bounds{128, 896}},
		{"30000 of 50000", 50_000, nil, bounds{10_000, 40_000}},
	} {
		t.Run(test.name, func(t *testing.T) {
			values := vaulttest.Span(0, test.n)
			c := vaulttest.CreateWith(t, vaulttest.Open(t), "values", dtype.Int64, test.o, values...)
			vaulttest.WantSlice(t, c, test.at.i, test.at.j, values[test.at.i:test.at.j]...)
		})
	}
	t.Run("4000 of 5000 varsize", func(t *testing.T) {
		values := vaulttest.Sequence(5000, func(i int) []byte { return vaulttest.Bytes(i, i%40) })
		c := vaulttest.CreateWith(t, vaulttest.Open(t), "values", dtype.Bytes, varChunks, values...)
		vaulttest.WantSlice(t, c, 500, 4500, values[500:4500]...)
	})
	t.Run("100 small slices", func(t *testing.T) {
		values := vaulttest.Span(0, 10_000)
		c := vaulttest.Create(t, vaulttest.Open(t), "values", dtype.Int64, values...)
		for i := range 100 {
			vaulttest.WantSlice(t, c, i*100, i*100+10, values[i*100:i*100+10]...)
		}
	})
}

func TestSlicingVarSize(t *testing.T) {
	v := vaulttest.Open(t)
	t.Run("bytes", func(t *testing.T) {
		values := vaulttest.Sequence(20, func(i int) []byte { return vaulttest.Bytes(i, i) })
		c := vaulttest.Create(t, v, "bytes", dtype.Bytes, values...)
		vaulttest.WantSlice(t, c, 5, 10, values[5:10]...)
		vaulttest.WantSlice(t, c, columnvault.Begin, 5, values[:5]...)
		vaulttest.WantSlice(t, c, -5, columnvault.End, values[15:]...)
	})
	t.Run("msgpack", func(t *testing.T) {
		values := vaulttest.Sequence(20, func(i int) any { return map[string]any{"i": int64(i)} })
		c := vaulttest.Create(t, v, "msgpack", dtype.MsgPack[any](), values...)
		vaulttest.WantSlice(t, c, 5, 10, values[5:10]...)
	})
	t.Run("empty slices", func(t *testing.T) {
		c := vaulttest.Create(t, v, "empty slices", dtype.String, "a", "b", "c")
		for _, at := range []bounds{{1, 1}, {2, 1}, {3, columnvault.End}, {100, 200}, {-1, -2}} {
			vaulttest.WantSlice(t, c, at.i, at.j)
		}
	})
	t.Run("5 and 10000 bytes", func(t *testing.T) {
		values := vaulttest.Sequence(20, func(i int) []byte { return vaulttest.Bytes(i, []int{5, 10_000}[i%2]) })
		c := vaulttest.CreateWith(t, v, "mixed sizes", dtype.Bytes, varChunks, values...)
		vaulttest.WantSlice(t, c, 3, 16, values[3:16]...)
		vaulttest.WantSound(t, v)
	})
}

func TestSlicingIteration(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	t.Run("5000 i64", func(t *testing.T) {
		values := vaulttest.Span(0, 5000)
		vaulttest.WantValues(t, "values", vaulttest.Collect(t, vaulttest.Create(t, v, "i64", dtype.Int64, values...).Values(ctx)), values)
	})
	t.Run("2000 bytes", func(t *testing.T) {
		values := vaulttest.Sequence(2000, func(i int) []byte { return vaulttest.Bytes(i, i%100) })
		vaulttest.WantValues(t, "values", vaulttest.Collect(t, vaulttest.Create(t, v, "bytes", dtype.Bytes, values...).Values(ctx)), values)
	})
	t.Run("1000 msgpack", func(t *testing.T) {
		values := vaulttest.Sequence(1000, func(i int) any { return map[string]any{"i": int64(i), "text": fmt.Sprint(i)} })
		vaulttest.WantValues(t, "values", vaulttest.Collect(t, vaulttest.Create(t, v, "msgpack", dtype.MsgPack[any](), values...).Values(ctx)), values)
	})
}

func TestSlicingEmptyColumn(t *testing.T) {
	v := vaulttest.Open(t)
	fixed, varsize := vaulttest.Create(t, v, "fixed", dtype.Int64), vaulttest.Create(t, v, "varsize", dtype.String)
	for _, at := range []bounds{{columnvault.Begin, columnvault.End}, {0, 10}, {-10, columnvault.End}, {5, 3}} {
		vaulttest.WantSlice(t, fixed, at.i, at.j)
		vaulttest.WantSlice(t, varsize, at.i, at.j)
	}
}

func TestSlicingEqualsElementByElement(t *testing.T) {
	c := vaulttest.CreateWith(t, vaulttest.Open(t), "values", dtype.String, smallVarChunks,
		vaulttest.Sequence(200, func(i int) string { return strings.Repeat("s", i%60) })...)
	slice, err := c.Slice(t.Context(), 30, 150)
	vaulttest.Must(t, err)
	for i, value := range slice {
		vaulttest.WantAt(t, c, 30+i, value)
	}
}

func TestSetItemFixed(t *testing.T) {
	ctx := t.Context()
	for _, test := range []struct {
		name     string
		n        int
		at       bounds
		from, to int
	}{
		{"basic", 10, bounds{2, 5}, 2, 5},
		{"negative bounds", 10, bounds{-4, -1}, 6, 9},
		{"empty slice", 10, bounds{3, 3}, 3, 3},
		{"whole column", 10, bounds{columnvault.Begin, columnvault.End}, 0, 10},
		{"5000 of 10000", 10_000, bounds{2500, 7500}, 2500, 7500},
		{"across chunks", 1000, bounds{100, 700}, 100, 700},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := vaulttest.Open(t)
			ints := vaulttest.Span(0, test.n)
			floats := vaulttest.Sequence(test.n, func(i int) float64 { return float64(i) })
			texts := vaulttest.Sequence(test.n, func(i int) []byte { return fmt.Appendf(nil, "%032d", i) })
			i64 := vaulttest.CreateWith(t, v, "i64", dtype.Int64, fixedChunks, ints...)
			f64 := vaulttest.CreateWith(t, v, "f64", dtype.Float64, fixedChunks, floats...)
			bytes32 := vaulttest.CreateWith(t, v, "bytes:32", dtype.FixedBytes(32), fixedChunks, texts...)
			for i := test.from; i < test.to; i++ {
				ints[i], floats[i], texts[i] = -ints[i]-1, floats[i]+0.5, fmt.Appendf(nil, "%-32d", i)
			}
			vaulttest.Must(t, i64.SetSlice(ctx, test.at.i, test.at.j, ints[test.from:test.to]))
			vaulttest.Must(t, f64.SetSlice(ctx, test.at.i, test.at.j, floats[test.from:test.to]))
			vaulttest.Must(t, bytes32.SetSlice(ctx, test.at.i, test.at.j, texts[test.from:test.to]))
			vaulttest.WantColumn(t, i64, ints...)
			vaulttest.WantColumn(t, f64, floats...)
			vaulttest.WantColumn(t, bytes32, texts...)
			vaulttest.WantSound(t, v)
		})
	}
	t.Run("single set", func(t *testing.T) {
		c := vaulttest.Create(t, vaulttest.Open(t), "values", dtype.Int64, 1, 2, 3)
		vaulttest.Must(t, c.SetSlice(ctx, 0, 2, []int64{10, 20}))
		vaulttest.Must(t, c.Set(ctx, 1, 200))
		vaulttest.WantColumn(t, c, 10, 200, 3)
	})
	t.Run("after an extend", func(t *testing.T) {
		c := vaulttest.Create(t, vaulttest.Open(t), "values", dtype.Int64)
		vaulttest.Must(t, c.Append(ctx, vaulttest.Span(0, 100)...))
		vaulttest.Must(t, c.SetSlice(ctx, 10, 13, []int64{-1, -2, -3}))
		vaulttest.WantSlice(t, c, 9, 14, 9, -1, -2, -3, 13)
	})
}

// TestSetItemRefuses is the lines in which something raises.
func TestSetItemRefuses(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	ints := vaulttest.Create(t, v, "ints", dtype.Int64, 1, 2, 3, 4, 5)
	texts := vaulttest.Create(t, v, "texts", dtype.String, "1", "2", "3", "4", "5")
	t.Run("wrong count", func(t *testing.T) {
		for _, n := range []int{0, 2, 4} { // for three elements
			vaulttest.WantErrText(t, "fixed", ints.SetSlice(ctx, 1, 4, make([]int64, n)), columnvault.ErrInvalidArgument, "length mismatch")
			vaulttest.WantErrText(t, "varsize", texts.SetSlice(ctx, 1, 4, make([]string, n)), columnvault.ErrInvalidArgument, "length mismatch")
		}
		vaulttest.WantErrText(t, "empty slice", ints.SetSlice(ctx, 3, 1, []int64{9}), columnvault.ErrInvalidArgument, "length mismatch")
	})
	t.Run("wrong type", func(t *testing.T) {
		dynamic, err := v.Column(ctx, "ints")
		vaulttest.Must(t, err)
		for _, value := range []any{"text", 1.5, nil, []byte("x")} {
			vaulttest.WantErr(t, fmt.Sprint(value), dynamic.SetSlice(ctx, 0, 2, []any{7, value}), columnvault.ErrInvalidArgument)
			vaulttest.WantErr(t, fmt.Sprint(value), dynamic.Set(ctx, 0, value), columnvault.ErrInvalidArgument)
		}
	})
	t.Run("out of bounds", func(t *testing.T) {
		for _, i := range []int{5, 100, -6} {
			vaulttest.WantErrText(t, "fixed", ints.Set(ctx, i, 9), columnvault.ErrOutOfRange, "out of range")
			err := texts.Set(ctx, i, "a longer text")
			vaulttest.WantErrText(t, "varsize", err, columnvault.ErrOutOfRange, "out of range")
			vaulttest.WantIndex(t, err, i)
		}
	})
	vaulttest.WantColumn(t, ints, 1, 2, 3, 4, 5)
	vaulttest.WantColumn(t, texts, "1", "2", "3", "4", "5")
	vaulttest.WantSound(t, v)
}

// TestSetItemVarSize sets elements and slices of a variable-size column to
// others of the sizes given. Whatever the sizes, the elements that were not
// set stay what they were.
func TestSetItemVarSize(t *testing.T) {
	type set struct {
		at    int
		sizes []int // of the new elements, from position at on
	}
	random := rand.New(rand.NewPCG(7, 8))
	many := vaulttest.Sequence(50, func(int) set { return set{random.IntN(50), []int{random.IntN(200)}} })
	for _, test := range []struct {
		name   string
		o      *columnvault.ColumnOptions
		values [][]byte
		sets   []set
	}{
		{"same size", nil, vaulttest.Blobs(5, 10), []set{{2, []int{10}}}},
		{"smaller", nil, vaulttest.Blobs(5, 10), []set{{2, []int{3}}, {0, []int{0}}}},
		{"larger within the chunk", vaulttest.Chunks(128, 4092), vaulttest.Blobs(5, 10), []set{{2, []int{40}}}},
		{"larger forcing a rebuild", vaulttest.Chunks(16, 2040), vaulttest.Blobs(18, 100), []set{{9, []int{300}}}},
		{"mix on 50 random", vaulttest.Chunks(16, 1020), vaulttest.Blobs(50, 50), many},
		{"negative index", nil, vaulttest.Blobs(5, 10), []set{{-1, []int{20}}, {-5, []int{30}}}},
		{"neighbors keep order", vaulttest.Chunks(16, 504), vaulttest.Blobs(20, 20), []set{{10, []int{100}}, {9, []int{1}}, {11, []int{100}}}},
		{"rebuild scenario with 15 elements", vaulttest.Chunks(16, 1020), vaulttest.Blobs(15, 60),
			[]set{{7, []int{120}}, {7, []int{10}}, {3, []int{240}}, {14, []int{500}}, {0, []int{1}}}},

		{"slice basic", nil, vaulttest.Blobs(10, 10), []set{{2, []int{10, 11, 9}}}},
		{"slice with a smaller total", vaulttest.Chunks(16, 1020), vaulttest.Blobs(10, 30), []set{{3, []int{5, 60, 5}}}},
		{"slice with an equal total and another split", vaulttest.Chunks(16, 1020), vaulttest.Blobs(10, 30), []set{{3, []int{10, 60, 20}}}},
		{"slice with a larger total", vaulttest.Chunks(16, 1020), vaulttest.Blobs(10, 30), []set{{3, []int{100, 200, 300}}}},
		{"empty slice", nil, vaulttest.Blobs(5, 10), []set{{2, nil}}},
		{"slice with negative bounds", vaulttest.Chunks(16, 1020), vaulttest.Blobs(10, 10), []set{{-6, []int{20, 0, 30}}}},
		{"slice over several chunks", vaulttest.Chunks(16, 204), vaulttest.Blobs(40, 50), []set{{5, vaulttest.Sequence(30, func(i int) int { return i * 6 })}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := vaulttest.Open(t)
			want := slices.Clone(test.values)
			c := vaulttest.CreateWith(t, v, "values", dtype.Bytes, test.o, want...)
			for _, s := range test.sets {
				values := vaulttest.Sequence(len(s.sizes), func(i int) []byte { return vaulttest.Bytes(1000+i, s.sizes[i]) })
				if len(values) == 1 {
					vaulttest.Must(t, c.Set(t.Context(), s.at, values[0]))
				} else {
					vaulttest.Must(t, c.SetSlice(t.Context(), s.at, s.at+len(values), values))
				}
				copy(want[(s.at+len(want))%len(want):], values)
				vaulttest.WantColumn(t, c, want...)
				vaulttest.WantSound(t, v)
			}
		})
	}
}

// TestSetItemMsgPack is the two lines about msgpack.
func TestSetItemMsgPack(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	value := func(i, n int) any { return map[string]any{"i": int64(i), "text": strings.Repeat("x", n)} }
	want := vaulttest.Sequence(10, func(i int) any { return value(i, 20) })
	c := vaulttest.CreateWith(t, v, "values", dtype.MsgPack[any](), smallVarChunks, want...)
	for i, n := range map[int]int{2: 0, 5: 200, 9: 400} {
		want[i] = value(i, n)
		vaulttest.Must(t, c.Set(ctx, i, want[i]))
		vaulttest.WantColumn(t, c, want...)
	}
	copy(want[3:6], []any{nil, value(4, 300), []any{int64(1), "two"}})
	vaulttest.Must(t, c.SetSlice(ctx, 3, 6, want[3:6]))
	vaulttest.WantColumn(t, c, want...)
	vaulttest.WantSound(t, v)
}

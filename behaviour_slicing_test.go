package columnvault_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
)

// What test_slicing and test_setitem of KohakuVault 0.8.6 require. Positions
// that are text or floats, and values of another type, are not refused when
// the program runs as there, but by the compiler; TestSetItemFixed has the
// dynamic column, where values are checked. Steps raise an error there and
// work here.

// bounds are slices as Python writes them: [i:j].
type bounds struct{ i, j int }

func TestSlicingFixed(t *testing.T) {
	v := open(t)
	ints, floats := sequence(10, identity), sequence(10, func(i int) float64 { return float64(i) / 4 })
	i64 := create(t, v, "i64", dtype.Int64, ints...)
	f64 := create(t, v, "f64", dtype.Float64, floats...)
	for _, test := range []struct {
		name     string
		at       bounds
		from, to int
	}{
		{"inner", bounds{2, 5}, 2, 5},
		{"head", bounds{begin, 3}, 0, 3},
		{"tail", bounds{7, end}, 7, 10},
		{"negative start", bounds{-3, end}, 7, 10},
		{"negative stop", bounds{begin, -2}, 0, 8},
		{"negative bounds", bounds{-5, -2}, 5, 8},
		{"start is stop", bounds{5, 5}, 0, 0},
		{"past the end", bounds{100, 200}, 0, 0},
		{"stop before start", bounds{5, 2}, 0, 0},
		{"one element", bounds{4, 5}, 4, 5},
		{"first element", bounds{0, 1}, 0, 1},
		{"last element", bounds{-1, end}, 9, 10},
		{"whole", bounds{begin, end}, 0, 10},
		{"whole by length", bounds{0, 10}, 0, 10},
		{"beyond both ends", bounds{-100, 100}, 0, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantSlice(t, i64, test.at.i, test.at.j, ints[test.from:test.to]...)
			wantSlice(t, f64, test.at.i, test.at.j, floats[test.from:test.to]...)
		})
	}
}

// TestSlicingStep: the original raises "Step slicing not supported".
func TestSlicingStep(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	c := create(t, v, "fixed", dtype.Int64, sequence(10, identity)...)
	every, err := c.SliceStep(ctx, begin, end, 3)
	must(t, err)
	wantValues(t, "[::3]", every, []int64{0, 3, 6, 9})
	down, err := c.SliceStep(ctx, 8, 2, -2)
	must(t, err)
	wantValues(t, "[8:2:-2]", down, []int64{8, 6, 4})
	texts := create(t, v, "varsize", dtype.String, "a", "bb", "", "dddd", "e")
	back, err := texts.SliceStep(ctx, end, begin, -1)
	must(t, err)
	wantValues(t, "[::-1]", back, []string{"e", "dddd", "", "bb", "a"})
	_, err = c.SliceStep(ctx, begin, end, 0)
	wantErr(t, "step 0", err, columnvault.ErrInvalidArgument)

	// More elements than are picked at once, though few of the column.
	long := create(t, v, "long", dtype.Int64, sequence(400_000, identity)...)
	every, err = long.SliceStep(ctx, 5, end, 70)
	must(t, err)
	wantValues(t, "[5::70]", every, sequence(5715, func(i int) int64 { return int64(5 + i*70) }))
	down, err = long.SliceStep(ctx, end, begin, -70)
	must(t, err)
	wantValues(t, "[::-70]", down, sequence(5715, func(i int) int64 { return int64(399_999 - i*70) }))
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
			values := sequence(test.n, identity)
			c := createWith(t, open(t), "values", dtype.Int64, test.o, values...)
			wantSlice(t, c, test.at.i, test.at.j, values[test.at.i:test.at.j]...)
		})
	}
	t.Run("4000 of 5000 varsize", func(t *testing.T) {
		values := sequence(5000, func(i int) []byte { return someBytes(i, i%40) })
		c := createWith(t, open(t), "values", dtype.Bytes, varChunks, values...)
		wantSlice(t, c, 500, 4500, values[500:4500]...)
	})
	t.Run("100 small slices", func(t *testing.T) {
		values := sequence(10_000, identity)
		c := create(t, open(t), "values", dtype.Int64, values...)
		for i := range 100 {
			wantSlice(t, c, i*100, i*100+10, values[i*100:i*100+10]...)
		}
	})
}

func TestSlicingVarSize(t *testing.T) {
	v := open(t)
	t.Run("bytes", func(t *testing.T) {
		values := sequence(20, func(i int) []byte { return someBytes(i, i) })
		c := create(t, v, "bytes", dtype.Bytes, values...)
		wantSlice(t, c, 5, 10, values[5:10]...)
		wantSlice(t, c, begin, 5, values[:5]...)
		wantSlice(t, c, -5, end, values[15:]...)
	})
	t.Run("msgpack", func(t *testing.T) {
		values := sequence(20, func(i int) any { return map[string]any{"i": int64(i)} })
		c := create(t, v, "msgpack", dtype.MsgPack[any](), values...)
		wantSlice(t, c, 5, 10, values[5:10]...)
	})
	t.Run("empty slices", func(t *testing.T) {
		c := create(t, v, "empty slices", dtype.String, "a", "b", "c")
		for _, at := range []bounds{{1, 1}, {2, 1}, {3, end}, {100, 200}, {-1, -2}} {
			wantSlice(t, c, at.i, at.j)
		}
	})
	t.Run("5 and 10000 bytes", func(t *testing.T) {
		values := sequence(20, func(i int) []byte { return someBytes(i, []int{5, 10_000}[i%2]) })
		c := createWith(t, v, "mixed sizes", dtype.Bytes, varChunks, values...)
		wantSlice(t, c, 3, 16, values[3:16]...)
		wantSound(t, v)
	})
}

func TestSlicingIteration(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	t.Run("5000 i64", func(t *testing.T) {
		values := sequence(5000, identity)
		wantValues(t, "values", collect(t, create(t, v, "i64", dtype.Int64, values...).Values(ctx)), values)
	})
	t.Run("2000 bytes", func(t *testing.T) {
		values := sequence(2000, func(i int) []byte { return someBytes(i, i%100) })
		wantValues(t, "values", collect(t, create(t, v, "bytes", dtype.Bytes, values...).Values(ctx)), values)
	})
	t.Run("1000 msgpack", func(t *testing.T) {
		values := sequence(1000, func(i int) any { return map[string]any{"i": int64(i), "text": fmt.Sprint(i)} })
		wantValues(t, "values", collect(t, create(t, v, "msgpack", dtype.MsgPack[any](), values...).Values(ctx)), values)
	})
}

func TestSlicingEmptyColumn(t *testing.T) {
	v := open(t)
	fixed, varsize := create(t, v, "fixed", dtype.Int64), create(t, v, "varsize", dtype.String)
	for _, at := range []bounds{{begin, end}, {0, 10}, {-10, end}, {5, 3}} {
		wantSlice(t, fixed, at.i, at.j)
		wantSlice(t, varsize, at.i, at.j)
	}
}

func TestSlicingEqualsElementByElement(t *testing.T) {
	c := createWith(t, open(t), "values", dtype.String, smallVarChunks,
		sequence(200, func(i int) string { return strings.Repeat("s", i%60) })...)
	slice, err := c.Slice(t.Context(), 30, 150)
	must(t, err)
	for i, value := range slice {
		wantAt(t, c, 30+i, value)
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
		{"whole column", 10, bounds{begin, end}, 0, 10},
		{"5000 of 10000", 10_000, bounds{2500, 7500}, 2500, 7500},
		{"across chunks", 1000, bounds{100, 700}, 100, 700},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := open(t)
			ints := sequence(test.n, identity)
			floats := sequence(test.n, func(i int) float64 { return float64(i) })
			texts := sequence(test.n, func(i int) []byte { return fmt.Appendf(nil, "%032d", i) })
			i64 := createWith(t, v, "i64", dtype.Int64, fixedChunks, ints...)
			f64 := createWith(t, v, "f64", dtype.Float64, fixedChunks, floats...)
			bytes32 := createWith(t, v, "bytes:32", dtype.FixedBytes(32), fixedChunks, texts...)
			for i := test.from; i < test.to; i++ {
				ints[i], floats[i], texts[i] = -ints[i]-1, floats[i]+0.5, fmt.Appendf(nil, "%-32d", i)
			}
			must(t, i64.SetSlice(ctx, test.at.i, test.at.j, ints[test.from:test.to]))
			must(t, f64.SetSlice(ctx, test.at.i, test.at.j, floats[test.from:test.to]))
			must(t, bytes32.SetSlice(ctx, test.at.i, test.at.j, texts[test.from:test.to]))
			wantColumn(t, i64, ints...)
			wantColumn(t, f64, floats...)
			wantColumn(t, bytes32, texts...)
			wantSound(t, v)
		})
	}
	t.Run("single set", func(t *testing.T) {
		c := create(t, open(t), "values", dtype.Int64, 1, 2, 3)
		must(t, c.SetSlice(ctx, 0, 2, []int64{10, 20}))
		must(t, c.Set(ctx, 1, 200))
		wantColumn(t, c, 10, 200, 3)
	})
	t.Run("after an extend", func(t *testing.T) {
		c := create(t, open(t), "values", dtype.Int64)
		must(t, c.Append(ctx, sequence(100, identity)...))
		must(t, c.SetSlice(ctx, 10, 13, []int64{-1, -2, -3}))
		wantSlice(t, c, 9, 14, 9, -1, -2, -3, 13)
	})
}

// TestSetItemRefuses is the lines in which something raises.
func TestSetItemRefuses(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	ints := create(t, v, "ints", dtype.Int64, 1, 2, 3, 4, 5)
	texts := create(t, v, "texts", dtype.String, "1", "2", "3", "4", "5")
	t.Run("wrong count", func(t *testing.T) {
		for _, n := range []int{0, 2, 4} { // for three elements
			wantErrText(t, "fixed", ints.SetSlice(ctx, 1, 4, make([]int64, n)), columnvault.ErrInvalidArgument, "length mismatch")
			wantErrText(t, "varsize", texts.SetSlice(ctx, 1, 4, make([]string, n)), columnvault.ErrInvalidArgument, "length mismatch")
		}
		wantErrText(t, "empty slice", ints.SetSlice(ctx, 3, 1, []int64{9}), columnvault.ErrInvalidArgument, "length mismatch")
	})
	t.Run("wrong type", func(t *testing.T) {
		dynamic, err := v.Column(ctx, "ints")
		must(t, err)
		for _, value := range []any{"text", 1.5, nil, []byte("x")} {
			wantErr(t, fmt.Sprint(value), dynamic.SetSlice(ctx, 0, 2, []any{7, value}), columnvault.ErrInvalidArgument)
			wantErr(t, fmt.Sprint(value), dynamic.Set(ctx, 0, value), columnvault.ErrInvalidArgument)
		}
	})
	t.Run("out of bounds", func(t *testing.T) {
		for _, i := range []int{5, 100, -6} {
			wantErrText(t, "fixed", ints.Set(ctx, i, 9), columnvault.ErrOutOfRange, "out of range")
			err := texts.Set(ctx, i, "a longer text")
			wantErrText(t, "varsize", err, columnvault.ErrOutOfRange, "out of range")
			wantIndex(t, err, i)
		}
	})
	wantColumn(t, ints, 1, 2, 3, 4, 5)
	wantColumn(t, texts, "1", "2", "3", "4", "5")
	wantSound(t, v)
}

// sized is n elements of one size.
func sized(n, size int) [][]byte {
	return sequence(n, func(i int) []byte { return someBytes(i, size) })
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
	many := sequence(50, func(int) set { return set{random.IntN(50), []int{random.IntN(200)}} })
	for _, test := range []struct {
		name   string
		o      *columnvault.ColumnOptions
		values [][]byte
		sets   []set
	}{
		{"same size", nil, sized(5, 10), []set{{2, []int{10}}}},
		{"smaller", nil, sized(5, 10), []set{{2, []int{3}}, {0, []int{0}}}},
		{"larger within the chunk", chunks(128, 4092), sized(5, 10), []set{{2, []int{40}}}},
		{"larger forcing a rebuild", chunks(16, 2040), sized(18, 100), []set{{9, []int{300}}}},
		{"mix on 50 random", chunks(16, 1020), sized(50, 50), many},
		{"negative index", nil, sized(5, 10), []set{{-1, []int{20}}, {-5, []int{30}}}},
		{"neighbours keep order", chunks(16, 504), sized(20, 20), []set{{10, []int{100}}, {9, []int{1}}, {11, []int{100}}}},
		{"rebuild scenario with 15 elements", chunks(16, 1020), sized(15, 60),
			[]set{{7, []int{120}}, {7, []int{10}}, {3, []int{240}}, {14, []int{500}}, {0, []int{1}}}},

		{"slice basic", nil, sized(10, 10), []set{{2, []int{10, 11, 9}}}},
		{"slice with a smaller total", chunks(16, 1020), sized(10, 30), []set{{3, []int{5, 60, 5}}}},
		{"slice with an equal total and another split", chunks(16, 1020), sized(10, 30), []set{{3, []int{10, 60, 20}}}},
		{"slice with a larger total", chunks(16, 1020), sized(10, 30), []set{{3, []int{100, 200, 300}}}},
		{"empty slice", nil, sized(5, 10), []set{{2, nil}}},
		{"slice with negative bounds", chunks(16, 1020), sized(10, 10), []set{{-6, []int{20, 0, 30}}}},
		{"slice over several chunks", chunks(16, 204), sized(40, 50), []set{{5, sequence(30, func(i int) int { return i * 6 })}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := open(t)
			want := slices.Clone(test.values)
			c := createWith(t, v, "values", dtype.Bytes, test.o, want...)
			for _, s := range test.sets {
				values := sequence(len(s.sizes), func(i int) []byte { return someBytes(1000+i, s.sizes[i]) })
				if len(values) == 1 {
					must(t, c.Set(t.Context(), s.at, values[0]))
				} else {
					must(t, c.SetSlice(t.Context(), s.at, s.at+len(values), values))
				}
				copy(want[(s.at+len(want))%len(want):], values)
				wantColumn(t, c, want...)
				wantSound(t, v)
			}
		})
	}
}

// TestSetItemMsgPack is the two lines about msgpack.
func TestSetItemMsgPack(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	value := func(i, n int) any { return map[string]any{"i": int64(i), "text": strings.Repeat("x", n)} }
	want := sequence(10, func(i int) any { return value(i, 20) })
	c := createWith(t, v, "values", dtype.MsgPack[any](), smallVarChunks, want...)
	for i, n := range map[int]int{2: 0, 5: 200, 9: 400} {
		want[i] = value(i, n)
		must(t, c.Set(ctx, i, want[i]))
		wantColumn(t, c, want...)
	}
	copy(want[3:6], []any{nil, value(4, 300), []any{int64(1), "two"}})
	must(t, c.SetSlice(ctx, 3, 6, want[3:6]))
	wantColumn(t, c, want...)
	wantSound(t, v)
}

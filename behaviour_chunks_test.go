package columnvault_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"columnvault/dtype"
)

// What test_dynamic_chunks and test_varsize_operations of KohakuVault 0.8.6
// require. Beyond that, whatever an operation leaves must keep every rule of
// the format.

// The bounds that test_dynamic_chunks takes: fixedChunks hold 128 numbers of
// 8 bytes.
var (
	fixedChunks = chunks(16, 1<<10)
	varChunks   = chunks(16, 4<<10)
)

func identity(i int) int64 { return int64(i) }

func TestDynamicChunksFixedAppend(t *testing.T) {
	v := open(t)
	c := createWith(t, v, "values", dtype.Int64, fixedChunks)
	appendEach(t, c, sequence(8192, identity))
	wantLen(t, c, 8192)
	for i, want := range map[int]int64{0: 0, 127: 127, 128: 128, 4096: 4096, 8191: 8191, -1: 8191, -100: 8092} {
		wantAt(t, c, i, want)
	}
	if s := wantChunks(t, c, 64); s.Dead != 0 {
		t.Errorf("%d bytes of full chunks are unused", s.Dead)
	}
	wantSound(t, v)
}

func TestDynamicChunksFixedExtend(t *testing.T) {
	v := open(t)
	c := createWith(t, v, "values", dtype.Int64, fixedChunks)
	must(t, c.Append(t.Context(), sequence(8192, identity)...))
	wantLen(t, c, 8192)
	for i, want := range map[int]int64{0: 0, 1000: 1000, 5000: 5000, 8191: 8191, -1: 8191, -100: 8092} {
		wantAt(t, c, i, want)
	}
	wantChunks(t, c, 64)
	wantSound(t, v)
}

func TestDynamicChunksFixedRandomWrite(t *testing.T) {
	v := open(t)
	want := make([]int64, 4096)
	c := createWith(t, v, "values", dtype.Int64, fixedChunks, want...)
	for _, i := range []int{0, 1, 127, 128, 129, 1000, 2048, 4000, 4095} {
		want[i] = int64(i*10 + 7)
		must(t, c.Set(t.Context(), i, want[i]))
	}
	wantColumn(t, c, want...) // their neighbours are still 0
	wantSound(t, v)
}

func TestDynamicChunksFixedInsert(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	want := sequence(100, identity)
	c := createWith(t, v, "values", dtype.Int64, fixedChunks, want...)
	for _, i := range []int{50, 0, 102} {
		must(t, c.Insert(ctx, i, int64(-i-1)))
		want = slices.Insert(want, i, int64(-i-1))
		wantColumn(t, c, want...)
	}
	must(t, c.Insert(ctx, 60, sequence(500, identity)...)) // over several chunks
	wantColumn(t, c, slices.Insert(want, 60, sequence(500, identity)...)...)
	wantSound(t, v)
}

func TestDynamicChunksFixedDelete(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	want := sequence(1000, identity)
	c := createWith(t, v, "values", dtype.Int64, fixedChunks, want...)
	for _, i := range []int{500, 0, 997} {
		must(t, c.Delete(ctx, i, i+1))
		want = slices.Delete(want, i, i+1)
		wantColumn(t, c, want...)
	}
	_, err := c.Pop(ctx, -1)
	must(t, err)
	wantColumn(t, c, want[:996]...)
	wantSound(t, v)
}

func TestDynamicChunksIteration(t *testing.T) {
	ctx := t.Context()
	t.Run("fixed", func(t *testing.T) {
		want := sequence(4096, identity)
		c := createWith(t, open(t), "values", dtype.Int64, fixedChunks, want...)
		wantValues(t, "values", collect(t, c.Values(ctx)), want)
	})
	t.Run("varsize", func(t *testing.T) { // 9 to 90 bytes
		want := sequence(1000, func(i int) []byte { return bytes.Repeat(fmt.Appendf(nil, "value%04d", i), i%10+1) })
		c := createWith(t, open(t), "values", dtype.Bytes, varChunks, want...)
		wantValues(t, "values", collect(t, c.Values(ctx)), want)
	})
}

// TestDynamicChunksTypes is the lines f64 append and bytes:10 append.
func TestDynamicChunksTypes(t *testing.T) {
	t.Run("f64", func(t *testing.T) {
		v := open(t)
		want := sequence(4096, func(i int) float64 { return float64(i) * 1.5 })
		c := createWith(t, v, "values", dtype.Float64, fixedChunks)
		appendEach(t, c, want)
		wantColumn(t, c, want...)
		wantSound(t, v)
	})
	t.Run("bytes:10", func(t *testing.T) { // 102 elements and 4 bytes would make a chunk
		v := open(t)
		c := createWith(t, v, "values", dtype.FixedBytes(10), fixedChunks)
		appendEach(t, c, sequence(2000, func(i int) []byte { return fmt.Append(nil, "item", i) }))
		wantColumn(t, c, sequence(2000, func(i int) []byte {
			return append(fmt.Append(nil, "item", i), make([]byte, 10)...)[:10]
		})...)
		wantChunks(t, c, 20)
		wantSound(t, v)
	})
}

// someBytes is n bytes that tell which element they are of.
func someBytes(i, n int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "<%d>", i), n)[:n]
}

func TestDynamicChunksVarSizeAppend(t *testing.T) {
	v := open(t)
	want := sequence(1000, func(i int) []byte { return someBytes(i, 22+i%90) })
	c := createWith(t, v, "values", dtype.Bytes, varChunks)
	appendEach(t, c, want)
	wantColumn(t, c, want...)
	wantSound(t, v)
}

func TestDynamicChunksVarSizeExtend(t *testing.T) {
	v := open(t)
	want := sequence(2000, func(i int) []byte { return someBytes(i, 10+i%70) })
	c := createWith(t, v, "values", dtype.Bytes, varChunks)
	must(t, c.Append(t.Context(), want...))
	wantColumn(t, c, want...)
	wantSound(t, v)
}

func TestDynamicChunksVarSizeEmptyAndLarge(t *testing.T) {
	v := open(t)
	want := [][]byte{{}, []byte("small"), someBytes(2, 500), {}, someBytes(4, 2000), []byte("end"), {}}
	c := createWith(t, v, "values", dtype.Bytes, varChunks)
	must(t, c.Append(t.Context(), want...))
	wantColumn(t, c, want...)
	wantSound(t, v)
}

func TestDynamicChunksSeveralColumns(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	ints := createWith(t, v, "ints", dtype.Int64, fixedChunks)
	floats := createWith(t, v, "floats", dtype.Float64, fixedChunks)
	texts := createWith(t, v, "texts", dtype.String, varChunks)
	for i := range 500 { // taking turns, so that their chunks alternate in the file
		must(t, ints.Append(ctx, int64(i)))
		must(t, floats.Append(ctx, float64(i)/2))
		must(t, texts.Append(ctx, strings.Repeat("t", i%50)))
	}
	must(t, texts.Delete(ctx, 0, 400))
	wantColumn(t, ints, sequence(500, identity)...)
	wantColumn(t, floats, sequence(500, func(i int) float64 { return float64(i) / 2 })...)
	wantColumn(t, texts, sequence(100, func(i int) string { return strings.Repeat("t", i%50) })...)
	wantSound(t, v)
}

func TestDynamicChunksPersistence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "persistent.db")
	v := openAt(t, path, nil)
	want := sequence(5000, func(i int) int64 { return int64(i) * 3 })
	createWith(t, v, "values", dtype.Int64, fixedChunks, want...)
	must(t, v.Close())
	v = openAt(t, path, nil)
	wantColumn(t, lookup(t, v, "values", dtype.Int64), want...)
	wantSound(t, v)
}

func TestDynamicChunksAddressing(t *testing.T) {
	v := open(t)
	want := sequence(1280, identity)
	c := createWith(t, v, "values", dtype.Int64, fixedChunks, want...)
	for boundary := 128; boundary < 1280; boundary += 128 {
		for _, i := range []int{boundary - 1, boundary} {
			wantAt(t, c, i, int64(i))
			want[i] = int64(-i)
			must(t, c.Set(t.Context(), i, want[i]))
		}
		wantSlice(t, c, boundary-2, boundary+2, want[boundary-2:boundary+2]...)
	}
	wantColumn(t, c, want...)
	wantChunks(t, c, 10)
	wantSound(t, v)
}

// smallVarChunks are the bounds that test_varsize_operations takes.
var smallVarChunks = chunks(16, 512)

func TestVarSizeOperationsExtendRandomSizes(t *testing.T) {
	v := open(t)
	random := rand.New(rand.NewPCG(1, 2))
	want := sequence(200, func(i int) []byte { return someBytes(i, 1+random.IntN(100)) })
	c := createWith(t, v, "values", dtype.Bytes, smallVarChunks)
	must(t, c.Append(t.Context(), want...))
	wantColumn(t, c, want...)
	wantSound(t, v)
}

func TestVarSizeOperationsExtendMsgPackRandom(t *testing.T) {
	v := open(t)
	random := rand.New(rand.NewPCG(3, 4))
	want := sequence(100, func(i int) map[string]any {
		m := map[string]any{"id": int64(i)}
		for k := range random.IntN(8) {
			m[fmt.Sprint("key", k)] = strings.Repeat("v", random.IntN(30))
		}
		return m
	})
	c := createWith(t, v, "values", dtype.MsgPack[map[string]any](), smallVarChunks)
	must(t, c.Append(t.Context(), want...))
	wantColumn(t, c, want...)
	wantSound(t, v)
}

// TestVarSizeOperationsDelete is the four lines about deleting.
func TestVarSizeOperationsDelete(t *testing.T) {
	for _, test := range []struct {
		name      string
		n         int
		positions []int // deleted one after the other
	}{
		{"middle of 50", 50, []int{25}},
		{"first of 3", 3, []int{0}},
		{"last of 3", 3, []int{2}},
		{"four of 50 from high to low", 50, []int{40, 30, 20, 10}},
		{"all of 50 from low to high", 50, make([]int, 50)},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := open(t)
			want := sequence(test.n, func(i int) string { return strings.Repeat(fmt.Sprint("string", i), 1+i%5) })
			c := createWith(t, v, "values", dtype.String, smallVarChunks, want...)
			for _, i := range test.positions {
				must(t, c.Delete(t.Context(), i, i+1))
				want = slices.Delete(want, i, i+1)
				wantColumn(t, c, want...)
				wantSound(t, v)
			}
		})
	}
}

func TestVarSizeOperationsMixedAppendExtend(t *testing.T) {
	v := open(t)
	want := sequence(35, func(i int) []byte { return someBytes(i, 5+i*3%40) })
	c := createWith(t, v, "values", dtype.Bytes, smallVarChunks)
	appendEach(t, c, want[:10])
	must(t, c.Append(t.Context(), want[10:25]...))
	appendEach(t, c, want[25:])
	wantColumn(t, c, want...)
	wantSound(t, v)
}

func TestVarSizeOperationsNestedMsgPack(t *testing.T) {
	v := open(t)
	base := map[string]any{"none": nil, "yes": true, "ratio": 0.5, "list": []any{int64(1), "two", []any{}}}
	want := sequence(30, func(i int) any {
		m := maps.Clone(base)
		m["id"] = int64(i)
		m["nested"] = map[string]any{"inner": map[string]any{"text": strings.Repeat("x", i*7)}}
		return any(m)
	})
	c := createWith(t, v, "values", dtype.MsgPack[any](), smallVarChunks)
	appendEach(t, c, want)
	wantColumn(t, c, want...)
	wantSound(t, v)
}

// TestVarSizeOperationsInsert has no counterpart: the original cannot insert
// into a variable-size column.
func TestVarSizeOperationsInsert(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	c := createWith(t, v, "values", dtype.Bytes, smallVarChunks)
	var want [][]byte
	random := rand.New(rand.NewPCG(5, 6))
	for i := range 150 {
		at, value := random.IntN(len(want)+1), someBytes(i, random.IntN(60))
		must(t, c.Insert(ctx, at, value))
		want = slices.Insert(want, at, value)
	}
	wantColumn(t, c, want...)
	wantSound(t, v)
	if s, err := c.Stat(ctx); err != nil || s.Capacity > 4*s.Live {
		t.Errorf("inserts leave more than four times the space that the elements take: %+v, %v", s, err)
	}
}

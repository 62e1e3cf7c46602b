package conformance_test

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
	"columnvault/internal/vaulttest"
)

// What test_dynamic_chunks and test_varsize_operations of KohakuVault 0.8.6
// require. Beyond that, whatever an operation leaves must keep every rule of
// the format.

// The bounds that test_dynamic_chunks takes: fixedChunks hold 128 numbers of
// 8 bytes.
var (
	fixedChunks = vaulttest.Chunks(16, 1<<10)
	varChunks   = vaulttest.Chunks(16, 4<<10)
)

func TestDynamicChunksFixedAppend(t *testing.T) {
	v := vaulttest.Open(t)
	c := vaulttest.CreateWith(t, v, "values", dtype.Int64, fixedChunks)
	vaulttest.AppendEach(t, c, vaulttest.Span(0, 8192))
	vaulttest.WantLen(t, c, 8192)
	for i, want := range map[int]int64{0: 0, 127: 127, 128: 128, 4096: 4096, 8191: 8191, -1: 8191, -100: 8092} {
		vaulttest.WantAt(t, c, i, want)
	}
	if s := vaulttest.WantChunks(t, c, 64); s.Dead != 0 {
		t.Errorf("%d bytes of full chunks are unused", s.Dead)
	}
	vaulttest.WantSound(t, v)
}

func TestDynamicChunksFixedExtend(t *testing.T) {
	v := vaulttest.Open(t)
	c := vaulttest.CreateWith(t, v, "values", dtype.Int64, fixedChunks)
	vaulttest.Must(t, c.Append(t.Context(), vaulttest.Span(0, 8192)...))
	vaulttest.WantLen(t, c, 8192)
	for i, want := range map[int]int64{0: 0, 1000: 1000, 5000: 5000, 8191: 8191, -1: 8191, -100: 8092} {
		vaulttest.WantAt(t, c, i, want)
	}
	vaulttest.WantChunks(t, c, 64)
	vaulttest.WantSound(t, v)
}

func TestDynamicChunksFixedRandomWrite(t *testing.T) {
	v := vaulttest.Open(t)
	want := make([]int64, 4096)
	c := vaulttest.CreateWith(t, v, "values", dtype.Int64, fixedChunks, want...)
	for _, i := range []int{0, 1, 127, 128, 129, 1000, 2048, 4000, 4095} {
		want[i] = int64(i*10 + 7)
		vaulttest.Must(t, c.Set(t.Context(), i, want[i]))
	}
	vaulttest.WantColumn(t, c, want...) // their neighbors are still 0
	vaulttest.WantSound(t, v)
}

func TestDynamicChunksFixedInsert(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	want := vaulttest.Span(0, 100)
	c := vaulttest.CreateWith(t, v, "values", dtype.Int64, fixedChunks, want...)
	for _, i := range []int{50, 0, 102} {
		vaulttest.Must(t, c.Insert(ctx, i, int64(-i-1)))
		want = slices.Insert(want, i, int64(-i-1))
		vaulttest.WantColumn(t, c, want...)
	}
	vaulttest.Must(t, c.Insert(ctx, 60, vaulttest.Span(0, 500)...)) // over several chunks
	vaulttest.WantColumn(t, c, slices.Insert(want, 60, vaulttest.Span(0, 500)...)...)
	vaulttest.WantSound(t, v)
}

func TestDynamicChunksFixedDelete(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	want := vaulttest.Span(0, 1000)
	c := vaulttest.CreateWith(t, v, "values", dtype.Int64, fixedChunks, want...)
	for _, i := range []int{500, 0, 997} {
		vaulttest.Must(t, c.Delete(ctx, i, i+1))
		want = slices.Delete(want, i, i+1)
		vaulttest.WantColumn(t, c, want...)
	}
	_, err := c.Pop(ctx, -1)
	vaulttest.Must(t, err)
	vaulttest.WantColumn(t, c, want[:996]...)
	vaulttest.WantSound(t, v)
}

func TestDynamicChunksIteration(t *testing.T) {
	ctx := t.Context()
	t.Run("fixed", func(t *testing.T) {
		want := vaulttest.Span(0, 4096)
		c := vaulttest.CreateWith(t, vaulttest.Open(t), "values", dtype.Int64, fixedChunks, want...)
		vaulttest.WantValues(t, "values", vaulttest.Collect(t, c.Values(ctx)), want)
	})
	t.Run("varsize", func(t *testing.T) { // 9 to 90 bytes
		want := vaulttest.Sequence(1000, func(i int) []byte { return bytes.Repeat(fmt.Appendf(nil, "value%04d", i), i%10+1) })
		c := vaulttest.CreateWith(t, vaulttest.Open(t), "values", dtype.Bytes, varChunks, want...)
		vaulttest.WantValues(t, "values", vaulttest.Collect(t, c.Values(ctx)), want)
	})
}

// TestDynamicChunksTypes is the lines f64 append and bytes:10 append.
func TestDynamicChunksTypes(t *testing.T) {
	t.Run("f64", func(t *testing.T) {
		v := vaulttest.Open(t)
		want := vaulttest.Sequence(4096, func(i int) float64 { return float64(i) * 1.5 })
		c := vaulttest.CreateWith(t, v, "values", dtype.Float64, fixedChunks)
		vaulttest.AppendEach(t, c, want)
		vaulttest.WantColumn(t, c, want...)
		vaulttest.WantSound(t, v)
	})
	t.Run("bytes:10", func(t *testing.T) { // 102 elements and 4 bytes would make a chunk
		v := vaulttest.Open(t)
		c := vaulttest.CreateWith(t, v, "values", dtype.FixedBytes(10), fixedChunks)
		vaulttest.AppendEach(t, c, vaulttest.Sequence(2000, func(i int) []byte { return fmt.Append(nil, "item", i) }))
		vaulttest.WantColumn(t, c, vaulttest.Sequence(2000, func(i int) []byte {
			return append(fmt.Append(nil, "item", i), make([]byte, 10)...)[:10]
		})...)
		vaulttest.WantChunks(t, c, 20)
		vaulttest.WantSound(t, v)
	})
}

func TestDynamicChunksVarSizeAppend(t *testing.T) {
	v := vaulttest.Open(t)
	want := vaulttest.Sequence(1000, func(i int) []byte { return vaulttest.Bytes(i, 22+i%90) })
	c := vaulttest.CreateWith(t, v, "values", dtype.Bytes, varChunks)
	vaulttest.AppendEach(t, c, want)
	vaulttest.WantColumn(t, c, want...)
	vaulttest.WantSound(t, v)
}

func TestDynamicChunksVarSizeExtend(t *testing.T) {
	v := vaulttest.Open(t)
	want := vaulttest.Sequence(2000, func(i int) []byte { return vaulttest.Bytes(i, 10+i%70) })
	c := vaulttest.CreateWith(t, v, "values", dtype.Bytes, varChunks)
	vaulttest.Must(t, c.Append(t.Context(), want...))
	vaulttest.WantColumn(t, c, want...)
	vaulttest.WantSound(t, v)
}

func TestDynamicChunksVarSizeEmptyAndLarge(t *testing.T) {
	v := vaulttest.Open(t)
	want := [][]byte{{}, []byte("small"), vaulttest.Bytes(2, 500), {}, vaulttest.Bytes(4, 2000), []byte("end"), {}}
	c := vaulttest.CreateWith(t, v, "values", dtype.Bytes, varChunks)
	vaulttest.Must(t, c.Append(t.Context(), want...))
	vaulttest.WantColumn(t, c, want...)
	vaulttest.WantSound(t, v)
}

func TestDynamicChunksSeveralColumns(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	ints := vaulttest.CreateWith(t, v, "ints", dtype.Int64, fixedChunks)
	floats := vaulttest.CreateWith(t, v, "floats", dtype.Float64, fixedChunks)
	texts := vaulttest.CreateWith(t, v, "texts", dtype.String, varChunks)
	for i := range 500 { // taking turns, so that their chunks alternate in the file
		vaulttest.Must(t, ints.Append(ctx, int64(i)))
		vaulttest.Must(t, floats.Append(ctx, float64(i)/2))
		vaulttest.Must(t, texts.Append(ctx, strings.Repeat("t", i%50)))
	}
	vaulttest.Must(t, texts.Delete(ctx, 0, 400))
	vaulttest.WantColumn(t, ints, vaulttest.Span(0, 500)...)
	vaulttest.WantColumn(t, floats, vaulttest.Sequence(500, func(i int) float64 { return float64(i) / 2 })...)
	vaulttest.WantColumn(t, texts, vaulttest.Sequence(100, func(i int) string { return strings.Repeat("t", i%50) })...)
	vaulttest.WantSound(t, v)
}

func TestDynamicChunksPersistence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "persistent.db")
	v := vaulttest.OpenAt(t, path, nil)
	want := vaulttest.Sequence(5000, func(i int) int64 { return int64(i) * 3 })
	vaulttest.CreateWith(t, v, "values", dtype.Int64, fixedChunks, want...)
	vaulttest.Must(t, v.Close())
	v = vaulttest.OpenAt(t, path, nil)
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "values", dtype.Int64), want...)
	vaulttest.WantSound(t, v)
}

func TestDynamicChunksAddressing(t *testing.T) {
	v := vaulttest.Open(t)
	want := vaulttest.Span(0, 1280)
	c := vaulttest.CreateWith(t, v, "values", dtype.Int64, fixedChunks, want...)
	for boundary := 128; boundary < 1280; boundary += 128 {
		for _, i := range []int{boundary - 1, boundary} {
			vaulttest.WantAt(t, c, i, int64(i))
			want[i] = int64(-i)
			vaulttest.Must(t, c.Set(t.Context(), i, want[i]))
		}
		vaulttest.WantSlice(t, c, boundary-2, boundary+2, want[boundary-2:boundary+2]...)
	}
	vaulttest.WantColumn(t, c, want...)
	vaulttest.WantChunks(t, c, 10)
	vaulttest.WantSound(t, v)
}

// smallVarChunks are the bounds that test_varsize_operations takes.
var smallVarChunks = vaulttest.Chunks(16, 512)

func TestVarSizeOperationsExtendRandomSizes(t *testing.T) {
	v := vaulttest.Open(t)
	random := rand.New(rand.NewPCG(1, 2))
	want := vaulttest.Sequence(200, func(i int) []byte { return vaulttest.Bytes(i, 1+random.IntN(100)) })
	c := vaulttest.CreateWith(t, v, "values", dtype.Bytes, smallVarChunks)
	vaulttest.Must(t, c.Append(t.Context(), want...))
	vaulttest.WantColumn(t, c, want...)
	vaulttest.WantSound(t, v)
}

func TestVarSizeOperationsExtendMsgPackRandom(t *testing.T) {
	v := vaulttest.Open(t)
	random := rand.New(rand.NewPCG(3, 4))
	want := vaulttest.Sequence(100, func(i int) map[string]any {
		m := map[string]any{"id": int64(i)}
		for k := range random.IntN(8) {
			m[fmt.Sprint("key", k)] = strings.Repeat("v", random.IntN(30))
		}
		return m
	})
	c := vaulttest.CreateWith(t, v, "values", dtype.MsgPack[map[string]any](), smallVarChunks)
	vaulttest.Must(t, c.Append(t.Context(), want...))
	vaulttest.WantColumn(t, c, want...)
	vaulttest.WantSound(t, v)
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
			v := vaulttest.Open(t)
			want := vaulttest.Sequence(test.n, func(i int) string { return strings.Repeat(fmt.Sprint("string", i), 1+i%5) })
			c := vaulttest.CreateWith(t, v, "values", dtype.String, smallVarChunks, want...)
			for _, i := range test.positions {
				vaulttest.Must(t, c.Delete(t.Context(), i, i+1))
				want = slices.Delete(want, i, i+1)
				vaulttest.WantColumn(t, c, want...)
				vaulttest.WantSound(t, v)
			}
		})
	}
}

func TestVarSizeOperationsMixedAppendExtend(t *testing.T) {
	v := vaulttest.Open(t)
	want := vaulttest.Sequence(35, func(i int) []byte { return vaulttest.Bytes(i, 5+i*3%40) })
	c := vaulttest.CreateWith(t, v, "values", dtype.Bytes, smallVarChunks)
	vaulttest.AppendEach(t, c, want[:10])
	vaulttest.Must(t, c.Append(t.Context(), want[10:25]...))
	vaulttest.AppendEach(t, c, want[25:])
	vaulttest.WantColumn(t, c, want...)
	vaulttest.WantSound(t, v)
}

func TestVarSizeOperationsNestedMsgPack(t *testing.T) {
	v := vaulttest.Open(t)
	base := map[string]any{"none": nil, "yes": true, "ratio": 0.5, "list": []any{int64(1), "two", []any{}}}
	want := vaulttest.Sequence(30, func(i int) any {
		m := maps.Clone(base)
		m["id"] = int64(i)
		m["nested"] = map[string]any{"inner": map[string]any{"text": strings.Repeat("x", i*7)}}
		return any(m)
	})
	c := vaulttest.CreateWith(t, v, "values", dtype.MsgPack[any](), smallVarChunks)
	vaulttest.AppendEach(t, c, want)
	vaulttest.WantColumn(t, c, want...)
	vaulttest.WantSound(t, v)
}

// TestVarSizeOperationsInsert has no counterpart: the original cannot insert
// into a variable-size column.
func TestVarSizeOperationsInsert(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	c := vaulttest.CreateWith(t, v, "values", dtype.Bytes, smallVarChunks)
	var want [][]byte
	random := rand.New(rand.NewPCG(5, 6))
	for i := range 150 {
		at, value := random.IntN(len(want)+1), vaulttest.Bytes(i, random.IntN(60))
		vaulttest.Must(t, c.Insert(ctx, at, value))
		want = slices.Insert(want, at, value)
	}
	vaulttest.WantColumn(t, c, want...)
	vaulttest.WantSound(t, v)
	if s, err := c.Stat(ctx); err != nil || s.Capacity > 4*s.Live {
		t.Errorf("inserts leave more than four times the space that the elements take: %+v, %v", s, err)
	}
}

package parquet_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/parquet"
	"columnvault/internal/vaulttest"
)

// written returns a file of one column.
func written[T any](t *testing.T, spec dtype.Spec, list ...T) []byte {
	t.Helper()
	fields := []exchange.Field{{Name: "x", Type: spec}}
	b := exchange.NewBatch(fields)
	for _, v := range list {
		b.Columns[0].(*exchange.Vector[T]).Add(v)
	}
	b.Rows = len(list)
	var out bytes.Buffer
	w := parquet.NewWriter(&out, nil)
	vaulttest.Must(t, w.Begin(t.Context(), fields))
	vaulttest.Must(t, w.Write(t.Context(), b))
	vaulttest.Must(t, w.End(t.Context()))
	return out.Bytes()
}

// bounds returns those of the column, and checks that the footer is small.
func bounds(t *testing.T, file []byte) (least, greatest []byte) {
	t.Helper()
	if n := binary.LittleEndian.Uint32(file[len(file)-8:]); n > 2000 {
		t.Errorf("the footer has %d bytes", n)
	}
	f, err := pq.OpenFile(bytes.NewReader(file), int64(len(file)))
	vaulttest.Must(t, err)
	low, high, ok := f.RowGroups()[0].ColumnChunks()[0].(*pq.FileColumnChunk).Bounds()
	if !ok {
		t.Error("there are no bounds")
	}
	return low.Bytes(), high.Bytes()
}

// TestLongBounds writes values of which the footer must hold the beginning only.
// No value may lie outside of the bounds.
func TestLongBounds(t *testing.T) {
	for _, v := range []string{strings.Repeat("a", 1<<20), strings.Repeat("é", 999), "x" + strings.Repeat("東", 999), strings.Repeat("a", 255) + "\U0010FFFF\U0010FFFF"} {
		for _, file := range [][]byte{written(t, dtype.String.Spec(), v), written(t, dtype.Bytes.Spec(), []byte(v))} {
			low, high := bounds(t, file)
			if string(low) > v || string(high) < v || !strings.HasPrefix(v, string(low)) {
				t.Errorf("the bounds of %.10q... are %.10q and %.10q", v, low, high)
			}
		}
	}
}

// TestHalfBounds checks that floats of 16 bits are compared as numbers, and that
// NaN is no bound.
func TestHalfBounds(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		list      []float32
		low, high []byte
	}{
		{[]float32{1, -2, nan, 0.5}, []byte{0x00, 0xC0}, []byte{0x00, 0x3C}},
		{[]float32{0}, []byte{0x00, 0x80}, []byte{0, 0}},
		{[]float32{nan}, []byte{0x00, 0xFC}, []byte{0x00, 0x7C}},
	} {
		low, high := bounds(t, written(t, dtype.Float16.Spec(), c.list...))
		if !bytes.Equal(low, c.low) || !bytes.Equal(high, c.high) {
			t.Errorf("the bounds of %v are %x and %x, want %x and %x", c.list, low, high, c.low, c.high)
		}
	}
}

// TestZeroBounds writes one of the two zeros. The bounds have both between them, and
// NaN is none.
func TestZeroBounds(t *testing.T) {
	minus := math.Copysign(0, -1)
	for _, zero := range []float64{0, minus} {
		low, high := bounds(t, written(t, dtype.Float64.Spec(), math.NaN(), zero, math.NaN()))
		if x, y := math.Float64frombits(binary.LittleEndian.Uint64(low)), math.Float64frombits(binary.LittleEndian.Uint64(high)); x != 0 || !math.Signbit(x) || y != 0 || math.Signbit(y) {
			t.Errorf("the bounds of %v are %v and %v", zero, x, y)
		}
		low, high = bounds(t, written(t, dtype.Float32.Spec(), float32(zero)))
		if x, y := math.Float32frombits(binary.LittleEndian.Uint32(low)), math.Float32frombits(binary.LittleEndian.Uint32(high)); x != 0 || binary.LittleEndian.Uint32(low)>>31 == 0 || y != 0 || binary.LittleEndian.Uint32(high)>>31 != 0 {
			t.Errorf("the bounds of the short %v are %v and %v", zero, x, y)
		}
	}
	low, high := bounds(t, written(t, dtype.Float64.Spec(), -1.5, 2.5))
	if math.Float64frombits(binary.LittleEndian.Uint64(low)) != -1.5 || math.Float64frombits(binary.LittleEndian.Uint64(high)) != 2.5 {
		t.Errorf("other bounds are %x and %x", low, high)
	}
}

// TestLongFixedBytes writes bytes of one size that is larger than the library
// has a type for.
func TestLongFixedBytes(t *testing.T) {
	v := bytes.Repeat([]byte{7}, 40_000)
	src := reader(written(t, dtype.FixedBytes(len(v)).Spec(), v))
	fields, err := src.Begin(t.Context(), nil)
	vaulttest.Must(t, err)
	if got := fields[0].Type.String(); got != "bytes:40000" {
		t.Errorf("the column is %s", got)
	}
	b := exchange.NewBatch(fields)
	vaulttest.Must(t, src.Next(t.Context(), b))
	if got := b.Columns[0].At(0); !bytes.Equal(got.([]byte), v) {
		t.Errorf("the value is %v", got)
	}
}

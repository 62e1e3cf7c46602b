package parquet

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// TestClaims decodes bytes that claim far more than there is.
func TestClaims(t *testing.T) {
	many := binary.AppendUvarint(nil, 1<<26)
	run := append(binary.AppendUvarint(nil, 1<<26<<1), 1)
	delta := append(append([]byte{128, 1, 4}, many...), 0)
	list := append(append([]byte{0x49, 0xFC}, many...), 0) // the row groups
	leaf := func(physical format.Type) *node { return &node{element: element{physical: physical, size: 3}} }
	for name, decode := range map[string]func() error{
		"levels": func() error { _, err := decodeLevels(nil, run, 8, 1); return err },
		"indexes": func() error {
			return (&pages{leaf: leaf(format.Int32), hasDict: true}).readIndexes(append([]byte{1}, run...), 8)
		},
		"delta": func() error { _, err := leaf(format.Int64).decode(format.DeltaBinaryPacked, delta, 8); return err },
		"lengths": func() error {
			_, err := leaf(format.ByteArray).decode(format.DeltaLengthByteArray, delta, 8)
			return err
		},
		"prefixes": func() error {
			_, err := leaf(format.FixedLenByteArray).decode(format.DeltaByteArray, append([]byte{128, 1, 4, 0, 0}, delta...), 0x7F)
			return err
		},
		"row groups": func() error { _, err := decodeThrift(list, new(format.FileMetaData)); return err },
		"depth": func() error {
			_, err := decodeThrift(bytes.Repeat([]byte{0x1C}, 1<<20), new(format.PageHeader))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := decode()
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Error("there is no error")
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
				t.Errorf("it takes %d MiB", took>>20)
			}
		})
	}
}

// TestTrailingRuns decodes levels after which there are more than are wanted,
// and far more are claimed.
func TestTrailingRuns(t *testing.T) {
	src := append([]byte{8 << 1, 1}, append(binary.AppendUvarint(nil, 1<<26<<1), 1)...)
	levels, err := decodeLevels(nil, src, 8, 1)
	if err != nil || len(levels) != 8 || cap(levels) > 1<<20 {
		t.Errorf("there are %d levels in memory for %d (%v)", len(levels), cap(levels), err)
	}
}

// TestPrefixes decodes text of which each value repeats a long one: what is
// short in the file must not become long without bounds.
func TestPrefixes(t *testing.T) {
	const n, long = 1 << 10, 1 << 20
	lengths := func(value func(i int) int32) []byte {
		list := make([]int32, n)
		for i := range list {
			list[i] = value(i)
		}
		b, err := pq.DeltaBinaryPacked.EncodeInt32(nil, list)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	src := lengths(func(i int) int32 { return int32(min(i, 1) * long) })
	src = append(src, lengths(func(i int) int32 { return int32(long * (1 - min(i, 1))) })...)
	src = append(src, strings.Repeat("x", long)...)
	leaf := &node{element: element{physical: format.ByteArray}}
	if _, err := leaf.decode(format.DeltaByteArray, src, n); err == nil || !strings.Contains(err.Error(), "MiB") {
		t.Errorf("the error is %v", err)
	}
}

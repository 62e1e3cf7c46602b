package structured

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"testing"
)

// allocated returns how many bytes fn allocates.
func allocated(fn func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// list is a MessagePack list of as many items as fit into n bytes.
func list(n int, item []byte) []byte {
	count := n / len(item)
	return append(binary.BigEndian.AppendUint32([]byte{0xdd}, uint32(count)), bytes.Repeat(item, count)...)
}

// pairs is a MessagePack map of n pairs.
func pairs(n int, value byte) []byte {
	out := binary.BigEndian.AppendUint32([]byte{0xdf}, uint32(n))
	for i := range n {
		out = append(fmt.Appendf(append(out, 0xa8), "%08x", i), value)
	}
	return out
}

type (
	nested []nested
	branch struct{ Left, Right *branch }
	outer  struct{ *inner }
	inner  struct{ Numbers [100]int64 }
)

// bombs are values of n bytes that take many times as much in memory, and ways
// to decode them.
var bombs = []struct {
	name   string
	make   func(n int) []byte
	decode func([]byte) error
}{
	{"empty maps", func(n int) []byte { return list(n, []byte{0x80}) }, decodeAs[any]},
	{"maps of one pair", func(n int) []byte { return list(n, []byte{0x81, 0xa0, 0xc0}) }, decodeAs[any]},
	{"maps of nine pairs", func(n int) []byte { return list(n, pairs(9, 0xc0)) }, decodeAs[any]},
	{"a map", func(n int) []byte { return pairs(n/10, 0xc0) }, decodeAs[any]},
	{"a map of small maps", func(n int) []byte { return pairs(n/10, 0x80) }, decodeAs[any]},
	{"nulls", func(n int) []byte { return list(n, []byte{0xc0}) }, decodeAs[any]},
	{"negative numbers", func(n int) []byte { return list(n, []byte{0xe0}) }, decodeAs[any]},
	{"texts", func(n int) []byte { return list(n, []byte{0xa1, 'a'}) }, decodeAs[any]},
	{"empty lists", func(n int) []byte { return list(n, []byte{0x90}) }, decodeAs[any]},
	{"lists of one", func(n int) []byte { return list(n, []byte{0x91, 0xc0}) }, decodeAs[any]},
	{"lists that say they are long", func(n int) []byte {
		out := make([]byte, 0, n)
		for len(out) < min(n-8, 5000) { // each is the first element of the one before
			out = binary.BigEndian.AppendUint32(append(out, 0xdd), uint32(n-len(out)-5))
		}
		return append(out, bytes.Repeat([]byte{0xc0}, n-len(out))...)
	}, decodeAs[any]},
	{"such lists by type", func(n int) []byte {
		out := make([]byte, 0, n)
		for len(out) < min(n-8, 5000) {
			out = binary.BigEndian.AppendUint32(append(out, 0xdd), uint32(n-len(out)-5))
		}
		return append(out, bytes.Repeat([]byte{0x90}, n-len(out))...)
	}, decodeAs[nested]},
	{"nulls as arrays", func(n int) []byte { return list(n, []byte{0xc0}) }, decodeAs[[][1000]int64]},
	{"maps of arrays", func(n int) []byte { return list(n, []byte{0x81, 0xa0, 0xc0}) }, decodeAs[[]map[string][100]int64]},
	{"a map of arrays", func(n int) []byte { return pairs(n/10, 0xc0) }, decodeAs[map[string][100]int64]},
	{"pointers", func(n int) []byte { return list(n, []byte{0x80}) }, decodeAs[[]*[50]*branch]},
	{"branches", func(n int) []byte { return list(n, []byte{0x81, 0xa4, 'L', 'e', 'f', 't', 0x80}) }, decodeAs[[]branch]},
	{"embedded structs", func(n int) []byte {
		return list(n, append([]byte{0x81, 0xa7}, "Numbers\xc0"...))
	}, decodeAs[[]outer]},
	{"JSON", func(n int) []byte {
		return slices.Concat([]byte("["), bytes.Repeat([]byte("{},"), n/3), []byte("{}]"))
	}, func(src []byte) error { var v any; return DecodeJSON(src, &v) }},
}

func decodeAs[T any](src []byte) error {
	c, err := New[T](MsgPack)
	if err != nil {
		return err
	}
	var v T
	return c.Decode(src, &v)
}

// TestDecodingTakesLimitedMemory: what a value takes in memory is bounded by its
// size, whatever it is and whatever it is decoded into.
func TestDecodingTakesLimitedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, which runs the short tests, takes memory too")
	}
	refused := 0
	for _, bomb := range bombs {
		for _, n := range []int{1 << 10, 200 << 10, 4 << 20} {
			src := bomb.make(n)
			var err error
			took := allocated(func() { err = bomb.decode(src) })
			// Go gives more than is asked for, to fill its size classes, and
			// JSON becomes MessagePack first.
			most := (roomAlways + roomPerByte*len(src)) * 5 / 4
			if took > most {
				t.Errorf("%s of %d bytes took %d bytes of memory, more than %d (%v)", bomb.name, n, took, most, err)
			}
			if errors.Is(err, ErrMemory) {
				refused++
			}
		}
	}
	if refused < 5 {
		t.Errorf("only %d values were refused", refused)
	}
}

// TestSmallValuesAreNotRefused: what is ordinary is decoded, and small values
// are whatever they are.
func TestSmallValuesAreNotRefused(t *testing.T) {
	for _, bomb := range bombs[:10] {
		if err := bomb.decode(bomb.make(256 << 10)); err != nil {
			t.Errorf("256 KiB of %s: %v", bomb.name, err)
		}
	}
	record := map[string]any{"id": int64(1), "name": "a name as it is usual", "value": 12.5, "tags": []any{"a", "b"},
		"text": "most of what is stored is text, of which decoding makes no copy"}
	records := make([]any, 5_000)
	for i := range records {
		records[i] = record
	}
	numbers := make([]any, 100_000)
	for i := range numbers {
		numbers[i] = float64(i) + 0.5
	}
	for name, v := range map[string]any{"records": records, "numbers": numbers} {
		for _, f := range []Format{MsgPack, CBOR} {
			c, err := New[any](f)
			if err != nil {
				t.Fatal(err)
			}
			src, err := c.Append(nil, &v)
			if err != nil {
				t.Fatal(err)
			}
			var got any
			if err := c.Decode(src, &got); err != nil || !reflect.DeepEqual(got, v) {
				t.Errorf("%d bytes of %s as %v: %v", len(src), name, f, err)
			}
		}
	}
}

// TestCountingMemoryAllocatesNothing: a value that is too small to be dangerous
// costs what it did.
func TestCountingMemoryAllocatesNothing(t *testing.T) {
	c, err := New[[]int64](MsgPack)
	if err != nil {
		t.Fatal(err)
	}
	src := list(100, []byte{1})
	var v []int64
	got := testing.AllocsPerRun(100, func() { err = errors.Join(err, c.Decode(src, &v)) })
	if got > 1 || err != nil {
		t.Errorf("a slice takes %v allocations: %v", got, err)
	}
	if r := roomFor(len(src), 8); r.left != nil {
		t.Error(fmt.Errorf("the memory of %d bytes is counted", len(src)))
	}
}

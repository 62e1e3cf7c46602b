package dtype

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// FuzzVerify: Verify finds exactly the elements that Decode refuses.
func FuzzVerify(f *testing.F) {
	for i := range fuzzDTypes {
		for _, src := range []string{"", "\x01\x07\x00", "h\xc3\xa9llo", "\xc3\xa9\xc3", "\x3d\xd8\x00\xde\x00\xde", "\x81\xa1a\x93\xc0\xc3\xca\x3f\xc0\x00\x00", "\xa1aa\x83\xf6\xf5\xf9\x3e\x00",
			"\x0a\x01\x02\x00\x00\x00\x01\x00\x02\x00", "\x05\x00a\x05abcd\x05"} {
			f.Add(uint8(i), uint8(3), uint8(2), []byte(src))
		}
	}
	f.Fuzz(func(t *testing.T, which, one, two uint8, src []byte) {
		spec, err := ParseSpec(fuzzDTypes[int(which)%len(fuzzDTypes)])
		if err != nil {
			t.Fatal(err)
		}
		ends := []int{min(int(one), len(src)), min(int(two), len(src)), len(src)}
		slices.Sort(ends)
		var parts [][]byte
		if size := spec.ElemSize(); size > 0 {
			parts = slices.Collect(slices.Chunk(src[:len(src)/size*size], size))
			ends = nil
		} else {
			parts = [][]byte{src[:ends[0]], src[ends[0]:ends[1]], src[ends[1]:]}
		}
		var want, got []int
		for i, p := range parts {
			if _, err := spec.Type().Decode(p); err != nil {
				want = append(want, i)
			}
		}
		for from := 0; ; {
			err := spec.Verify(src, ends, from)
			if err == nil {
				break
			}
			var one *ElementError
			if !errors.As(err, &one) || !errors.Is(err, ErrData) || one.Index < from {
				t.Fatalf("from %d: %v", from, err)
			}
			got = append(got, one.Index)
			from = one.Index + 1
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v: %x, ends %v: Verify refuses %v, and Decode %v", spec, src, ends, got, want)
		}
	})
}

// TestVerifyTakesNoMemory: a check looks at elements without making values.
func TestVerifyTakesNoMemory(t *testing.T) {
	for dtype, element := range map[string]string{
		"i64": "12345678", "bool": "\x01", "str": "h\xc3\xa9", "str:utf16le": "\x3d\xd8\x00\xde", "bytes": "x", "str:6": "abc\x00\x00\x00",
		"msgpack": "\x82\xa1a\x93\x01\xc0\xa1x\xa1b\x80", "cbor": "\xa1\x61a\x83\x01\xf6\xf9\x3c\x00", "vec:f32:2": "\x0112345678", "vec:i16": "\x0a\x01\x02\x00\x00\x00abcd",
	} {
		spec, err := ParseSpec(dtype)
		if err != nil {
			t.Fatal(err)
		}
		const n = 1000
		data := []byte(strings.Repeat(element, n))
		var ends []int
		for i := 1; spec.ElemSize() == 0 && i <= n; i++ {
			ends = append(ends, i*len(element))
		}
		allocs := testing.AllocsPerRun(5, func() {
			if err := spec.Verify(data, ends, 0); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > 4 {
			t.Errorf("%s: %v allocations for %d elements", dtype, allocs, n)
		}
	}
}

// TestZero: what stands for a lost element decodes.
func TestZero(t *testing.T) {
	for _, dtype := range fuzzDTypes {
		spec, err := ParseSpec(dtype)
		if err != nil {
			t.Fatal(err)
		}
		zero := spec.Zero()
		value, err := spec.Type().Decode(zero)
		if err != nil {
			t.Errorf("%s: %x does not decode: %v", dtype, zero, err)
			continue
		}
		if again, err := spec.Type().Append(nil, value); err != nil || !bytes.Equal(again, zero) {
			t.Errorf("%s: %x is %v, which is stored as %x, %v", dtype, zero, value, again, err)
		}
	}
}

package kvcodec

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"columnvault/dtype"
	"columnvault/internal/store"
)

// headers are stored values of every sort, whole and damaged.
var headers = []string{
	"", "\x89", "\x89K", "\x89K\x01\x00\x00\x00\x00\x00V", "\x89K\x01\x00\x00\x00\x00\x00VK", "\x89K0123456789",
	"\x89K\x01\x00\x00\x00\x00\x00VK\x89K\x01\x00\x00\x00\x00\x00VK",
	"\x89K\x02\x06\x00\x00\x00\x00VKtext", "\x89K\x01\x07\x00\x00\x00\x00VK", "\x89K\x01\x06\x00\x01\x00\x00VK",
	"\x89K\x01\x01\x00\x00\x00\x00VK\x80\x04N.",
	"\x89K\x01\x02\x00\x00\x00\x00VK12345678", "\x89K\x01\x02\x00\x00\x00\x00VK\x00\x00\x00\x00\x00\x00\xf8\x7f",
	"\x89K\x01\x02\x00\x00\x00\x00VK\x01\x01\x02\x00\x00\x00\x00\x00\x80\x3f\x00\x00\x00\x40",
	"\x89K\x01\x02\x00\x00\x00\x00VK\x05\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	"\x89K\x01\x02\x00\x00\x00\x00VK\x05\x01\x00\x00\x00\x80", "\x89K\x01\x02\x00\x00\x00\x00VK\x03\xff",
	"\x89K\x01\x03\x00\x00\x00\x00VK{\"a\":[1,2.5,\"x\",null,true,18446744073709551615]}",
	"\x89K\x01\x03\x00\x00\x00\x00VK[[[[[[[[1e999]]]]]]]]", "\x89K\x01\x03\x00\x00\x00\x00VK1 2",
	"\x89K\x01\x04\x00\x00\x00\x00VK\x82\xa1a\x93\x01\xc0\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00\xa1b\x80",
	"\x89K\x01\x04\x00\x00\x00\x00VK\xdd\xff\xff\xff\xff", "\x89K\x01\x04\x00\x00\x00\x00VK\xdf\xff\xff\xff\xff", "\x89K\x01\x04\x00\x00\x00\x00VK\xdb\xff\xff\xff\xff",
	"\x89K\x01\x05\x00\x00\x00\x00VK\xa1\x61a\x83\x01\xf6\xf9\x3c\x00", "\x89K\x01\x05\x00\x00\x00\x00VK\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
	"\x89K\x01\x05\x00\x00\x00\x00VK\x9f\x9f\x9f\x9f", "\x89K\x01\x06\x00\x00\x00\x00VKh\xc3\xa9", "\x89K\x01\x06\x00\x00\x00\x00VK\xff",
}

// FuzzHeader: whatever bytes are stored raw come back, and a stored value of
// any bytes can be taken apart.
func FuzzHeader(f *testing.F) {
	for _, h := range headers {
		f.Add([]byte(h))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		stored := EncodeRaw(value)
		if got := DecodeRaw(stored); !bytes.Equal(got, value) {
			t.Fatalf("%q comes back as %q", value, got)
		}
		if e, payload, err := Parse(stored); e != Raw || err != nil || !bytes.Equal(payload, value) {
			t.Fatalf("%q is stored as %v %q, %v", value, e, payload, err)
		}
		if extra := len(stored) - len(value); extra != 0 && (extra != HeaderSize || !hasMagic(value)) {
			t.Fatalf("%q is stored in %d bytes more", value, extra)
		}
		// What Stat and OpenBlob see of a value is its beginning alone.
		head := stored[:min(len(stored), HeaderSize)]
		if e, payload, err := Parse(head); e != Raw || err != nil || len(head)-len(payload) != len(stored)-len(value) {
			t.Fatalf("the beginning of %q is %v %q, %v", stored, e, payload, err)
		}

		e, payload, err := Parse(value)
		if !bytes.HasSuffix(value, payload) {
			t.Fatalf("the payload of %q is %q", value, payload)
		}
		if err != nil && !errors.Is(err, ErrUnsupportedEncoding) {
			t.Fatal(err)
		}
		if len(payload) == len(value) && e != Raw {
			t.Fatalf("%q has no header and the encoding %v", value, e)
		}
		if err == nil && value != nil && len(payload) < len(value) {
			if again := append(appendHeader(nil, e), payload...); !bytes.Equal(again[5:], value[5:]) || !bytes.Equal(again[:4], value[:4]) {
				t.Fatalf("%q is made again as %q", value, again)
			}
		}
	})
}

// A nested is a struct as programs have them.
type nested struct {
	A []any
	B map[string]int
	C *nested
	D time.Duration
	E [2]float32
}

// FuzzStoredValue: no bytes make reading a value panic, or take more memory
// than bytes of their number can hold.
func FuzzStoredValue(f *testing.F) {
	for _, h := range headers {
		f.Add([]byte(h))
	}
	types := map[string]func(stored []byte) error{
		"any":             decodeInto[any],
		"[]byte":          decodeInto[[]byte],
		"string":          decodeInto[string],
		"bool":            decodeInto[bool],
		"int8":            decodeInto[int8],
		"uint64":          decodeInto[uint64],
		"float32":         decodeInto[float32],
		"[]float32":       decodeInto[[]float32],
		"[]int":           decodeInto[[]int],
		"Tensor[uint8]":   decodeInto[dtype.Tensor[uint8]],
		"[]any":           decodeInto[[]any],
		"map[string]any":  decodeInto[map[string]any],
		"nested":          decodeInto[nested],
		"*nested":         decodeInto[*nested],
		"chan":            decodeInto[chan int],
		"error":           decodeInto[error],
		"map[int]float64": decodeInto[map[int]float64],
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		for name, decode := range types {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := decode(stored)
			runtime.ReadMemStats(&after)
			// What a length in the bytes could ask for is more by far, and what
			// a goroutine beside this one may take is less.
			if taken := after.TotalAlloc - before.TotalAlloc; taken > uint64(32<<20+1000*len(stored)) {
				t.Errorf("%s takes %d bytes of memory for %d: %.100q", name, taken, len(stored), stored)
			}
			if err != nil && !slices.ContainsFunc(kinds, func(kind error) bool { return errors.Is(err, kind) }) {
				t.Errorf("%s: %v: %.100q", name, err, stored)
			}
		}
	})
}

// kinds are those of all errors of Decode.
var kinds = []error{store.ErrInvalidArgument, store.ErrCorrupt, ErrUnsupportedEncoding, dtype.ErrData, dtype.ErrValue}

func decodeInto[T any](stored []byte) error {
	_, err := Decode[T](stored)
	return err
}

// FuzzCheck: Check refuses exactly the values that Decode calls corrupt or
// unsupported.
func FuzzCheck(f *testing.F) {
	for _, h := range headers {
		f.Add([]byte(h))
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		got := Check(stored)
		if errors.Is(got, ErrAlmostHeader) {
			got = nil
		}
		_, want := Decode[any](stored)
		if errors.Is(want, dtype.ErrData) {
			want = store.ErrCorrupt
		}
		for _, kind := range []error{store.ErrCorrupt, ErrUnsupportedEncoding} {
			if errors.Is(got, kind) != errors.Is(want, kind) {
				t.Fatalf("%x: Check says %v, and Decode %v", stored, got, want)
			}
		}
	})
}

package conformance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

type (
	label    string
	rawBytes []byte
	level    int16
	levels   []float32
	profile  struct {
		Data []float64
		Name string
		Of   map[string]int
	}
)

// short names of the encodings
const (
	raw     = columnvault.EncodingRaw
	packed  = columnvault.EncodingPacked
	asJSON  = columnvault.EncodingJSON
	msgPack = columnvault.EncodingMsgPack
	asCBOR  = columnvault.EncodingCBOR
	asText  = columnvault.EncodingText
)

// identical compares values; floats are compared by their bits.
func identical(a, b any) bool {
	if x, ok := a.(float64); ok {
		y, ok := b.(float64)
		return ok && math.Float64bits(x) == math.Float64bits(y)
	}
	return reflect.DeepEqual(a, b)
}

// wantStored puts a value and requires the encoding and the size of what is
// stored, that it is read back as a T, and how it is read by callers that do
// not know its type.
func wantStored[T any](t *testing.T, value T, e columnvault.ValueEncoding, size int64, plain any) {
	t.Helper()
	kv := vaulttest.Open(t).KV()
	vaulttest.Must(t, kv.PutValue(t.Context(), []byte("key"), value))
	info, err := kv.Stat(t.Context(), []byte("key"))
	vaulttest.Must(t, err)
	if want := (columnvault.ValueInfo{Encoding: e, Size: size}); info != want {
		t.Errorf("%T %v is stored as %v, want %v", value, value, info, want)
	}
	wantRead(t, kv, value)
	wantRead(t, kv, plain)
}

// wantRead requires what GetValue gives for a T.
func wantRead[T any](t *testing.T, kv *columnvault.KV, want T) {
	t.Helper()
	got, err := columnvault.GetValue[T](t.Context(), kv, []byte("key"))
	if err != nil || !identical(got, want) {
		t.Errorf("%v is read as %#v, %v, want %#v", reflect.TypeFor[T](), got, err, want)
	}
}

// TestValueEncodings: which encoding PutValue chooses for each kind of value.
func TestValueEncodings(t *testing.T) {
	t.Run("bytes", func(t *testing.T) {
		wantStored(t, []byte("bytes"), raw, 5, any([]byte("bytes")))
		wantStored(t, []byte{}, raw, 0, any([]byte{}))
		wantStored(t, []byte("\x89K0123456789"), raw, 12, any([]byte("\x89K0123456789")))
		wantStored(t, rawBytes("bytes"), raw, 5, any([]byte("bytes")))
		wantStored(t, json.RawMessage(`{}`), raw, 2, any([]byte(`{}`)))
	})
	t.Run("text", func(t *testing.T) {
		wantStored(t, "text", asText, 4, any("text"))
		wantStored(t, "", asText, 0, any(""))
		wantStored(t, "日本\x00", asText, 7, any("日本\x00"))
		wantStored(t, label("text"), asText, 4, any("text"))
	})
	t.Run("integers", func(t *testing.T) {
		wantStored(t, 42, packed, 8, any(int64(42)))
		wantStored(t, int8(-42), packed, 8, any(int64(-42)))
		wantStored(t, uint16(42), packed, 8, any(int64(42)))
		wantStored(t, level(-42), packed, 8, any(int64(-42)))
		wantStored(t, 42*time.Nanosecond, packed, 8, any(int64(42)))
		wantStored(t, int64(1e12-1), packed, 8, any(int64(1e12-1)))
		wantStored(t, int64(1e12), msgPack, 9, any(int64(1e12)))
		wantStored(t, int64(math.MinInt64), packed, 8, any(int64(math.MinInt64)))
		wantStored(t, int64(math.MaxInt64), msgPack, 9, any(int64(math.MaxInt64)))
		wantStored(t, uint64(math.MaxInt64), msgPack, 9, any(int64(math.MaxInt64)))
		wantStored(t, uint64(math.MaxInt64+1), msgPack, 9, any(uint64(math.MaxInt64+1)))
		wantStored(t, uint64(math.MaxUint64), msgPack, 9, any(uint64(math.MaxUint64)))
	})
	t.Run("floats", func(t *testing.T) {
		for _, f := range []float64{1, -1, 0.1, 1e300, math.SmallestNonzeroFloat64 * (1 << 50), math.Inf(1), math.Inf(-1), math.NaN()} {
			wantStored(t, f, packed, 8, any(f))
		}
		for _, f := range []float64{0, math.Copysign(0, -1), math.SmallestNonzeroFloat64} {
			wantStored(t, f, msgPack, 9, any(f))
		}
		wantStored(t, float32(0.5), packed, 8, any(0.5))
	})
	t.Run("vectors", func(t *testing.T) {
		wantStored(t, []float32{1, 2}, packed, 14, any(dtype.Tensor[float32]{Shape: []int{2}, Data: []float32{1, 2}}))
		wantStored(t, levels{1, 2}, packed, 14, any(dtype.Tensor[float32]{Shape: []int{2}, Data: []float32{1, 2}}))
		wantStored(t, []int64{}, msgPack, 1, any([]any{}))
		square := dtype.Tensor[uint8]{Shape: []int{2, 2}, Data: []uint8{1, 2, 3, 4}}
		wantStored(t, square, packed, 14, any(square))
		// Eight bytes would be read as a number.
		wantStored(t, []int16{5}, msgPack, 2, any([]any{int64(5)}))
		wantStored(t, []int8{5, -6}, msgPack, 3, any([]any{int64(5), int64(-6)}))
		// These have no dtype.
		wantStored(t, []int{5, 6}, msgPack, 3, any([]any{int64(5), int64(6)}))
		wantStored(t, []time.Duration{5, 6}, msgPack, 3, any([]any{int64(5), int64(6)}))
		wantStored(t, [2]float64{0, 1}, msgPack, 19, any([]any{0.0, 1.0}))
	})
	t.Run("the JSON model", func(t *testing.T) {
		wantStored(t, true, msgPack, 1, any(true))
		wantStored(t, false, msgPack, 1, any(false))
		wantStored[any](t, nil, msgPack, 1, nil)
		wantStored(t, (*profile)(nil), msgPack, 1, any(nil))
		wantStored(t, []string{"a", "b"}, msgPack, 5, any([]any{"a", "b"}))
		wantStored(t, []any{int64(1), 0.5, "x", nil, true}, msgPack, 15, any([]any{int64(1), 0.5, "x", nil, true}))
		wantStored(t, map[string]any{"b": []any{map[string]any{}}, "a": "x"}, msgPack, 9, any(map[string]any{"a": "x", "b": []any{map[string]any{}}}))
		wantStored(t, profile{[]float64{0.5}, "n", map[string]int{"k": 1}}, msgPack, 30,
			any(map[string]any{"Data": []any{0.5}, "Name": "n", "Of": map[string]any{"k": int64(1)}}))
	})
}

// TestValueComesBackFromEveryEncoding: every value that an encoding can hold
// comes back from it.
func TestValueComesBackFromEveryEncoding(t *testing.T) {
	ctx := t.Context()
	kv := vaulttest.Open(t).KV()
	try := func(e columnvault.ValueEncoding, value any) {
		t.Helper()
		vaulttest.Must(t, kv.PutValueAs(ctx, []byte("key"), e, value))
		info, err := kv.Stat(ctx, []byte("key"))
		vaulttest.Must(t, err)
		if info.Encoding != e {
			t.Errorf("%v is stored as %v, want %v", value, info.Encoding, e)
		}
	}
	model := map[string]any{"a": []any{int64(-1), uint64(math.MaxUint64), 0.5, "é", nil, true}, "b": map[string]any{}}
	for _, e := range []columnvault.ValueEncoding{asJSON, msgPack, asCBOR} {
		try(e, model)
		wantRead(t, kv, model)
		wantRead(t, kv, any(model))
		try(e, model["a"])
		wantRead(t, kv, model["a"].([]any))
		try(e, profile{Data: []float64{1, 2}, Name: "n"})
		wantRead(t, kv, profile{Data: []float64{1, 2}, Name: "n"})
		try(e, int64(1<<62))
		wantRead(t, kv, int64(1<<62))
		wantRead(t, kv, any(int64(1<<62)))
		try(e, nil)
		wantRead(t, kv, any(nil))
	}
	try(asText, label("é"))
	wantRead(t, kv, "é")
	try(raw, rawBytes("é"))
	wantRead(t, kv, []byte("é"))
	try(packed, "text")
	wantRead(t, kv, "text")
	wantRead(t, kv, any("text"))
	try(packed, []byte("bytes")) // a vector of u8
	wantRead(t, kv, []byte("bytes"))
	wantRead(t, kv, any(dtype.Tensor[uint8]{Shape: []int{5}, Data: []byte("bytes")}))

	// Eight packed bytes are what the type says. Without one they are guessed,
	// and then some are something else than what was stored.
	try(packed, 0.0)
	wantRead(t, kv, 0.0)
	wantRead(t, kv, any(int64(0)))
	try(packed, int64(1e12))
	wantRead(t, kv, int64(1e12))
	wantRead(t, kv, any(4.940656458412e-312))
	try(packed, []int16{5})
	wantRead(t, kv, []int16{5})
}

// TestValueRefused: what cannot be stored is refused before anything is
// written, and the error says what to do instead.
func TestValueRefused(t *testing.T) {
	ctx := t.Context()
	kv := vaulttest.Open(t).KV()
	vaulttest.Put(t, kv, "key", "old")
	for _, test := range []struct {
		value any
		e     columnvault.ValueEncoding
		words string
	}{
		{time.Unix(0, 0), msgPack, "UnixNano"},
		{make(chan int), msgPack, "chan int"},
		{func() {}, asCBOR, "func()"},
		{func() {}, asJSON, "func()"},
		{complex(1, 2), packed, "complex128"},
		{map[int]string{1: "a"}, msgPack, "keys of a map must be strings"},
		{[]any{[]byte("x")}, msgPack, "bytes are outside"},
		{[]any{math.NaN()}, msgPack, "NaN"},
		{math.NaN(), asJSON, "NaN"},
		{math.Inf(1), asCBOR, "infinities"},
		{"\xff", asText, "UTF-8"},
		{"\xff", packed, "UTF-8"},
		{"\xff", msgPack, "UTF-8"},
		{uint64(math.MaxUint64), packed, "outside the range"},
		{true, packed, "bool has no packed form"},
		{nil, packed, "no packed form"},
		{[]string{"a"}, packed, "[]string has no packed form"},
		{dtype.Tensor[int8]{Shape: []int{3}, Data: []int8{1}}, packed, "3"},
		{"text", raw, "raw values are bytes, not string"},
		{[]byte("bytes"), asText, "text values are strings, not []uint8"},
	} {
		err := kv.PutValueAs(ctx, []byte("key"), test.e, test.value)
		vaulttest.WantErrText(t, fmt.Sprintf("%T as %v", test.value, test.e), err, columnvault.ErrInvalidArgument, test.words)
		vaulttest.WantKey(t, err, "key")
	}
	for _, e := range []columnvault.ValueEncoding{columnvault.EncodingPickle, 7, 255} {
		vaulttest.WantErrText(t, e.String(), kv.PutValueAs(ctx, []byte("key"), e, "text"), columnvault.ErrUnsupportedEncoding, e.String())
	}
	vaulttest.WantErrText(t, "time.Time", kv.PutValue(ctx, []byte("key"), time.Now()), columnvault.ErrInvalidArgument, "UnixNano")
	vaulttest.WantErrText(t, "text", kv.PutValue(ctx, []byte("key"), "\xff"), columnvault.ErrInvalidArgument, "UTF-8")
	vaulttest.WantPairs(t, kv, "key", "old")
}

// misfit requires that a T cannot hold the value of the key, which is the fault
// of neither the value nor the file.
func misfit[T any](t *testing.T, kv *columnvault.KV, what string) {
	t.Helper()
	_, err := columnvault.GetValue[T](t.Context(), kv, []byte("key"))
	what = fmt.Sprintf("%s as %v", what, reflect.TypeFor[T]())
	vaulttest.WantErr(t, what, err, columnvault.ErrInvalidArgument)
	if errors.Is(err, columnvault.ErrCorrupt) {
		t.Errorf("%s: the error says that the file is damaged: %v", what, err)
	}
	vaulttest.WantKey(t, err, "key")
}

func TestValueMisfits(t *testing.T) {
	ctx := t.Context()
	kv := vaulttest.Open(t).KV()
	try := func(e columnvault.ValueEncoding, value any) string {
		t.Helper()
		vaulttest.Must(t, kv.PutValueAs(ctx, []byte("key"), e, value))
		return fmt.Sprintf("%v in %v", value, e)
	}
	for _, e := range []columnvault.ValueEncoding{asJSON, msgPack, asCBOR} {
		what := try(e, "text")
		misfit[int](t, kv, what)
		misfit[[]float64](t, kv, what)
		misfit[map[string]any](t, kv, what)
		misfit[profile](t, kv, what)
		what = try(e, 1e300)
		misfit[float32](t, kv, what)
		misfit[string](t, kv, what)
		misfit[bool](t, kv, what)
		what = try(e, 300)
		misfit[uint8](t, kv, what)
		misfit[label](t, kv, what)
		what = try(e, -1)
		misfit[uint](t, kv, what)
		what = try(e, []any{"a", 1})
		misfit[[]string](t, kv, what)
		misfit[chan int](t, kv, what)
	}
	what := try(packed, 300)
	misfit[int8](t, kv, what)
	misfit[uint8](t, kv, what)
	misfit[bool](t, kv, what)
	misfit[[]float32](t, kv, what)
	misfit[dtype.Tensor[float32]](t, kv, what)
	misfit[chan int](t, kv, what)
	misfit[error](t, kv, what)
	what = try(packed, -1)
	misfit[uint64](t, kv, what)
	misfit[string](t, kv, what)
	what = try(packed, 1e300)
	misfit[float32](t, kv, what)
	what = try(packed, "a text")
	misfit[int64](t, kv, what)
	misfit[float64](t, kv, what)
	what = try(packed, []float32{1, 2})
	misfit[float64](t, kv, what)
	misfit[[]float64](t, kv, what)
	misfit[[]byte](t, kv, what)
	misfit[[]string](t, kv, what)
	misfit[dtype.Tensor[int32]](t, kv, what)
	what = try(packed, dtype.Tensor[float32]{Shape: []int{2, 1}, Data: []float32{1, 2}})
	misfit[[]float32](t, kv, what)
	what = try(asText, "1")
	misfit[[]byte](t, kv, what)
	misfit[int](t, kv, what)
	what = try(raw, []byte("1"))
	misfit[string](t, kv, what)
	misfit[[]int8](t, kv, what)
}

// TestValueUnreadable: values with headers that this version does not know, and
// values that are damaged. Their bytes can still be read.
func TestValueUnreadable(t *testing.T) {
	ctx := t.Context()
	kv := storedValues(t, map[string]string{
		"version":   "\x89K\x02\x06\x00\x00\x00\x00VKtext",
		"encoding":  "\x89K\x01\x07\x00\x00\x00\x00VKdata",
		"reserved":  "\x89K\x01\x06\x00\x00\x00\x01VKtext",
		"pickle":    "\x89K\x01\x01\x00\x00\x00\x00VK\x80\x04N.",
		"flags":     "\x89K\x01\x06\x80\x00\x00\x00VKtext",
		"text":      "\x89K\x01\x06\x00\x00\x00\x00VK\xff\xfe",
		"json":      "\x89K\x01\x03\x00\x00\x00\x00VK{\"a\":",
		"json rest": "\x89K\x01\x03\x00\x00\x00\x00VK1 2",
		"msgpack":   "\x89K\x01\x04\x00\x00\x00\x00VK\x81\xa1",
		"cbor":      "\x89K\x01\x05\x00\x00\x00\x00VK\xa1\x61",
		"bin":       "\x89K\x01\x04\x00\x00\x00\x00VK\xc4\x01x",
	})
	for key, want := range map[string]struct {
		kind  error
		words string
		info  columnvault.ValueInfo
	}{
		"version":   {columnvault.ErrUnsupportedEncoding, "version 2", columnvault.ValueInfo{Encoding: asText, Size: 4}},
		"encoding":  {columnvault.ErrUnsupportedEncoding, "encoding 7", columnvault.ValueInfo{Encoding: 7, Size: 4}},
		"reserved":  {columnvault.ErrUnsupportedEncoding, "unknown fields", columnvault.ValueInfo{Encoding: asText, Size: 4}},
		"pickle":    {columnvault.ErrUnsupportedEncoding, "pickle", columnvault.ValueInfo{Encoding: columnvault.EncodingPickle, Size: 4}},
		"text":      {columnvault.ErrCorrupt, "UTF-8", columnvault.ValueInfo{Encoding: asText, Size: 2}},
		"json":      {columnvault.ErrCorrupt, "JSON", columnvault.ValueInfo{Encoding: asJSON, Size: 5}},
		"json rest": {columnvault.ErrCorrupt, "follows", columnvault.ValueInfo{Encoding: asJSON, Size: 3}},
		"msgpack":   {columnvault.ErrCorrupt, "msgpack", columnvault.ValueInfo{Encoding: msgPack, Size: 2}},
		"cbor":      {columnvault.ErrCorrupt, "cbor", columnvault.ValueInfo{Encoding: asCBOR, Size: 2}},
		"bin":       {columnvault.ErrCorrupt, "msgpack", columnvault.ValueInfo{Encoding: msgPack, Size: 3}},
	} {
		_, err := columnvault.GetValue[any](ctx, kv, []byte(key))
		vaulttest.WantErrText(t, key, err, want.kind, want.words)
		vaulttest.WantKey(t, err, key)
		info, err := kv.Stat(ctx, []byte(key))
		vaulttest.Must(t, err)
		if info != want.info {
			t.Errorf("%s: Stat gives %v, want %v", key, info, want.info)
		}
		value, err := kv.Get(ctx, []byte(key))
		vaulttest.Must(t, err)
		if len(value) != int(info.Size)+10 {
			t.Errorf("%s: Get gives %d bytes, want all that is stored", key, len(value))
		}
	}
	pickle, err := columnvault.GetValue[[]byte](ctx, kv, []byte("pickle"))
	vaulttest.WantErr(t, "pickle", err, columnvault.ErrUnsupportedEncoding)
	if string(pickle) != "\x80\x04N." {
		t.Errorf("the bytes of the pickle are %q", pickle)
	}
	// The original never sets a flag and does not look at them.
	if text, err := columnvault.GetValue[string](ctx, kv, []byte("flags")); text != "text" || err != nil {
		t.Errorf("with flags the text is %q, %v", text, err)
	}
}

// storedValues is a table that holds these values exactly as they are given.
func storedValues(t *testing.T, values map[string]string) *columnvault.KV {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.Put(t, v.KV(), "the table", "exists")
	vaulttest.Must(t, v.Close())
	for key, value := range values {
		vaulttest.ExecSQL(t, path, fmt.Sprintf(`INSERT INTO kv VALUES (x'%x', x'%x')`, key, value))
	}
	return vaulttest.OpenAt(t, path, nil).KV()
}

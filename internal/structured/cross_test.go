package structured

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/tinylib/msgp/msgp"
	"pgregory.net/rapid"
)

// These tests hold the package against libraries that share no code with it.

// library is a reader and writer of a format by somebody else.
type library struct {
	encode func(v any) ([]byte, error)
	decode func(src []byte) (any, error)
}

var cborReader = func() cbor.DecMode {
	m, err := cbor.DecOptions{
		MaxNestedLevels:  256,
		MaxArrayElements: math.MaxInt32,
		MaxMapPairs:      math.MaxInt32,
		UTF8:             cbor.UTF8RejectInvalid,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}()

var libraries = map[Format]library{
	MsgPack: {
		encode: func(v any) ([]byte, error) { return msgp.AppendIntf(nil, v) },
		decode: func(src []byte) (any, error) {
			v, _, err := msgp.ReadIntfBytes(src)
			return v, err
		},
	},
	CBOR: {
		encode: func(v any) ([]byte, error) { return cbor.Marshal(v) },
		decode: func(src []byte) (v any, err error) {
			_, err = cborReader.UnmarshalFirst(src, &v)
			return v, err
		},
	},
}

var errOutside = errors.New("outside the JSON model")

// model turns what a library read into what this package reads, or reports
// errOutside.
func model(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int64:
		return v, nil
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v), nil
		}
		return v, nil
	case big.Int:
		switch {
		case v.IsInt64():
			return v.Int64(), nil
		case v.IsUint64():
			return v.Uint64(), nil
		}
		return nil, errOutside
	case float32:
		return model(float64(v))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, nil
		}
		return v, nil
	case string:
		if !utf8.ValidString(v) {
			return nil, errOutside
		}
		return v, nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = model(v[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for key := range v {
			if !utf8.ValidString(key) {
				return nil, errOutside
			}
			var err error
			if out[key], err = model(v[key]); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[any]any:
		out := make(map[string]any, len(v))
		for key := range v {
			text, ok := key.(string)
			if !ok {
				return nil, errOutside
			}
			var err error
			if out[text], err = model(v[key]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, errOutside // bytes, times, tags, extensions
}

// diff describes how two values differ. cmp alone takes time exponential in the
// depth of lists inside lists.
func diff(a, b any) string {
	if reflect.DeepEqual(a, b) {
		return ""
	}
	return cmp.Diff(a, b)
}

// genValue draws values of the JSON model.
func genValue() *rapid.Generator[any] {
	scalar := rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Bool().AsAny(),
		rapid.Int64().AsAny(),
		rapid.Uint64Min(math.MaxInt64+1).AsAny(),
		rapid.Float64().Filter(func(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }).AsAny(),
		rapid.Map(rapid.Float32Range(-70000, 70000), func(f float32) float64 { return float64(f) }).AsAny(),
		rapid.String().AsAny(),
	)
	gen := scalar
	for range 3 {
		gen = rapid.OneOf(scalar,
			rapid.Map(rapid.SliceOfN(gen, 0, 20), func(v []any) any { return v }),
			rapid.Map(rapid.MapOfN(rapid.String(), gen, 0, 20), func(v map[string]any) any { return v }))
	}
	return gen
}

func TestAgainstLibraries(t *testing.T) {
	for f, lib := range libraries {
		t.Run(f.String(), rapid.MakeCheck(func(t *rapid.T) {
			v := genValue().Draw(t, "value")
			ours, err := encode(f, v)
			if err != nil {
				t.Fatal(err)
			}
			read, err := lib.decode(ours)
			if err == nil {
				read, err = model(read)
			}
			if d := diff(v, read); d != "" || err != nil {
				t.Fatalf("the library reads ours otherwise (%v):\n%s", err, d)
			}
			theirs, err := lib.encode(v)
			if err != nil {
				t.Fatal(err)
			}
			for name, src := range map[string][]byte{"ours": ours, "theirs": theirs} {
				got, err := decode[any](f, src)
				if d := diff(v, got); d != "" || err != nil {
					t.Fatalf("%s is read otherwise (%v):\n%s", name, err, d)
				}
			}
		}))
	}
}

// fuzz holds Decode against a library for arbitrary bytes: the same are
// accepted, with the same meaning.
func fuzz(f *testing.F, format Format, seeds ...string) {
	for _, seed := range seeds {
		f.Add(unhex(f, seed))
	}
	c, err := New[any](format)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var got any
		err := c.Decode(src, &got)
		theirs, theirErr := libraries[format].decode(src)
		if theirErr == nil {
			theirs, theirErr = model(theirs)
		}
		switch {
		case err == nil && errors.Is(theirErr, msgp.ErrShortBytes):
			return // msgp expects keys of at least one byte
		case err == nil && theirErr != nil:
			t.Fatalf("we read %#v, the library: %v", got, theirErr)
		case err != nil && stricter(err):
			return
		case err != nil && theirErr == nil:
			t.Fatalf("the library reads %#v, we: %v", theirs, err)
		case err != nil:
			return
		}
		if d := diff(theirs, got); d != "" {
			t.Fatal(d)
		}

		canonical, err := c.Append(nil, &got)
		if err != nil {
			t.Fatal(err)
		}
		var again any
		if err := c.Decode(canonical, &again); err != nil {
			t.Fatal(err)
		}
		if d := diff(got, again); d != "" {
			t.Fatal(d)
		}
		if twice, err := c.Append(nil, &again); err != nil || !bytes.Equal(canonical, twice) {
			t.Fatalf("%x is stored again as %x (%v)", canonical, twice, err)
		}
		var typed event
		_ = eventCodecs[format].Decode(src, &typed) // must not panic
	})
}

// stricter reports whether err is one that the libraries need not see: they
// keep only the last of equal keys and with it lose sight of the other values,
// msgp takes bin for a key and nests deeper, and cbor drops the tag "this is
// CBOR" and reads bignums in pieces.
func stricter(err error) bool {
	return strings.Contains(err.Error(), "outside the JSON model") ||
		strings.Contains(err.Error(), "outside -2^63") ||
		strings.Contains(err.Error(), "inside each other") ||
		strings.Contains(err.Error(), "has no meaning here") ||
		errors.Is(err, errText) || errors.Is(err, errKey)
}

var eventCodecs = func() map[Format]Codec[event] {
	m := make(map[Format]Codec[event])
	for _, f := range formats {
		m[f], _ = New[event](f)
	}
	return m
}()

func FuzzMsgPack(f *testing.F) {
	fuzz(f, MsgPack, "c0", "93c2c3ff", "82a161ca3fc00000a162cb7ff8000000000000", "dc0001d005", "dd00000001c0", "de0001a16101",
		"d9017a", "da00017a", "db000000017a", "df00000001a1610f", "c403ffffff", "d40161", "d3ffffffffffffff80",
		"85a2696401a56e616d65a178a26f6bc3a573636f7265cb3fd0000000000000a47461677392a161a162")
}

func FuzzCBOR(f *testing.F) {
	fuzz(f, CBOR, "f6", "83f4f520", "a26161fa3fc000006162f97e00", "9f01ff", "bf616101ff", "7f61616162ff", "c24101", "c34101",
		"3b7fffffffffffffff", "1bffffffffffffffff", "f818", "d9d9f701", "426162", "fb3fb999999999999a",
		"a562696401646e616d656178626f6bf56573636f7265f9340064746167738261616162")
}

package dtype_test

import (
	"encoding/json"
	"strings"
	"testing"

	"columnvault/dtype"
)

// TestErrorsQuoteLittle checks that errors quote the beginning of what they are
// about, however long that is.
func TestErrorsQuoteLittle(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	ones := strings.Repeat(":1", 1<<18)
	parse := func(s string) error {
		_, err := dtype.Parse(s)
		return err
	}
	encode := func(s string, v any) error {
		typ, err := dtype.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		_, err = typ.Append(nil, v)
		return err
	}
	decode := func(s string, b []byte) error {
		typ, err := dtype.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		_, err = typ.Decode(b)
		return err
	}
	var nested any = long
	for range 200 {
		nested = map[string]any{long[:100]: []any{nested}}
	}
	for i, err := range []error{
		parse(long), parse("str:" + long), parse("str:4:" + long), parse("vec:" + long), parse("vec:f32:" + long),
		parse("vec:f32" + ones + ":0"), parse("vec:f32" + ones + ":134217728"),
		encode("str", "\xff"+long), encode("str:ascii", "é"+long), encode("str:latin1", "日"+long), encode("str:4", long),
		encode("i64", json.Number(long)), encode("i64", json.Number(strings.Repeat("1", 1<<20))), encode("bytes", long),
		encode("vec:f32"+ones, []float32{1, 2}), encode("vec:f32:2", dtype.Tensor[float32]{Shape: make([]int, 1<<20)}),
		encode("msgpack", json.Number(long)), encode("msgpack", map[string]any{long: "\xff"}), encode("cbor", map[string]any{long + "\xff": 1}),
		encode("msgpack", map[string]any{long: nested, "a": make(chan int)}), encode("msgpack", deep(long)),
		decode("str", []byte("\xff"+long)), decode("vec:f32"+ones, nil), decode("msgpack", []byte{0xc1}),
	} {
		if err == nil {
			t.Errorf("no error in case %d", i)
		} else if text := err.Error(); len(text) > 4000 {
			t.Errorf("case %d: %d bytes, %.200s", i, len(text), text)
		}
	}
}

// deep is a value that no structured dtype takes, at a long path.
func deep(long string) any {
	var v any = "\xff"
	for range 100 {
		v = map[string]any{long[:1000]: []any{v}}
	}
	return v
}

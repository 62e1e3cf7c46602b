package dtype

import (
	"errors"
	"strings"
	"testing"
)

func TestParseSpec(t *testing.T) {
	for in, want := range map[string]string{
		"bool": "bool", "i8": "i8", "i16": "i16", "i32": "i32", "i64": "i64", "i64:": "i64", "i64:8:x": "i64", "f64:x": "f64",
		"u8": "u8", "u16": "u16", "u32": "u32", "u64": "u64", "f16": "f16", "f32": "f32", "f64": "f64",
		"str": "str:utf8", "string": "str:utf8", "str:UTF-8": "str:utf8", "str:Utf-16LE": "str:utf16le", "str:utf-16be": "str:utf16be",
		"str:ASCII": "str:ascii", "str:ISO-8859-1": "str:latin1", "str:32": "str:32:utf8", "string:+032:latin1": "str:32:latin1", "str:0": "str:0:utf8",
		"bytes": "bytes", "bytes:0": "bytes:0", "bytes:16:junk:x": "bytes:16", "bytes:134217728": "bytes:134217728",
		"messagepack": "msgpack", "messagepack:8:x": "msgpack:8", "cbor": "cbor", "cbor:08": "cbor:8",
		"vec:float32": "vec:f32", "vector:uint8:2:03": "vec:u8:2:3", "vec:i8:134217727": "vec:i8:134217727",
	} {
		spec, err := ParseSpec(in)
		if err != nil || spec.String() != want {
			t.Errorf("%q is %q (%v), want %q", in, spec, err, want)
		}
		typ, err := Parse(in)
		if err != nil || typ.String() != want || typ.Err() != nil || typ.Size() != spec.ElemSize() {
			t.Errorf("Parse(%q) is %v, %v", in, typ, err)
		}
	}
}

func TestParseSpecErrors(t *testing.T) {
	for in, want := range map[string]string{
		"": `unknown type "": want bool`, "i7": "unknown type", "I64": "unknown type", "int64": "unknown type", " i64": "unknown type", "i64 ": "unknown type",
		"i8:8": "unknown type", "bool:": "unknown type", "invalid": "unknown type", "u": "unknown type",
		"str:": `unknown encoding ""`, "str:utf16": "unknown encoding", "str:latin-1": "unknown encoding", "str::utf8": "not a size",
		"str:utf8:8": "not a size", "str:8:": "unknown encoding", "str:8:utf8:": "too many parts", "str:-8": "unknown encoding", "str: 8": "unknown encoding",
		"str:134217729": "between 0 and 134217728", "str:99999999999999999999": "unknown encoding",
		"bytes:": "not a size", "bytes:-1": "not a size", "bytes:++1": "not a size", "bytes:+": "not a size", "bytes:1_0": "not a size", "bytes:0x1": "not a size",
		"bytes: 4": "not a size", "bytes:134217729": "between", "bytes:18446744073709551615": "between", "bytes:18446744073709551616": "not a size",
		"msgpack:x": "not a size", "cbor:": "not a size", "cbor:9223372036854775808": "between",
		"vec": "needs an element type", "vec:": "unknown element type", "vec:F32": "unknown element type", "vec:f16": "unknown element type", "vec:bool": "unknown element type",
		"vec:invalid": "unknown element type", "vec:str": "unknown element type",
		"vec:f32:": "not a size", "vec:f32:0": "greater than 0", "vec:f32:2:0": "greater than 0", "vec:f32:-1": "not a size",
		"vec:i8:134217728": "fit into", "vec:f64:16777216": "fit into", "vec:i8:65536:65536:65536:65536": "fit into", "vec:i8:9223372036854775807:3": "fit into",
	} {
		spec, err := ParseSpec(in)
		if !errors.Is(err, ErrSyntax) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "in ") {
			t.Errorf("%q: %v, want an error about %s", in, err, want)
		}
		if spec.Kind != 0 {
			t.Errorf("%q: %v comes with the error", in, spec)
		}
		if typ, err := Parse(in); err == nil || typ != nil {
			t.Errorf("Parse(%q) is %v", in, typ)
		}
	}
}

func TestSpecSizes(t *testing.T) {
	for in, want := range map[string]int{
		"bool": 1, "i8": 1, "u16": 2, "f16": 2, "f32": 4, "i32": 4, "u64": 8, "f64": 8, "str": 0, "str:0": 0, "str:5:utf16le": 5, "bytes": 0, "bytes:0": 0,
		"bytes:7": 7, "msgpack": 0, "msgpack:0": 0, "cbor:9": 9, "vec:f32": 0, "vec:f32:3": 13, "vec:i16:2:3": 13, "vec:u8:1": 2,
	} {
		spec, err := ParseSpec(in)
		if err != nil || spec.ElemSize() != want {
			t.Errorf("%s: size %d (%v), want %d", in, spec.ElemSize(), err, want)
		}
	}
	if got := (Encoding(77)).String(); got != "Encoding(77)" {
		t.Error(got)
	}
	if got := Kind(77).String(); got != "invalid" {
		t.Error(got)
	}
}

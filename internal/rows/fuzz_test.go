package rows

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"columnvault/dtype"
)

// fuzzed are types of fields that tags are tried on.
var fuzzed = []reflect.Type{
	reflect.TypeFor[int64](), reflect.TypeFor[uint8](), reflect.TypeFor[float32](), reflect.TypeFor[bool](), reflect.TypeFor[string](),
	reflect.TypeFor[[]byte](), reflect.TypeFor[[4]byte](), reflect.TypeFor[[]float32](), reflect.TypeFor[[2][3]int16](),
	reflect.TypeFor[time.Time](), reflect.TypeFor[any](), reflect.TypeFor[map[string]int](), reflect.TypeFor[*int](),
	reflect.TypeFor[sql.Null[int64]](), reflect.TypeFor[sql.NullTime](), reflect.TypeFor[sql.NullString](), reflect.TypeFor[sql.Null[[]byte]](),
}

// FuzzTag: a tag gives a field that can be stored, whose default is an element
// of it, or an error that names the field. The type of the field is the one of
// that number.
func FuzzTag(f *testing.F) {
	for _, seed := range []string{
		"", "-", "name", "-,", ",", "name,f16", ",str:8:latin1", ",bytes:4", ",vec:f32:3", ",vec:i16:2:3", ",msgpack:64", ",cbor,default=[1]",
		"local,time=ms,zone=Europe/Berlin", "day,date", ",date,default=2024-02-30", ",time=us,default=2024-02-29T00:00:00Z", ",,default=-3",
		",,default=a, b", ",,default=", ",default=1", "a.b", ",null", ",i64,other", "x,time=h", "x,zone=", "x,date,time=s", ",,default=NaN", ",,default=\xff",
		"x,i64,,,default=1e400", "\x00", "time=us", "a b\"c", ",str,default=\x00",
	} {
		for i := range fuzzed {
			f.Add(seed, uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, tag string, kind uint8) {
		typ := fuzzed[int(kind)%len(fuzzed)]
		row := reflect.StructOf([]reflect.StructField{{Name: "F", Type: typ, Tag: reflect.StructTag(Tag + ":" + strconv.Quote(tag))}})
		fields, err := Of(row)
		if err != nil {
			if !errors.Is(err, dtype.ErrSyntax) || tag != "-" && !strings.Contains(err.Error(), "F") {
				t.Errorf("%q on %v: %v", tag, typ, err)
			}
			return
		}
		if len(fields) != 1 {
			t.Fatalf("%q on %v gives %d fields", tag, typ, len(fields))
		}
		checkField(t, fmt.Sprintf("%q on %v", tag, typ), fields[0])
	})
}

// checkField requires a field that says one thing.
func checkField(t *testing.T, what string, f *Field) {
	t.Helper()
	if f.Name == "" || strings.Contains(f.Name, ".") {
		t.Errorf("%s: the name is %q", what, f.Name)
	}
	if again, err := dtype.ParseSpec(f.Spec.String()); err != nil || again.String() != f.Spec.String() {
		t.Errorf("%s: the dtype %v is read as %v, %v", what, f.Spec, again, err)
	}
	if err := f.Meaning.Check(f.Spec); err != nil {
		t.Errorf("%s: %v is not a meaning of %v: %v", what, f.Meaning, f.Spec, err)
	}
	if again, err := dtype.ParseMeaning(f.Meaning.String()); err != nil || again != f.Meaning {
		t.Errorf("%s: the meaning %v is read as %v, %v", what, f.Meaning, again, err)
	}
	if f.Default == nil {
		return
	}
	if size := f.Spec.ElemSize(); size > 0 && len(f.Default) != size {
		t.Errorf("%s: a default of %d bytes for elements of %d", what, len(f.Default), size)
	}
	if _, err := f.Meaning.Type(f.Spec).Decode(f.Default); err != nil {
		t.Errorf("%s: the default %x does not decode: %v", what, f.Default, err)
	}
}

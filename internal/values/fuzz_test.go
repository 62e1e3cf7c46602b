package values

import (
	"bytes"
	"encoding/json"
	"testing"

	"columnvault/dtype"
)

// FuzzParse reads any text as a value of every dtype. What is taken and stored
// is printed as JSON, and that is stored as the same bytes.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "1", "-0", "1e400", "NaN", "true", "null", "text", `"\ud800"`, `"\u00e9"`, "[1,2,3]", "[[1.5,2],[3,4]]", "[[],[]]",
		`{"a":[1,null,{"b":"c"}]}`, `{"$base64":true,"encoded":"AP8="}`, `{"shape":[65536,0]}`, "65504.5", "18446744073709551616",
	} {
		for i := range dtypes {
			f.Add(byte(i), []byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, text []byte) {
		spec, err := dtype.ParseSpec(dtypes[int(which)%len(dtypes)])
		if err != nil {
			t.Fatal(err)
		}
		parser, typ := NewParser(spec, dtype.Meaning{}), spec.Type()
		v, err := parser.Parse(text)
		if err != nil {
			return
		}
		stored, err := typ.Append(nil, v)
		if err != nil {
			return
		}
		v, err = typ.Decode(stored)
		if err != nil {
			t.Fatalf("%s: %q is stored as %x, which cannot be read: %v", spec, text, stored, err)
		}
		printed := NewPrinter(spec, dtype.Meaning{}).Append(nil, v)
		if !json.Valid(printed) {
			t.Fatalf("%s: %q is printed as %q, which is not JSON", spec, text, printed)
		}
		if v, err = parser.Parse(printed); err != nil {
			t.Fatalf("%s: %q is printed as %s, which is refused: %v", spec, text, printed, err)
		}
		if again, err := typ.Append(nil, v); err != nil || !bytes.Equal(again, stored) {
			t.Fatalf("%s: %q is stored as %x, and printed as %s as %x (%v)", spec, text, stored, printed, again, err)
		}
	})
}

// FuzzStored reads any text as a value of a key, and as a key. What is printed
// of a value is read as one that is printed alike.
func FuzzStored(f *testing.F) {
	for _, text := range []string{"5", "-0.0", "hello", `"Infinity"`, "1e3", `{"$base64":true,"encoded":"AP8="}`, "[1,{\"a\":null}]", `{"$base64":true,"encoded":"!"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if key, err := ParseKey(string(text)); err == nil {
			if back, err := ParseKey(ShowKey(key)); err != nil || !bytes.Equal(back, key) {
				t.Fatalf("the key %q is shown as %q, which is the key %q (%v)", key, ShowKey(key), back, err)
			}
		}
		v, err := ParseStored(text)
		if err != nil {
			return
		}
		if v, err = asRead(v); err != nil {
			return
		}
		printed := AppendStored(nil, v)
		again, err := ParseStored(printed)
		if err == nil {
			again, err = asRead(again)
		}
		if err != nil || !bytes.Equal(AppendStored(nil, again), printed) {
			t.Fatalf("%q is printed as %s, and that as %#v (%v)", text, printed, again, err)
		}
	})
}

// asRead is a value of ParseStored as it comes back when it has been stored:
// lists and objects are stored as msgpack.
func asRead(v any) (any, error) {
	switch v.(type) {
	case []any, map[string]any:
		typ := dtype.MsgPack[any]()
		stored, err := typ.Append(nil, v)
		if err != nil {
			return nil, err
		}
		return typ.Decode(stored)
	}
	return v, nil
}

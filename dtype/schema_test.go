package dtype

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const personSchema = `{
	"type": "object",
	"properties": {
		"name": {"type": "string", "minLength": 1},
		"age": {"type": "integer", "minimum": 0, "maximum": 150},
		"tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}},
		"a/b~c": {"type": "null"}
	},
	"required": ["name", "age"],
	"$defs": {"tag": {"type": "string", "maxLength": 3}}
}`

func TestSchema(t *testing.T) {
	for _, dynamic := range []Structured[any]{MsgPack[any](), CBOR[any](), FixedMsgPack[any](64)} {
		typ, err := dynamic.WithSchema(personSchema)
		if err != nil {
			t.Fatal(err)
		}
		for _, good := range []any{
			map[string]any{"name": "Ann", "age": 30, "tags": []string{"a", "b"}},
			map[string]any{"name": "Ann", "age": uint64(150), "other": 1.5},
			map[string]any{"name": "Ann", "age": 30.0}, // an integer in the eyes of JSON Schema
			struct {
				Name string `json:"name"`
				Age  uint8  `json:"age"`
			}{"Bob", 7},
		} {
			b, err := typ.Append(nil, good)
			if err != nil {
				t.Errorf("%v: %v", good, err)
			}
			if want, _ := dynamic.Append(nil, good); string(b) != string(want) {
				t.Errorf("the schema changed the bytes: %x, want %x", b, want)
			}
		}
		for _, test := range []struct {
			in   any
			want []Violation
		}{
			{"x", []Violation{{"", "got string, want object"}}},
			{map[string]any{"name": "Ann"}, []Violation{{"", "missing property 'age'"}}},
			{map[string]any{"name": "", "age": -1}, []Violation{{"/age", "minimum: got -1, want 0"}, {"/name", "minLength: got 0, want 1"}}},
			{map[string]any{"name": 5, "age": 151, "tags": []any{"ok", "long", 1}, "a/b~c": 0}, []Violation{
				{"/age", "maximum: got 151, want 150"},
				{"/a~1b~0c", "got number, want null"},
				{"/name", "got number, want string"},
				{"/tags/1", "maxLength: got 4, want 3"},
				{"/tags/2", "got number, want string"},
			}},
		} {
			b, err := typ.Append([]byte("x"), test.in)
			var bad *SchemaError
			if !errors.As(err, &bad) || !errors.Is(err, ErrSchema) || !errors.Is(err, ErrValue) || len(b) != 1 {
				t.Errorf("%v: %q, %v", test.in, b, err)
				continue
			}

			if diff := cmp.Diff(test.want, bad.Violations); diff != "" {
				t.Errorf("%v:\n%s", test.in, diff)
			}
			for _, v := range test.want {
				if !strings.Contains(err.Error(), v.Location+": "+v.Message) {
					t.Errorf("%q does not say %q", err, v)
				}
			}
		}
	}
}

func TestSchemaAlternatives(t *testing.T) {
	typ, err := MsgPack[any]().WithSchema(`{"anyOf": [{"type": "string"}, {"allOf": [{"minimum": 5}, {"multipleOf": 2}]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := typ.Append(nil, 6); err != nil {
		t.Error(err)
	}
	_, err = typ.Append(nil, 3)
	var bad *SchemaError
	if !errors.As(err, &bad) {
		t.Fatal(err)
	}
	var messages []string
	for _, v := range bad.Violations {
		messages = append(messages, v.Message)
	}
	want := []string{"'anyOf' failed", "got number, want string", "minimum: got 3, want 5", "multipleOf: got 3, want 2"}
	if diff := cmp.Diff(want, messages); diff != "" {
		t.Error(diff)
	}
	_, _, err = typ.AppendAll(nil, nil, []any{"ok", 3})
	var element *ElementError
	if !errors.As(err, &element) || element.Index != 1 || !errors.Is(err, ErrSchema) {
		t.Error(err)
	}
}

// Reading does not validate: the schema may be younger than the data.
func TestSchemaOnRead(t *testing.T) {
	typ, err := CBOR[int]().WithSchema(`{"minimum": 10}`)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := typ.Decode([]byte{5}); v != 5 || err != nil {
		t.Error(v, err)
	}
	if typ.String() != "cbor" {
		t.Error(typ)
	}
}

func TestSchemaErrors(t *testing.T) {
	for schema, want := range map[string]string{
		``:                                   "not JSON",
		`{`:                                  "not JSON",
		`{} {}`:                              "not JSON",
		`{"type": "strnig"}`:                 "type",
		`{"$ref": "other.json"}`:             "under $defs",
		`{"$ref": "file:///dev/null"}`:       "under $defs",
		`{"$ref": "https://example.com/s"}`:  "under $defs",
		`{"$ref": "#/$defs/missing"}`:        "",
		`{"pattern": "("}`:                   "regex",
		`{"$schema": "https://example.com"}`: "under $defs",
		`5`:                                  "",
	} {
		typ, err := MsgPack[any]().WithSchema(schema)
		if !errors.Is(err, ErrSyntax) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error about %q", schema, err, want)
		}
		if typ.schema != nil {
			t.Errorf("%s: a schema in spite of the error", schema)
		}
	}
	if _, err := MsgPack[chan int]().WithSchema(`{}`); !errors.Is(err, ErrValue) {
		t.Error(err)
	}
}

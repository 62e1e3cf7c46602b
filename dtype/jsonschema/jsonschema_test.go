package jsonschema_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"columnvault/dtype"
	"columnvault/dtype/jsonschema"
)

// compile compiles a schema.
func compile(t *testing.T, text string) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

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
	person := compile(t, personSchema)
	for _, dynamic := range []dtype.Structured[any]{dtype.MsgPack[any](), dtype.CBOR[any](), dtype.FixedMsgPack[any](64)} {
		typ := dynamic.WithCheck(person.Check)
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
			want []jsonschema.Violation
		}{
			{"x", []jsonschema.Violation{{"", "got string, want object"}}},
			{map[string]any{"name": "Ann"}, []jsonschema.Violation{{"", "missing property 'age'"}}},
			{map[string]any{"name": "", "age": -1}, []jsonschema.Violation{{"/age", "minimum: got -1, want 0"}, {"/name", "minLength: got 0, want 1"}}},
			{map[string]any{"name": 5, "age": 151, "tags": []any{"ok", "long", 1}, "a/b~c": 0}, []jsonschema.Violation{
				{"/age", "maximum: got 151, want 150"},
				{"/a~1b~0c", "got number, want null"},
				{"/name", "got number, want string"},
				{"/tags/1", "maxLength: got 4, want 3"},
				{"/tags/2", "got number, want string"},
			}},
		} {
			b, err := typ.Append([]byte("x"), test.in)
			var bad *jsonschema.Error
			if !errors.As(err, &bad) || !errors.Is(err, dtype.ErrValue) || len(b) != 1 {
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
	s := compile(t, `{"anyOf": [{"type": "string"}, {"allOf": [{"minimum": 5}, {"multipleOf": 2}]}]}`)
	typ := dtype.MsgPack[any]().WithCheck(s.Check)
	if _, err := typ.Append(nil, 6); err != nil {
		t.Error(err)
	}
	_, err := typ.Append(nil, 3)
	var bad *jsonschema.Error
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
	var element *dtype.ElementError
	if !errors.As(err, &element) || element.Index != 1 || !errors.As(err, &bad) {
		t.Error(err)
	}
}

// Reading does not validate: the schema may be younger than the data.
func TestSchemaOnRead(t *testing.T) {
	typ := dtype.CBOR[int]().WithCheck(compile(t, `{"minimum": 10}`).Check)
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
		compiled, err := jsonschema.Compile(schema)
		if !errors.Is(err, dtype.ErrSyntax) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error about %q", schema, err, want)
		}
		if compiled != nil {
			t.Errorf("%s: a schema in spite of the error", schema)
		}
	}
}

// TestErrorsQuoteLittle checks that errors quote the beginning of what they are
// about, however long that is.
func TestErrorsQuoteLittle(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	many := make([]any, 1000)
	for i := range many {
		many[i] = long[:1000]
	}
	check := func(schema string, v any) error {
		s, err := jsonschema.Compile(schema)
		if err == nil {
			_, err = dtype.MsgPack[any]().WithCheck(s.Check).Append(nil, v)
		}
		return err
	}
	for i, err := range []error{
		check(long, nil), check(`{"$ref":"`+long+`"}`, nil), check(`{"type":"`+long+`"}`, nil), check(`{"pattern":"`+long+`["}`, nil),
		check(`{"const":"`+long+`"}`, "y"), check(`{"maxLength":1}`, long), check(`{"enum":["`+long+`"]}`, "y"),
		check(`{"items":{"type":"integer"}}`, many), check(`{"additionalProperties":{"type":"integer"}}`, map[string]any{long: "x"}),
		check(`{"required":["`+long+`"]}`, map[string]any{}), check(`{"additionalProperties":false}`, map[string]any{long: 1}),
	} {
		if err == nil {
			t.Errorf("no error in case %d", i)
		} else if text := err.Error(); len(text) > 4000 {
			t.Errorf("case %d: %d bytes, %.200s", i, len(text), text)
		}
	}
	if text := fmt.Sprint(check(`{"items":{"type":"integer"}}`, many)); !strings.HasSuffix(text, "; and 990 more") {
		t.Errorf("the violations end in %.100s", text[max(0, len(text)-100):])
	}
}

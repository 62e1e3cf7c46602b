package exchange

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// genAny generates what JSON can hold.
func genAny(depth int) *rapid.Generator[any] {
	kinds := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(), rapid.Float64().AsAny(), rapid.String().AsAny(),
		rapid.SampledFrom([]string{`"`, "[", "}", `\`, ",", "é\x00"}).AsAny(),
	}
	if depth > 0 {
		inner := rapid.Deferred(func() *rapid.Generator[any] { return genAny(depth - 1) })
		kinds = append(kinds, rapid.SliceOfN(inner, 0, 3).AsAny(), rapid.MapOfN(rapid.String(), inner, 0, 3).AsAny())
	}
	return rapid.OneOf(kinds...)
}

// TestJSONSplit compares the fields of objects with what encoding/json says.
func TestJSONSplit(t *testing.T) {
	key := rapid.StringN(1, -1, 10).Filter(func(s string) bool { return s != "" })
	f := newJSONReader(strings.NewReader(""), "")
	rapid.Check(t, func(t *rapid.T) {
		line, err := json.Marshal(rapid.MapOfN(key, genAny(2), 0, 5).Draw(t, "object"))
		if err != nil {
			t.Skip(err)
		}
		if rapid.Bool().Draw(t, "spaces") {
			line = []byte(strings.NewReplacer(",\"", " ,\t\"", "\":", "\" : ").Replace(string(line)))
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(line, &want); err != nil {
			t.Skip(err)
		}
		f.lines.Number++
		if err := f.split(line); err != nil {
			t.Fatal(err)
		}
		got := map[string]json.RawMessage{}
		for i, field := range f.fields {
			if field.State == Present || f.seen[i] == f.Line() {
				got[f.keys[i]] = json.RawMessage(field.Text)
			}
		}
		if !maps.EqualFunc(got, want, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
			t.Fatalf("%s\ngot  %s\nwant %s", line, got, want)
		}
	})
}

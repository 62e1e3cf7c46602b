package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"columnvault/cmd/columnvault/internal/hint"
	"columnvault/cmd/columnvault/internal/values"
	"columnvault/internal/excerpt"
)

// jsonReader reads JSON lines: objects, whose keys are the columns, or values
// of any kind as a single column.
type jsonReader struct {
	lines  *Lines
	keys   []string
	index  map[string]int
	fields []Field
	seen   []int  // by key: the line that had it last
	into   string // the name of the single column
}

func newJSONReader(r io.Reader, into string) *jsonReader {
	f := &jsonReader{lines: NewLines(r), index: map[string]int{}, into: into}
	if into != "" {
		f.key(into)
	}
	return f
}

func (f *jsonReader) Line() int       { return f.lines.Number }
func (f *jsonReader) Names() []string { return f.keys }

func (f *jsonReader) Rewind(r io.Reader) error {
	f.lines = NewLines(r)
	clear(f.seen)
	return nil
}

func (f *jsonReader) Next() ([]Field, error) {
	for {
		line, err := f.lines.Next()
		if err != nil {
			return nil, err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if err := f.split(line); err != nil {
			return nil, lineError(f.Line(), err)
		}
		return f.fields, nil
	}
}

// split takes a line apart.
func (f *jsonReader) split(line []byte) error {
	if !utf8.Valid(line) {
		return errors.New("the line is not UTF-8 text")
	}
	if !json.Valid(line) {
		var v json.RawMessage
		return fmt.Errorf("the line is not JSON: %w", json.Unmarshal(line, &v))
	}
	if f.into != "" {
		f.set(0, line)
		return nil
	}
	if line[0] != '{' {
		return hint.Add(fmt.Errorf("the line is %s and not an object", values.DescribeJSON(line)),
			"--into NAME takes lines of any kind, as one column")
	}
	for i := range f.fields {
		f.fields[i].State = Absent
	}
	s := jsonScanner{line[1:]}
	for n := 0; s.next() != '}'; n++ {
		key := s.value()
		s.skip() // the colon
		value := s.value()
		if s.next() == ',' {
			s.skip()
		}
		i, err := f.find(key, n)
		if err != nil {
			return err
		}
		if f.seen[i] == f.Line() {
			return fmt.Errorf("the object has two keys %s", excerpt.Quote(f.keys[i], excerpt.Name))
		}
		f.seen[i] = f.Line()
		f.set(i, value)
	}
	return nil
}

func (f *jsonReader) set(i int, value []byte) {
	f.fields[i] = Field{Text: value}
	if value[0] == 'n' {
		f.fields[i].State = Absent
	}
}

// find returns the number of a key, given in quotes. Mostly objects have the
// same keys in the same order, so it is the n-th that is looked at first.
func (f *jsonReader) find(quoted []byte, n int) (int, error) {
	if text := quoted[1 : len(quoted)-1]; values.IsPlain(text) {
		if n < len(f.keys) && string(text) == f.keys[n] {
			return n, nil
		}
		if i, ok := f.index[string(text)]; ok {
			return i, nil
		}
	}
	name, err := values.Unquote(quoted)
	if err != nil {
		return 0, err
	}
	if name == "" {
		return 0, errors.New("the object has an empty key, which cannot name a column")
	}
	if i, ok := f.index[name]; ok {
		return i, nil
	}
	return f.key(name), nil
}

// key adds a key.
func (f *jsonReader) key(name string) int {
	i := len(f.keys)
	f.keys = append(f.keys, name)
	f.index[name] = i
	f.fields = append(f.fields, Field{State: Absent})
	f.seen = append(f.seen, 0)
	return i
}

func (f *jsonReader) Text(text []byte) (string, error) { return values.ParseText(text) }

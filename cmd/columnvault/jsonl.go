package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// jsonFile reads JSON lines: objects, whose keys are the columns, or values of
// any kind as a single column.
type jsonFile struct {
	lines  *lines
	keys   []string
	index  map[string]int
	fields []field
	seen   []int  // by key: the line that had it last
	into   string // the name of the single column
}

func newJSONFile(r io.Reader, into string) *jsonFile {
	f := &jsonFile{lines: newLines(r), index: map[string]int{}, into: into}
	if into != "" {
		f.key(into)
	}
	return f
}

func (f *jsonFile) line() int       { return f.lines.number }
func (f *jsonFile) names() []string { return f.keys }

func (f *jsonFile) rewind(r io.Reader) error {
	f.lines = newLines(r)
	clear(f.seen)
	return nil
}

func (f *jsonFile) next() ([]field, error) {
	for {
		line, err := f.lines.next()
		if err != nil {
			return nil, err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if err := f.split(line); err != nil {
			return nil, lineError(f.line(), err)
		}
		return f.fields, nil
	}
}

// split takes a line apart.
func (f *jsonFile) split(line []byte) error {
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
		return withHint(fmt.Errorf("the line is %s and not an object", jsonKind(line)),
			"--into NAME takes lines of any kind, as one column")
	}
	for i := range f.fields {
		f.fields[i].state = absent
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
		if f.seen[i] == f.line() {
			return fmt.Errorf("the object has two keys %q", f.keys[i])
		}
		f.seen[i] = f.line()
		f.set(i, value)
	}
	return nil
}

func (f *jsonFile) set(i int, value []byte) {
	f.fields[i] = field{text: value}
	if value[0] == 'n' {
		f.fields[i].state = absent
	}
}

// find returns the number of a key, given in quotes. Mostly objects have the
// same keys in the same order, so it is the n-th that is looked at first.
func (f *jsonFile) find(quoted []byte, n int) (int, error) {
	if text := quoted[1 : len(quoted)-1]; isPlain(text) {
		if n < len(f.keys) && string(text) == f.keys[n] {
			return n, nil
		}
		if i, ok := f.index[string(text)]; ok {
			return i, nil
		}
	}
	name, err := unquote(quoted)
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
func (f *jsonFile) key(name string) int {
	i := len(f.keys)
	f.keys = append(f.keys, name)
	f.index[name] = i
	f.fields = append(f.fields, field{state: absent})
	f.seen = append(f.seen, 0)
	return i
}

func (f *jsonFile) textOf(text []byte) (string, error) { return parseText(text) }

// jsonScanner cuts text that is known to be JSON into its values.
type jsonScanner struct{ rest []byte }

// next skips space and returns the next character.
func (s *jsonScanner) next() byte {
	for isSpace(s.rest[0]) {
		s.rest = s.rest[1:]
	}
	return s.rest[0]
}

// skip skips space and one character.
func (s *jsonScanner) skip() {
	s.next()
	s.rest = s.rest[1:]
}

// value returns the text of the next value.
func (s *jsonScanner) value() []byte {
	end := 1
	switch s.next() {
	case '"':
		end = endOfString(s.rest, 0)
	case '{', '[':
		end = endOfList(s.rest)
	default: // a number or a word, after which comes a comma or the end of the object
		for c := s.rest[end]; c != ',' && c != '}' && !isSpace(c); c = s.rest[end] {
			end++
		}
	}
	value := s.rest[:end]
	s.rest = s.rest[end:]
	return value
}

// endOfList returns the position after the list or object at the beginning.
func endOfList(text []byte) int {
	depth := 0
	for i := 0; ; {
		switch text[i] {
		case '"':
			i = endOfString(text, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if i++; depth == 0 {
			return i
		}
	}
}

// isSpace tells whether JSON allows c between values.
func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// endOfString returns the position after the JSON string that begins at i.
func endOfString(text []byte, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

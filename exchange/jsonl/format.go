package jsonl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"columnvault/exchange"
	"columnvault/exchange/internal/records"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
	"columnvault/internal/values"
)

// format cuts JSON lines into the values of their keys.
type format struct {
	into  string // the name of the single column
	keys  []string
	index map[string]int
	seen  []int // by key: the line that had it last
	line  int   // lines before the next one
	scan  scanner
}

// Start is called before each pass.
func (f *format) Start(b *records.Block) {
	f.line = 0
	clear(f.seen)
	if f.into != "" && len(f.keys) == 0 {
		f.addKey(f.into)
	}
	b.Names = f.keys
	b.SetWidth(len(f.keys))
}

// Cut adds the whole lines at the beginning of the block.
func (f *format) Cut(b *records.Block, ended bool) (next int, err error) {
	for next < len(b.Text) {
		end, after := len(b.Text), len(b.Text)
		if i := bytes.IndexByte(b.Text[next:], '\n'); i >= 0 {
			end, after = next+i, next+i+1
		} else if !ended {
			break
		}
		f.line++
		if err := f.cutLine(b, next, end); err != nil {
			return next, records.LineError(f.line, err)
		}
		next = after
	}
	return next, nil
}

// cutLine adds a line that stands between two positions.
func (f *format) cutLine(b *records.Block, from, to int) error {
	for from < to && isSpace(b.Text[from]) {
		from++
	}
	for from < to && isSpace(b.Text[to-1]) {
		to--
	}
	line := b.Text[from:to]
	if len(line) == 0 {
		return nil
	}
	if !utf8.Valid(line) {
		return errors.New("the line is not UTF-8 text")
	}
	var err error
	if f.into != "" {
		f.scan = scanner{text: b.Text[:to], pos: from}
		if f.scan.value(0) && f.scan.pos == to {
			f.set(b.Blank(), 0, from, to)
		} else {
			err = notJSON(line)
		}
	} else if err = f.object(b, from, to); err == errSyntax {
		err = notJSON(line)
		if f.scan = (scanner{text: b.Text[:to], pos: from}); line[0] != '{' && f.scan.value(0) && f.scan.pos == to {
			err = hint.Add(notObject{values.DescribeJSON(line)}, "Into takes lines of any kind, as one column")
		}
	}
	if err != nil {
		b.DropRow()
		return err
	}
	b.EndRow(f.line)
	return nil
}

// errSyntax is that of a line which is not JSON, or not an object.
var errSyntax = errors.New("syntax")

// ErrNotObject is returned for a line that is JSON and not an object.
var ErrNotObject = errors.New("the line is not an object")

// notObject is an ErrNotObject that says what the line is.
type notObject struct{ what string }

func (e notObject) Error() string { return fmt.Sprintf("the line is %s and not an object", e.what) }

func (notObject) Unwrap() error { return ErrNotObject }

// notJSON says what is wrong with a line.
func notJSON(line []byte) error {
	var v json.RawMessage
	err := json.Unmarshal(line, &v)
	if err == nil {
		err = errors.New("it is nested too deeply")
	}
	return fmt.Errorf("the line is not JSON: %w", err)
}

// object adds an object.
func (f *format) object(b *records.Block, from, to int) error {
	s := &f.scan
	*s = scanner{text: b.Text[:to], pos: from}
	if !s.take('{') {
		return errSyntax
	}
	row := b.Blank()
	s.space()
	for n := 0; !s.take('}'); n++ {
		if n > 0 {
			if !s.take(',') {
				return errSyntax
			}
			s.space()
		}
		start := s.pos
		if !s.string() {
			return errSyntax
		}
		key := s.text[start:s.pos]
		s.space()
		if !s.take(':') {
			return errSyntax
		}
		s.space()
		start = s.pos
		if !s.value(1) {
			return errSyntax
		}
		end := s.pos
		s.space()
		i, err := f.find(key, n)
		if err != nil {
			return err
		}
		if i >= len(row) {
			b.Names = f.keys
			b.SetWidth(len(f.keys))
			row = b.LastRow()
		}
		if f.seen[i] == f.line {
			return fmt.Errorf("the object has two keys %s", excerpt.Quote(f.keys[i], excerpt.Name))
		}
		f.seen[i] = f.line
		f.set(row, i, start, end)
	}
	if s.pos != to {
		return errSyntax
	}
	return nil
}

// set sets a cell of a row.
func (f *format) set(row []records.Cell, i, from, to int) {
	state := records.Plain
	if f.scan.text[from] == 'n' {
		state = records.Absent
	}
	row[i] = records.NewCell(from, to, state)
}

// find returns the number of a key, given in quotes. Mostly objects have the
// same keys in the same order, so it is the n-th that is looked at first.
func (f *format) find(quoted []byte, n int) (int, error) {
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
	return f.addKey(name), nil
}

// addKey adds a key.
func (f *format) addKey(name string) int {
	i := len(f.keys)
	f.keys = append(f.keys, name)
	f.index[name] = i
	f.seen = append(f.seen, 0)
	return i
}

// TooLong is the error of a line that does not end within the limit.
func (f *format) TooLong(limit int) error {
	return records.LineError(f.line+1, fmt.Errorf("the line is longer than %d bytes", limit))
}

// Trim does nothing: a value has no space around it.
func (f *format) Trim(text []byte) []byte { return text }

// IsText tells strings from other values.
func (f *format) IsText(cell []byte) bool { return len(cell) > 0 && cell[0] == '"' }

// Text reads a string.
func (f *format) Text(cell []byte) (string, int, error) {
	if n := len(cell); n >= 2 && cell[0] == '"' && values.IsPlain(cell[1:n-1]) {
		return "", 1, nil
	}
	text, err := values.ParseText(cell)
	return text, -1, err
}

// ShapeOf tells what a value is.
func (f *format) ShapeOf(text []byte) records.Shape {
	switch c := text[0]; {
	case c == '"':
		switch _, ok := values.FloatWord(text); {
		case string(text) == `"NaN"`, string(text) == `"Infinity"`, string(text) == `"-Infinity"`:
			return records.FloatWord
		case ok:
			return records.FloatName
		}
		if s, ok := records.TimeShape(text[1 : len(text)-1]); ok {
			return s
		}
		return records.Text
	case c == '{':
		if _, err := values.ParseBytes(text); err == nil {
			return records.Bytes
		}
		return records.Other
	case c != '-' && (c < '0' || c > '9'):
		return records.Other
	case !bytes.ContainsAny(text, ".eE"):
		return records.IntegerShape(text, records.Other)
	}
	if _, err := values.ParseFloat(text, 64); err != nil {
		return records.Other
	}
	return records.Float
}

// TypeOf returns f64 for a column of nothing but NaN and infinities, which is
// how they are written. In another spelling they are text beside text.
func (f *format) TypeOf(s records.Shape) exchange.Field {
	const numbers = records.Integer | records.Float
	const words = records.FloatWord | records.FloatName
	t, together, timed := s.HasTime()
	if timed {
		s = s&^records.Moments | records.Text
	}
	switch {
	case f.into != "":
		return records.MsgPack
	case together:
		return t
	case s != 0 && s&^(records.Integer|records.Wide) == 0:
		return records.Int64
	case s&numbers != 0 && s&^(numbers|words) == 0, s == records.FloatWord:
		return records.Float64
	case s != 0 && s&^(records.Text|words) == 0:
		return records.String
	case s == records.Bytes:
		return records.Blob
	}
	return records.MsgPack
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"columnvault/dtype"
)

// csvFile reads CSV as RFC 4180 has it. Other than encoding/csv it tells "" and
// "NA" from fields without quotes, keeps the line ends in fields as they are,
// and copies nothing. A quote inside of a field that does not begin with one
// stands for itself.
type csvFile struct {
	lines  *lines
	header []string
	fields []field
	start  int    // line of the record
	record []byte // holds a record of several lines
}

func newCSVFile(r io.Reader) (*csvFile, error) {
	f := &csvFile{lines: newLines(r)}
	fields, err := f.read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty; its first line should name the columns")
	case err != nil:
		return nil, err
	}
	for i, field := range fields {
		name := string(bytes.TrimSpace(field.text))
		switch {
		case name == "":
			return nil, lineError(f.start, fmt.Errorf("column %d has no name", i+1))
		case slices.Contains(f.header, name):
			return nil, lineError(f.start, fmt.Errorf("there are two columns named %q", name))
		}
		f.header = append(f.header, name)
	}
	return f, nil
}

func (f *csvFile) line() int       { return f.start }
func (f *csvFile) names() []string { return f.header }

func (f *csvFile) rewind(r io.Reader) error {
	f.lines = newLines(r)
	_, err := f.read()
	return err
}

func (f *csvFile) next() ([]field, error) {
	for {
		fields, err := f.read()
		if err != nil {
			return nil, err
		}
		// An empty line is a record only where records have one field.
		empty := len(fields) == 1 && fields[0].state == absent && len(fields[0].text) == 0
		if empty && len(f.header) > 1 {
			continue
		}
		if len(fields) != len(f.header) {
			return nil, lineError(f.start, fmt.Errorf("the record has %s, and the header %d", plural(len(fields), "field"), len(f.header)))
		}
		return fields, nil
	}
}

// read reads a record.
func (f *csvFile) read() ([]field, error) {
	record, err := f.lines.next()
	if err != nil {
		return nil, err
	}
	f.start = f.lines.number
	if open := endsQuoted(record, false); open {
		f.record = append(f.record[:0], record...)
		for open {
			line, err := f.lines.next()
			if errors.Is(err, io.EOF) || len(f.record) > maxLine {
				return nil, lineError(f.start, errors.New("a quoted field does not end"))
			}
			if err != nil {
				return nil, err
			}
			f.record = append(f.record, line...)
			open = endsQuoted(line, true)
		}
		record = f.record
	}
	if !utf8.Valid(record) {
		err := lineError(f.start, errors.New("the record is not UTF-8 text"))
		return nil, withHint(err, "convert the file first, as with iconv -f latin1 -t utf-8")
	}
	return f.split(trimEnding(record))
}

// endsQuoted tells whether a record is still inside of a quoted field at the
// end of a line, given whether it is at the beginning.
func endsQuoted(line []byte, quoted bool) bool {
	if !quoted && bytes.IndexByte(line, '"') < 0 {
		return false
	}
	for {
		if !quoted {
			// Here a field begins.
			if len(line) == 0 || line[0] != '"' {
				comma := bytes.IndexByte(line, ',')
				if comma < 0 {
					return false
				}
				line = line[comma+1:]
				continue
			}
			line = line[1:]
		}
		quote := bytes.IndexByte(line, '"')
		if quote < 0 {
			return true
		}
		line = line[quote+1:]
		quoted = len(line) > 0 && line[0] == '"' // a doubled quote
		if quoted {
			line = line[1:]
			continue
		}
		comma := bytes.IndexByte(line, ',')
		if comma < 0 {
			return false
		}
		line = line[comma+1:]
	}
}

// split takes a record apart, in its own memory.
func (f *csvFile) split(record []byte) ([]field, error) {
	f.fields = f.fields[:0]
	for {
		if len(record) > 0 && record[0] == '"' {
			text, rest, ok := unquoteCSV(record[1:])
			if !ok {
				return nil, lineError(f.start, fmt.Errorf("field %d goes on after its closing quote", len(f.fields)+1))
			}
			state := present
			if isAbsent(text) {
				state = quotedAbsent
			}
			f.fields = append(f.fields, field{text, state})
			if len(rest) == 0 {
				return f.fields, nil
			}
			record = rest[1:]
			continue
		}
		text, rest, more := bytes.Cut(record, []byte(","))
		state := present
		if isAbsent(bytes.TrimSpace(text)) {
			state = absent
		}
		f.fields = append(f.fields, field{text, state})
		if !more {
			return f.fields, nil
		}
		record = rest
	}
}

// unquoteCSV reads a field from behind its opening quote. What is left begins
// with a comma or is empty.
func unquoteCSV(record []byte) (text, rest []byte, ok bool) {
	n := 0 // the text is moved together at the beginning of the record
	for i := 0; i < len(record); i++ {
		if record[i] == '"' {
			if i++; i == len(record) || record[i] != '"' {
				rest = record[i:]
				return record[:n], rest, len(rest) == 0 || rest[0] == ','
			}
		}
		record[n] = record[i]
		n++
	}
	return nil, nil, false
}

// isAbsent tells whether a field says that there is no value.
func isAbsent(text []byte) bool {
	return len(text) == 0 || len(text) == 2 && text[0] == 'N' && text[1] == 'A'
}

func (f *csvFile) textOf(text []byte) (string, error) { return string(text), nil }

// appendCell writes a field of CSV. Text that says that there is no value, and
// text whose ends could get lost, has quotes.
func appendCell(dst []byte, s string) []byte {
	plain := s != "" && s != "NA" && !strings.ContainsAny(s, ",\"\r\n") && strings.TrimSpace(s) == s
	if plain {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(s, `"`, `""`)...)
	return append(dst, '"')
}

// appendCell prints a value as a field of CSV.
func (p printer) appendCell(dst []byte, v any) []byte {
	if p.kind == dtype.KindText {
		return appendCell(dst, v.(string))
	}
	start := len(dst)
	dst = p.append(dst, v)
	switch {
	case isFloat(p.kind) && dst[start] == '"': // "NaN", which needs no quotes here
		return append(dst[:start], dst[start+1:len(dst)-1]...)
	case p.number != nil && p.kind != dtype.KindVector:
		return dst
	}
	return appendCell(dst[:start], string(dst[start:]))
}

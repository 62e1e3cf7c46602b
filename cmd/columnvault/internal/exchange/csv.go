package exchange

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"columnvault/cmd/columnvault/internal/hint"
	"columnvault/internal/excerpt"
)

// csvReader reads CSV as RFC 4180 has it. Unlike encoding/csv it tells "" and
// "NA" from fields without quotes, keeps the line ends in fields as they are,
// and copies nothing. A quote inside of a field that does not begin with one
// stands for itself.
type csvReader struct {
	lines  *Lines
	header []string
	fields []Field
	start  int    // line of the record
	record []byte // holds a record of several lines
}

func newCSVReader(r io.Reader) (*csvReader, error) {
	f := &csvReader{lines: NewLines(r)}
	fields, err := f.read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty; its first line should name the columns")
	case err != nil:
		return nil, err
	}
	known := map[string]bool{}
	for i, field := range fields {
		name := string(bytes.TrimSpace(field.Text))
		switch {
		case name == "":
			return nil, lineError(f.start, fmt.Errorf("column %d has no name", i+1))
		case known[name]:
			return nil, lineError(f.start, fmt.Errorf("there are two columns named %s", excerpt.Quote(name, excerpt.Name)))
		}
		f.header = append(f.header, name)
		known[name] = true
	}
	return f, nil
}

func (f *csvReader) Line() int       { return f.start }
func (f *csvReader) Names() []string { return f.header }

func (f *csvReader) Rewind(r io.Reader) error {
	f.lines = NewLines(r)
	_, err := f.read()
	return err
}

func (f *csvReader) Next() ([]Field, error) {
	for {
		fields, err := f.read()
		if err != nil {
			return nil, err
		}
		// An empty line is a record only where records have one field.
		empty := len(fields) == 1 && fields[0].State == Absent && len(fields[0].Text) == 0
		if empty && len(f.header) > 1 {
			continue
		}
		if len(fields) != len(f.header) {
			return nil, lineError(f.start, f.lengthError(len(fields)))
		}
		return fields, nil
	}
}

// lengthError is the error of a record that has n fields, unlike the header.
func (f *csvReader) lengthError(n int) error {
	if n == 1 {
		return fmt.Errorf("the record has 1 field, and the header %d", len(f.header))
	}
	return fmt.Errorf("the record has %d fields, and the header %d", n, len(f.header))
}

// read reads a record.
func (f *csvReader) read() ([]Field, error) {
	record, err := f.lines.Next()
	if err != nil {
		return nil, err
	}
	f.start = f.lines.Number
	if open := endsQuoted(record, false); open {
		f.record = append(f.record[:0], record...)
		for open {
			line, err := f.lines.Next()
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
		return nil, hint.Add(err, "convert the file first, as with iconv -f latin1 -t utf-8")
	}
	return f.split(TrimEnding(record))
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
func (f *csvReader) split(record []byte) ([]Field, error) {
	f.fields = f.fields[:0]
	for {
		if len(record) > 0 && record[0] == '"' {
			text, rest, ok := unquoteCSV(record[1:])
			if !ok {
				return nil, lineError(f.start, fmt.Errorf("field %d goes on after its closing quote", len(f.fields)+1))
			}
			state := Present
			if isAbsent(text) {
				state = QuotedAbsent
			}
			f.fields = append(f.fields, Field{text, state})
			if len(rest) == 0 {
				return f.fields, nil
			}
			record = rest[1:]
			continue
		}
		text, rest, more := bytes.Cut(record, []byte(","))
		state := Present
		if isAbsent(bytes.TrimSpace(text)) {
			state = Absent
		}
		f.fields = append(f.fields, Field{text, state})
		if !more {
			return f.fields, nil
		}
		record = rest
	}
}

// unquoteCSV reads a field after its opening quote. What is left begins
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

func (f *csvReader) Text(text []byte) (string, error) { return string(text), nil }

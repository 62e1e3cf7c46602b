package main

import (
	"bufio"
	"strconv"
	"strings"

	"columnvault/cmd/columnvault/internal/importing"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/exchange/csv"
	"columnvault/internal/excerpt"
	"columnvault/internal/values"
)

// rowPrinter prints the rows of a statement, whose fields are nil, int64,
// float64, string or []byte.
type rowPrinter interface {
	add(fields []any) error
	// end prints what has been kept back.
	end() error
}

// rowPrinter returns the one for a format; without a format, that depends on
// standard output.
func (a *app) rowPrinter(format string, names []string) (rowPrinter, error) {
	switch {
	case format == string(importing.JSONL):
		p := &rowLines{out: a.out}
		for _, name := range names {
			p.keys = append(p.keys, append(values.AppendString(nil, strings.ToValidUTF8(name, "\ufffd")), ':'))
		}
		return p, nil
	case format == "table" || format == "" && a.outTerminal:
		return &rowTable{a: a, names: names}, nil
	}
	p := &rowCSV{out: a.out}
	header := make([]any, len(names))
	for i, name := range names {
		header[i] = name
	}
	return p, p.add(header)
}

// rowCSV prints rows as CSV.
type rowCSV struct {
	out  *bufio.Writer
	line []byte
}

func (p *rowCSV) add(fields []any) error {
	p.line = p.line[:0]
	for i, f := range fields {
		if i > 0 {
			p.line = append(p.line, ',')
		}
		switch f := f.(type) {
		case nil:
		case string:
			p.line = csv.AppendField(p.line, f)
		case []byte:
			p.line = csv.AppendField(p.line, string(values.AppendBytes(nil, f)))
		default:
			p.line = appendField(p.line, f)
		}
	}
	if len(fields) == 1 && fields[0] == nil {
		p.line = append(p.line, "NA"...) // an empty line is no record
	}
	p.line = append(p.line, '\n')
	_, err := p.out.Write(p.line)
	return err
}

func (p *rowCSV) end() error { return nil }

// rowLines prints rows as JSON lines.
type rowLines struct {
	out  *bufio.Writer
	keys [][]byte // the names in JSON, with colons
	line []byte
}

func (p *rowLines) add(fields []any) error {
	p.line = append(p.line[:0], '{')
	for i, f := range fields {
		if i > 0 {
			p.line = append(p.line, ',')
		}
		p.line = append(p.line, p.keys[i]...)
		p.line = appendField(p.line, f)
	}
	p.line = append(p.line, '}', '\n')
	_, err := p.out.Write(p.line)
	return err
}

func (p *rowLines) end() error { return nil }

// appendField prints a field as JSON. The engine makes text of any bytes.
func appendField(dst []byte, f any) []byte {
	switch f := f.(type) {
	case int64:
		return strconv.AppendInt(dst, f, 10)
	case float64:
		return values.AppendFloat(dst, f, 64)
	case string:
		return values.AppendString(dst, strings.ToValidUTF8(f, "\ufffd"))
	case []byte:
		return values.AppendBytes(dst, f)
	}
	return append(dst, "null"...)
}

// rowTable prints rows as a table, some at a time.
type rowTable struct {
	a     *app
	names []string
	table *term.Table
	rows  [][]string
	// words says which columns have had something other than a number, as far as
	// the rows before the first were printed.
	words []bool
}

func (p *rowTable) add(fields []any) error {
	if p.words == nil {
		p.words = make([]bool, len(fields))
	}
	cells := make([]string, len(fields))
	for i, f := range fields {
		switch f := f.(type) {
		case nil:
		case int64:
			cells[i] = strconv.FormatInt(f, 10)
		case float64:
			cells[i] = showFloat(f)
		case string:
			cells[i], p.words[i] = excerpt.Printable(excerpt.Shorten(f, cellWidth)), true
		case []byte:
			cells[i], p.words[i] = term.Plural(len(f), "byte"), true
		}
	}
	p.rows = append(p.rows, cells)
	if len(p.rows) < rowsAtOnce {
		return nil
	}
	return p.end()
}

func (p *rowTable) end() error {
	if p.table == nil {
		var columns []term.Column
		for i, name := range p.names {
			name = excerpt.Printable(excerpt.Shorten(name, cellWidth))
			if p.words != nil && !p.words[i] {
				columns = append(columns, term.Right(name))
			} else {
				columns = append(columns, term.Left(name))
			}
		}
		p.table = p.a.table(columns...)
		p.table.Fit(p.a.width)
	}
	for _, cells := range p.rows {
		p.table.Add(cells...)
	}
	p.rows = p.rows[:0]
	return p.table.Write(p.a.out)
}

package exchange

import (
	"bufio"
	"strings"

	"columnvault/cmd/columnvault/internal/values"
	"columnvault/dtype"
)

// Writer writes records as a file.
type Writer struct {
	w       *bufio.Writer
	format  Format
	columns []writerColumn
	line    []byte // the record so far
	fields  int    // of it
}

type writerColumn struct {
	printer values.Printer
	kind    dtype.Kind
	number  bool
	null    bool   // values may be missing
	timed   bool   // they are times or dates
	key     []byte // the name in JSON, with a colon
}

// NewWriter returns a writer of records whose fields have these names, dtypes
// and meanings. It writes the header, if the format has one.
func NewWriter(w *bufio.Writer, format Format, names []string, specs []dtype.Spec, meanings []dtype.Meaning) (*Writer, error) {
	out := &Writer{w: w, format: format}
	var header []byte
	for i, name := range names {
		kind, m := specs[i].Kind, meanings[i]
		out.columns = append(out.columns, writerColumn{
			printer: values.NewPrinter(specs[i], m), kind: kind, number: values.IsNumber(kind),
			null: m.Null, timed: m.Time != 0 || m.Date,
			key: append(values.AppendString(nil, name), ':'),
		})
		if i > 0 {
			header = append(header, ',')
		}
		header = AppendCell(header, name)
	}
	if format == JSONL {
		return out, nil
	}
	_, err := w.Write(append(header, '\n'))
	return out, err
}

// Add adds the next field of the record.
func (w *Writer) Add(v any) {
	c := &w.columns[w.fields]
	switch {
	case w.format == JSONL && w.fields == 0:
		w.line = append(w.line, '{')
	case w.fields > 0:
		w.line = append(w.line, ',')
	}
	w.fields++
	if w.format == CSV {
		w.line = c.appendCell(w.line, v)
		return
	}
	w.line = c.printer.Append(append(w.line, c.key...), v)
}

// End writes the record, which has all its fields.
func (w *Writer) End() error {
	if w.format == JSONL {
		w.line = append(w.line, '}')
	}
	_, err := w.w.Write(append(w.line, '\n'))
	w.line, w.fields = w.line[:0], 0
	return err
}

// appendCell prints a value as a field of CSV.
func (c *writerColumn) appendCell(dst []byte, v any) []byte {
	if c.null && v == nil {
		return dst
	}
	if c.kind == dtype.KindText {
		return AppendCell(dst, v.(string))
	}
	start := len(dst)
	dst = c.printer.Append(dst, v)
	switch {
	case (c.timed || values.IsFloat(c.kind)) && dst[start] == '"': // "NaN" and times need no quotes here
		return append(dst[:start], dst[start+1:len(dst)-1]...)
	case c.number:
		return dst
	}
	return AppendCell(dst[:start], string(dst[start:]))
}

// AppendCell writes a field of CSV. Text that says that there is no value, and
// text whose ends could get lost, has quotes.
func AppendCell(dst []byte, s string) []byte {
	plain := s != "" && s != "NA" && !strings.ContainsAny(s, ",\"\r\n") && strings.TrimSpace(s) == s
	if plain {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(s, `"`, `""`)...)
	return append(dst, '"')
}

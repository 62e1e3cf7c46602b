package csv

import (
	"context"
	"io"
	"slices"
	"strings"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/records"
	"columnvault/internal/values"
)

// WriterOptions configure a [Writer].
type WriterOptions struct {
	// Delimiter stands between fields; 0 means a comma.
	Delimiter byte
}

// Writer writes rows as CSV whose first line names the columns. Text stands as
// it is, text that a reader could take for a missing value in quotes, and values
// that are neither text nor numbers as JSON. A missing value is an empty field.
type Writer struct {
	rows      *records.Writer
	delimiter byte
}

// NewWriter returns a sink that writes to w. It does not close it.
func NewWriter(w io.Writer, o *WriterOptions) *Writer {
	if o == nil {
		o = &WriterOptions{}
	}
	delimiter := o.Delimiter
	if delimiter == 0 {
		delimiter = ','
	}
	return &Writer{records.NewWriter(w), delimiter}
}

// Begin writes the header.
func (w *Writer) Begin(_ context.Context, fields []exchange.Field) error {
	var header []byte
	between := []byte{w.delimiter}
	special := newSpecials(",\"\r\n" + string(w.delimiter)) // of one column a reader cannot know the delimiter
	for i, f := range fields {
		if i > 0 {
			header = append(header, w.delimiter)
		}
		header = appendName(header, f.Name)
		c := &records.Printer{Before: between, Bare: true}
		if i == 0 {
			c.Before = nil
		}
		c.SetFormat(f)
		switch {
		case f.Type.Kind == dtype.KindText:
			c.Text = func(dst []byte, s string) []byte { return appendText(dst, s, special) }
		case values.IsFloat(f.Type.Kind):
			c.Change = trimQuotes
		case !values.IsNumber(f.Type.Kind):
			c.Change = func(dst []byte, start int) []byte {
				return appendText(dst[:start], string(dst[start:]), special)
			}
		}
		w.rows.Add(c)
	}
	w.rows.End = []byte("\n")
	return w.rows.WriteRaw(append(header, '\n'))
}

// appendName appends the name of a column: in quotes if a character of it could
// be taken for a delimiter of the file, or for a byte-order mark.
func appendName(dst []byte, name string) []byte {
	return appendText(dst, name, nameSpecials)
}

// trimQuotes takes the quotes from "NaN" and the infinities.
func trimQuotes(dst []byte, start int) []byte {
	if dst[start] != '"' {
		return dst
	}
	n := copy(dst[start:], dst[start+1:len(dst)-1])
	return dst[:start+n]
}

// Write writes the rows of a batch.
func (w *Writer) Write(ctx context.Context, b *exchange.Batch) error { return w.rows.Write(ctx, b) }

// End does nothing: nothing is held.
func (w *Writer) End(context.Context) error { return nil }

// AppendField appends text as a field that is separated by commas: in quotes if
// it could be taken for a missing value, or its ends could get lost.
func AppendField(dst []byte, s string) []byte { return appendText(dst, s, commaSpecials) }

// specials are the bytes for whose sake a field is put in quotes.
type specials [256]bool

func newSpecials(chars string) *specials {
	s := &specials{}
	for _, c := range []byte(chars) {
		s[c] = true
	}
	return s
}

// in tells whether there is one in a text.
func (s *specials) in(text string) bool {
	for i := range len(text) {
		if s[text[i]] {
			return true
		}
	}
	return false
}

var (
	commaSpecials = newSpecials(",\"\r\n")
	nameSpecials  = newSpecials(candidates + "\"\r\n\ufeff")
	// beginsNull tells which bytes one of defaultNulls begins with.
	beginsNull = func() *specials {
		first := &specials{}
		for _, s := range defaultNulls {
			if s != "" {
				first[s[0]] = true
			}
		}
		return first
	}()
)

func appendText(dst []byte, s string, special *specials) []byte {
	if !needsQuotes(s, special) {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(s, `"`, `""`)...)
	return append(dst, '"')
}

// needsQuotes tells whether a field would not be read back as it is.
func needsQuotes(s string, special *specials) bool {
	if s == "" || s[0] <= ' ' || s[len(s)-1] <= ' ' || special.in(s) {
		return true
	}
	if beginsNull[s[0]] && slices.Contains(defaultNulls, s) {
		return true
	}
	return (s[0] >= 0x80 || s[len(s)-1] >= 0x80) && strings.TrimSpace(s) != s
}

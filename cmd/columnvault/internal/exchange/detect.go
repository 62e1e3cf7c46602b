package exchange

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"columnvault/cmd/columnvault/internal/values"
)

// shape is what fields of a column were seen to hold.
type shape uint8

const (
	sawInteger shape = 1 << iota // an integer that i64 holds
	sawWide                      // an integer that i64 holds and f64 would round
	sawFloat
	sawFloatWord // NaN or an infinity, in JSON as export writes it
	sawFloatName // the same in JSON in another spelling
	sawText
	sawBytes // base64 in JSON
	sawOther // what only msgpack holds
)

// Column is what is known of a column after the first pass over a file.
type Column struct {
	Name   string
	DType  string // that fits all its values
	Absent Absences
	Quoted Absences // those in quotes
	shape  shape
}

// Absences are the records in which a column has no value.
type Absences struct{ Count, FirstLine int }

func (a *Absences) add(line int) {
	if a.Count == 0 {
		a.FirstLine = line
	}
	a.Count++
}

// Plus is both together.
func (a Absences) Plus(b Absences) Absences {
	if a.Count == 0 || b.Count > 0 && b.FirstLine < a.FirstLine {
		a.FirstLine = b.FirstLine
	}
	a.Count += b.Count
	return a
}

// Detect reads a file to its end and returns its columns and the number of its
// records.
func Detect(in Reader) (columns []Column, rows int, err error) {
	firstLine := 0
	for {
		fields, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		if rows == 0 {
			firstLine = in.Line()
		}
		for len(columns) < len(fields) {
			columns = append(columns, Column{Absent: Absences{rows, firstLine}})
		}
		for i, f := range fields {
			c := &columns[i]
			switch f.State {
			case Absent:
				c.Absent.add(in.Line())
			case QuotedAbsent:
				c.Quoted.add(in.Line())
			default:
				c.shape |= in.shapeOf(f.Text)
			}
		}
		rows++
	}
	names := in.Names()
	if len(columns) == 0 {
		columns = make([]Column, len(names))
	}
	for i := range columns {
		c := &columns[i]
		if rows > 0 && c.Quoted.Count == rows {
			c.shape = sawText
		}
		c.Name, c.DType = names[i], in.dtypeOf(c.shape)
	}
	return columns, rows, nil
}

// shapeOf tells numbers from text. Integers are plain: what has leading zeros
// or more digits than i64 holds is an identifier, and stays text.
func (f *csvReader) shapeOf(text []byte) shape {
	text = bytes.TrimSpace(text)
	rest := bytes.TrimPrefix(text, []byte("-"))
	digits := countDigits(rest)
	if digits > 1 && rest[0] == '0' {
		return sawText
	}
	if digits > 0 && digits == len(rest) {
		return integerShape(text, sawText)
	}
	if digits == 0 && (len(rest) < 2 || rest[0] != '.' || countDigits(rest[1:]) == 0) {
		if _, ok := values.FloatWord(text); ok && text[0] != '"' {
			return sawFloatWord
		}
		return sawText
	}
	if c := rest[digits]; c != '.' && c != 'e' && c != 'E' {
		return sawText
	}
	if _, err := values.ParseFloat(text, 64); err != nil {
		return sawText
	}
	return sawFloat
}

// dtypeOf returns f64 for a column without any value: it holds the absent ones.
func (f *csvReader) dtypeOf(s shape) string {
	switch {
	case s&sawText != 0, s&sawWide != 0 && s&(sawFloat|sawFloatWord) != 0:
		return "str"
	case s != 0 && s&^(sawInteger|sawWide) == 0:
		return "i64"
	}
	return "f64"
}

func (f *jsonReader) shapeOf(text []byte) shape {
	switch c := text[0]; {
	case c == '"':
		switch _, ok := values.FloatWord(text); {
		case string(text) == `"NaN"`, string(text) == `"Infinity"`, string(text) == `"-Infinity"`:
			return sawFloatWord
		case ok:
			return sawFloatName
		}
		return sawText
	case c == '{':
		if _, err := values.ParseBytes(text); err == nil {
			return sawBytes
		}
		return sawOther
	case c != '-' && (c < '0' || c > '9'):
		return sawOther
	case !bytes.ContainsAny(text, ".eE"):
		return integerShape(text, sawOther)
	}
	if _, err := values.ParseFloat(text, 64); err != nil {
		return sawOther
	}
	return sawFloat
}

// dtypeOf returns f64 for a column of nothing but NaN and infinities, which is
// how export writes them. In another spelling they are text beside text.
func (f *jsonReader) dtypeOf(s shape) string {
	switch {
	case f.into != "":
		return "msgpack"
	case s != 0 && s&^(sawInteger|sawWide) == 0:
		return "i64"
	case s&(sawInteger|sawFloat) != 0 && s&^(sawInteger|sawFloat|sawFloatWord|sawFloatName) == 0, s == sawFloatWord:
		return "f64"
	case s != 0 && s&^(sawText|sawFloatWord|sawFloatName) == 0:
		return "str"
	case s == sawBytes:
		return "bytes"
	}
	return "msgpack"
}

// integerShape is the shape of digits after an optional minus, other if i64
// does not hold them.
func integerShape(text []byte, other shape) shape {
	if len(text) <= 15 {
		if text[0] == '-' && text[1] == '0' {
			return sawFloat // i64 has no -0
		}
		return sawInteger
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	switch {
	case err != nil:
		return other
	case int64(float64(n)) != n || n == 1<<63-1:
		return sawWide
	}
	return sawInteger
}

// countDigits counts the digits at the beginning.
func countDigits(text []byte) int {
	for i, c := range text {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(text)
}

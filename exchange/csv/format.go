package csv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf8"

	"columnvault/exchange"
	"columnvault/exchange/internal/records"
	"columnvault/internal/hint"
	"columnvault/internal/values"
)

// format cuts CSV into fields. Unlike encoding/csv it tells "" and "NA" from
// fields without quotes, keeps the line ends in fields as they are, and copies
// nothing. A quote inside of a field that does not begin with one stands for
// itself.
type format struct {
	Options
	delimiter byte
	pattern   uint64 // the delimiter, eight times
	names     []string
	renamed   []string // warnings
	begun     bool     // the header has been read in this pass
	line      int      // lines before the next record
	toSkip    int
	returns   bool  // lines end in a carriage return alone, as they once did on the Mac
	open      bool  // the last record that was cut lacks the end of a quoted field
	escaped   []int // fields of the record that have quotes in them
	// skipped counts ragged records that were left out.
	skipped, firstSkipped int
}

// Start is called before each pass.
func (f *format) Start(*records.Block) {
	f.begun, f.line, f.toSkip, f.returns = false, 0, f.Skip, false
	f.skipped, f.firstSkipped = 0, 0
}

// errPartial says that the text ends before the record does.
var errPartial = errors.New("the record goes on")

// errOpen is that of a file which ends before a quoted field does.
var errOpen = errors.New("a quoted field does not end")

// Cut adds the whole records at the beginning of the block.
func (f *format) Cut(b *records.Block, ended bool) (next int, err error) {
	f.returns = f.returns || !f.begun && bytes.IndexByte(b.Text, '\n') < 0 && bytes.IndexByte(b.Text, '\r') >= 0
	if f.returns {
		for i, c := range b.Text {
			if c == '\r' {
				b.Text[i] = '\n'
			}
		}
	}
	whole := len(b.Text)
	if !ended {
		whole = bytes.LastIndexByte(b.Text, '\n') + 1
	}
	valid := validUTF8(b.Text[:whole])
	if !f.begun {
		if next, err = f.begin(b, ended); err != nil {
			return 0, f.partial(err)
		}
	}
	for next < len(b.Text) {
		after, skip, err := f.passOver(b.Text, next, ended)
		if err == nil && !skip {
			after, err = f.record(b, next, ended, valid)
		}
		if err != nil {
			return next, f.partial(err)
		}
		next = after
	}
	return next, nil
}

// partial is the error of a record, if it is more than that it goes on.
func (f *format) partial(err error) error {
	if errors.Is(err, errPartial) {
		return nil
	}
	return err
}

// validUTF8 returns how many bytes at the beginning are UTF-8.
func validUTF8(text []byte) int {
	if utf8.Valid(text) {
		return len(text)
	}
	n := 0
	for {
		r, size := utf8.DecodeRune(text[n:])
		if r == utf8.RuneError && size == 1 {
			return n
		}
		n += size
	}
}

// passOver passes over a line that is not a record, if one begins at next.
func (f *format) passOver(text []byte, next int, ended bool) (after int, skip bool, err error) {
	if f.toSkip == 0 && (f.Comment == "" || !bytes.HasPrefix(text[next:], []byte(f.Comment))) {
		return next, false, nil
	}
	end := bytes.IndexByte(text[next:], '\n')
	if end < 0 {
		if !ended {
			return 0, false, errPartial
		}
		end = len(text) - next - 1
	}
	f.toSkip = max(f.toSkip-1, 0)
	f.line++
	return next + end + 1, true, nil
}

// record adds the record at next and returns where the following one begins.
func (f *format) record(b *records.Block, next int, ended bool, valid int) (after int, err error) {
	line := f.line + 1
	after, lines, err := f.fields(b, next, ended)
	if err != nil {
		b.DropRow()
		if !errors.Is(err, errPartial) {
			err = records.LineError(line, err)
		}
		return 0, err
	}
	if after > valid {
		b.DropRow()
		return 0, f.notUTF8(line)
	}
	f.line += lines
	n, width := b.RowLen(), b.Width()
	if n != width {
		if n == 1 && width > 1 && b.IsEmpty(0) { // an empty line
			b.DropRow()
			return after, nil
		}
		if keep, err := f.ragged(b, line); err != nil || !keep {
			b.DropRow()
			return after, err
		}
	}
	for _, i := range f.escaped {
		b.Unescape(i, unescape)
	}
	b.EndRow(line)
	return after, nil
}

// notUTF8 is the error of a record that is in another encoding.
func (f *format) notUTF8(line int) error {
	err := records.LineError(line, ErrEncoding)
	return hint.Add(err, "its encoding may be Latin-1, which Options can say")
}

// raggedError is an ErrRagged that says how many fields there are.
type raggedError struct{ error }

func (raggedError) Unwrap() error { return ErrRagged }

// ragged deals with a record that has another number of fields than the header.
func (f *format) ragged(b *records.Block, line int) (keep bool, err error) {
	n, width := b.RowLen(), b.Width()
	switch f.Ragged {
	case RaggedSkip:
		if f.skipped == 0 {
			f.firstSkipped = line
		}
		f.skipped++
		return false, nil
	case RaggedFill:
		for ; n < width; n++ {
			b.Add(0, 0, records.Absent)
		}
		for n > width && b.IsEmpty(n-1) {
			b.RemoveLast()
			n--
		}
		for len(f.escaped) > 0 && f.escaped[len(f.escaped)-1] >= width {
			f.escaped = f.escaped[:len(f.escaped)-1]
		}
		if n == width {
			return true, nil
		}
	}
	err = fmt.Errorf("the record has %d fields, and the header %d", n, width)
	if n == 1 {
		err = fmt.Errorf("the record has 1 field, and the header %d", width)
	}
	return false, records.LineError(line, raggedError{err})
}

// fields adds the fields of the record at pos and returns where the next one
// begins and how many lines this one has. It changes nothing in the text, for
// the record may not be whole.
func (f *format) fields(b *records.Block, pos int, ended bool) (after, lines int, err error) {
	text := b.Text
	f.escaped, f.open = f.escaped[:0], false
	lines = 1
	for n := 0; ; n++ {
		start, state := pos, records.Plain
		if pos < len(text) && text[pos] == '"' {
			end, breaks, quotes := endOfQuoted(text, pos+1)
			if end < 0 {
				f.open = true
				if !ended {
					return 0, 0, errPartial
				}
				return 0, 0, errOpen
			}
			lines += breaks
			if quotes {
				f.escaped = append(f.escaped, n)
			}
			b.Add(start+1, end, records.Quoted)
			pos = end + 1
			if pos+1 < len(text) && text[pos] == '\r' && text[pos+1] == '\n' {
				pos++
			}
			if pos == len(text)-1 && text[pos] == '\r' && ended {
				pos++
			}
			if pos < len(text) && text[pos] != f.delimiter && text[pos] != '\n' {
				if text[pos] == '\r' && pos == len(text)-1 {
					return 0, 0, errPartial
				}
				return 0, 0, fmt.Errorf("field %d goes on after its closing quote", n+1)
			}
		} else {
			pos = f.endOfPlain(text, pos)
			end := pos
			if end > start && text[end-1] == '\r' && (pos == len(text) || text[pos] == '\n') {
				end--
			}
			b.Add(start, end, state)
		}
		switch {
		case pos == len(text):
			if !ended {
				return 0, 0, errPartial
			}
			return pos, lines, nil
		case text[pos] == '\n':
			return pos + 1, lines, nil
		}
		pos++ // the delimiter
	}
}

// endOfQuoted returns where the quoted field ends whose text begins at pos, -1
// if it does not; how many line ends are in it, and whether quotes are.
func endOfQuoted(text []byte, pos int) (end, breaks int, quotes bool) {
	for start := pos; ; {
		i := bytes.IndexByte(text[pos:], '"')
		if i < 0 {
			return -1, 0, false
		}
		if pos += i; pos+1 == len(text) || text[pos+1] != '"' {
			return pos, bytes.Count(text[start:pos], []byte{'\n'}), quotes
		}
		quotes = true
		pos += 2
	}
}

// unescape makes one quote of two, in the memory of text.
func unescape(text []byte) []byte {
	n := 0
	for i := 0; i < len(text); i++ {
		text[n] = text[i]
		n++
		if text[i] == '"' {
			i++
		}
	}
	return text[:n]
}

const (
	newlines = 0x0a0a0a0a0a0a0a0a
	ones     = 0x0101010101010101
	highs    = 0x8080808080808080
)

// endOfPlain returns where the first delimiter or line end is from pos on, or
// the end of the text. It looks at eight bytes at a time.
func (f *format) endOfPlain(text []byte, pos int) int {
	for pos+8 <= len(text) {
		w := binary.LittleEndian.Uint64(text[pos:])
		d, n := w^f.pattern, w^newlines
		if found := ((d-ones)&^d | (n-ones)&^n) & highs; found != 0 {
			return pos + bits.TrailingZeros64(found)>>3
		}
		pos += 8
	}
	for pos < len(text) && text[pos] != f.delimiter && text[pos] != '\n' {
		pos++
	}
	return pos
}

// TooLong is the error of a record that does not end within the limit.
func (f *format) TooLong(limit int) error {
	if f.open {
		return records.LineError(f.line+1, fmt.Errorf("a quoted field does not end within %d bytes", limit))
	}
	return records.LineError(f.line+1, fmt.Errorf("the record is longer than %d bytes", limit))
}

// Trim removes space around a number.
func (f *format) Trim(text []byte) []byte {
	if n := len(text); n > 0 && text[0] > ' ' && text[n-1] > ' ' && text[0] < utf8.RuneSelf && text[n-1] < utf8.RuneSelf {
		return text
	}
	return bytes.TrimSpace(text)
}

// IsText is true: text stays text beside all else.
func (f *format) IsText([]byte) bool { return true }

// Text returns the field as it is.
func (f *format) Text([]byte) (string, int, error) { return "", 0, nil }

// ShapeOf tells numbers from text. Integers are plain: what has leading zeros or
// more digits than i64 holds is an identifier, and stays text.
func (f *format) ShapeOf(text []byte) records.Shape {
	if s, ok := records.TimeShape(text); ok {
		return s
	}
	rest := bytes.TrimPrefix(text, []byte("-"))
	digits := countDigits(rest)
	if digits > 1 && rest[0] == '0' {
		return records.Text
	}
	if digits > 0 && digits == len(rest) {
		return records.IntegerShape(text, records.Text)
	}
	if digits == 0 && (len(rest) < 2 || rest[0] != '.' || countDigits(rest[1:]) == 0) {
		if _, ok := values.FloatWord(text); ok && text[0] != '"' {
			return records.FloatWord
		}
		return records.Text
	}
	if c := rest[digits]; c != '.' && c != 'e' && c != 'E' {
		return records.Text
	}
	if _, err := values.ParseFloat(text, 64); err != nil {
		return records.Text
	}
	return records.Float
}

// TypeOf returns f64 for a column without any value: it holds the absent ones.
func (f *format) TypeOf(s records.Shape) exchange.Field {
	t, together, timed := s.HasTime()
	switch {
	case together:
		return t
	case timed, s&records.Text != 0, s&records.Wide != 0 && s&(records.Float|records.FloatWord) != 0:
		return records.String
	case s != 0 && s&^(records.Integer|records.Wide) == 0:
		return records.Int64
	}
	return records.Float64
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

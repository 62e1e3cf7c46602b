package csv

import (
	"bytes"
	"errors"
	"fmt"

	"columnvault/exchange/internal/records"
	"columnvault/internal/excerpt"
)

// begin reads up to the first record of values, and returns where it begins.
func (f *format) begin(b *records.Block, ended bool) (next int, err error) {
	skip, line := f.toSkip, f.line
	defer func() {
		if err != nil {
			f.toSkip, f.line = skip, line // there will be another try
		}
	}()
	for {
		if next == len(b.Text) {
			if !ended {
				return 0, errPartial
			}
			if f.NoHeader {
				return 0, errors.New("the file is empty")
			}
			return 0, errors.New("the file is empty; its first line should name the columns")
		}
		after, skip, err := f.passOver(b.Text, next, ended)
		if err != nil {
			return 0, err
		}
		if !skip {
			break
		}
		next = after
	}
	f.delimiter = f.Delimiter
	if f.delimiter == 0 {
		f.delimiter = f.detect(b.Text[next:])
	}
	f.pattern = ones * uint64(f.delimiter)
	after, lines, err := f.fields(b, next, ended)
	first := make([]string, b.RowLen())
	for i := range first {
		name := b.CellText(i)
		if !b.IsQuoted(i) {
			name = bytes.TrimSpace(name)
		}
		first[i] = string(name)
	}
	b.DropRow()
	if err != nil {
		if !errors.Is(err, errPartial) {
			err = records.LineError(f.line+1, err)
		}
		return 0, err
	}
	if valid := validUTF8(b.Text[next:after]); valid < after-next {
		return 0, f.notUTF8(f.line + 1)
	}
	if f.names == nil {
		for _, i := range f.escaped {
			first[i] = string(unescape([]byte(first[i])))
		}
		f.name(first)
	}
	b.Names = f.names
	b.SetWidth(len(f.names))
	f.begun = true
	if f.NoHeader {
		return next, nil
	}
	f.line += lines
	return after, nil
}

// name gives the columns the names of the header. Names that are empty or taken
// are made up.
func (f *format) name(header []string) {
	taken := make(map[string]bool, len(header))
	if f.NoHeader {
		for i := range header {
			f.names = append(f.names, fmt.Sprintf("column_%d", i+1))
		}
		return
	}
	for _, name := range header {
		taken[name] = true
	}
	seen := make(map[string]bool, len(header))
	for i, name := range header {
		unique := name
		if name == "" {
			unique = fmt.Sprintf("column_%d", i+1)
		}
		for n := 2; seen[unique] || unique != name && taken[unique]; n++ {
			unique = fmt.Sprintf("%s_%d", name, n)
			if name == "" {
				unique = fmt.Sprintf("column_%d_%d", i+1, n)
			}
		}
		switch {
		case name == "":
			f.renamed = append(f.renamed, fmt.Sprintf("column %d has no name and is called %s", i+1, excerpt.Quote(unique, excerpt.Name)))
		case unique != name:
			f.renamed = append(f.renamed, fmt.Sprintf("column %d is called %s, because there is another %s",
				i+1, excerpt.Quote(unique, excerpt.Name), excerpt.Quote(name, excerpt.Name)))
		}
		seen[unique] = true
		f.names = append(f.names, unique)
	}
}

// candidates are the delimiters that are looked for, the likeliest first.
const candidates = ",\t;|"

// The bounds of the text in which the delimiter is looked for.
const (
	sampleRecords = 100
	sampleBytes   = 256 << 10
)

// detect returns the delimiter of text: one that divides all records into the
// same number of fields, and of those the one with the most fields in the first
// record; if there is none, the one by which most records agree with the first.
func (f *format) detect(text []byte) byte {
	best, bestAgree, bestFields := byte(','), 0, 1
	for _, c := range []byte(candidates) {
		first, agree, records := f.tryDelimiter(text[:min(len(text), sampleBytes)], c)
		if first < 2 {
			continue
		}
		score := agree * sampleRecords / records // 100 only if all agree
		if score > bestAgree || score == bestAgree && first > bestFields {
			best, bestAgree, bestFields = c, score, first
		}
	}
	return best
}

// tryDelimiter returns how many fields the first record has, and how many of the
// records have as many and no quote in a field that does not begin with one,
// which is a sign that it has been cut at the wrong place.
func (f *format) tryDelimiter(text []byte, c byte) (first, agree, all int) {
	trial := format{Options: f.Options, delimiter: c, pattern: ones * uint64(c)}
	for pos := 0; pos < len(text) && all < sampleRecords; {
		after, skip, err := trial.passOver(text, pos, false)
		if err == nil && skip {
			pos = after
			continue
		}
		b := records.Block{Text: text}
		if after, _, err = trial.fields(&b, pos, true); err != nil {
			if !errors.Is(err, errOpen) {
				all++
			}
			break // the sample ends there, or is cut at the wrong place
		}
		n := b.RowLen()
		if n == 1 && b.IsEmpty(0) { // an empty line
			pos = after
			continue
		}
		if after == len(text) && len(text) == sampleBytes && all > 0 {
			break // not whole
		}
		if all == 0 {
			first = n
		}
		if n == first && !strayQuote(&b) {
			agree++
		}
		all++
		pos = after
	}
	return first, agree, max(all, 1)
}

// strayQuote tells whether there is a quote in a field of the record that does
// not begin with one.
func strayQuote(b *records.Block) bool {
	for i := range b.RowLen() {
		if !b.IsQuoted(i) && bytes.IndexByte(b.CellText(i), '"') >= 0 {
			return true
		}
	}
	return false
}

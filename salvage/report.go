package salvage

import (
	"fmt"
	"strings"

	"columnvault/internal/excerpt"
)

// Report says what was saved and what is missing.
type Report struct {
	// Damaged and Saved are the paths of the two files.
	Damaged string `json:"damaged"`
	Saved   string `json:"saved"`
	Pages   Pages  `json:"pages"`
	// Columns are in the order of their creation.
	Columns []Column `json:"columns"`
	Tables  []Table  `json:"tables"`
	// NotRead names the tables that are not those of a vault, or are in a layout
	// that this version does not read. They are not in the new file.
	NotRead []string `json:"not_read"`
	// Notes are in plain English, for people: what was wrong with the file as a
	// whole.
	Notes []string `json:"notes"`
}

// Pages is about the pages of the damaged file.
type Pages struct {
	// Size is that of a page in bytes.
	Size int `json:"size"`
	// Total counts all pages, Log those of them that come from the log beside
	// the file.
	Total int `json:"total"`
	Log   int `json:"log"`
	// Free pages hold nothing, and are not looked at.
	Free int `json:"free"`
	// Unreadable pages are needed, and hold something else than they should.
	Unreadable int `json:"unreadable"`
	// Unattributed pages are in use by nothing that could be read.
	Unattributed int `json:"unattributed"`
}

// Column is a column that was found.
type Column struct {
	// Name is what it was called, Saved what it is called in the new file, if
	// that differs. A column of which no name is known has a new one, which
	// begins with "recovered/".
	Name  string `json:"name"`
	Saved string `json:"saved,omitempty"`
	DType string `json:"dtype"`
	// Expected is how many elements the file speaks of, Read how many of them
	// could be read.
	Expected int64 `json:"expected"`
	Read     int64 `json:"read"`
	// Filled is how many elements stand in the new file for missing ones: zero,
	// or empty where elements vary in size.
	Filled int64 `json:"filled"`
	// Missing are the positions of the elements that could not be read, in
	// ascending order. At most 10,000 ranges are listed; the last one then ends
	// with the last missing element.
	Missing []Range `json:"missing"`
	// Remark says what is unusual about the column, if anything is.
	Remark string `json:"remark,omitempty"`
}

// Range is elements from From up to, not including, To. Positions are those in
// the damaged file.
type Range struct {
	From   int64  `json:"from"`
	To     int64  `json:"to"`
	Reason string `json:"reason"`
}

// Table is a key-value table that was found.
type Table struct {
	// Name and Saved are as in Column.
	Name  string `json:"name"`
	Saved string `json:"saved,omitempty"`
	Read  int64  `json:"read"`
	// Lost is how many pairs are known to be lost; Unsure says that there may be
	// more, because the list of keys is damaged as well.
	Lost   int64 `json:"lost"`
	Unsure bool  `json:"unsure"`
	// LostKeys are the keys of lost pairs, as far as they can be read: at most
	// 1,000, and of each at most 1,024 bytes.
	LostKeys [][]byte `json:"lost_keys"`
}

const (
	maxRanges   = 10_000
	maxLostKeys = 1000
	maxLostKey  = 1024
)

// Lost is how many of the expected elements could not be read.
func (c Column) Lost() int64 { return c.Expected - c.Read }

// remark adds a remark.
func (c *Column) remark(format string, args ...any) {
	if c.Remark != "" {
		c.Remark += "; "
	}
	c.Remark += fmt.Sprintf(format, args...)
}

// lose adds missing elements, which come in ascending order.
func (c *Column) lose(from, to int64, reason string) {
	if k := len(c.Missing) - 1; k >= 0 && (c.Missing[k].To == from && c.Missing[k].Reason == reason || k+1 == maxRanges) {
		c.Missing[k].To = to
		return
	}
	c.Missing = append(c.Missing, Range{from, to, reason})
}

// Complete tells whether all that the file speaks of is in the new one.
func (r *Report) Complete() bool {
	for i := range r.Columns {
		if c := &r.Columns[i]; c.Lost() > 0 || c.Remark != "" {
			return false
		}
	}
	for i := range r.Tables {
		if t := &r.Tables[i]; t.Lost > 0 || t.Unsure {
			return false
		}
	}
	return r.Pages.Unreadable == 0 && len(r.NotRead) == 0
}

// shownRanges and shownKeys are how many of each String shows of a column or a
// table.
const (
	shownRanges = 20
	shownKeys   = 20
)

// String is the report for people, in lines. Ranges are written as Python's
// slices.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d pages of %d bytes", r.Pages.Total, r.Pages.Size)
	for _, part := range []struct {
		n    int
		text string
	}{
		{r.Pages.Log, "from the log"}, {r.Pages.Free, "free"},
		{r.Pages.Unreadable, "unreadable"}, {r.Pages.Unattributed, "of nothing that could be read"},
	} {
		if part.n > 0 {
			fmt.Fprintf(&b, ", %d %s", part.n, part.text)
		}
	}
	b.WriteByte('\n')
	for i := range r.Columns {
		r.Columns[i].print(&b)
	}
	for i := range r.Tables {
		r.Tables[i].print(&b)
	}
	for _, name := range r.NotRead {
		fmt.Fprintf(&b, "table %s: not read\n", excerpt.Line(name, excerpt.Name))
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	return b.String()
}

func (c *Column) print(b *strings.Builder) {
	fmt.Fprintf(b, "column %s (%s): %d of %d elements", excerpt.Line(c.Name, excerpt.Name), excerpt.Line(c.DType, excerpt.Name), c.Read, c.Expected)
	if c.Filled > 0 {
		fmt.Fprintf(b, ", %d filled in", c.Filled)
	}
	if c.Saved != "" {
		fmt.Fprintf(b, ", saved as %s", c.Saved)
	}
	if c.Remark != "" {
		fmt.Fprintf(b, "; %s", c.Remark)
	}
	b.WriteByte('\n')
	for k, missing := range c.Missing {
		if k == shownRanges {
			fmt.Fprintf(b, "  and %d more ranges\n", len(c.Missing)-k)
			break
		}
		fmt.Fprintf(b, "  missing %d:%d, %s\n", missing.From, missing.To, missing.Reason)
	}
}

func (t *Table) print(b *strings.Builder) {
	pairs := "pairs"
	if t.Read == 1 {
		pairs = "pair"
	}
	fmt.Fprintf(b, "table %s: %d %s", excerpt.Line(t.Name, excerpt.Name), t.Read, pairs)
	switch {
	case t.Unsure && t.Lost == 0:
		b.WriteString(", more may be lost")
	case t.Unsure:
		fmt.Fprintf(b, ", %d or more lost", t.Lost)
	case t.Lost > 0:
		fmt.Fprintf(b, ", %d lost", t.Lost)
	}
	if t.Saved != "" {
		fmt.Fprintf(b, ", saved as %s", t.Saved)
	}
	b.WriteByte('\n')
	for k, key := range t.LostKeys {
		if k == shownKeys {
			fmt.Fprintf(b, "  and %d more keys\n", len(t.LostKeys)-k)
			break
		}
		fmt.Fprintf(b, "  lost %s\n", excerpt.Quote(key, excerpt.Value))
	}
}

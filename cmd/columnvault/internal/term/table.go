package term

import (
	"io"
	"strings"
	"unicode/utf8"
)

const (
	bold  = "\x1b[1m"
	cyan  = "\x1b[36m"
	plain = "\x1b[0m"
)

// maxWidth is the width of the widest cell that others are aligned with,
// cutWidth what is left at least of one that is cut.
const (
	maxWidth = 100
	cutWidth = 8
)

// Table prints rows of cells in aligned columns under a header.
type Table struct {
	columns []Column
	color   bool
	rows    [][]string
	widths  []int // of the columns, in what has been printed
	// room is how many characters fit on a line, 0 if there is no end. shown is
	// how many columns do.
	room, shown int
}

// Column is a column of a table.
type Column struct {
	header string
	right  bool   // aligned to the right
	color  string // of its cells
}

// Left is a column of text.
func Left(header string) Column { return Column{header: header} }

// Right is a column of numbers.
func Right(header string) Column { return Column{header: header, right: true} }

// Graph is a column of small graphs.
func Graph(header string) Column { return Column{header: header, color: cyan} }

// NewTable returns a table without rows.
func NewTable(color bool, columns ...Column) *Table { return &Table{columns: columns, color: color} }

// Fit makes rows fit on a line of so many characters, 0 if they need not: text
// and graphs are cut, and columns at the end left out. "…" stands for both.
// Numbers are never cut. It comes before the first Write.
func (t *Table) Fit(width int) { t.room = width }

// Add adds a row.
func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

// Len is the number of rows that were added since the last call of Write.
func (t *Table) Len() int { return len(t.rows) }

// Write prints the rows that were added since its last call, before the first
// ones the header. Columns never get narrower.
func (t *Table) Write(w io.Writer) error {
	var b strings.Builder
	header := make([]string, len(t.columns))
	first := t.widths == nil
	if first {
		t.widths = make([]int, len(t.columns))
	}
	for i, c := range t.columns {
		header[i] = c.header
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(c.header))
		for _, row := range t.rows {
			if width := utf8.RuneCountInString(row[i]); width <= maxWidth || t.room > 0 {
				t.widths[i] = max(t.widths[i], min(width, maxWidth))
			}
		}
	}
	if first {
		t.shown = t.fitting()
	}
	widths := t.fit()
	if first {
		t.line(&b, header, widths, func(int) string { return bold })
	}
	for _, row := range t.rows {
		t.line(&b, row, widths, func(i int) string { return t.columns[i].color })
	}
	t.rows = t.rows[:0]
	_, err := io.WriteString(w, b.String())
	return err
}

// least is the smallest width of a column.
func (t *Table) least(i int) int {
	if t.columns[i].right {
		return t.widths[i]
	}
	return min(t.widths[i], cutWidth)
}

// fitting is how many columns fit on a line, at least one.
func (t *Table) fitting() int {
	if t.room == 0 {
		return len(t.columns)
	}
	n, width := 0, -2
	for i := range t.columns {
		width += 2 + t.least(i)
		if width > t.room {
			break
		}
		if i+1 == len(t.columns) || width+len("  .") <= t.room { // the rest fits, or the sign for it
			n = i + 1
		}
	}
	return max(n, 1)
}

// fit is how wide the columns are printed. The widest that can be cut is cut
// first.
func (t *Table) fit() []int {
	widths := append([]int(nil), t.widths[:t.shown]...)
	if t.room == 0 {
		return widths
	}
	over := -2 - t.room
	for _, width := range widths {
		over += 2 + width
	}
	if t.shown < len(t.columns) {
		over += len("  .")
	}
	for ; over > 0; over-- {
		widest := -1
		for i, width := range widths {
			if width > t.least(i) && (widest < 0 || width > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return widths
}

// cut makes a cell as long as it may be.
func cut(cell string, width int) string {
	if utf8.RuneCountInString(cell) <= width {
		return cell
	}
	for i := range cell {
		if width--; width == 0 {
			return cell[:i] + "…"
		}
	}
	return cell
}

// line prints one row, without spaces at its end.
func (t *Table) line(b *strings.Builder, cells []string, widths []int, style func(i int) string) {
	gap := ""
	for i, cell := range cells[:len(widths)] {
		if t.room > 0 && !t.columns[i].right {
			cell = cut(cell, widths[i])
		}
		if cell == "" {
			gap += strings.Repeat(" ", widths[i]+2)
			continue
		}
		pad := strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell)))
		b.WriteString(gap)
		if t.columns[i].right {
			b.WriteString(pad)
			pad = ""
		}
		if s := style(i); t.color && s != "" {
			cell = s + cell + plain
		}
		b.WriteString(cell)
		gap = pad + "  "
	}
	if len(widths) < len(cells) {
		b.WriteString(gap + "…")
	}
	b.WriteByte('\n')
}

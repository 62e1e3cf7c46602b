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

// maxWidth is the width of the widest cell that others are aligned with.
const maxWidth = 100

// Table prints rows of cells in aligned columns under a header.
type Table struct {
	columns []Column
	color   bool
	rows    [][]string
	widths  []int // of the columns, in what has been printed
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
			if width := utf8.RuneCountInString(row[i]); width <= maxWidth {
				t.widths[i] = max(t.widths[i], width)
			}
		}
	}
	if first {
		t.line(&b, header, func(int) string { return bold })
	}
	for _, row := range t.rows {
		t.line(&b, row, func(i int) string { return t.columns[i].color })
	}
	t.rows = t.rows[:0]
	_, err := io.WriteString(w, b.String())
	return err
}

// line prints one row, without spaces at its end.
func (t *Table) line(b *strings.Builder, cells []string, style func(i int) string) {
	gap := ""
	for i, cell := range cells {
		if cell == "" {
			gap += strings.Repeat(" ", t.widths[i]+2)
			continue
		}
		pad := strings.Repeat(" ", max(0, t.widths[i]-utf8.RuneCountInString(cell)))
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
	b.WriteByte('\n')
}

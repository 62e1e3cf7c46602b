package main

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

// table prints rows of cells in aligned columns under a header.
type table struct {
	columns []tableColumn
	rows    [][]string
}

type tableColumn struct {
	header string
	right  bool   // numbers
	color  string // of its cells on a terminal
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) write(w io.Writer, color bool) error {
	widths := make([]int, len(t.columns))
	header := make([]string, len(t.columns))
	for i, c := range t.columns {
		header[i] = c.header
		widths[i] = utf8.RuneCountInString(c.header)
		for _, row := range t.rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	var b strings.Builder
	t.line(&b, header, widths, func(int) string { return bold }, color)
	for _, row := range t.rows {
		t.line(&b, row, widths, func(i int) string { return t.columns[i].color }, color)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// line prints one row, without spaces at its end.
func (t *table) line(b *strings.Builder, cells []string, widths []int, style func(i int) string, color bool) {
	gap := ""
	for i, cell := range cells {
		if cell == "" {
			gap += strings.Repeat(" ", widths[i]+2)
			continue
		}
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		b.WriteString(gap)
		if t.columns[i].right {
			b.WriteString(pad)
			pad = ""
		}
		if s := style(i); color && s != "" {
			cell = s + cell + plain
		}
		b.WriteString(cell)
		gap = pad + "  "
	}
	b.WriteByte('\n')
}

// Package records is what the formats of text share: records of cells, the
// types that the cells of a column show, and the values that they become. A
// format cuts text into cells and does nothing else.
package records

import (
	"errors"
	"fmt"
	"io"
)

// Cell is where the text of a value stands in a block. The zero Cell is that of
// a record that does not have the column.
type Cell struct {
	start, end uint32
	state      State
}

// NewCell returns a cell whose text stands between two positions.
func NewCell(start, end int, s State) Cell { return Cell{uint32(start), uint32(end), s} }

// State is what a format knows of a cell.
type State uint8

const (
	// Absent is a cell that is not there, or null in JSON.
	Absent State = iota
	// Plain is a cell whose text may be one that stands for a missing value.
	Plain
	// Quoted is a cell in quotes.
	Quoted
)

// Block is the records in a stretch of a file.
type Block struct {
	// Text is the memory of the cells. The format may change it.
	Text []byte
	// Names has the columns so far. A format that finds more adds them.
	Names []string
	Rows  int
	Lines []int // of the rows

	cells  []Cell // row by row, as many as there are names
	width  int    // of a row
	open   bool   // there are cells after the rows
	input  *Input
	next   int // where the next record begins in Text
	ended  bool
	failed error // of the record after these
	// copy is Text, if copied.
	copy   string
	copied bool
}

// Add adds a cell to the last row.
func (b *Block) Add(start, end int, s State) {
	b.open = true
	b.cells = append(b.cells, NewCell(start, end, s))
}

// RemoveLast removes the last cell.
func (b *Block) RemoveLast() { b.cells = b.cells[:len(b.cells)-1] }

// CellText is the text of a cell of the last row, which has not ended.
func (b *Block) CellText(i int) []byte {
	c := b.cells[b.Rows*b.width+i]
	return b.Text[c.start:c.end]
}

// IsQuoted tells whether a cell of the last row, which has not ended, is in
// quotes.
func (b *Block) IsQuoted(i int) bool { return b.cells[b.Rows*b.width+i].state == Quoted }

// IsEmpty tells whether a cell of the last row, which has not ended, is without
// quotes and text.
func (b *Block) IsEmpty(i int) bool {
	c := b.cells[b.Rows*b.width+i]
	return c.start == c.end && c.state != Quoted
}

// Unescape changes the text of a cell of the last row, which has not ended, in
// its memory.
func (b *Block) Unescape(i int, change func([]byte) []byte) {
	c := &b.cells[b.Rows*b.width+i]
	c.end = c.start + uint32(len(change(b.Text[c.start:c.end])))
}

// EndRow ends a row, to which as many cells have been added as the columns are.
func (b *Block) EndRow(line int) {
	b.open = false
	b.Rows++
	b.Lines = append(b.Lines, line)
}

// DropRow removes the cells of the last row, which has not ended.
func (b *Block) DropRow() { b.cells, b.open = b.cells[:b.Rows*b.width], false }

// RowLen is the number of cells of the last row, which has not ended.
func (b *Block) RowLen() int { return len(b.cells) - b.Rows*b.width }

// SetWidth sets the number of columns. Rows that are there get cells for new
// ones.
func (b *Block) SetWidth(n int) {
	if b.width == n {
		return
	}
	rows := b.Rows
	if b.open {
		rows++
	}
	cells := make([]Cell, rows*n)
	for i := range rows {
		copy(cells[i*n:(i+1)*n], b.cells[i*b.width:min((i+1)*b.width, len(b.cells))])
	}
	b.cells, b.width = cells, n
}

// Blank adds a row of cells that are not there, and returns it.
func (b *Block) Blank() []Cell {
	b.open = true
	b.cells = append(b.cells, make([]Cell, b.width)...)
	return b.LastRow()
}

// LastRow returns the row that Blank has added.
func (b *Block) LastRow() []Cell { return b.cells[len(b.cells)-b.width:] }

// Width is the number of columns.
func (b *Block) Width() int { return b.width }

// cell returns the text of a cell.
func (b *Block) cell(row, column int) ([]byte, State) {
	c := b.cells[row*b.width+column]
	return b.Text[c.start:c.end], c.state
}

// The bounds of a block in bytes: of an ordinary one, of a column in it, so that
// columns are not written in crumbs, and of one with many columns.
const (
	blockSize   = 1 << 20
	columnSize  = 16 << 10
	largestWide = 64 << 20
)

// read reads the next records by way of cut, which takes whole ones from the
// beginning of Text and returns how many bytes they are. At the end of the file
// it takes all. A record of more than limit bytes is refused.
func (b *Block) read(limit int, cut func(ended bool) (int, error)) error {
	for {
		if b.failed != nil {
			return b.failed
		}
		if b.ended && b.next == len(b.Text) {
			b.reset()
			return io.EOF
		}
		if err := b.fill(limit); err != nil {
			return err
		}
		n, err := cut(b.ended)
		if b.next = n; b.Rows > 0 {
			b.failed = err // after the rows before it
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// restart forgets all of the file.
func (b *Block) restart() {
	b.reset()
	b.ended, b.failed = false, nil
}

// text returns Text as a string, the same one for all columns.
func (b *Block) text() string {
	if !b.copied {
		b.copy, b.copied = string(b.Text[:b.next]), true
	}
	return b.copy
}

func (b *Block) reset() {
	b.copy, b.copied = "", false

	b.next, b.Rows = 0, 0
	b.Text, b.cells, b.Lines = b.Text[:0], b.cells[:0], b.Lines[:0]
}

// errLong is that of a record which is longer than the limit.
type errLong struct{ limit int }

func (e errLong) Error() string {
	return fmt.Sprintf("a line is longer than %d bytes, or a quoted field does not end", e.limit)
}

// fill reads on, and keeps what has not been taken as records.
func (b *Block) fill(limit int) error {
	text, rest := b.Text, copy(b.Text, b.Text[b.next:])
	b.reset()
	b.Text = text[:rest]
	if b.ended {
		return nil
	}
	want := max(blockSize, min(b.width*columnSize, largestWide))
	if rest >= want/2 { // a record that is longer than the block
		if rest > limit {
			return errLong{limit}
		}
		want = max(want, min(2*rest, limit+1))
	}
	if want > cap(b.Text) {
		b.Text = append(make([]byte, 0, want), b.Text...)
	}
	for len(b.Text) < want {
		n, err := b.input.Read(b.Text[len(b.Text):want])
		b.Text = b.Text[:len(b.Text)+n]
		if errors.Is(err, io.EOF) {
			b.ended = true
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// LineError is an error about a line of a file.
func LineError(line int, err error) error { return fmt.Errorf("line %d: %w", line, err) }

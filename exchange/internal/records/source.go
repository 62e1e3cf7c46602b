package records

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
	"columnvault/internal/excerpt"
)

// Format cuts text into records.
type Format interface {
	// Start is called before the first block of each pass.
	Start(b *Block)
	// Cut adds the whole records at the beginning of b.Text and returns how
	// many bytes they are. At the end of the file all there is counts as whole.
	Cut(b *Block, ended bool) (int, error)
	// TooLong is the error of a record that does not end within the limit.
	TooLong(limit int) error

	// Trim removes what is not part of a number.
	Trim(text []byte) []byte
	// ShapeOf tells what a cell that is there holds, and TypeOf which type and
	// meaning are for cells of these shapes.
	ShapeOf(text []byte) Shape
	TypeOf(s Shape) exchange.Field
	// IsText tells of a cell that is not quoted differently from others that its
	// shape is Text, or does not matter beside that of one which is.
	IsText(cell []byte) bool
	// Text returns the text that a cell of a text column stands for. If that is
	// the cell itself without so many bytes at both ends, inner is their number,
	// otherwise -1.
	Text(cell []byte) (text string, inner int, err error)
}

// Options are what all formats have in common.
type Options struct {
	Encoding dtype.Encoding
	// Nulls are the texts of plain cells that stand for missing values.
	Nulls []string
	// Limit is the largest record in bytes; 0 means 256 MiB.
	Limit int
	// Columns are the names of those that are wanted, nil for all. Named says
	// that no block but the first names columns.
	Columns []string
	Named   bool
}

// Source is a file of records as a source of rows.
type Source struct {
	format Format
	limit  int
	nulls  nulls
	wanted []string
	named  bool
	input  *Input
	block  *Block
	first  bool  // the block is that of Begin, and not taken yet
	end    error // of the first block
	// columns are what is known, chosen those of them that are wanted, and
	// complete says that all rows were seen.
	columns  []*column
	chosen   []*column
	complete bool
}

// NewSource returns a source of the records of r.
func NewSource(r io.Reader, f Format, o *Options) *Source {
	limit := o.Limit
	if limit <= 0 {
		limit = 256 << 20
	}
	in := NewInput(r, o.Encoding)
	var wanted []string // each once
	for _, name := range o.Columns {
		if !slices.Contains(wanted, name) {
			wanted = append(wanted, name)
		}
	}
	return &Source{format: f, limit: min(limit, 1<<30), nulls: newNulls(o.Nulls), wanted: wanted, named: o.Named, input: in, block: &Block{input: in}}
}

// Begin goes to the first row, and finds the types of columns in the first
// block, or in all rows if it was called because those of a block were wrong.
func (s *Source) Begin(ctx context.Context, as map[string]exchange.Field) ([]exchange.Field, error) {
	if err := s.input.rewind(ctx); err != nil {
		return nil, err
	}
	s.block.restart()
	s.format.Start(s.block)
	err := s.read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	s.first, s.end = true, err
	s.sync()
	if len(s.chosen) < len(s.wanted) {
		return s.beginLater(ctx, as)
	}
	if !s.complete {
		for _, c := range s.chosen {
			c.look(s)
		}
	}
	fields := make([]exchange.Field, len(s.chosen))
	for i, c := range s.chosen {
		f, given := as[c.name]
		if c.given = given; !given {
			f = c.found(s)
		}
		f.Name = c.name
		c.field = f
		f.Meaning.Null = f.Meaning.Null || c.plain || c.quoted && f.Type.Kind != dtype.KindText
		fields[i] = f
	}
	return fields, nil
}

// beginLater is Begin where the first block does not have all columns that are
// wanted.
func (s *Source) beginLater(ctx context.Context, as map[string]exchange.Field) ([]exchange.Field, error) {
	if !s.named && !s.complete {
		if err := s.retype(ctx); !errors.Is(err, exchange.ErrRetype) {
			return nil, err
		}
	}
	if _, err := fit.Choose("file", s.block.Names, s.wanted); err != nil {
		return nil, err
	}
	return s.Begin(ctx, as)
}

// sync makes columns for all names.
func (s *Source) sync() {
	for _, name := range s.block.Names[len(s.columns):] {
		c := &column{name: name, at: len(s.columns)}
		s.columns = append(s.columns, c)
		if s.wanted == nil || slices.Contains(s.wanted, name) {
			s.chosen = append(s.chosen, c)
		}
	}
}

// read reads the next block.
func (s *Source) read() error {
	err := s.block.read(s.limit, func(ended bool) (int, error) { return s.format.Cut(s.block, ended) })
	if errors.As(err, &errLong{}) {
		return s.format.TooLong(s.limit)
	}
	return err
}

// Next adds the rows of a block.
func (s *Source) Next(ctx context.Context, b *exchange.Batch) error {
	err := s.end
	if !s.first {
		err = s.read()
	}
	s.first, s.end = false, nil
	if err != nil {
		return err
	}
	known := len(s.chosen)
	s.sync()
	fits := len(b.Columns) == known && len(s.chosen) == known
	var failed *cellError
	for i := 0; fits && i < known; i++ {
		err := s.chosen[i].add(s, b.Columns[i])
		var cell *cellError
		switch {
		case errors.As(err, &cell): // the first line of all columns is told
			if failed == nil || cell.row < failed.row {
				failed = cell
			}
		case errors.Is(err, errMisfit):
			fits = false
		case err != nil:
			return err
		}
	}
	if failed != nil {
		return fmt.Errorf("line %d, column %s: %w", s.block.Lines[failed.row], excerpt.Quote(failed.name, excerpt.Name), failed.err)
	}
	if !fits {
		return s.retype(ctx)
	}
	b.Rows = s.block.Rows
	b.Lines = append(b.Lines, s.block.Lines...)
	return nil
}

// retype looks at all rows from the current block on. Those before it have been
// looked at when they were read.
func (s *Source) retype(ctx context.Context) error {
	for {
		s.sync()
		for _, c := range s.chosen {
			c.look(s)
		}
		err := s.read()
		if errors.Is(err, io.EOF) {
			s.complete = true
			return exchange.ErrRetype
		}
		if err != nil {
			return err
		}
	}
}

// Progress is how much of the file has been read, in all passes.
func (s *Source) Progress() (done, total int64) { return s.input.Progress() }

// Names are the names of the columns so far.
func (s *Source) Names() []string { return s.block.Names }

// nulls are texts that stand for missing values.
type nulls struct {
	texts   []string
	longest int
	first   [256]bool // characters that one begins with
	empty   bool
}

func newNulls(texts []string) nulls {
	n := nulls{texts: texts}
	for _, text := range texts {
		if text == "" {
			n.empty = true
			continue
		}
		n.longest = max(n.longest, len(text))
		n.first[text[0]] = true
	}
	return n
}

// has tells whether text stands for a missing value.
func (n *nulls) has(text []byte) bool {
	if len(text) == 0 {
		return n.empty
	}
	return len(text) <= n.longest && n.first[text[0]] && slices.Contains(n.texts, string(text))
}

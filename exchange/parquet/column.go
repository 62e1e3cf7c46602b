package parquet

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
)

// column reads a column of the file, row group by row group.
type column interface {
	// begin goes to the first row of a row group.
	begin(p []*pages)
	// fill makes sure that there are rows, at most so many, and returns how many
	// can be taken.
	fill(rows int) (int, error)
	// take adds rows to a column.
	take(rows int, dst exchange.Column) error
}

// fillBytes is how many bytes of values that vary in size are held at once.
const fillBytes = 4 << 20

// step is how many levels are read at once.
const step = 4 << 10

// early is the error of a column that has fewer rows than the row group.
func early(err error) error {
	if errors.Is(err, io.EOF) {
		return errEarly
	}
	return err
}

// spread moves the values at the beginning of dst to where there is no gap.
func spread[T any](dst []T, gaps []bool, present int) {
	var none T
	for i := len(gaps) - 1; i >= 0; i-- {
		if gaps[i] {
			dst[i] = none
			continue
		}
		present--
		dst[i] = dst[present]
	}
}

// gaps takes the next n values and returns which of them are missing, and how
// many are not. gaps is nil if none is missing.
func (p *pages) gaps(n int, memory []bool) (gaps []bool, present int) {
	_, defs := p.takeLevels(n)
	if p.leaf.def == 0 {
		return nil, n
	}
	if present = bytes.Count(defs, []byte{byte(p.leaf.def)}); present == n {
		return nil, n
	}
	gaps = slices.Grow(memory[:0], n)[:n]
	for i, level := range defs {
		gaps[i] = int(level) != p.leaf.def
	}
	return gaps, present
}

// numbers is the kind of values of one size, which get turns into those of a
// column.
type numbers[T any] struct {
	f   exchange.Field
	get func(raw []byte, dst []T) error
}

func (k numbers[T]) field() exchange.Field { return k.f }

func (k numbers[T]) flat() column { return &flatColumn[T]{read: k.read} }

func (k numbers[T]) read(p *pages, dst []T) error {
	raw, err := p.readRaw(len(dst))
	if err != nil {
		return err
	}
	return k.get(raw, dst)
}

func (k numbers[T]) anys(p *pages, m int, dst []any) ([]any, error) {
	list := make([]T, m)
	if err := k.read(p, list); err != nil {
		return dst, err
	}
	for _, v := range list {
		dst = append(dst, fit.Any(k.f, v))
	}
	return dst, nil
}

func (k numbers[T]) list(length int) column {
	if k.f.Meaning.IsTime() || k.f.Type.Kind == dtype.KindFloat16 {
		return nil
	}
	return listOf(any(k), length)
}

// bytesKind is that of bytes of one size, which are no numbers.
type bytesKind struct{ numbers[[]byte] }

func (bytesKind) list(int) column { return nil }

// singles is the kind of values of one size that are turned one by one.
type singles[T any] struct {
	f   exchange.Field
	get func([]byte) (T, error)
}

func (k singles[T]) numbers() numbers[T] {
	return numbers[T]{f: k.f, get: func(raw []byte, dst []T) (err error) {
		if len(dst) == 0 {
			return nil
		}
		size := len(raw) / len(dst)
		for i := range dst {
			if dst[i], err = k.get(raw[i*size : (i+1)*size]); err != nil {
				return err
			}
		}
		return nil
	}}
}

func (k singles[T]) field() exchange.Field { return k.f }
func (k singles[T]) flat() column          { return k.numbers().flat() }
func (singles[T]) list(int) column         { return nil }
func (k singles[T]) anys(p *pages, m int, dst []any) ([]any, error) {
	return k.numbers().anys(p, m, dst)
}

// bools is the kind of booleans.
type bools struct{}

func (bools) field() exchange.Field { return plainField(dtype.Bool.Spec()) }
func (bools) flat() column          { return &flatColumn[bool]{read: readBools} }
func (bools) list(int) column       { return nil }

func readBools(p *pages, dst []bool) error {
	list, err := p.readRaw(len(dst))
	for i, v := range list {
		dst[i] = v != 0
	}
	return err
}

func (bools) anys(p *pages, m int, dst []any) ([]any, error) {
	list, err := p.readRaw(m)
	for _, v := range list {
		dst = append(dst, v != 0)
	}
	return dst, err
}

// flatColumn is a column of values that take little memory.
type flatColumn[T any] struct {
	read   func(p *pages, dst []T) error
	p      *pages
	memory []bool
}

func (c *flatColumn[T]) begin(p []*pages) { c.p = p[0] }

func (c *flatColumn[T]) fill(rows int) (int, error) { return rows, nil }

func (c *flatColumn[T]) take(rows int, dst exchange.Column) error {
	v := dst.(*exchange.Vector[T])
	for rows > 0 {
		if err := c.p.more(); err != nil {
			return early(err)
		}
		n := min(rows, c.p.n)
		gaps, present := c.p.gaps(n, c.memory)
		start := len(v.Values)
		to := v.Extend(n)
		if err := c.read(c.p, to[:present]); err != nil {
			return err
		}
		if gaps != nil {
			c.memory = gaps
			spread(to, gaps, present)
			v.Mark(start, gaps)
		}
		rows -= n
	}
	return nil
}

// varied is the kind of values that vary in size.
type varied[T any] struct {
	f    exchange.Field
	turn func(src [][]byte, dst []T) error
}

func (k varied[T]) field() exchange.Field { return k.f }
func (k varied[T]) flat() column          { return &stringColumn[T]{turn: k.turn} }
func (varied[T]) list(int) column         { return nil }

func (k varied[T]) anys(p *pages, m int, dst []any) ([]any, error) {
	var src [][]byte
	for len(src) < m {
		var err error
		if src, err = p.readStrings(src, m-len(src), fillBytes); err != nil {
			return dst, err
		}
	}
	list := make([]T, m)
	if err := k.turn(src, list); err != nil {
		return dst, err
	}
	for _, v := range list {
		dst = append(dst, fit.Any(k.f, v))
	}
	return dst, nil
}

// stringColumn is a column of values that vary in size.
type stringColumn[T any] struct {
	turn func(src [][]byte, dst []T) error
	p    *pages
	// held are values that have been read, nil where they are missing, and gaps
	// tells which of the next are missing.
	held    [][]byte
	size    int
	gaps    []bool
	gapped  bool // gaps is in use
	next    int  // in gaps
	pending int  // values that gaps is about
	some    [][]byte
	memory  []bool
	marks   []bool
}

func (c *stringColumn[T]) begin(p []*pages) {
	c.p = p[0]
	c.held, c.size, c.pending, c.next = c.held[:0], 0, 0, 0
}

func (c *stringColumn[T]) fill(rows int) (int, error) {
	for len(c.held) < rows && c.size < fillBytes {
		if c.pending == 0 {
			if err := c.levels(); err != nil {
				return 0, early(err)
			}
		}
		n := min(c.pending, rows-len(c.held))
		present := n
		if c.gapped {
			present = 0
			for _, gap := range c.gaps[c.next : c.next+n] {
				if !gap {
					present++
				}
			}
		}
		some := c.some[:0]
		if present > 0 {
			var err error
			if some, err = c.p.readStrings(some, present, fillBytes-c.size); err != nil {
				return 0, err
			}
			c.some = some
		}
		c.hold(some, n)
	}
	return min(rows, len(c.held)), nil
}

// levels reads which of the next values are missing.
func (c *stringColumn[T]) levels() error {
	if err := c.p.more(); err != nil {
		return err
	}
	n := min(step, c.p.n)
	gaps, _ := c.p.gaps(n, c.memory)
	c.gapped = gaps != nil
	if c.gapped {
		c.memory = gaps
	}
	c.gaps, c.pending, c.next = gaps, n, 0
	return nil
}

// hold takes values, and missing ones between them, at most n together.
func (c *stringColumn[T]) hold(some [][]byte, n int) {
	for range n {
		if c.gapped && c.gaps[c.next] {
			c.held = append(c.held, nil)
		} else if len(some) > 0 {
			c.held = append(c.held, some[0])
			c.size += len(some[0])
			some = some[1:]
		} else {
			return
		}
		c.next++
		c.pending--
	}
}

func (c *stringColumn[T]) take(rows int, dst exchange.Column) error {
	v := dst.(*exchange.Vector[T])
	start := len(v.Values)
	if err := c.turn(c.held[:rows], v.Extend(rows)); err != nil {
		return err
	}
	c.marks = c.marks[:0]
	missing := false
	for _, b := range c.held[:rows] {
		c.marks = append(c.marks, b == nil)
		missing = missing || b == nil
		c.size -= len(b)
	}
	if missing {
		v.Mark(start, c.marks)
	}
	rest := copy(c.held, c.held[rows:])
	clear(c.held[rest:])
	c.held = c.held[:rest]
	return nil
}

package scan

import (
	"context"
	"database/sql"
	"iter"
	"math"

	"columnvault"
)

// Source is a column, or a slice of one, that is read as elements of type T. It
// holds nothing but names, as a column does. The zero Source must not be used.
type Source[T any] struct {
	reader reader[T]
	i, j   int
}

// Of returns the source of a column without missing elements.
func Of[T any](c *columnvault.Column[T]) Source[T] {
	return Source[T]{plain[T]{c}, columnvault.Begin, columnvault.End}
}

// OfNull returns the source of a column whose elements may be missing.
func OfNull[T any](c *columnvault.Column[sql.Null[T]]) Source[T] {
	return Source[T]{nullable[T]{c}, columnvault.Begin, columnvault.End}
}

// Map returns a source with f of each element that is not missing, such as the
// day of a time:
//
//	days := scan.Map(scan.Of(micros), func(us int64) int64 { return us / 86_400_000_000 })
//
// f is called while a transaction is open, and must not use the vault.
func Map[A, B any](s Source[A], f func(A) B) Source[B] {
	return Source[B]{mapped[A, B]{s.reader, f}, s.i, s.j}
}

// Slice returns the elements from i up to, not including, j of the column:
// Python's column[i:j]. It replaces an earlier slice.
func (s Source[T]) Slice(i, j int) Source[T] {
	s.i, s.j = i, j
	return s
}

// Runs iterates over numbers in order, in one snapshot, with NaN for those that
// are missing. Each run overwrites the one before. An error ends the loop.
func Runs(ctx context.Context, s Source[float64]) iter.Seq2[columnvault.Run[float64], error] {
	return func(yield func(columnvault.Run[float64], error) bool) {
		for b, err := range s.reader.blocks(ctx, s.i, s.j) {
			for i, valid := range b.valid {
				if !valid {
					b.values[i] = math.NaN()
				}
			}
			if !yield(columnvault.Run[float64]{Start: b.start, Values: b.values}, err) || err != nil {
				return
			}
		}
	}
}

// in returns the source as a part of the transaction.
func (s Source[T]) in(tx *columnvault.Tx) Source[T] {
	s.reader = s.reader.in(tx)
	return s
}

// each calls fn with the elements in order, block by block.
func (s Source[T]) each(ctx context.Context, fn func(b block[T]) error) error {
	for b, err := range s.reader.blocks(ctx, s.i, s.j) {
		if err != nil {
			return err
		}
		if err := fn(b); err != nil {
			return err
		}
	}
	return nil
}

// span returns the absolute positions of the slice.
func (s Source[T]) span(ctx context.Context) (from, to int, err error) {
	n, err := s.reader.len(ctx)
	if err != nil {
		return 0, 0, err
	}
	at := func(i int) int {
		if i < 0 {
			i += n // also Begin, whose sum is less than 0
		}
		return min(max(i, 0), n)
	}
	from = at(s.i)
	return from, max(from, at(s.j)), nil
}

// fail makes an error of this package.
func (s Source[T]) fail(op string, index int, err error) error {
	return &columnvault.Error{Op: op, Column: s.reader.name(), Index: index, Err: err}
}

// block is a stretch of neighboring elements in memory that the next one
// overwrites.
type block[T any] struct {
	start  int // position of the first
	values []T
	// valid says which elements are not missing; nil says that all are there.
	// The values of those that are missing are zero.
	valid []bool
	// whole is memory for elements and whether they are there.
	whole []sql.Null[T]
}

// present moves the elements that are not missing to the front, and returns
// them.
func (b block[T]) present() []T {
	if b.valid == nil {
		return b.values
	}
	n := 0
	for i, v := range b.values {
		b.values[n] = v
		n += one(b.valid[i])
	}
	return b.values[:n]
}

// one is 1 for true, without a branch.
func one(b bool) int {
	n := 0
	if b {
		n = 1
	}
	return n
}

// blockLen is the most elements of a block: of numbers it fits the processor's
// second cache.
const blockLen = 1 << 14

// blockOf is how long a block of the elements from i up to j is at most.
func blockOf(i, j, most int) int {
	if i >= 0 && j > i {
		return min(j-i, most)
	}
	return most
}

// reader reads elements of some column as elements of type T.
type reader[T any] interface {
	name() string
	len(ctx context.Context) (int, error)
	view(ctx context.Context, fn func(ctx context.Context, tx *columnvault.Tx) error) error
	in(tx *columnvault.Tx) reader[T]
	// blocks iterates over the elements from i up to j, in Python's sense.
	blocks(ctx context.Context, i, j int) iter.Seq2[block[T], error]
	// read returns the n elements from position at on, or those that are there.
	// It uses the memory of b, and more if that is too small.
	read(ctx context.Context, b *block[T], at, n int) error
	// calls tells whether it calls a function of the caller, who may not expect that
	// from several goroutines.
	calls() bool
	// within, bounds and key are what columnvault.Column has under these names, as
	// far as that is known.
	within(ctx context.Context, i, j int, low, high T) (from, to int, err error)
	bounds(ctx context.Context, i, j int) iter.Seq2[columnvault.Bounds, error]
	key(v T) (uint64, bool)
	// complete tells whether no element is missing or NaN, of those with these
	// bounds, which are known.
	complete(b columnvault.Bounds) bool
}

// plain reads a column without missing elements.
type plain[T any] struct{ c *columnvault.Column[T] }

func (p plain[T]) name() string                         { return p.c.Name() }
func (p plain[T]) len(ctx context.Context) (int, error) { return p.c.Len(ctx) }
func (p plain[T]) in(tx *columnvault.Tx) reader[T]      { return plain[T]{p.c.In(tx)} }
func (p plain[T]) view(ctx context.Context, fn func(context.Context, *columnvault.Tx) error) error {
	return p.c.View(ctx, fn)
}

func (p plain[T]) blocks(ctx context.Context, i, j int) iter.Seq2[block[T], error] {
	return func(yield func(block[T], error) bool) {
		for run, err := range p.c.RunsInto(ctx, make([]T, blockOf(i, j, blockLen)), i, j) {
			if !yield(block[T]{start: run.Start, values: run.Values}, err) {
				return
			}
		}
	}
}

func (p plain[T]) read(ctx context.Context, b *block[T], at, n int) error {
	b.values = sized(b.values, n)
	n, err := p.c.Read(ctx, b.values, at)
	b.start, b.values = at, b.values[:n]
	return err
}

func (p plain[T]) calls() bool { return false }

func (p plain[T]) within(ctx context.Context, i, j int, low, high T) (from, to int, err error) {
	return p.c.Within(ctx, i, j, low, high)
}

func (p plain[T]) bounds(ctx context.Context, i, j int) iter.Seq2[columnvault.Bounds, error] {
	return p.c.Bounds(ctx, i, j)
}

func (p plain[T]) key(v T) (uint64, bool)           { return p.c.Key(v) }
func (p plain[T]) complete(columnvault.Bounds) bool { return true } // NaN has no key

// nullable reads a column of which elements may be missing.
type nullable[T any] struct {
	c *columnvault.Column[sql.Null[T]]
}

func (p nullable[T]) name() string                         { return p.c.Name() }
func (p nullable[T]) len(ctx context.Context) (int, error) { return p.c.Len(ctx) }
func (p nullable[T]) in(tx *columnvault.Tx) reader[T]      { return nullable[T]{p.c.In(tx)} }
func (p nullable[T]) view(ctx context.Context, fn func(context.Context, *columnvault.Tx) error) error {
	return p.c.View(ctx, fn)
}

func (p nullable[T]) blocks(ctx context.Context, i, j int) iter.Seq2[block[T], error] {
	return func(yield func(block[T], error) bool) {
		var b block[T]
		for run, err := range p.c.RunsInto(ctx, make([]sql.Null[T], blockOf(i, j, blockLen/2)), i, j) {
			b.start = run.Start
			b.split(run.Values)
			if !yield(b, err) {
				return
			}
		}
	}
}

func (p nullable[T]) read(ctx context.Context, b *block[T], at, n int) error {
	b.whole = sized(b.whole, n)
	n, err := p.c.Read(ctx, b.whole, at)
	b.start = at
	b.split(b.whole[:n])
	return err
}

func (p nullable[T]) calls() bool { return false }

func (p nullable[T]) within(ctx context.Context, i, j int, low, high T) (from, to int, err error) {
	return p.c.Within(ctx, i, j, sql.Null[T]{V: low, Valid: true}, sql.Null[T]{V: high, Valid: true})
}

func (p nullable[T]) bounds(ctx context.Context, i, j int) iter.Seq2[columnvault.Bounds, error] {
	return p.c.Bounds(ctx, i, j)
}

func (p nullable[T]) key(v T) (uint64, bool) { return p.c.Key(sql.Null[T]{V: v, Valid: true}) }

func (p nullable[T]) complete(b columnvault.Bounds) bool {
	missing, ok := p.c.Key(sql.Null[T]{})
	return !ok || missing < b.Low || missing > b.High
}

// split takes values and whether they are there apart.
func (b *block[T]) split(values []sql.Null[T]) {
	b.values, b.valid = sized(b.values, len(values)), sized(b.valid, len(values))
	for i, v := range values {
		b.values[i], b.valid[i] = v.V, v.Valid
	}
}

// sized returns memory for n elements, that of s if it is enough.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// mapped reads a function of the elements of another reader.
type mapped[A, B any] struct {
	from reader[A]
	f    func(A) B
}

func (m mapped[A, B]) name() string                         { return m.from.name() }
func (m mapped[A, B]) len(ctx context.Context) (int, error) { return m.from.len(ctx) }
func (m mapped[A, B]) in(tx *columnvault.Tx) reader[B]      { return mapped[A, B]{m.from.in(tx), m.f} }
func (m mapped[A, B]) view(ctx context.Context, fn func(context.Context, *columnvault.Tx) error) error {
	return m.from.view(ctx, fn)
}

func (m mapped[A, B]) blocks(ctx context.Context, i, j int) iter.Seq2[block[B], error] {
	return func(yield func(block[B], error) bool) {
		var b block[B]
		for from, err := range m.from.blocks(ctx, i, j) {
			m.apply(&b, from)
			if !yield(b, err) {
				return
			}
		}
	}
}

func (m mapped[A, B]) read(ctx context.Context, b *block[B], at, n int) error {
	var from block[A]
	err := m.from.read(ctx, &from, at, n)
	m.apply(b, from)
	return err
}

func (m mapped[A, B]) calls() bool { return true }

func (m mapped[A, B]) within(_ context.Context, i, j int, _, _ B) (from, to int, err error) {
	return i, j, nil
}

func (m mapped[A, B]) bounds(_ context.Context, i, j int) iter.Seq2[columnvault.Bounds, error] {
	return func(yield func(columnvault.Bounds, error) bool) { yield(columnvault.Bounds{From: i, To: j}, nil) }
}

func (m mapped[A, B]) key(B) (uint64, bool)             { return 0, false }
func (m mapped[A, B]) complete(columnvault.Bounds) bool { return false }

// apply makes b of a block of the other reader.
func (m mapped[A, B]) apply(b *block[B], from block[A]) {
	b.start, b.values, b.valid = from.start, sized(b.values, len(from.values)), from.valid
	for i, v := range from.values {
		if from.valid != nil && !from.valid[i] {
			b.values[i] = *new(B)
			continue
		}
		b.values[i] = m.f(v)
	}
}

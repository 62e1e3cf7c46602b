package values

import (
	"context"
	"errors"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/dtype"
)

// Target is a column that a [Sink] fills.
type Target struct {
	Name string
	Spec dtype.Spec
	// Meaning is that of a column that exists.
	Meaning dtype.Meaning
	Create  bool   // it does not exist yet
	Absent  []byte // the text for missing values, nil if there is none
	// Text reads the values of text columns.
	Text func(text []byte) (string, error)
}

// Sink takes values of one column as text and appends them in batches.
type Sink interface {
	Add(text []byte) error
	// AddAbsent adds what stands for a missing value.
	AddAbsent() error
	// Flush appends what was added since the last flush.
	Flush(ctx context.Context) error
	// Len is the length of the column in the vault.
	Len(ctx context.Context) (int, error)
	// Summary is that of all that was added.
	Summary() columns.Summary
}

// NewSink makes a sink for a column, which it creates or looks up in the
// transaction. rows is how many values will come.
func NewSink(ctx context.Context, tx *columnvault.Tx, to *Target, rows int) (Sink, error) {
	p := NewParser(to.Spec, to.Meaning)
	if to.Meaning != (dtype.Meaning{}) {
		return openMeaningSink(ctx, tx, to, p)
	}
	if n := numbers[to.Spec.Kind]; n != nil {
		return n.newSink(ctx, tx, to, rows)
	}
	if to.Spec.Kind == dtype.KindText {
		return openSink(ctx, tx, to, textType(to.Spec), to.readText(p), string(to.Absent), &columns.Texts{})
	}
	var absent any
	if to.Absent != nil {
		var err error
		if absent, err = p.Parse(to.Absent); err != nil {
			return nil, err
		}
	}
	return openSink(ctx, tx, to, to.Spec.Type(), p.Parse, absent, columns.None{})
}

// openMeaningSink makes a sink for a column whose elements are more than their
// dtype says.
func openMeaningSink(ctx context.Context, tx *columnvault.Tx, to *Target, p *Parser) (Sink, error) {
	read := p.Parse
	if to.Spec.Kind == dtype.KindText {
		text := to.readText(p)
		read = func(b []byte) (any, error) { return text(b) }
	}
	var absent any // which is what is missing
	if to.Absent != nil {
		var err error
		if absent, err = read(to.Absent); err != nil {
			return nil, err
		}
	}
	s, err := openSink(ctx, tx, to, to.Meaning.Type(to.Spec), read, absent, columns.None{})
	if s, ok := s.(*sink[any]); ok && to.Meaning.Null {
		s.hasAbsent = true
	}
	return s, err
}

// readText returns the function that reads text for the column.
func (to *Target) readText(p *Parser) func([]byte) (string, error) {
	if to.Spec.String() == dtype.String.String() {
		return to.Text // takes any text
	}
	return func(text []byte) (string, error) {
		s, err := to.Text(text)
		if err == nil {
			err = p.Check(s)
		}
		return s, err
	}
}

func textType(spec dtype.Spec) dtype.Type[string] {
	if spec.Sized {
		return dtype.FixedText(spec.Size, spec.Encoding)
	}
	return dtype.Text(spec.Encoding)
}

// batch is values of one Go type that were read from text.
type batch[T any] struct {
	values []T
	read   func(text []byte) (T, error)
	tally  columns.Tally[T]
	// absent stands for missing values, if it may.
	absent    T
	hasAbsent bool
}

func (b *batch[T]) Add(text []byte) error {
	v, err := b.read(text)
	if err == nil {
		b.add(v)
	}
	return err
}

func (b *batch[T]) AddAbsent() error {
	if !b.hasAbsent {
		return errors.New("there is no value")
	}
	b.add(b.absent)
	return nil
}

func (b *batch[T]) add(v T) {
	b.values = append(b.values, v)
	b.tally.Add(v)
}

func (b *batch[T]) Summary() columns.Summary { return b.tally.Summary() }

// sink is a batch that goes to a column.
type sink[T any] struct {
	batch[T]
	column *columnvault.Column[T]
}

func openSink[T any](ctx context.Context, tx *columnvault.Tx, to *Target, t dtype.Type[T],
	read func([]byte) (T, error), absent T, tally columns.Tally[T]) (Sink, error) {
	open := columnvault.Lookup[T]
	if to.Create {
		open = func(ctx context.Context, in columnvault.Scope, name string, t dtype.Type[T]) (*columnvault.Column[T], error) {
			return columnvault.Create(ctx, in, name, t, nil)
		}
	}
	column, err := open(ctx, tx, to.Name, t)
	return &sink[T]{batch[T]{read: read, tally: tally, absent: absent, hasAbsent: to.Absent != nil}, column}, err
}

func (s *sink[T]) Flush(ctx context.Context) error {
	err := s.column.Append(ctx, s.values...)
	clear(s.values) // text need not outlive the batch
	s.values = s.values[:0]
	return err
}

func (s *sink[T]) Len(ctx context.Context) (int, error) { return s.column.Len(ctx) }

package main

import (
	"context"
	"errors"

	"columnvault"
	"columnvault/dtype"
)

// sink takes the fields of one column of an import and appends them to the
// column in batches.
type sink interface {
	add(f field) error
	// flush appends what was added since the last flush.
	flush(ctx context.Context) error
	// length is that of the column in the vault.
	length(ctx context.Context) (int, error)
	// summary is that of all that was added.
	summary() summary
}

// newSink makes a sink for the column, which it creates or looks up in the
// transaction. rows is how many values will come.
func newSink(ctx context.Context, tx *columnvault.Tx, c *importColumn, rows int) (sink, error) {
	p := newParser(c.spec)
	if p.number != nil {
		return p.number.sink(ctx, tx, c, rows)
	}
	if c.spec.Kind == dtype.KindText {
		return newTypedSink(ctx, tx, c, textType(c.spec), c.readText(p), string(c.absent), &textTally{})
	}
	var absent any
	if c.absent != nil {
		var err error
		if absent, err = p.parse(c.absent); err != nil {
			return nil, err
		}
	}
	return newTypedSink(ctx, tx, c, c.spec.Type(), p.parse, absent, noTally{})
}

// readText returns the function that reads text for the column.
func (c *importColumn) readText(p *parser) func([]byte) (string, error) {
	if c.spec.String() == dtype.String.String() {
		return c.textOf // takes any text
	}
	return func(text []byte) (string, error) {
		s, err := c.textOf(text)
		if err == nil {
			err = p.check(s)
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

// tallier collects a summary of values.
type tallier[T any] interface {
	add(v T)
	summary() summary
}

type typedSink[T any] struct {
	tallier tallier[T]
	column  *columnvault.Column[T]
	read    func(text []byte) (T, error)
	// absent stands for absent values, if it may.
	absent    T
	hasAbsent bool
	isText    bool
	values    []T
}

func newTypedSink[T any](ctx context.Context, tx *columnvault.Tx, c *importColumn, t dtype.Type[T],
	read func([]byte) (T, error), absent T, tallier tallier[T]) (sink, error) {
	open := columnvault.Lookup[T]
	if c.create {
		open = func(ctx context.Context, in columnvault.Scope, name string, t dtype.Type[T]) (*columnvault.Column[T], error) {
			return columnvault.Create(ctx, in, name, t, nil)
		}
	}
	column, err := open(ctx, tx, c.name, t)
	return &typedSink[T]{
		tallier: tallier, column: column, read: read,
		absent: absent, hasAbsent: c.absent != nil, isText: c.spec.Kind == dtype.KindText,
	}, err
}

func (s *typedSink[T]) add(f field) error {
	v := s.absent
	if f.state == present || f.state == quotedAbsent && s.isText {
		var err error
		if v, err = s.read(f.text); err != nil {
			return err
		}
	} else if !s.hasAbsent {
		return errors.New("there is no value")
	}
	s.values = append(s.values, v)
	s.tallier.add(v)
	return nil
}

func (s *typedSink[T]) flush(ctx context.Context) error {
	err := s.column.Append(ctx, s.values...)
	clear(s.values) // text need not outlive the batch
	s.values = s.values[:0]
	return err
}

func (s *typedSink[T]) length(ctx context.Context) (int, error) { return s.column.Len(ctx) }

func (s *typedSink[T]) summary() summary { return s.tallier.summary() }

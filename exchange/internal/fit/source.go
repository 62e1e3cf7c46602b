// Package fit makes the rows of files that have types of their own fit the types
// that are wanted of them.
package fit

import (
	"context"
	"errors"
	"fmt"
	"io"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/internal/excerpt"
)

// Rows gives rows in the types that a file has.
type Rows interface {
	// Open goes to the first row and returns the columns.
	Open(ctx context.Context) ([]exchange.Field, error)
	// Noted are the types that a file notes for columns, beside its own.
	Noted() map[string]exchange.Field
	// Next and Progress are those of [exchange.Source].
	Next(ctx context.Context, b *exchange.Batch) error
	Progress() (done, total int64)
}

// Source gives rows in the types that are wanted.
type Source struct {
	rows   Rows
	names  []string
	turns  []*turn // nil where nothing is to be done
	native exchange.Batch
	row    int64 // the first of the next batch
}

// NewSource returns a source of rows.
func NewSource(rows Rows) *Source { return &Source{rows: rows} }

// Begin goes to the first row. A column gets the type that is wanted for it,
// else that which the file notes, and else that which it has there.
func (s *Source) Begin(ctx context.Context, as map[string]exchange.Field) ([]exchange.Field, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	found, err := s.rows.Open(ctx)
	if err != nil {
		return nil, err
	}
	noted := s.rows.Noted()
	s.row = 0
	s.turns, s.names = make([]*turn, len(found)), make([]string, len(found))
	s.native = exchange.Batch{Columns: make([]exchange.Column, len(found))}
	fields := make([]exchange.Field, len(found))
	for i, f := range found {
		want, given := as[f.Name]
		if !given {
			want = f
			if n, ok := noted[f.Name]; ok && alike(f, n) {
				want, want.Nullable = n, n.Meaning.Null
			}
			want.Meaning.Null = false
		}
		want.Name = f.Name
		want.Meaning.Null = want.Meaning.Null || f.Meaning.Null
		fields[i], s.names[i] = want, f.Name
		if !same(f, want) {
			s.turns[i] = newTurn(f, want)
			s.native.Columns[i] = exchange.NewBatch([]exchange.Field{f}).Columns[0]
		}
	}
	return fields, nil
}

// Next adds rows.
func (s *Source) Next(ctx context.Context, b *exchange.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, t := range s.turns {
		if t == nil {
			s.native.Columns[i] = b.Columns[i]
		}
	}
	s.native.Reset()
	err := s.rows.Next(ctx, &s.native)
	if err != nil {
		return err
	}
	for i, t := range s.turns {
		if t == nil {
			continue
		}
		if row, err := t.add(b.Columns[i], s.native.Columns[i]); err != nil {
			return At(s.row+int64(row), s.names[i], err)
		}
	}
	b.Rows = s.native.Rows
	s.row += int64(b.Rows)
	return nil
}

// Progress is that of the file.
func (s *Source) Progress() (done, total int64) { return s.rows.Progress() }

// At names the row, counted from 0, and the column of an error.
func At(row int64, column string, err error) error {
	return fmt.Errorf("row %d, column %s: %w", row, excerpt.Quote(column, excerpt.Name), err)
}

// In names the column of an error that is not one of the end or of the ctx.
func In(column string, err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, exchange.ErrRetype) {
		return err
	}
	return fmt.Errorf("column %s: %w", excerpt.Quote(column, excerpt.Name), err)
}

// Guard returns a panic of the code that it is deferred in as an error: what
// others wrote must not end a program, whatever is overlooked.
func Guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the file is damaged: %v", p)
	}
}

// goType tells which Go type values of a dtype have in a batch.
func goType(s dtype.Spec) string {
	switch s.Kind {
	case dtype.KindText:
		return "string"
	case dtype.KindBytes:
		return "bytes"
	case dtype.KindMsgPack, dtype.KindCBOR:
		return "any"
	case dtype.KindFloat16:
		return dtype.KindFloat32.String()
	case dtype.KindVector:
		if len(s.Dims) > 0 {
			return "list of " + s.Elem.String()
		}
		return "tensor of " + s.Elem.String()
	}
	return s.Kind.String()
}

// same tells whether values of one field are, in a batch, those of the other.
func same(a, b exchange.Field) bool {
	return goType(a.Type) == goType(b.Type) && a.Meaning.Time == b.Meaning.Time && a.Meaning.Date == b.Meaning.Date &&
		RowLen(a.Type) == RowLen(b.Type)
}

// alike tells whether a file can hold in a column of one type what it notes to
// be of the other.
func alike(found, noted exchange.Field) bool {
	if found.Meaning.Time != 0 && noted.Meaning.Time != 0 {
		return true
	}
	return same(found, noted)
}

// RowLen is the number of elements of vectors with dimensions, and 0 of others.
func RowLen(s dtype.Spec) int {
	if len(s.Dims) == 0 {
		return 0
	}
	n := 1
	for _, d := range s.Dims {
		n *= d
	}
	return n
}

package exchange

import (
	"fmt"
	"strings"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/excerpt"
)

// NamesError says which columns of the source cannot be created because the
// vault has them or, with Append, not be appended to because it lacks them.
// It is an ErrExists or an ErrNotFound.
type NamesError struct {
	Names  []string // in the vault
	Append bool
}

func (e *NamesError) Error() string {
	if e.Append {
		return "the vault has no " + named(e.Names)
	}
	return "the vault already has " + named(e.Names)
}

// Unwrap returns the kind of the error.
func (e *NamesError) Unwrap() error {
	if e.Append {
		return columnvault.ErrNotFound
	}
	return columnvault.ErrExists
}

// Hint says what can be done.
func (e *NamesError) Hint() string {
	if e.Append {
		return "without Append, Import makes the columns"
	}
	return "Append adds to existing columns, Prefix gives new ones another name"
}

// GapsError says which columns cannot hold the missing values of the source.
type GapsError struct{ Gaps []Gap }

// Gap is a column that cannot hold its missing values.
type Gap struct {
	Name  string // in the source
	Type  dtype.Spec
	Count int
	// Line is where the first is, 0 if the source is no text.
	Line int
	// Absent says that the source does not have the column at all.
	Absent bool
}

// maxGaps is how many columns are described one by one.
const maxGaps = 20

func (e *GapsError) Error() string {
	var b strings.Builder
	for i, g := range e.Gaps {
		if i > 0 {
			b.WriteString("\n  ")
		}
		if i == maxGaps {
			fmt.Fprintf(&b, "and %d more", len(e.Gaps)-maxGaps)
			break
		}
		b.WriteString(g.String())
	}
	return b.String()
}

// String describes the column.
func (g Gap) String() string {
	name := excerpt.Quote(g.Name, excerpt.Name)
	if g.Absent {
		return fmt.Sprintf("column %s (%v) of the vault is not in the file", name, g.Type)
	}
	text := fmt.Sprintf("column %s (%v) has %d missing values", name, g.Type, g.Count)
	if g.Count == 1 {
		text = strings.TrimSuffix(text, "s")
	}
	if g.Line > 0 {
		text += fmt.Sprintf(", the first on line %d", g.Line)
	}
	return text
}

// Unwrap returns the kind of the error.
func (e *GapsError) Unwrap() error { return columnvault.ErrInvalidArgument }

// Hint says what can be done.
func (e *GapsError) Hint() string { return "Fill sets a value for them, Types another dtype" }

// FillError says that what should stand for missing values does not fit.
type FillError struct {
	Name string // of the column in the source
	Text string
	Err  error
}

func (e *FillError) Error() string {
	return fmt.Sprintf("column %s cannot be filled: %v", excerpt.Quote(e.Name, excerpt.Name), e.Err)
}

// Unwrap returns the kind of the error.
func (e *FillError) Unwrap() []error { return []error{columnvault.ErrInvalidArgument, e.Err} }

// UntypedError says that a source without rows does not show the type of a
// column.
type UntypedError struct{ Name string }

func (e *UntypedError) Error() string {
	return fmt.Sprintf("column %s: the file has no records that would show its type", excerpt.Quote(e.Name, excerpt.Name))
}

// Unwrap returns the kind of the error.
func (e *UntypedError) Unwrap() error { return columnvault.ErrInvalidArgument }

// Hint says what can be done.
func (e *UntypedError) Hint() string { return "Types names it" }

// argumentError is an ErrInvalidArgument whose text does not say so.
type argumentError struct{ error }

func (argumentError) Unwrap() error { return columnvault.ErrInvalidArgument }

func argumentf(format string, args ...any) error { return argumentError{fmt.Errorf(format, args...)} }

// named puts the right word before names of columns.
func named(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = excerpt.Quote(name, excerpt.Name)
	}
	if len(quoted) == 1 {
		return "column " + quoted[0]
	}
	return "columns " + excerpt.Few(quoted)
}

package dtype

import (
	"errors"
	"strconv"

	"columnvault/internal/excerpt"
	"columnvault/internal/structured"
)

// The kinds of errors. The text of an error says what was given, what is wrong
// with it and what to do.
var (
	// ErrSyntax is returned for a string that is not a dtype, a bad argument of
	// a constructor, and by dtype/jsonschema for a schema that does not compile.
	ErrSyntax = errors.New("dtype: bad dtype")
	// ErrValue is returned for a Go value or a Go type that the dtype cannot
	// hold, and for a value that the check of its dtype refuses.
	ErrValue = errors.New("dtype: bad value")
	// ErrData is returned for stored bytes that do not decode.
	ErrData = errors.New("dtype: bad data")
	// ErrMemory is returned for stored bytes that would take too much memory to
	// decode; see [Structured].
	ErrMemory = structured.ErrMemory
)

// An ElementError says which element of a batch an error is about.
// [Type.AppendAll] and [Type.DecodeAll] return it.
type ElementError struct {
	// Index is the position in the slice of values that was passed to the
	// method.
	Index int
	// Err is what is wrong with the element.
	Err error
}

func (e *ElementError) Error() string {
	return "element " + strconv.Itoa(e.Index) + ": " + e.Err.Error()
}

// Unwrap returns what is wrong with the element.
func (e *ElementError) Unwrap() error { return e.Err }

// quote makes s fit for an error text.
func quote(s string) string { return excerpt.Quote(s, excerpt.Value) }

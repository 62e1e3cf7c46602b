package dtype

import (
	"errors"
	"fmt"
	"strconv"

	"columnvault/internal/excerpt"
)

// The kinds of errors. The text of an error says more: what was given, what is wrong with it and what to do.
var (
	// ErrSyntax: a string that is no dtype, a bad argument of a constructor, or a JSON Schema that does not compile.
	ErrSyntax = errors.New("dtype: bad dtype")
	// ErrValue: a Go value or type that the dtype cannot hold.
	ErrValue = errors.New("dtype: bad value")
	// ErrSchema: a value that violates the schema of its dtype; see [SchemaError]. It is also an ErrValue.
	ErrSchema = fmt.Errorf("%w: schema violated", ErrValue)
	// ErrData: stored bytes that do not decode.
	ErrData = errors.New("dtype: bad data")
)

// ElementError says which element of a batch an error is about.
type ElementError struct {
	Index int // position in the slice that was passed to the failing method
	Err   error
}

func (e *ElementError) Error() string {
	return "element " + strconv.Itoa(e.Index) + ": " + e.Err.Error()
}

func (e *ElementError) Unwrap() error { return e.Err }

// quote makes s fit for an error text.
func quote(s string) string { return excerpt.Quote(s, excerpt.Value) }

// Package hint adds to an error what can be done about it.
package hint

import "fmt"

// Error is an error with a hint. The text of the error does not contain it.
type Error struct {
	Err  error
	hint string
}

func (e *Error) Error() string { return e.Err.Error() }

// Hint says what can be done about the error.
func (e *Error) Hint() string { return e.hint }

// Unwrap returns the error without the hint.
func (e *Error) Unwrap() error { return e.Err }

// Add returns the error with a hint.
func Add(err error, format string, args ...any) error {
	return &Error{err, fmt.Sprintf(format, args...)}
}

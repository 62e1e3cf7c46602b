package query

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
	"columnvault/internal/excerpt"
)

// ErrLimit is returned when a statement needs more memory than
// [Options.MaxMemory], or is itself too long or too complex.
var ErrLimit = errors.New("limit of queries exceeded")

// fail makes the error of a query. Errors that are complete pass through.
func fail(err error) error {
	var done *columnvault.Error
	if err == nil || errors.As(err, &done) {
		return err
	}
	return &columnvault.Error{Op: "query", Index: -1, Err: err}
}

// explain says what an error of the engine means, for a statement on the tables
// of a schema.
func explain(err error, statement string, s *schema) error {
	var engine *sqlite3.Error
	var code sqlite3.ErrorCode
	switch {
	case errors.As(err, &engine):
		code = engine.Code()
	default:
		errors.As(err, &code)
	}
	err = engineError{err}
	text := err.Error()
	switch {
	case code == sqlite3.TOOBIG:
		return fmt.Errorf("%w: %w", ErrLimit, err)
	case code == sqlite3.AUTH:
		return fmt.Errorf("%w: queries only read: %w", columnvault.ErrInvalidArgument, err)
	case code != sqlite3.ERROR:
		return err
	case strings.Contains(text, "no such table: "):
		return fmt.Errorf("%w: %w; the tables are %s", columnvault.ErrNotFound, err, s.names())
	case strings.Contains(text, "no such column: "):
		return fmt.Errorf("%w: %w%s", columnvault.ErrNotFound, err, s.columnsOf(statement))
	case strings.Contains(text, "too many"), strings.Contains(text, "too large"), strings.Contains(text, "too complex"):
		return fmt.Errorf("%w: %w", ErrLimit, err)
	}
	return fmt.Errorf("%w: %w", columnvault.ErrInvalidArgument, err)
}

// engineError is an error of the engine without the words that say so.
type engineError struct{ error }

func (e engineError) Error() string {
	text := strings.TrimPrefix(e.error.Error(), "sqlite3: ")
	return strings.TrimPrefix(text, "SQL logic error: ")
}

func (e engineError) Unwrap() error { return e.error }

// names lists the tables.
func (s *schema) names() string {
	if len(s.tables) == 0 {
		return "none: the vault is empty"
	}
	names := make([]string, len(s.tables))
	for i, t := range s.tables {
		names[i] = t.name
	}
	return few(names)
}

// columnsOf lists the columns of the tables whose names are in the statement.
func (s *schema) columnsOf(statement string) string {
	var b strings.Builder
	statement = fold(statement)
	listed := 0
	for _, t := range s.tables {
		if mentions(statement, fold(t.name)) {
			fmt.Fprintf(&b, "; the columns of %s are %s", excerpt.Line(t.name, excerpt.Name), few(t.columns))
			if listed++; listed == 4 {
				break
			}
		}
	}
	return b.String()
}

// mentions tells whether a name is a word of the statement.
func mentions(statement, name string) bool {
	for at := 0; ; {
		i := strings.Index(statement[at:], name)
		if i < 0 {
			return false
		}
		at += i + len(name)
		before, _ := utf8.DecodeLastRuneInString(statement[:at-len(name)])
		after, _ := utf8.DecodeRuneInString(statement[at:])
		if !ofName(before) && !ofName(after) {
			return true
		}
	}
}

func ofName(r rune) bool {
	return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// few joins the first of many names.
func few(names []string) string {
	const most = 20
	var b strings.Builder
	for i, name := range names {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(names)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(excerpt.Line(name, excerpt.Name))
	}
	return b.String()
}

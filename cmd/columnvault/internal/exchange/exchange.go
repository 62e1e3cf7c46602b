// Package exchange reads and writes files of records: CSV, whose first line
// names the columns, and JSON lines. It knows no vault.
package exchange

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"columnvault/internal/excerpt"
)

// Format is a format of files.
type Format string

// The formats.
const (
	CSV   Format = "csv"
	JSONL Format = "jsonl"
)

// FormatOf returns the format that a flag names, or else the ending of a file.
func FormatOf(flag, file string) (Format, error) {
	switch f := Format(flag); f {
	case CSV, JSONL:
		return f, nil
	case "":
	default:
		return "", fmt.Errorf("the format %s is neither csv nor jsonl", excerpt.Quote(flag, excerpt.Value))
	}
	switch ext := strings.ToLower(filepath.Ext(file)); ext {
	case ".csv":
		return CSV, nil
	case ".jsonl", ".ndjson":
		return JSONL, nil
	}
	if file == "-" {
		file = "standard input"
	}
	return "", fmt.Errorf("the format of %s does not show: --format csv or --format jsonl is needed", excerpt.Shorten(file, excerpt.Name))
}

// Reader reads the records of a file, one after the other.
type Reader interface {
	// Next returns the fields of the next record, in the order of Names. They
	// are valid until the next call. The error at the end is io.EOF.
	Next() ([]Field, error)
	// Line is where the last record began.
	Line() int
	// Names are those of the fields. While a file of JSON lines is read for
	// the first time they grow.
	Names() []string
	// Rewind goes on with the first record of r, which is the same file.
	Rewind(r io.Reader) error
	// Text returns the text that a field of a text column stands for.
	Text(field []byte) (string, error)

	// shapeOf tells what a field holds, and dtypeOf which dtype is for a column
	// of these shapes.
	shapeOf(field []byte) shape
	dtypeOf(s shape) string
}

// NewReader returns a reader of a file. If into is not empty, whole JSON lines
// are the values of one column of this name.
func NewReader(r io.Reader, format Format, into string) (Reader, error) {
	if format == JSONL {
		return newJSONReader(r, into), nil
	}
	return newCSVReader(r)
}

// Field is a field of a record.
type Field struct {
	Text  []byte
	State State
}

// State tells whether a field has a value.
type State uint8

const (
	// Present is a field with a value.
	Present State = iota
	// Absent is nothing, NA or null.
	Absent
	// QuotedAbsent is nothing or NA, but in quotes. It is text for a text
	// column, and absent for others.
	QuotedAbsent
)

// lineError is an error about a line of a file of records.
func lineError(line int, err error) error { return fmt.Errorf("line %d: %w", line, err) }

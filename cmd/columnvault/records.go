package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// records is a file of records that is read one record after the other.
type records interface {
	// next returns the fields of the next record, in the order of names. They
	// are valid until the next call. The error at the end is io.EOF.
	next() ([]field, error)
	// line is where the last record began.
	line() int
	// names are those of the fields. While a file of JSON lines is read for
	// the first time they grow.
	names() []string
	// rewind goes on with the first record of r, which is the same file.
	rewind(r io.Reader) error

	// shapeOf tells what a field holds, and dtypeOf which dtype is for a column
	// of these shapes.
	shapeOf(text []byte) shape
	dtypeOf(s shape) string
	// textOf returns the text that a field of a text column stands for.
	textOf(text []byte) (string, error)
}

// field is a field of a record.
type field struct {
	text  []byte
	state fieldState
}

type fieldState uint8

const (
	present fieldState = iota
	// absent: nothing, NA or null.
	absent
	// quotedAbsent: nothing or NA, but in quotes. It is text for a text column,
	// and absent for others.
	quotedAbsent
)

// The formats of files.
const (
	formatCSV   = "csv"
	formatJSONL = "jsonl"
)

// formatOf returns the format that a flag names, or else the ending of a file.
func formatOf(cmd *cobra.Command, flag, file string) (string, error) {
	switch flag {
	case formatCSV, formatJSONL:
		return flag, nil
	case "":
	default:
		return "", usagef(cmd, "the format %q is neither csv nor jsonl", flag)
	}
	switch ext := strings.ToLower(filepath.Ext(file)); ext {
	case ".csv":
		return formatCSV, nil
	case ".jsonl", ".ndjson":
		return formatJSONL, nil
	}
	if file == "-" {
		file = "standard input"
	}
	return "", usagef(cmd, "the format of %s does not show: --format csv or --format jsonl is needed", file)
}

// lineError is an error about a line of a file of records.
func lineError(line int, err error) error { return fmt.Errorf("line %d: %w", line, err) }

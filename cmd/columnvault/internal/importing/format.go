// Package importing turns flags into what package exchange takes, for import and
// export, and its errors into words of the command line.
package importing

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"columnvault/exchange"
	"columnvault/exchange/compressed"
	"columnvault/exchange/csv"
	"columnvault/exchange/jsonl"
	"columnvault/internal/excerpt"
)

// Format is a format of files.
type Format string

// The formats.
const (
	CSV   Format = "csv"
	TSV   Format = "tsv" // by its ending alone
	JSONL Format = "jsonl"
)

// FormatOf returns the format that a flag names, or else the ending of a file,
// before the one that tells of compression.
func FormatOf(flag, file string) (Format, error) {
	switch f := Format(flag); f {
	case CSV, JSONL:
		return f, nil
	case "":
	default:
		return "", fmt.Errorf("the format %s is neither csv nor jsonl", excerpt.Quote(flag, excerpt.Value))
	}
	switch ext := strings.ToLower(filepath.Ext(compressed.Plain(file))); ext {
	case ".csv":
		return CSV, nil
	case ".tsv", ".tab":
		return TSV, nil
	case ".jsonl", ".ndjson":
		return JSONL, nil
	}
	if file == "-" {
		file = "standard input"
	}
	return "", fmt.Errorf("the format of %s does not show: --format csv or --format jsonl is needed", excerpt.Shorten(file, excerpt.Name))
}

// CheckOutput refuses a name that tells of compression, which is only read.
func CheckOutput(file string) error {
	if compressed.Plain(file) != file {
		return fmt.Errorf("%s would have to be compressed, which export does not do", excerpt.Shorten(file, excerpt.Name))
	}
	return nil
}

// Writer returns a sink that writes the format.
func (f Format) Writer(w io.Writer) exchange.Sink {
	switch f {
	case JSONL:
		return jsonl.NewWriter(w)
	case TSV:
		return csv.NewWriter(w, &csv.WriterOptions{Delimiter: '\t'})
	}
	return csv.NewWriter(w, nil)
}

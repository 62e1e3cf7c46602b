// Package importing turns flags into what package exchange takes, for import and
// export, and its errors into words of the command line.
package importing

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"columnvault/exchange"
	"columnvault/exchange/arrow"
	"columnvault/exchange/compressed"
	"columnvault/exchange/csv"
	"columnvault/exchange/jsonl"
	"columnvault/exchange/npy"
	"columnvault/exchange/parquet"
	"columnvault/internal/excerpt"
)

// Format is a format of files.
type Format string

// The formats.
const (
	CSV   Format = "csv"
	TSV   Format = "tsv" // by its ending alone
	JSONL Format = "jsonl"
	// Parquet, Arrow, as a file or a stream, and NPY are not text.
	Parquet     Format = "parquet"
	Arrow       Format = "arrow"
	ArrowStream Format = "arrows"
	NPY         Format = "npy"
	// SQLite is a table of a file, which has a flag of its own.
	SQLite Format = "sqlite"
)

// Names are the formats that a flag can name.
const Names = "csv, jsonl, parquet, arrow, arrows and npy"

// IsText tells whether a format is one of text, which may be compressed.
func (f Format) IsText() bool { return f == CSV || f == TSV || f == JSONL }

// FormatOf returns the format that a flag names, or else the ending of a file,
// before the one that tells of compression.
func FormatOf(flag, file string) (Format, error) {
	switch f := Format(flag); f {
	case CSV, JSONL, Parquet, Arrow, ArrowStream, NPY:
		return f, nil
	case "":
	default:
		return "", fmt.Errorf("the format %s is none of %s", excerpt.Quote(flag, excerpt.Value), Names)
	}
	switch ext := strings.ToLower(filepath.Ext(compressed.Plain(file))); ext {
	case ".csv":
		return CSV, nil
	case ".tsv", ".tab":
		return TSV, nil
	case ".jsonl", ".ndjson":
		return JSONL, nil
	case ".parquet", ".pq":
		return Parquet, nil
	case ".arrow", ".feather", ".ipc":
		return Arrow, nil
	case ".arrows":
		return ArrowStream, nil
	case ".npy":
		return NPY, nil
	}
	if file == "-" {
		file = "standard input"
	}
	return "", fmt.Errorf("the format of %s does not show: --format is needed, one of %s", excerpt.Shorten(file, excerpt.Name), Names)
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
	case Parquet:
		return parquet.NewWriter(w, nil)
	case Arrow, ArrowStream:
		return arrow.NewWriter(w, &arrow.WriterOptions{Stream: f == ArrowStream})
	case NPY:
		return npy.NewWriter(w)
	case TSV:
		return csv.NewWriter(w, &csv.WriterOptions{Delimiter: '\t'})
	}
	return csv.NewWriter(w, nil)
}

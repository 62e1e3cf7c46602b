// Package csv reads and writes CSV: comma-separated values and their relatives,
// as RFC 4180 has them and as they are found. A [Reader] is a source for
// [exchange.Import], a [Writer] a sink for [exchange.Export]:
//
//	file, err := os.Open("weather.csv")
//	result, err := exchange.Import(ctx, v, csv.NewReader(file, nil), nil)
//
// Most files need no [Options]: the delimiter, the types of columns and what is
// missing are found. docs/import.md says exactly what is read as what.
package csv

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"columnvault/dtype"
	"columnvault/exchange/internal/records"
)

// Ragged says what becomes of records that have more or fewer fields than the
// header.
type Ragged uint8

const (
	// RaggedRefuse makes them an error.
	RaggedRefuse Ragged = iota
	// RaggedFill gives short records missing values at the end. In long ones
	// what is too much must be empty.
	RaggedFill
	// RaggedSkip leaves them out, and [Reader.Warnings] counts them.
	RaggedSkip
)

// Nulls are the fields that stand for missing values if [Options] do not say
// which do.
func Nulls() []string { return slices.Clone(defaultNulls) }

// defaultNulls are few and short, because every text is compared with them.
var defaultNulls = []string{"", "NA", "N/A", "null", "None", "NaN", "-"}

// Kinds of errors, for errors.Is.
var (
	// ErrEncoding is returned for a record that is not UTF-8 text.
	ErrEncoding = errors.New("the record is not UTF-8 text")
	// ErrRagged is returned for a record that has more or fewer fields than the
	// header.
	ErrRagged = errors.New("the record has another number of fields than the header")
)

// Options configure a [Reader]. The zero value reads most files.
type Options struct {
	// Delimiter stands between fields; 0 means the one of comma, tab, semicolon
	// and bar that the first records have.
	Delimiter byte
	// NoHeader says that the first record is one of values. The columns are then
	// called column_1, column_2 and so on.
	NoHeader bool
	// Skip is how many lines at the beginning are left out.
	Skip int
	// Comment begins lines that are left out, if it is not empty.
	Comment string
	// Encoding is that of the text: UTF-8, unless a byte-order mark says UTF-16,
	// or one of [dtype.UTF16LE], [dtype.UTF16BE] and [dtype.Latin1].
	Encoding dtype.Encoding
	// Nulls are the fields that stand for missing values, without regard to
	// space around them; nil means [Nulls]. In quotes they are text for text
	// columns, and missing values for others.
	Nulls []string
	// Ragged is what becomes of records with another number of fields.
	Ragged Ragged
	// Columns are the names of those that are read, nil for all.
	Columns []string
	// MaxRecord is the largest record in bytes, which is also what a file whose
	// quotes do not end can cost; 0 means 256 MiB.
	MaxRecord int
}

// Reader is a CSV file as a source of rows.
type Reader struct {
	*records.Source
	format *format
}

// NewReader returns a source of the records of r. Types that a later record
// changes, or a second use, need an [io.Seeker].
func NewReader(r io.Reader, o *Options) *Reader {
	if o == nil {
		o = &Options{}
	}
	f := &format{Options: *o}
	nulls := o.Nulls
	if nulls == nil {
		nulls = defaultNulls
	}
	return &Reader{records.NewSource(r, f, &records.Options{Encoding: o.Encoding, Nulls: nulls, Limit: o.MaxRecord, Columns: o.Columns, Named: true}), f}
}

// Warnings says what was read otherwise than it stands in the file: columns
// that got another name, and records that were left out.
func (r *Reader) Warnings() []string {
	warnings := r.format.renamed
	if n := r.format.skipped; n > 0 {
		warnings = append(warnings[:len(warnings):len(warnings)],
			fmt.Sprintf("records with another number of fields were left out: %d, the first on line %d", n, r.format.firstSkipped))
	}
	return warnings
}

// Delimiter is what stands between fields, once reading has begun.
func (r *Reader) Delimiter() byte { return r.format.delimiter }

// Package exchange moves rows between the columns of a vault and the files and
// systems of others. Each format is a package of its own: exchange/csv,
// exchange/jsonl. This one holds what they share: a [Source] gives rows, a
// [Sink] takes them, in batches of typed columns; [Import] and [Export] connect
// them with a vault.
//
//	file, err := os.Open("weather.csv")
//	result, err := exchange.Import(ctx, v, csv.NewReader(file, nil), nil)
//
// # Memory
//
// A batch is some MiB, and two or three exist at a time, however many rows there
// are. Values are never boxed, except those of msgpack and cbor.
//
// # Errors
//
// Errors of the source or the sink, of the ctx and of the vault come out as they
// are. Where something can be done about an error, it has a method Hint() string
// that says what.
package exchange

import (
	"context"
	"errors"
	"strings"

	"columnvault/dtype"
)

// Field is a column of a source or a sink.
type Field struct {
	Name string
	// Type is the dtype. It determines the Go type of the values, as [Vector]
	// has it.
	Type dtype.Spec
	// Meaning is what values mean beyond that. Times and dates are the numbers
	// that a column stores. Null says that there are missing values; a source
	// that has to guess may find some in other columns too.
	Meaning dtype.Meaning
	// Nullable is set by a source that knows of a column that it was nullable,
	// whether values are missing or not. An import makes it so, if nothing else
	// is asked for.
	Nullable bool
}

// String returns the type and the meaning.
func (f Field) String() string {
	return strings.TrimRight(f.Type.String()+" "+f.Meaning.String(), " ")
}

// Source gives rows. It is used by one goroutine at a time, which need not be
// the one that has called [Import].
type Source interface {
	// Begin goes to the first row and returns the columns. as has the types and
	// meanings that are wanted for columns, by their names; a source that cannot
	// give one returns what it has. Begin is called again when the rows are wanted once
	// more.
	Begin(ctx context.Context, as map[string]Field) ([]Field, error)
	// Next adds rows to b, which is empty and has the columns of the last Begin:
	// some MiB, so that a batch fits into memory. The error at the end is
	// [io.EOF], and b then stays empty.
	Next(ctx context.Context, b *Batch) error
	// Progress returns how much has been read, and of how much, in bytes of the
	// source; the total is -1 if it is not known.
	Progress() (done, total int64)
}

// ErrRetype is returned by Next if rows have come that do not fit the columns
// of Begin. The next Begin returns columns that all rows fit.
var ErrRetype = errors.New("a later row changes the types")

// Sink takes rows. One that has a method SetRows(rows int) learns of the number
// of rows before Begin.
type Sink interface {
	// Begin is called once, before all rows.
	Begin(ctx context.Context, fields []Field) error
	// Write takes the rows of a batch, which is not valid after it.
	Write(ctx context.Context, b *Batch) error
	// End is called after the last row, and writes what is held.
	End(ctx context.Context) error
}

// Package jsonl reads and writes JSON lines: an object on each line, whose keys
// name the columns. A [Reader] is a source for [exchange.Import], a [Writer] a
// sink for [exchange.Export]:
//
//	file, err := os.Open("events.jsonl")
//	result, err := exchange.Import(ctx, v, jsonl.NewReader(file, nil), nil)
//
// Keys may come in any order; one that a line lacks is a missing value, and so
// is null. Integers become i64, other numbers f64, text str, dates and times
// i64 with that meaning, and lists, objects and mixtures msgpack.
// docs/import.md says exactly what is read as what.
package jsonl

import (
	"io"

	"columnvault/dtype"
	"columnvault/exchange/internal/records"
)

// Options configure a [Reader].
type Options struct {
	// Into, if it is not empty, is the name of the one column that whole lines,
	// of any kind, are the values of. Its dtype is msgpack unless another is
	// asked for.
	Into string
	// Encoding is that of the text: UTF-8, unless a byte-order mark says UTF-16,
	// or one of [dtype.UTF16LE], [dtype.UTF16BE] and [dtype.Latin1].
	Encoding dtype.Encoding
	// Columns are the names of those that are read, nil for all. One that the
	// first lines do not have is looked for in all of them.
	Columns []string
	// MaxRecord is the longest line in bytes; 0 means 256 MiB.
	MaxRecord int
}

// Reader is a file of JSON lines as a source of rows.
type Reader struct{ *records.Source }

// NewReader returns a source of the lines of r. Types and keys that only a later
// line shows, or a second use, need an [io.Seeker].
func NewReader(r io.Reader, o *Options) *Reader {
	if o == nil {
		o = &Options{}
	}
	f := &format{into: o.Into, index: map[string]int{}}
	return &Reader{records.NewSource(r, f, &records.Options{Encoding: o.Encoding, Limit: o.MaxRecord, Columns: o.Columns})}
}

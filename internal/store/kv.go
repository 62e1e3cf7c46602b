package store

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"columnvault/internal/excerpt"
)

// KVReader reads key-value tables. A table that does not exist is empty. Keys
// are ordered by their bytes.
//
// A name that CheckTable refuses, or under which the file has something that
// cannot hold pairs, gives ErrInvalidArgument everywhere.
type KVReader interface {
	// Tables returns the tables that can hold pairs, in the order of their names,
	// whether or not they hold any. Capital letters are small ones in them, as
	// far as the engine does not tell them apart.
	Tables(ctx context.Context) ([]Table, error)
	// Table tells what is under the name of a table.
	Table(ctx context.Context, table string) (Table, error)
	// Get returns the value of a key, or ErrNotFound. It belongs to the caller.
	Get(ctx context.Context, table string, key []byte) ([]byte, error)
	// Size returns the size of the value of a key in bytes, or ErrNotFound.
	Size(ctx context.Context, table string, key []byte) (int64, error)
	// GetAt fills p with the bytes of a value from offset on, without loading
	// others. A value that ends before gives ErrCorrupt.
	GetAt(ctx context.Context, table string, key, p []byte, offset int64) error
	// Count returns the number of keys.
	Count(ctx context.Context, table string) (int64, error)
	// Scan yields the pairs of a range. Both slices belong to the caller.
	Scan(ctx context.Context, table string, r KeyRange) iter.Seq2[Pair, error]
}

// Table is a key-value table.
type Table struct {
	Name string
	Kind TableKind
	// Home is where the table is, as Row.Home; 0 if it does not exist.
	Home int64
}

// TableKind is what is under the name of a key-value table.
type TableKind int

const (
	// TableNone is nothing yet: the first pair creates the table.
	TableNone TableKind = iota
	// TablePlain takes every pair that is not too large.
	TablePlain
	// TableOther takes pairs, but was made by somebody else and may have rules
	// of its own, a constraint for instance, by which it refuses some.
	TableOther
)

// Pair is a key and its value.
type Pair struct {
	Key, Value []byte
}

// KeyRange selects keys from From on and before To; nil means no bound.
type KeyRange struct {
	From, To []byte
	Reverse  bool
	// KeysOnly leaves the values out.
	KeysOnly bool
	// MaxValue leaves out the values that have more bytes, so that Pair.Value is
	// nil; 0 leaves out none.
	MaxValue int64
}

// KVWriter changes key-value tables. Writing to a table that does not exist
// creates it. A pair that breaks a rule of a TableOther gives
// ErrInvalidArgument.
type KVWriter interface {
	// CreateTable creates a table in a home, unless it is there. If it is in another
	// home, that gives ErrExists. The first pair of a table that does not exist
	// creates it in the home 0. An engine with one home ignores it.
	CreateTable(ctx context.Context, table string, home int64) error
	// Put stores a pair in place of what the key had.
	Put(ctx context.Context, table string, key, value []byte) error
	// PutZero stores a value of size zero bytes, for PutAt to fill.
	PutZero(ctx context.Context, table string, key []byte, size int64) error
	// PutAt writes into the value of a key, within its size.
	PutAt(ctx context.Context, table string, key, p []byte, offset int64) error
	// Delete removes a key and tells whether it was there.
	Delete(ctx context.Context, table string, key []byte) (bool, error)
	// Clear removes all keys.
	Clear(ctx context.Context, table string) error
}

// reserved are the tables that are not for pairs, whatever they contain: ours,
// those of KohakuVault and SQLite's own. A name that ends in an underscore
// stands for all that begin with it.
var reserved = []string{"sqlite_", "columnvault_", "kvault_col_", "kohakuvault_meta", "col_meta", "col_chunks"}

// CheckTable refuses a name that no table of pairs may have, in any engine.
// SQLite does not tell upper from lower case in names.
func CheckTable(name string) error {
	if name == "" || strings.IndexByte(name, 0) >= 0 {
		return fmt.Errorf("%w: %s is no name for a table", ErrInvalidArgument, excerpt.Quote(name, excerpt.Name))
	}
	for _, r := range reserved {
		whole := len(name) == len(r) || strings.HasSuffix(r, "_")
		if whole && len(name) >= len(r) && strings.EqualFold(name[:len(r)], r) {
			return fmt.Errorf("%w: the table %s is not for pairs", ErrInvalidArgument, excerpt.Quote(name, excerpt.Name))
		}
	}
	return nil
}

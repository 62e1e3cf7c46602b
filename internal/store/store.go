// Package store is the seam between columns and a storage engine.
//
// An engine keeps a catalogue of columns, the chunks of each, and key-value
// tables. It knows nothing of elements, positions or dtypes; columns know
// nothing of SQL, connections or files. What an engine owes its callers:
//
//   - A Snapshot shows one state of everything, however long it is open.
//   - Update is atomic: all that its function does happens, or none of it.
//     The engine may run the function again after a conflict, so it must not
//     consume what it cannot read twice.
//   - A method of a Tx happens as a whole or not at all. Who fails between two
//     of them calls Abort, and nothing of the transaction is committed.
//   - Errors are, or wrap, those of this package.
//   - Every method looks at its ctx before it starts and between chunks. In
//     the middle of a write it may end only if the transaction is undone with
//     it, and never in the middle of a commit.
//
// The suite in package storetest holds an engine to this.
package store

import (
	"context"
	"iter"
)

// Store is an open storage engine. It is safe for concurrent use.
type Store interface {
	// Snapshot opens a view of the present state. It must be closed.
	Snapshot(ctx context.Context) (Snapshot, error)
	// Update runs fn in one atomic, serializable transaction.
	Update(ctx context.Context, fn func(Tx) error) error
	// Caps tells what the engine likes and bears.
	Caps() Caps
	// Close gives everything back. Open snapshots end with ErrClosed. After
	// ErrBusy the store is still open; after any other error it is closed.
	Close() error
}

// Caps are the limits and the preferences of an engine.
type Caps struct {
	// ChunkSize is the largest chunk, in bytes, that the engine reads and
	// writes well in part. Columns are created with it.
	ChunkSize int64
	// MaxChunk is the largest chunk, in bytes, that the engine takes.
	MaxChunk int64
	// MaxValue is the size, in bytes, that a key-value pair must stay within.
	MaxValue int64
}

// Row is a row of the catalogue. A variable-size column consists of two.
type Row struct {
	ID       ColumnID
	Name     string
	DType    string
	ElemSize int64
	Length   int64
	MinChunk int64
	MaxChunk int64
	// Layout is the generation of the format that holds the column: 0 is the
	// one this project reads and writes, others are only listed.
	Layout int
}

// ColumnID names a column inside an engine, as long as the column exists.
type ColumnID int64

// Chunk is what the engine records of a chunk beside its bytes. There are at
// least Capacity bytes; those past Used mean nothing in a data chunk of a
// variable-size column, and Used is 0 everywhere else.
type Chunk struct {
	Number   int64
	Capacity int64
	Used     int64
}

// Span is a range of bytes in a chunk, and the memory they are read into or
// written from.
type Span struct {
	Chunk, Offset int64
	Data          []byte
}

// Reader reads one state of a store. It is not safe for concurrent use.
type Reader interface {
	KVReader

	// Lookup returns the catalogue rows with these names, in any order;
	// names that do not exist are left out.
	Lookup(ctx context.Context, names ...string) ([]Row, error)
	// Columns returns the whole catalogue in the order of creation.
	Columns(ctx context.Context) ([]Row, error)

	// Verify looks for what is wrong below the level of columns: in the
	// structure of the storage, and with chunks that belong to no column. It
	// reads all there is, and does not know what the bytes of chunks and
	// values should be.
	Verify(ctx context.Context) ([]Finding, error)

	// Chunk returns the chunk with this number, or ErrNotFound.
	Chunk(ctx context.Context, id ColumnID, number int64) (Chunk, error)
	// LastChunk returns the chunk with the highest number, or ErrNotFound.
	LastChunk(ctx context.Context, id ColumnID) (Chunk, error)
	// Chunks yields the chunks of a column in ascending order.
	Chunks(ctx context.Context, id ColumnID) iter.Seq2[Chunk, error]
	// ReadAt fills every span. A chunk that does not exist or is too short
	// gives ErrCorrupt.
	ReadAt(ctx context.Context, id ColumnID, spans []Span) error
}

// Finding is something that Verify has found.
type Finding struct {
	// Damage says that something cannot be read, or not for certain as what it
	// was. Otherwise it may go wrong with other programs, or waste space.
	Damage bool
	Text   string
}

// Snapshot is a Reader that has to be closed.
type Snapshot interface {
	Reader
	Close() error
}

// Tx reads and writes inside Update. A Tx sees its own changes.
type Tx interface {
	Reader
	KVWriter

	// Abort makes Update undo everything and return the cause, even if its
	// function returns nil. A change that takes several calls aborts when one
	// of them fails: half of it must not be committed by a caller that ignores
	// the error.
	Abort(cause error)

	// OnCommit makes Update call fn once the transaction is committed, before
	// Update returns and before anything else that may take long.
	OnCommit(fn func())

	// CreateColumn adds a catalogue row and gives it an ID; the column has no
	// chunks. A name that is taken gives ErrExists.
	CreateColumn(ctx context.Context, c Row) (Row, error)
	// RenameColumn gives a column another name, or ErrExists.
	RenameColumn(ctx context.Context, id ColumnID, name string) error
	// DropColumn removes a column and its chunks.
	DropColumn(ctx context.Context, id ColumnID) error

	// Lock must come before the first write to a column. It returns the
	// length, fresh.
	Lock(ctx context.Context, id ColumnID) (length int64, err error)
	// SetLength sets the number of elements: the only point at which changes
	// to a column's end become visible.
	SetLength(ctx context.Context, id ColumnID, length int64) error

	// PutChunk creates the chunk or replaces what it holds: data, followed by
	// zeros up to the capacity.
	PutChunk(ctx context.Context, id ColumnID, c Chunk, data []byte) error
	// SetUsed changes the count of used bytes of an existing chunk.
	SetUsed(ctx context.Context, id ColumnID, number, used int64) error
	// WriteAt writes every span inside the capacity of existing chunks.
	WriteAt(ctx context.Context, id ColumnID, spans []Span) error
	// DropChunks removes the chunks with numbers from up to, not including, to.
	DropChunks(ctx context.Context, id ColumnID, from, to int64) error
}

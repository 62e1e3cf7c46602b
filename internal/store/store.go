// Package store is the seam between columns and a storage engine.
//
// An engine keeps a catalog of columns, the chunks of each, and key-value
// tables. It knows nothing of elements, positions or dtypes; columns know
// nothing of SQL, connections or files. What an engine owes its callers:
//
//   - A Snapshot shows one state of everything, however long it is open.
//   - Update is atomic: all that its function does happens, or none of it.
//   - The engine may run the function of Update again, after a conflict for
//     instance, and may make any method fail in order to do so. The function
//     must pass such an error on, and must not consume what it cannot read
//     twice.
//   - A Read may likewise have to begin again. Its Close then gives ErrAgain,
//     and so may its methods before.
//   - A method of a Tx happens as a whole or not at all. A caller that fails
//     between two of them calls Abort, and nothing of the transaction is
//     committed.
//   - An engine may collect writes before it carries them out. A failed write
//     may therefore be reported by a later call, or by Update, and not by the
//     method that asked for it. Reads in the same Tx see what was written.
//   - Errors are, or wrap, those of this package.
//   - Every method looks at its ctx before it starts and between chunks. In
//     the middle of a write it may end only if the transaction is undone with
//     it, and never in the middle of a commit.
//
// The suite in package storetest holds an engine to this.
package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
)

// Store is an open storage engine. It is safe for concurrent use.
type Store interface {
	// Read opens one state of the store for a short read: an engine may keep
	// others waiting until it is closed. What it has shown, errors too, counts
	// once Close has returned nil. If Close gives [ErrAgain], the read begins
	// anew with another Read. There is no function to pass, because that would
	// cost allocations in each read.
	Read(ctx context.Context) (Snapshot, error)
	// Snapshot opens a view of the present state. It must be closed.
	Snapshot(ctx context.Context) (Snapshot, error)
	// Update runs fn in one atomic, serializable transaction. If it returns
	// [ErrUnknownCommit], the changes may be there or not.
	Update(ctx context.Context, fn func(Tx) error) error
	// Caps tells the engine's limits and preferences.
	Caps() Caps
	// Close gives everything back. Open snapshots end with ErrClosed. After
	// ErrBusy the store is still open; after any other error it is closed.
	Close() error
}

// Settler is an engine that can tell later what became of a commit.
type Settler interface {
	// Outcome tells whether the transaction was committed whose Update has returned
	// this error, which wraps [ErrUnknownCommit]. What was not committed by then
	// never will be. If that cannot be told yet, or no more, it gives
	// ErrUnknownCommit.
	Outcome(ctx context.Context, err error) (committed bool, failed error)
}

// Caps are the limits and the preferences of an engine.
type Caps struct {
	// MinChunk is the capacity, in bytes, with which the first chunk of a new
	// column begins.
	MinChunk int64
	// ChunkSize is the largest chunk, in bytes, that the engine reads and
	// writes well in part. Columns are created with it.
	ChunkSize int64
	// RunBytes is the size, in bytes, of chunks that are small enough to be
	// written anew for a small change.
	RunBytes int64
	// MaxChunk is the largest chunk, in bytes, that the engine takes.
	MaxChunk int64
	// MaxValue is the size, in bytes, that a key-value pair must stay within.
	MaxValue int64
	// Window is the number of bytes that one read should fetch where much has
	// to be read. More costs memory, less costs calls.
	Window int64
	// CrossHome says that a transaction may change columns and tables of several
	// homes. Otherwise a change in a second home gives [ErrCrossHome] before
	// anything of it is sent, and a Snapshot shows each home at one moment, but
	// may show two of them at different ones.
	CrossHome bool
}

// MaxHome is the highest home. Columns and tables of one home can always change
// together: an engine that has several servers keeps a home on one of them. One
// that keeps everything in one place may have the home 0 alone, in which it puts
// whatever is created.
const MaxHome = 1<<15 - 1

// CheckHome refuses what is no home, in any engine.
func CheckHome(home int64) error {
	if home < 0 || home > MaxHome {
		return fmt.Errorf("%w: homes are 0 to %d, and not %d", ErrInvalidArgument, MaxHome, home)
	}
	return nil
}

// MaxMeta is the largest Chunk.Meta, in bytes.
const MaxMeta = 4 << 10

// MaxAttrs is the longest Row.Attrs, in bytes.
const MaxAttrs = 1 << 10

// The layouts of columns: how their elements lie in chunks. An engine looks at
// a layout only to find out where the chunks are and what they can carry.
const (
	// LayoutV0 is the layout of KohakuVault 0.8.6, the default here, and the
	// only one that it can read. A variable-size column consists of two rows.
	// Its chunks have no Meta. Row.Length is the number of elements.
	LayoutV0 Layout = 0
	// LayoutV1 is the layout of KohakuVault 1.x. Its chunks are blocks, whose
	// Meta is that of a [Block], and MinChunk and MaxChunk of a row are the same:
	// the size of blocks. ElemSize 0 stands for elements that vary in size.
	LayoutV1 Layout = 1
	// LayoutNative is a layout of our own. Its chunks carry Meta, and changing
	// Meta costs no more than the change of a small row. What Row.Length and
	// Row.MinChunk mean is the layout's business, as with all else about its
	// elements.
	LayoutNative Layout = 2
)

// Layout is the generation of the format that holds a column.
type Layout int

// Row is a row of the catalog.
type Row struct {
	ID       ColumnID
	Name     string
	DType    string
	ElemSize int64
	Length   int64
	MinChunk int64
	MaxChunk int64
	Layout   Layout
	// Home is where the column is, from 0 to MaxHome, and stays.
	Home int64
	// Attrs is what the elements mean beyond their bytes, at most MaxAttrs
	// bytes of which the engine knows nothing. Longer ones, which only other
	// programs store, may be cut after that.
	Attrs string
}

// ColumnID names a column inside an engine. It stays the same when the column
// is renamed, and no column that the engine creates later gets it again. 0 is
// the ID of no column.
type ColumnID int64

// Chunk is what the engine records of a chunk beside its bytes.
type Chunk struct {
	// Number orders the chunks of a column. Numbers may have gaps. Every number
	// is allowed but math.MaxInt64.
	Number int64
	// Capacity is the number of bytes. There may be more, which mean nothing.
	Capacity int64
	// Used is how many of the bytes count, in a data chunk of a variable-size
	// column in LayoutV0, and 0 in all other chunks of that layout. In LayoutV1
	// it is the size of the elements.
	Used int64
	// Meta is what the layout keeps beside the bytes: at most MaxMeta bytes, of
	// which the engine knows nothing unless they are those of a [Block]. It must
	// not be changed by the caller.
	Meta []byte
}

// Block is what a chunk of LayoutV1 has as its Meta. The tables of KohakuVault
// 1.x have a field for each of the numbers.
//
// Where elements vary in size, the bytes of such a chunk end in a table of
// offsets, which [Block.Offsets] measures; an engine may keep it apart.
type Block struct {
	// First is the position of the first element, Rows how many there are, and
	// Room how many there may be.
	First, Rows, Room int64
}

const blockMeta = 3 * 8

// Meta is the numbers as bytes.
func (b Block) Meta() []byte {
	meta := make([]byte, 0, blockMeta)
	for _, n := range []int64{b.First, b.Rows, b.Room} {
		meta = binary.LittleEndian.AppendUint64(meta, uint64(n))
	}
	return meta
}

// ParseBlock reads what Meta has written.
func ParseBlock(meta []byte) (Block, error) {
	if len(meta) != blockMeta {
		return Block{}, fmt.Errorf("%w: %d bytes beside a block, not %d", ErrCorrupt, len(meta), blockMeta)
	}
	number := func(k int) int64 { return int64(binary.LittleEndian.Uint64(meta[8*k:])) }
	return Block{First: number(0), Rows: number(1), Room: number(2)}, nil
}

// Offsets is the size of the table of offsets of elements that vary in size:
// where each of them begins, and where the last that there may be would end. An
// impossible Room gives that of none.
func (b Block) Offsets() int64 {
	if b.Room < 0 || b.Room > maxRoom {
		return 8
	}
	return 8 * (b.Room + 1)
}

// maxRoom is more than any block can have room for.
const maxRoom = 1 << 40

// Span is a range of bytes in a chunk, and the memory they are read into or
// written from. It may be empty.
type Span struct {
	Chunk, Offset int64
	Data          []byte
}

// ColumnSpans are ranges of bytes in the chunks of a column.
type ColumnSpans struct {
	Column ColumnID
	Spans  []Span
}

// Reader reads one state of a store. It is not safe for concurrent use.
//
// A column that does not exist has no chunks.
type Reader interface {
	KVReader

	// Lookup returns the catalog rows with these names, in any order; names
	// that do not exist are left out. A name may stand in several layouts,
	// because other programs do not see our native columns when they create
	// theirs. Then the row is the native one, or else that of LayoutV0. The
	// slice is good until the next Lookup or LookupID.
	//
	// In a Tx, Lookup locks what it finds until the end of the transaction:
	// nobody else can change the column meanwhile, and its Length is fresh. What
	// the Reader has looked up before, it remembers: who needs many columns looks
	// all of them up at once, and then one by one.
	Lookup(ctx context.Context, names ...string) ([]Row, error)
	// LookupID is Lookup by ID.
	LookupID(ctx context.Context, ids ...ColumnID) ([]Row, error)
	// Columns returns the whole catalog: the columns of each layout in the
	// order of their creation.
	Columns(ctx context.Context) ([]Row, error)

	// CatalogVersion is a number that no two states of the store share if a
	// column has been created, dropped, renamed or given other Attrs between
	// them. It may change for other reasons, and it differs between snapshots and
	// transactions: it is for telling, without a walk over the catalog, that a
	// transaction finds the columns that an earlier one has found.
	CatalogVersion(ctx context.Context) (uint64, error)

	// Verify looks for what is wrong below the level of columns: in the
	// structure of the storage, between its indexes and what they are made
	// from, and with chunks that belong to no column. It does not know what the
	// bytes of chunks and values should be. With full it leaves out nothing
	// that the engine can find; otherwise what takes much longer than to read
	// the storage once.
	Verify(ctx context.Context, full bool) ([]Finding, error)

	// Chunk returns the chunk with this number, or ErrNotFound.
	Chunk(ctx context.Context, id ColumnID, number int64) (Chunk, error)
	// LastChunk returns the chunk with the highest number, or ErrNotFound.
	LastChunk(ctx context.Context, id ColumnID) (Chunk, error)
	// Chunks yields the chunks with numbers from up to, not including, to, in
	// ascending order.
	Chunks(ctx context.Context, id ColumnID, from, to int64) iter.Seq2[Chunk, error]
	// ReadAt fills every span. A chunk that does not exist or is too short
	// gives ErrCorrupt.
	ReadAt(ctx context.Context, id ColumnID, spans []Span) error
	// ReadAll is ReadAt for several columns in one call, which an engine that is
	// far away answers in one trip.
	ReadAll(ctx context.Context, columns []ColumnSpans) error
}

// Snapshot is a Reader that has to be closed.
type Snapshot interface {
	Reader
	Close() error
}

// Vouched is a Reader whose chunks have as many bytes as their Capacity says,
// because nothing else than the engine has written it. In a file it may be a
// lie, and who takes memory for the bytes looks for them first.
type Vouched interface {
	Reader
	// Vouched does nothing.
	Vouched()
}

// Sibling is a Snapshot that can have others of the same state, so that several
// goroutines read it at a time.
type Sibling interface {
	// Sibling opens another Snapshot of the same state. Where that cannot be had,
	// because somebody has written since for example, it returns nil.
	Sibling(ctx context.Context) (Snapshot, error)
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
	// Update returns and before anything else that may take long. It is not
	// called if Update returns an error.
	OnCommit(fn func())

	// CreateColumn adds a catalog row and gives it an ID; the column has no
	// chunks. An engine with one home sets Row.Home to 0. A name that is taken
	// gives ErrExists, a layout that the engine does not write
	// errors.ErrUnsupported, a name that it cannot store ErrInvalidArgument, Attrs
	// that are too long ErrTooLarge. A name is taken if
	// a column of any layout has it; but columns of LayoutV0 and LayoutV1 may
	// share theirs, for no KohakuVault sees both.
	CreateColumn(ctx context.Context, c Row) (Row, error)
	// RenameColumn gives a column another name, or ErrExists, for a name of any
	// other column.
	RenameColumn(ctx context.Context, id ColumnID, name string) error
	// DropColumn removes a column and its chunks.
	DropColumn(ctx context.Context, id ColumnID) error

	// SetColumn changes ElemSize, Length, MinChunk and MaxChunk of the column
	// with the ID of the row, without a look at its chunks. It is for repair.
	SetColumn(ctx context.Context, c Row) error
	// SetAttrs sets Row.Attrs. A column that does not exist gives ErrNotFound,
	// too many bytes ErrTooLarge.
	SetAttrs(ctx context.Context, id ColumnID, attrs string) error

	// SetLength sets Row.Length. In LayoutV0 it is the only point at which
	// changes to a column's end become visible.
	SetLength(ctx context.Context, id ColumnID, length int64) error

	// PutChunk creates the chunk or replaces what it holds: data, followed by
	// zeros up to the capacity. Meta in a layout that has none gives
	// errors.ErrUnsupported, more than MaxMeta bytes of it ErrTooLarge, and
	// another than that of a Block in LayoutV1 ErrCorrupt.
	PutChunk(ctx context.Context, id ColumnID, c Chunk, data []byte) error
	// SetChunk changes Used and Meta of an existing chunk. It does not touch
	// the bytes, and does not look at Capacity. A chunk that does not exist
	// gives ErrCorrupt.
	SetChunk(ctx context.Context, id ColumnID, c Chunk) error
	// WriteAt writes every span inside the capacity of existing chunks. A chunk
	// that does not exist or is too short gives ErrCorrupt.
	WriteAt(ctx context.Context, id ColumnID, spans []Span) error
	// DropChunks removes the chunks with numbers from up to, not including, to.
	DropChunks(ctx context.Context, id ColumnID, from, to int64) error

	// Reindex makes an index anew from what it is over. The name is that of a
	// Finding.
	Reindex(ctx context.Context, index string) error
}

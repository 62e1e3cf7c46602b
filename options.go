package columnvault

import (
	"fmt"
	"log/slog"
	"time"

	"columnvault/internal/catalog"
	"columnvault/internal/store"
)

// Options configure [Open]. The zero value is what most programs want.
type Options struct {
	// ReadOnly opens an existing file and never writes to it. SQLite may still
	// create its -wal and -shm files beside it while it is open. A reader
	// never waits for a writer.
	ReadOnly bool

	// AddToDatabase lets Open put a vault into a SQLite database of another
	// program, which gives ErrNotVault otherwise. The tables that are there
	// stay as they are, and so does the page size; the file is switched to a
	// write-ahead log for good. A database that uses a name that the vault
	// needs, such as col_meta, still gives ErrNotVault and is not changed. A
	// vault does not run triggers, of whatever table.
	AddToDatabase bool

	// FullSync makes every commit wait until the disk has stored it, which
	// takes milliseconds instead of microseconds. Without it, a commit
	// survives every end of the process, but a power failure may undo the most
	// recent ones. It never leaves half of one.
	FullSync bool

	// BusyTimeout is how long an operation waits while others write; 0 means
	// 5 seconds. After it, the operation fails with [ErrBusy].
	BusyTimeout time.Duration

	// MaxSnapshotAge is how long a View or a loop may go on while others write;
	// 0 means a minute, a negative age no limit. As long as it is open, the
	// write-ahead log keeps everything that is written after it began. When it
	// gets too old it fails with [ErrSnapshotTooOld], unless nobody has written
	// since.
	MaxSnapshotAge time.Duration

	// PageCacheBytes is the size in bytes of the page cache of each connection;
	// 0 means 16 MiB. There is a connection for writing, and one for every
	// snapshot that is open at a time. The cache holds what is written, what is
	// in the write-ahead log, pairs of key-value tables, and the part of the file
	// that is not mapped. Beside the cache, a connection that reads at random in
	// many chunks keeps them open: 3 to 11 KB for each of up to 4,096, and not
	// more than 16 MiB.
	PageCacheBytes int

	// MapBytes is how much of the file, from its beginning, is mapped into memory
	// for reading elements: 0 means a quarter of the memory of the machine, more
	// than 1 GiB is 1 GiB, and a negative size means nothing. What is mapped is
	// the system's memory of the file, so all Views and processes share it, and
	// the system takes it back when it needs it. Each View reserves as many
	// addresses. Where files cannot be mapped, on Windows for example, the page
	// cache serves all reads.
	MapBytes int

	// ReadBytes bounds, in bytes, what loops and searches read at once;
	// 0 means 1 MiB. An element that is larger is still read whole.
	ReadBytes int

	// FrameCacheBytes bounds, in bytes, what the vault keeps decoded of compressed
	// native columns; 0 means 8 MiB. A read of an element decodes the 64 KiB that it
	// lies in, and costs a hundredth of that as long as these are kept. Each
	// transaction that writes has up to 512 KiB of its own for it.
	FrameCacheBytes int

	// Layout is that of new columns, unless [ColumnOptions.Layout] says
	// otherwise: 0, which KohakuVault 0.8.6 reads, or [Native].
	Layout int

	// Logger is told what an operator must know and the caller of an operation
	// does not hear, or hears too late; nil is silent. All messages have the
	// attribute path, and these texts and attributes, which stay as they are:
	//
	//   - "flush failed" (names, held, error): what caches hold could not be
	//     written, and is still held. held counts elements and pairs. At most
	//     once a minute for the same reason; repeated then says how often it
	//     was kept back.
	//   - "flush works again" (written)
	//   - "write-ahead log is long" (bytes, pages_not_moved, snapshots_open,
	//     oldest_snapshot): readers keep it from being emptied. From 64 MiB on,
	//     and again whenever it has doubled. snapshots_open are those of this
	//     vault; if there are none, another program reads.
	//   - "snapshot ended for its age" (age, limit): see MaxSnapshotAge.
	//   - "file replaced" (error): see [ErrReplaced].
	//   - "outcome of a commit unknown" (error): see [ErrUnknownCommit].
	//   - "checkpoint failed" (error): the log stays as it is, and nothing is
	//     lost. At most once a minute for the same reason.
	//   - "rebuild failed" (error): a [Vault.Repair] has mended the vault and
	//     left pages that nothing uses; SQLite's VACUUM removes them.
	//
	// The operation waits for the logger, which must not use the vault.
	Logger *slog.Logger

	// PageSize is the page size in bytes of a file that Open creates: a power
	// of two from 512 to 65536; 0 means 8192. Smaller pages make small commits
	// cheaper, larger ones bulk reads and writes; docs/benchmarks.md has the
	// numbers.
	PageSize int
}

func (o *Options) check(path string) error {
	switch {
	case path == "" || path == ":memory:":
		return fmt.Errorf("%w: a vault needs a file; take one in a temporary directory", ErrInvalidArgument)
	case o.PageSize != 0 && (o.PageSize < 512 || o.PageSize > 65536 || o.PageSize&(o.PageSize-1) != 0):
		return fmt.Errorf("%w: PageSize %d is not a power of two from 512 to 65536", ErrInvalidArgument, o.PageSize)
	case o.Layout != 0 && o.Layout != Native && o.Layout != Layout0:
		return fmt.Errorf("%w: new columns can be of layout 0 or native, not of layout %d", ErrInvalidArgument, o.Layout)
	case o.PageCacheBytes < 0 || o.ReadBytes < 0 || o.FrameCacheBytes < 0 || o.BusyTimeout < 0:
		return fmt.Errorf("%w: a negative size or time in the options", ErrInvalidArgument)
	}
	return nil
}

// ColumnOptions configure a new column. An existing column keeps what it was
// created with.
type ColumnOptions struct {
	// MinChunk and MaxChunk bound, in bytes, the chunks in which the column is
	// stored; 0 means 4 KiB and 1 MiB, or 512 KiB for elements that vary in
	// size. The first chunk begins with MinChunk and doubles up to MaxChunk,
	// after which another begins. Both are rounded to whole elements. Larger
	// chunks make the longest reads a little faster and everything else slower.
	// For columns that KohakuVault 0.8.6 keeps updating, 16777212 is the best
	// choice for MaxChunk: it destroys data in a chunk that it has grown past
	// 1.5 times the maximum.
	//
	// Of a native column, MaxChunk is the size of runs, of which an edit writes
	// about one anew; 0 means 256 KiB, and MinChunk counts for nothing.
	MinChunk, MaxChunk int

	// Layout is [Native] or [Layout0]; 0 means [Options.Layout].
	Layout int

	// Compression is that of a native column, in which it concerns what lies in
	// full runs. An edit leaves what it stores anew uncompressed, a quarter of a run
	// or less, until [Vault.Compact]. [Options.FrameCacheBytes] bounds what is kept
	// decoded.
	Compression Compression

	// Home says, with a number from 0 to 32767, which columns and key-value tables
	// ([Vault.EnsureKV]) may have to change together. It matters where a vault is
	// on several servers, of which each has the homes of a range: there a
	// transaction changes what is in one home, and a change in a second one gives
	// [ErrUnsupported] before anything of it is sent. A column stays in its home.
	// Everywhere else it is kept or, in a file, means nothing.
	Home int
}

// The layouts of columns that can be chosen.
const (
	// Native is the layout of our own. An insert or a delete costs the same
	// wherever it is and however long the column, text takes less room, and
	// columns can be compressed. KohakuVault does not see such columns.
	Native = int(store.LayoutNative)
	// Layout0 is the layout of KohakuVault 0.x, for a column in a vault whose
	// [Options.Layout] is another.
	Layout0 = -1
)

// Compression is how full runs of a native column are stored.
type Compression int

const (
	// Uncompressed stores elements as they are.
	Uncompressed = Compression(catalog.Raw)
	// Zstd compresses numbers by what they differ from each other, and everything
	// by zstd, in frames of 64 KiB. An element that is read alone costs to decode
	// a frame, some 100 µs, unless the transaction has just read from that frame.
	Zstd = Compression(catalog.Zstd)
)

func (c Compression) String() string {
	if c == Zstd {
		return "zstd"
	}
	return "none"
}

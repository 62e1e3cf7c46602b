package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"columnvault/internal/store"
)

// countingFS is the file system of the machine, and counts what is read of
// databases by calls.
type countingFS struct {
	vfs.VFSFilename
	reads atomic.Int64
}

type countingFile struct {
	vfs.File
	fs *countingFS
}

func (fs *countingFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := fs.VFSFilename.OpenFilename(name, flags)
	if err == nil && flags&vfs.OPEN_MAIN_DB != 0 {
		f = &countingFile{f, fs}
	}
	return f, flags, err
}

func (f *countingFile) ReadAt(p []byte, off int64) (int, error) {
	f.fs.reads.Add(1)
	return f.File.ReadAt(p, off)
}

func (f *countingFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }
func (f *countingFile) MemoryMapper() vfs.MemoryMapper { return vfsutil.WrapMemoryMapper(f.File) }
func (f *countingFile) Unwrap() vfs.File               { return f.File }

const (
	mappedChunks = 64
	mappedChunk  = 256 << 10
	mappedPairs  = 4000
)

// mappedStore has a column of 16 MiB and a table of pairs in its file, and
// nothing in its log. The page caches are small.
func mappedStore(t *testing.T, opts Options) *Store {
	t.Helper()
	ctx := t.Context()
	opts.PageCacheBytes = cmp.Or(opts.PageCacheBytes, 256<<10)
	s := openStore(t, opts)
	if s.mostMapped() < mappedChunks*mappedChunk*2 {
		t.Skip("this machine does not map files of that size")
	}
	check(t, appendRow(ctx, s, "a"))
	check(t, s.Update(ctx, func(tx store.Tx) error {
		for number := range int64(mappedChunks) {
			if err := tx.PutChunk(ctx, 1, store.Chunk{Number: number, Capacity: mappedChunk}, make([]byte, mappedChunk)); err != nil {
				return err
			}
		}
		for i := range mappedPairs {
			if err := tx.Put(ctx, "pairs", fmt.Append(nil, i), make([]byte, 1000)); err != nil {
				return err
			}
		}
		return nil
	}))
	done, err := s.Checkpoint(ctx, store.CheckpointTruncate)
	check(t, err)
	if done.Moved != done.Log {
		t.Fatalf("the log stays: %+v", done)
	}
	return s
}

// readScattered makes n small reads all over the column.
func readScattered(ctx context.Context, r store.Reader, n int) error {
	into := make([]byte, 8)
	for i := range int64(n) {
		at := i * 1_000_003 % (mappedChunks * mappedChunk / 8) * 8
		if err := r.ReadAt(ctx, 1, []store.Span{{Chunk: at / mappedChunk, Offset: at % mappedChunk, Data: into}}); err != nil {
			return err
		}
	}
	return nil
}

// TestReadsAreMapped: random reads of a column that no page cache holds read no
// pages by calls, in one snapshot and in many, also after others have written.
func TestReadsAreMapped(t *testing.T) {
	fs := &countingFS{VFSFilename: vfs.Find("").(vfs.VFSFilename)}
	vfs.Register("counting", fs)
	ctx, s := t.Context(), mappedStore(t, Options{VFS: "counting"})
	for round := range 3 {
		snap, err := s.Snapshot(ctx)
		check(t, err)
		before := fs.reads.Load()
		check(t, readScattered(ctx, snap, 5000))
		if n := fs.reads.Load() - before; n > 50 {
			t.Errorf("round %d: 5,000 reads of 8 bytes read %d pages", round, n)
		}
		check(t, snap.Close())
		check(t, appendRow(ctx, s, fmt.Sprint("b", round)))
	}
}

// TestMapFollowsTheFile: the map ends where the file does, because SQLite reads
// some bytes behind the end of a page, and becomes longer when the file does.
func TestMapFollowsTheFile(t *testing.T) {
	ctx, s := t.Context(), mappedStore(t, Options{})
	mapped := func() int64 {
		snap, err := s.Snapshot(ctx)
		check(t, err)
		defer snap.Close()
		check(t, readScattered(ctx, snap, 1000))
		for i := range mappedPairs {
			if _, err := snap.Get(ctx, "pairs", fmt.Append(nil, i)); err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Fatal(err)
			}
			check(t, readScattered(ctx, snap, 1))
		}
		c := snap.(*snapshot).c
		info, err := os.Stat(s.path)
		check(t, err)
		if c.mapping.fits && c.mapping.size > info.Size() {
			t.Errorf("%d bytes of %d are mapped", c.mapping.size, info.Size())
		}
		return c.mapping.size
	}
	begin := mapped()
	check(t, s.Update(ctx, func(tx store.Tx) error {
		for number := range int64(3 * mappedChunks) {
			if err := tx.PutChunk(ctx, 1, store.Chunk{Number: mappedChunks + number, Capacity: mappedChunk}, make([]byte, mappedChunk)); err != nil {
				return err
			}
		}
		return nil
	}))
	checkpoint := func() {
		_, err := s.Checkpoint(ctx, store.CheckpointTruncate)
		check(t, err)
	}
	checkpoint()
	if long := mapped(); long < 3*begin {
		t.Errorf("%d bytes of four times the file are mapped, and were %d before", long, begin)
	}
	check(t, s.Update(ctx, func(tx store.Tx) error {
		if err := tx.DropChunks(ctx, 1, mappedChunks, 4*mappedChunks); err != nil {
			return err
		}
		for i := range mappedPairs / 2 {
			if _, err := tx.Delete(ctx, "pairs", fmt.Append(nil, 2*i)); err != nil {
				return err
			}
		}
		return nil
	}))
	check(t, s.Shrink(ctx, store.ShrinkOptions{}))
	checkpoint()
	if short := mapped(); short > begin {
		t.Errorf("%d bytes of the short file are mapped, and were %d before", short, begin)
	}
}

// TestWhatIsMapped: pages of trees come from the cache, because SQLite checks them
// anew whenever they come from the map, and long reads go past both.
func TestWhatIsMapped(t *testing.T) {
	ctx, s := t.Context(), mappedStore(t, Options{})
	snap, err := s.Snapshot(ctx)
	check(t, err)
	defer snap.Close()
	c := snap.(*snapshot).c
	check(t, readScattered(ctx, snap, 10))
	if !c.mapping.used {
		t.Error("elements are not read where they are mapped")
	}
	for i := range 10 {
		_, err := snap.Get(ctx, "pairs", fmt.Append(nil, i))
		check(t, err)
		if i == 0 && !c.mapping.used {
			t.Error("one pair among elements takes the map out of use")
		}
	}
	if c.mapping.used {
		t.Error("pairs are read where they are mapped")
	}
	check(t, readScattered(ctx, snap, 1))
	if !c.mapping.used {
		t.Error("elements after pairs are not read where they are mapped")
	}
	check(t, snap.ReadAt(ctx, 1, []store.Span{{Data: make([]byte, mappedChunk)}}))
	if c.mapping.used {
		t.Error("a whole chunk is read where it is mapped")
	}
}

// TestNothingIsMapped: a negative size turns it off.
func TestNothingIsMapped(t *testing.T) {
	ctx, s := t.Context(), openStore(t, Options{MapBytes: -1})
	check(t, appendRow(ctx, s, "a"))
	snap, err := s.Snapshot(ctx)
	check(t, err)
	defer snap.Close()
	if n := snap.(*snapshot).c.mapping; n.most != 0 || n.size != 0 {
		t.Errorf("%+v is mapped", n)
	}
}

// TestFileThatCannotBeMapped: where the trial fails, nothing is mapped, and all is
// read.
func TestFileThatCannotBeMapped(t *testing.T) {
	ctx, s := t.Context(), mappedStore(t, Options{})
	snap, err := s.Snapshot(ctx)
	check(t, err)
	defer snap.Close()
	pipe, other, err := os.Pipe()
	check(t, err)
	defer pipe.Close()
	defer other.Close()
	c := snap.(*snapshot).c
	file := c.files[0].file
	c.files[0].file = pipe
	check(t, readScattered(ctx, snap, 1000))
	c.files[0].file = file
	check(t, readScattered(ctx, snap, 1000))
	if !c.mapping.tried || c.mapping.used || c.mapping.most > 0 {
		t.Errorf("after a trial that failed: %+v", c.mapping)
	}
	fits, err := c.fitMap()
	if !fits || err != nil || c.mapping.fits {
		t.Errorf("the next snapshot: %+v, %t, %v", c.mapping, fits, err)
	}
}

// TestFileCutWhileMapped: what another program cuts off from the file becomes an
// error of the reads that need it, and not the end of the process.
func TestFileCutWhileMapped(t *testing.T) {
	ctx, s := t.Context(), mappedStore(t, Options{})
	snap, err := s.Snapshot(ctx)
	check(t, err)
	defer snap.Close()
	check(t, readScattered(ctx, snap, 1000))
	check(t, os.Truncate(s.path, 64<<10))
	if err := readScattered(ctx, snap, 1000); !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("a read in the snapshot: %v", err)
	}
	other, err := s.Snapshot(ctx)
	if err == nil {
		err = readScattered(ctx, other, 1000)
		other.Close()
	}
	if err == nil {
		t.Error("a read in a new snapshot gives no error")
	}
}

// TestViewsTakeLittleMemory: however many snapshots are read at a time, the file
// is in memory once.
func TestViewsTakeLittleMemory(t *testing.T) {
	const snapshots = 24
	ctx, s := t.Context(), mappedStore(t, Options{PageCacheBytes: 16 << 20})
	before := anonymous(t)
	for range snapshots {
		snap, err := s.Snapshot(ctx)
		check(t, err)
		defer snap.Close()
		check(t, readScattered(ctx, snap, 5000))
	}
	if each := (anonymous(t) - before) / snapshots; each > 4<<20 {
		t.Errorf("each snapshot takes %d KB of memory beside the map", each>>10)
	}
}

// anonymous is the memory of the process that is no part of a file, in bytes.
func anonymous(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("the system does not tell what memory is of files: ", err)
	}
	_, after, found := strings.Cut(string(status), "RssAnon:")
	var kilobytes int64
	if n, _ := fmt.Sscan(after, &kilobytes); n != 1 || !found {
		t.Skip("the system does not tell what memory is of files")
	}
	return kilobytes << 10
}

package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"

	"columnvault/internal/store"
)

const (
	directChunks = 6
	directChunk  = 1<<20 - 100
)

// directByte is what a chunk has at an offset in a version of the column.
func directByte(version int, chunk, offset int64) byte {
	return byte(offset*7 + offset>>8*31 + chunk*13 + int64(version)*101)
}

// writeDirect puts a version of all chunks of the column 1.
func writeDirect(t *testing.T, s *Store, version int) {
	t.Helper()
	data := make([]byte, directChunk)
	check(t, s.Update(t.Context(), func(tx store.Tx) error {
		for number := range int64(directChunks) {
			for i := range data {
				data[i] = directByte(version, number, int64(i))
			}
			if err := tx.PutChunk(t.Context(), 1, store.Chunk{Number: number, Capacity: directChunk}, data); err != nil {
				return err
			}
		}
		return nil
	}))
}

// directStore has the first version of a column in its file.
func directStore(t *testing.T, opts Options) *Store {
	t.Helper()
	s := openStore(t, opts)
	check(t, appendRow(t.Context(), s, "a"))
	writeDirect(t, s, 1)
	moveAll(t, s)
	return s
}

// moveAll puts all of the log into the file.
func moveAll(t *testing.T, s *Store) {
	t.Helper()
	done, err := s.Checkpoint(t.Context(), store.CheckpointTruncate)
	check(t, err)
	if done.Moved != done.Log {
		t.Fatalf("the log stays: %+v", done)
	}
}

// isDirect tells whether a snapshot reads past SQLite.
func isDirect(t *testing.T, snap store.Snapshot) bool {
	t.Helper()
	c := snap.(*snapshot).c
	if c.index == nil {
		t.Skip("the index of the log cannot be read here")
	}
	return c.direct.looked && c.direct.file.R != nil && c.direct.in != bytesField{}
}

// checkDirect reads a part of a chunk, and compares it with a version.
func checkDirect(t *testing.T, snap store.Snapshot, version int, chunk, from, to int64) {
	t.Helper()
	got := make([]byte, to-from)
	check(t, snap.ReadAt(t.Context(), 1, []store.Span{{Chunk: chunk, Offset: from, Data: got}}))
	for i, b := range got {
		if b != directByte(version, chunk, from+int64(i)) {
			t.Fatalf("version %d: the byte %d of chunk %d is wrong, of those from %d to %d", version, from+int64(i), chunk, from, to)
		}
	}
}

// TestLongReads reads ranges of all lengths, in order and here and there, in the
// tables of all layouts, from a file that has been written to again and again.
func TestLongReads(t *testing.T) {
	s := directStore(t, Options{})
	writeDirect(t, s, 2)
	check(t, s.Update(t.Context(), func(tx store.Tx) error { return tx.DropChunks(t.Context(), 1, 2, 4) }))
	writeDirect(t, s, 3)
	native, other := make([]byte, directChunk), make([]byte, directChunk)
	rand.NewChaCha8([32]byte{1}).Read(native)
	rand.NewChaCha8([32]byte{2}).Read(other)
	block := store.Block{Room: directChunk/16 - 1}
	first := directChunk - block.Offsets()
	var ids [2]store.ColumnID
	check(t, s.Update(t.Context(), func(tx store.Tx) error {
		b, err := tx.CreateColumn(t.Context(), store.Row{Name: "b", DType: "i64", ElemSize: 8, MinChunk: 1, MaxChunk: directChunk, Layout: store.LayoutNative})
		check(t, err)
		c, err := tx.CreateColumn(t.Context(), store.Row{Name: "c", DType: "bytes", MinChunk: directChunk, MaxChunk: directChunk, Layout: store.LayoutV1})
		check(t, err)
		ids = [2]store.ColumnID{b.ID, c.ID}
		check(t, tx.PutChunk(t.Context(), b.ID, store.Chunk{Capacity: directChunk}, native))
		return tx.PutChunk(t.Context(), c.ID, store.Chunk{Capacity: directChunk, Meta: block.Meta()}, other)
	}))
	moveAll(t, s)
	snap, err := s.Snapshot(t.Context())
	check(t, err)
	defer snap.Close()
	r := rand.New(rand.NewPCG(1, 1))
	next, chunk := int64(0), int64(0)
	for k := range 300 {
		from := next
		if k%3 == 0 || from > directChunk-directRead {
			chunk, from = r.Int64N(directChunks), r.Int64N(directChunk-directRead)
		}
		next = from + directRead + r.Int64N(directChunk-directRead-from+1)
		checkDirect(t, snap, 3, chunk, from, next)
		if !isDirect(t, snap) {
			t.Fatalf("%d bytes at %d are read by SQLite", next-from, from)
		}
	}
	for i, want := range [][]byte{native, other} {
		for range 50 {
			from := r.Int64N(first - directRead)
			got := make([]byte, directRead+r.Int64N(first-directRead-from+1))
			check(t, snap.ReadAt(t.Context(), ids[i], []store.Span{{Offset: from, Data: got}}))
			if !isDirect(t, snap) || !bytes.Equal(got, want[from:][:len(got)]) {
				t.Fatalf("column %d: %d bytes at %d are wrong", i, len(got), from)
			}
		}
	}
	rest := make([]byte, directRead) // lies in a field of its own
	check(t, snap.ReadAt(t.Context(), ids[1], []store.Span{{Offset: first, Data: rest}}))
	if !isDirect(t, snap) || !bytes.Equal(rest, other[first:][:directRead]) {
		t.Fatal("the end of a block is wrong")
	}
	if err := snap.ReadAt(t.Context(), 1, []store.Span{{Offset: 1, Data: make([]byte, directChunk)}}); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("a read behind the end of a chunk: %v", err)
	}
	if err := snap.ReadAt(t.Context(), 1, []store.Span{{Chunk: 99, Data: make([]byte, directChunk)}}); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("a read of a chunk that does not exist: %v", err)
	}
}

// TestLongReadsAreFewCalls: in windows, from the beginning to the end.
func TestLongReadsAreFewCalls(t *testing.T) {
	fs := &countingFS{VFSFilename: vfs.Find("").(vfs.VFSFilename)}
	vfs.Register("counting-long", fs)
	s := directStore(t, Options{VFS: "counting-long"})
	snap, err := s.Snapshot(t.Context())
	check(t, err)
	defer snap.Close()
	checkDirect(t, snap, 1, 0, 0, directChunk)
	if !isDirect(t, snap) {
		t.Fatal("SQLite reads")
	}
	before := fs.reads.Load()
	for chunk := range int64(directChunks) {
		for at := int64(0); at < directChunk; at += 128 << 10 {
			checkDirect(t, snap, 1, chunk, at, min(directChunk, at+128<<10))
		}
	}
	pages := int64(directChunks * directChunk / defaultPageSize)
	if n := fs.reads.Load() - before; n > pages/6 {
		t.Errorf("%d calls read %d pages", n, pages)
	}
}

// TestLongReadsBesideWriters: whatever others commit, move into the file and cut off
// from it, a snapshot reads its own state, and another one the next. Whether it reads
// past SQLite it finds out before or after that.
func TestLongReadsBesideWriters(t *testing.T) {
	s := directStore(t, Options{})
	other := openBeside(t, s)
	var direct, not int
	for step := range 40 {
		version := step + 1
		snap, err := s.Snapshot(t.Context())
		check(t, err)
		if step%2 == 0 {
			checkDirect(t, snap, version, 0, 0, directChunk)
		}
		if step%3 == 0 {
			check(t, other.Update(t.Context(), func(tx store.Tx) error { return tx.DropChunks(t.Context(), 1, 1, directChunks) }))
			check(t, other.giveBack(t.Context(), store.ShrinkOptions{}))
			_, err := other.Checkpoint(t.Context(), store.CheckpointPassive)
			check(t, err)
		}
		writeDirect(t, other, version+1)
		for _, mode := range []store.CheckpointMode{store.CheckpointPassive, store.CheckpointTruncate} {
			other.Checkpoint(t.Context(), mode) // the snapshot may be in the way
		}
		for chunk := range int64(directChunks) {
			checkDirect(t, snap, version, chunk, 0, directChunk)
		}
		if isDirect(t, snap) {
			direct++
		} else {
			not++
		}
		check(t, snap.Close())
		if step%4 == 1 {
			moveAll(t, s)
		}
	}
	if direct < 5 || not < 5 {
		t.Errorf("%d snapshots read past SQLite, and %d did not", direct, not)
	}
}

// TestLongReadsInTransactions: one that writes reads what it has written.
func TestLongReadsInTransactions(t *testing.T) {
	s := directStore(t, Options{})
	check(t, readRow(t.Context(), s))
	check(t, s.Update(t.Context(), func(tx store.Tx) error {
		check(t, tx.WriteAt(t.Context(), 1, []store.Span{{Chunk: 1, Offset: 5, Data: []byte{99}}}))
		got := make([]byte, directChunk)
		check(t, tx.ReadAt(t.Context(), 1, []store.Span{{Chunk: 1, Data: got}}))
		if got[5] != 99 || got[6] != directByte(1, 1, 6) {
			t.Error("the transaction does not see what it has written")
		}
		return nil
	}))
}

// TestLongReadsOfDamage: what is wrong with a chain of pages, SQLite says.
func TestLongReadsOfDamage(t *testing.T) {
	for name, next := range map[string]func(pages uint32) uint32{
		"an end":                  func(uint32) uint32 { return 0 },
		"a page behind the last":  func(pages uint32) uint32 { return pages + 1 },
		"a page of no file":       func(uint32) uint32 { return 1<<32 - 1 },
		"the first page":          func(uint32) uint32 { return 1 },
		"the page that has it":    func(uint32) uint32 { return 20 },
		"a page behind a missing": func(pages uint32) uint32 { return pages + 5 },
	} {
		t.Run(name, func(t *testing.T) {
			s := directStore(t, Options{})
			path := s.path
			check(t, s.Close())
			data, err := os.ReadFile(path)
			check(t, err)
			binary.BigEndian.PutUint32(data[19*defaultPageSize:], next(uint32(len(data)/defaultPageSize)))
			check(t, os.WriteFile(path, data, 0o600))
			s = openStoreAt(t, path, Options{})
			read := func(past bool) ([]byte, error) {
				snap, err := s.Snapshot(t.Context())
				check(t, err)
				defer snap.Close()
				snap.(*snapshot).c.direct.looked = !past
				got := make([]byte, directChunk)
				err = snap.ReadAt(t.Context(), 1, []store.Span{{Data: got}})
				return got, err
			}
			want, wantErr := read(false)
			got, err := read(true)
			if (err == nil) != (wantErr == nil) || err != nil && (err.Error() != wantErr.Error() || !errors.Is(err, store.ErrCorrupt)) {
				t.Errorf("%v, and SQLite: %v", err, wantErr)
			}
			if err == nil && !bytes.Equal(got, want) {
				t.Error("other bytes than SQLite's")
			}
		})
	}
}

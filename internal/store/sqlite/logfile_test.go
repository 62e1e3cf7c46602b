package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"columnvault/internal/store"
)

// logCalls is the file system of the machine, and notes the lengths of what is
// written to logs. From the time that fail is set on, such a write ends after so
// many bytes.
type logCalls struct {
	vfs.VFSFilename
	mu      sync.Mutex
	lengths []int
	fail    int
}

type logCallsFile struct {
	vfs.File
	fs *logCalls
}

func (fs *logCalls) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := fs.VFSFilename.OpenFilename(name, flags)
	if err == nil && flags&vfs.OPEN_WAL != 0 {
		f = &logCallsFile{f, fs}
	}
	return f, flags, err
}

func (f *logCallsFile) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if n := f.fs.fail; n > 0 {
		n, _ = f.File.WriteAt(p[:min(n, len(p))], off)
		return n, sqlite3.FULL
	}
	f.fs.lengths = append(f.fs.lengths, len(p))
	return f.File.WriteAt(p, off)
}

func (f *logCallsFile) Unwrap() vfs.File { return f.File }

// take returns the lengths of the writes since the last take.
func (fs *logCalls) take() []int {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	lengths := fs.lengths
	fs.lengths = nil
	return lengths
}

func (fs *logCalls) set(fail int) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.fail = fail
}

// loggedStore is a store whose writes to the log are noted.
func loggedStore(t *testing.T, opts Options) (*Store, *logCalls) {
	t.Helper()
	fs := &logCalls{VFSFilename: vfs.Find("").(vfs.VFSFilename)}
	opts.VFS = "log-" + t.Name()
	vfs.Register(opts.VFS, fs)
	t.Cleanup(func() { vfs.Unregister(opts.VFS) })
	s := openStore(t, opts)
	check(t, appendRow(t.Context(), s, "a"))
	fs.take()
	return s, fs
}

// putIn writes a value of a size that begins with a word.
func putIn(t *testing.T, s *Store, key, word string, size int) error {
	return s.Update(t.Context(), func(tx store.Tx) error {
		return tx.Put(t.Context(), "kv", []byte(key), valueOf(word, size))
	})
}

func valueOf(word string, size int) []byte {
	return append([]byte(word), make([]byte, size-len(word))...)
}

// wantPairs compares the values of keys; that of a key that is missing is nil.
func wantPairs(t *testing.T, s *Store, when string, want map[string][]byte) {
	t.Helper()
	snap, err := s.Snapshot(t.Context())
	check(t, err)
	defer snap.Close()
	for key, value := range want {
		got, err := snap.Get(t.Context(), "kv", []byte(key))
		if value == nil && errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil || !bytes.Equal(got, value) {
			t.Errorf("%s: of %s there are %d bytes and not %d: %v", when, key, len(got), len(value), err)
		}
	}
}

// afterKill opens what a process that starts now finds, should this one die.
func afterKill(t *testing.T, s *Store) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "killed.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(s.path + suffix)
		check(t, err)
		check(t, os.WriteFile(path+suffix, data, 0o666))
	}
	return openStoreAt(t, path, Options{})
}

// TestCommitIsOneWrite: a commit is one write to the log, and a large one is one
// for each 64 KiB.
func TestCommitIsOneWrite(t *testing.T) {
	for _, fullSync := range []bool{false, true} {
		s, fs := loggedStore(t, Options{FullSync: fullSync})
		check(t, putIn(t, s, "key", "a", 100))
		for _, size := range []int{8, 100, 10_000, 50_000, 1_000_000} {
			fs.take()
			before := s.Stats().LogBytes
			check(t, putIn(t, s, "key", fmt.Sprint(size), size))
			bytes, lengths := int(s.Stats().LogBytes-before), fs.take()
			for i, n := range lengths {
				if n < enoughHeld && i < len(lengths)-1 {
					t.Errorf("a commit of %d bytes was written as %v", bytes, lengths)
					break
				}
				bytes -= n
			}
			if bytes != 0 {
				t.Errorf("%d bytes were not written", bytes)
			}
		}
	}
}

// TestSpilledCommitIsWhole: a commit whose pages have been written before, and are
// written again, ends with the header of the last frame. It must be in the file.
func TestSpilledCommitIsWhole(t *testing.T) {
	for _, fullSync := range []bool{false, true} {
		s, fs := loggedStore(t, Options{PageSize: 512, PageCacheBytes: 16 << 10, FullSync: fullSync})
		want := map[string][]byte{}
		check(t, s.Update(t.Context(), func(tx store.Tx) error {
			for i := range 200 {
				key := fmt.Sprint("key", i*7%50)
				want[key] = valueOf(fmt.Sprint("value", i), 300+i*37%5000)
				check(t, tx.Put(t.Context(), "kv", []byte(key), want[key]))
			}
			return nil
		}))
		lengths := fs.take()
		if n := len(lengths); n == 0 || lengths[n-1] != frameHeader || !slices.Contains(lengths, 512) {
			t.Errorf("no frame was written a second time: %v", lengths)
		}
		wantPairs(t, s, "in the store", want)
		wantPairs(t, afterKill(t, s), "after a kill", want)
	}
}

// TestCommitThatMovesPages: with auto_vacuum = FULL, COMMIT itself may write pages
// before those of the commit, and so nothing is held.
func TestCommitThatMovesPages(t *testing.T) {
	s, fs := loggedStore(t, Options{})
	check(t, putIn(t, s, "key", "a", 100_000))
	check(t, s.writer.exec(`PRAGMA auto_vacuum = FULL`))
	fs.take()
	check(t, putIn(t, s, "key", "b", 50_000))
	for _, n := range fs.take() {
		if n != frameHeader && n != defaultPageSize {
			t.Errorf("%d bytes are more than a page", n)
		}
	}
	want := map[string][]byte{"key": valueOf("b", 50_000)}
	wantPairs(t, s, "in the store", want)
	wantPairs(t, afterKill(t, s), "after a kill", want)
}

// TestCommitThatCannotBeWritten: where the write of a commit ends early, nothing
// of it is ever seen, and what others write afterwards stays as it is.
func TestCommitThatCannotBeWritten(t *testing.T) {
	for _, cut := range []int{1, frameHeader, 5000, 9000, 16_000, 1 << 20} {
		s, fs := loggedStore(t, Options{})
		other := openStoreAt(t, s.path, Options{})
		want := map[string][]byte{"key": valueOf("before", 100), "other": nil}
		check(t, putIn(t, s, "key", "before", 100))
		fs.set(cut)
		if err := putIn(t, s, "key", "lost", 100_000); !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrUnknownCommit) {
			t.Errorf("cut at %d: %v", cut, err)
		}
		fs.set(0)
		wantPairs(t, s, "after the failure", want)
		wantPairs(t, other, "for others", want)
		wantPairs(t, afterKill(t, s), "after the failure and a kill", want)
		want["other"] = valueOf("other", 20_000)
		check(t, putIn(t, other, "other", "other", 20_000))
		wantPairs(t, s, "after a commit of another", want)
		want["key"] = valueOf("after", 30_000)
		check(t, putIn(t, s, "key", "after", 30_000))
		wantPairs(t, other, "for others in the end", want)
		wantPairs(t, afterKill(t, s), "in the end and after a kill", want)
	}
}

// memFile is a file in memory. It refuses writes from the one on that failAt
// counts down to.
type memFile struct {
	vfs.File
	data   []byte
	writes int
	failAt int
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	f.writes++
	if f.failAt > 0 && f.writes >= f.failAt {
		return 0, sqlite3.FULL
	}
	if end := int(off) + len(p); end > len(f.data) {
		f.data = append(f.data, make([]byte, end-len(f.data))...)
	}
	return copy(f.data[off:], p), nil
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	if off > int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) Truncate(size int64) error {
	f.data = f.data[:min(int(size), len(f.data))]
	return nil
}

func (f *memFile) Sync(vfs.SyncFlag) error { return nil }
func (f *memFile) Size() (int64, error)    { return int64(len(f.data)), nil }

// TestLogFileIsAFile: whatever is called in whatever order, reads, sizes and, in
// the end, bytes are those of a file that holds nothing back.
func TestLogFileIsAFile(t *testing.T) {
	const page = 512
	for seed := range byte(200) {
		source := rand.NewChaCha8([32]byte{seed})
		r := rand.New(source)
		plain, inner := &memFile{}, &memFile{}
		log := &logFile{File: inner}
		both := func(p []byte, off int64) {
			plain.WriteAt(p, off)
			n, err := log.WriteAt(p, off)
			if n != len(p) || err != nil {
				t.Fatal(n, err)
			}
		}
		random := func(n int) []byte {
			p := make([]byte, n)
			source.Read(p)
			return p
		}
		end := int64(32)
		for range 20 {
			if r.IntN(2) == 0 {
				log.gather()
			}
			if r.IntN(3) == 0 { // the header of the log, or a page in its older frame
				both(random(32+r.IntN(2)*480), r.Int64N(end))
			}
			frames := 1 + r.IntN(5)
			if r.IntN(10) == 0 {
				frames = 2 * enoughHeld / page
			}
			done := false
			for i := range frames {
				header := random(frameHeader)
				done = i == frames-1
				if !done {
					clear(header[4:8])
				}
				both(header, end)
				if r.IntN(30) == 0 {
					both(random(r.IntN(700)), r.Int64N(end+1))
				}
				both(random(page), end+frameHeader)
				end += frameHeader + page
				if !done {
					odd(t, r, plain, log, both, random, end)
				}
			}
			if !bytes.Equal(plain.data, inner.data) {
				t.Fatalf("seed %d: after a commit of %d frames the file is another", seed, frames)
			}
			odd(t, r, plain, log, both, random, end)
			if !bytes.Equal(plain.data, inner.data) {
				t.Fatalf("seed %d: after what follows a commit the file is another", seed)
			}
			log.gathered()
		}
	}
}

// TestLogFileHoldsFramesOnly: what does not continue a frame as SQLite writes it
// is written at once, and all that is held before it.
func TestLogFileHoldsFramesOnly(t *testing.T) {
	for _, second := range []int{frameHeader, 100} {
		inner := &memFile{}
		f := &logFile{File: inner}
		f.gather()
		f.WriteAt(make([]byte, frameHeader), 32)
		if second != frameHeader {
			f.WriteAt(make([]byte, 512), 56)
		}
		if len(inner.data) > 0 {
			t.Errorf("%d bytes of a frame were not held", len(inner.data))
		}
		end := f.at + int64(len(f.held))
		f.WriteAt(make([]byte, second), end)
		if n := int64(len(inner.data)); n != end+int64(second) {
			t.Errorf("%d bytes after %d: the file has %d", second, end, n)
		}
	}
}

// odd calls what SQLite does not call in the middle of a commit, now and then.
func odd(t *testing.T, r *rand.Rand, plain *memFile, log *logFile, both func([]byte, int64), random func(int) []byte, end int64) {
	t.Helper()
	switch r.IntN(60) {
	case 0: // the header of an older frame
		both(random(frameHeader), r.Int64N(end))
	case 1:
		both(random(512), r.Int64N(end))
	case 2:
		want, got := make([]byte, 600), make([]byte, 600)
		off := r.Int64N(end)
		n, _ := plain.ReadAt(want, off)
		m, _ := log.ReadAt(got, off)
		if n != m || !bytes.Equal(want, got) {
			t.Fatal("a read gives other bytes")
		}
	case 3:
		want, _ := plain.Size()
		if got, err := log.Size(); got != want || err != nil {
			t.Fatalf("the size is %d and not %d: %v", got, want, err)
		}
	case 4:
		check(t, log.Sync(0))
	case 5:
		plain.Truncate(end)
		check(t, log.Truncate(end))
	}
}

// TestLogFileTellsOfFailures: that a write has failed is the answer to the call
// that needed it, and nothing of a commit that failed is written later.
func TestLogFileTellsOfFailures(t *testing.T) {
	header, last := make([]byte, frameHeader), bytes.Repeat([]byte{1}, frameHeader)
	page := make([]byte, 512)
	for name, call := range map[string]func(f *logFile) error{
		"the last page": func(f *logFile) error {
			if _, err := f.WriteAt(last, 568); err != nil {
				return fmt.Errorf("too early: %v", err)
			}
			_, err := f.WriteAt(page, 592)
			return err
		},
		"a page elsewhere": func(f *logFile) error { _, err := f.WriteAt(page, 0); return err },
		"a read":           func(f *logFile) error { _, err := f.ReadAt(page, 0); return err },
		"a sync":           func(f *logFile) error { return f.Sync(0) },
		"a size":           func(f *logFile) error { _, err := f.Size(); return err },
		"a cut":            func(f *logFile) error { return f.Truncate(1 << 20) },
		"too many frames": func(f *logFile) error {
			for off := int64(568); off < 2*enoughHeld; off += 536 {
				if _, err := f.WriteAt(header, off); err != nil {
					return err
				}
				f.WriteAt(page, off+frameHeader)
			}
			return nil
		},
	} {
		inner := &memFile{failAt: 1}
		f := &logFile{File: inner}
		f.gather()
		f.WriteAt(header, 32)
		f.WriteAt(page, 56)
		if err := call(f); !errors.Is(err, sqlite3.FULL) {
			t.Errorf("%s: %v", name, err)
		}
		f.gathered()
		inner.failAt = 0
		check(t, f.Sync(0))
		if len(inner.data) > 0 {
			t.Errorf("%s: %d bytes of the commit were written after it had failed", name, len(inner.data))
		}
		f.gather()
		f.WriteAt(header, 32) // and the engine stops here
		f.gathered()
		check(t, f.Sync(0))
		if len(inner.data) > 0 {
			t.Errorf("%d bytes of a commit that came to no end were written", len(inner.data))
		}
	}
}

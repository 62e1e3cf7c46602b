// Package powerfs is the file system of the machine, for SQLite, with a record
// of all that changes files. From the record it makes what a disk may hold
// after the power has failed at any moment of it; see [Disk].
package powerfs

import (
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/ncruces/go-sqlite3/vfs"
)

// Kind is what an [Event] is.
type Kind int

// The kinds of events.
const (
	// Write, Truncate and Sync are about a file.
	Write Kind = iota
	Truncate
	Sync
	// Create, Delete and SyncDir are about the names of files.
	Create
	Delete
	SyncDir
	// Mark is what a test has noted.
	Mark
)

// Event is a change of a file or of the names of files, the moment at which
// changes reach the disk, or a mark.
type Event struct {
	Kind Kind
	// file is the number of the file, name its name.
	file int
	name string
	// offset and data are those of a write; offset is the size that a
	// truncation leaves.
	offset int64
	data   []byte
	// Mark is the number of a mark.
	Mark int
}

// FS keeps the record.
type FS struct {
	vfs.VFSFilename
	mu     sync.Mutex
	events []Event
	// names are the numbers of the files that have names now, files how many
	// there have been.
	names map[string]int
	files int
}

// Register makes a file system that SQLite knows by this name.
func Register(name string) *FS {
	fs := &FS{VFSFilename: vfs.Find("").(vfs.VFSFilename), names: map[string]int{}}
	vfs.Register(name, fs)
	return fs
}

// Mark notes a number.
func (fs *FS) Mark(n int) { fs.add(Event{Kind: Mark, Mark: n}) }

// Take returns the record, and begins another. No file may be open, and none is
// known to the new record.
func (fs *FS) Take() []Event {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	events := fs.events
	fs.events, fs.names = nil, map[string]int{}
	return events
}

func (fs *FS) add(e Event) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.events = append(fs.events, e)
}

// OpenFilename implements [vfs.VFSFilename].
func (fs *FS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	path := name.String()
	_, err := os.Stat(path)
	creates := err != nil
	inner, out, err := fs.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return nil, out, err
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	base := filepath.Base(path)
	number, known := fs.names[base]
	if creates || !known {
		number = fs.files
		fs.files++
		fs.names[base] = number
		fs.events = append(fs.events, Event{Kind: Create, file: number, name: base})
	}
	// The driver writes the folder with the first sync of a log or a journal,
	// as SQLite does.
	log := flags&vfs.OPEN_CREATE != 0 && flags&(vfs.OPEN_WAL|vfs.OPEN_MAIN_JOURNAL|vfs.OPEN_SUPER_JOURNAL) != 0
	return &file{File: inner, fs: fs, number: number, syncDir: log}, out, nil
}

// Delete implements [vfs.VFS].
func (fs *FS) Delete(name string, syncDir bool) error {
	if err := fs.VFSFilename.Delete(name, syncDir); err != nil {
		return err
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	base := filepath.Base(name)
	delete(fs.names, base)
	fs.events = append(fs.events, Event{Kind: Delete, name: base})
	if syncDir {
		fs.events = append(fs.events, Event{Kind: SyncDir})
	}
	return nil
}

type file struct {
	vfs.File
	fs      *FS
	number  int
	syncDir bool
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(p, off)
	f.fs.add(Event{Kind: Write, file: f.number, offset: off, data: slices.Clone(p[:n])})
	return n, err
}

func (f *file) Truncate(size int64) error {
	err := f.File.Truncate(size)
	if err == nil {
		f.fs.add(Event{Kind: Truncate, file: f.number, offset: size})
	}
	return err
}

// Sync leaves the disk alone, which would take most of the time of a test: what
// a power failure leaves is made from the events.
func (f *file) Sync(vfs.SyncFlag) error {
	f.fs.add(Event{Kind: Sync, file: f.number})
	if f.syncDir {
		f.syncDir = false
		f.fs.add(Event{Kind: SyncDir})
	}
	return nil
}

func (f *file) SharedMemory() vfs.SharedMemory {
	return f.File.(vfs.FileSharedMemory).SharedMemory()
}

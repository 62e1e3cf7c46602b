package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"columnvault/internal/store"
)

// headerSize is that of the header of a SQLite file; see
// https://sqlite.org/fileformat.html.
const headerSize = 100

// inspected is what is known of a file before SQLite opens it.
type inspected struct {
	exists   bool // and has content
	writable bool // unless nobody asked
	log      bool // says that it has a write-ahead log
}

// inspect looks at the file before SQLite does, because SQLite's own answer to
// most of what can be wrong is the same few words.
func inspect(path string, readOnly bool) (found inspected, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return found, absent(path, err)
	case info.IsDir():
		return found, fmt.Errorf("%w: it is a directory", store.ErrNotVault)
	case !info.Mode().IsRegular():
		return found, fmt.Errorf("%w: it is not a regular file", store.ErrNotVault)
	case info.Size() == 0:
		return found, nil // SQLite takes an empty file for a new one
	}
	var f *os.File
	if !readOnly {
		f, err = os.OpenFile(path, os.O_RDWR, 0)
		found.writable = err == nil
	}
	if !found.writable {
		f, err = os.Open(path)
	}
	if err != nil {
		return found, unavailable(err)
	}
	defer f.Close()
	head := make([]byte, headerSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return found, unavailable(err)
	}
	found.exists, found.log = true, usesLog(head)
	if leftCreating(path, head[:n]) {
		return found, nil
	}
	if !bytes.HasPrefix(head, []byte("SQLite format 3\x00")) {
		return found, fmt.Errorf("%w: it is not a SQLite database, or an encrypted one", store.ErrNotVault)
	}
	if n < headerSize {
		return found, fmt.Errorf("%w: the file ends inside its header", store.ErrCorrupt)
	}
	return found, inspectSize(path, f, head, info.Size())
}

// absent says what is wrong with a path where no file is found, nil if one can be
// created there.
func absent(path string, why error) error {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 { // the others have been followed
		return fmt.Errorf("%w: it is a link that leads nowhere", store.ErrNotFound)
	}
	if errors.Is(why, fs.ErrNotExist) {
		return nil
	}
	return unavailable(why)
}

// usesLog tells whether the header says that there is a write-ahead log.
func usesLog(head []byte) bool { return head[19] == 2 } // the version that reading takes

// inspectSize refuses a file that is shorter than its header says, unless a log
// has the rest. Another process may move its log into the file and delete it
// between one look and the next, so only what is there twice is wrong.
func inspectSize(path string, f *os.File, head []byte, size int64) error {
	again := make([]byte, headerSize)
	for {
		want := headerBytes(head)
		if want <= size || hasWAL(path) || hasContent(path+"-journal") {
			return nil
		}
		info, err := f.Stat()
		if err == nil {
			_, err = f.ReadAt(again, 0)
		}
		if err != nil {
			return unavailable(err)
		}
		if info.Size() == size && bytes.Equal(again, head) {
			return fmt.Errorf("%w: the file is truncated: it has %d bytes and its header says %d", store.ErrCorrupt, size, want)
		}
		size = info.Size()
		copy(head, again)
	}
}

// headerBytes is the size of the database according to its header, or 0 where
// the header does not know. A WAL may hold pages that are not in the file yet.
func headerBytes(head []byte) int64 {
	if !bytes.Equal(head[24:28], head[92:96]) {
		return 0 // written by a version of SQLite that did not keep the count
	}
	page := int64(binary.BigEndian.Uint16(head[16:]))
	if page == 1 {
		page = 65536
	}
	return page * int64(binary.BigEndian.Uint32(head[28:]))
}

// leftCreating tells whether SQLite may have been about to make a new file when
// the power failed: the file has a size, and nothing has reached its header. The
// journal beside it then says that there was nothing before, and SQLite makes
// it empty.
func leftCreating(path string, head []byte) bool {
	return len(bytes.Trim(head, "\x00")) == 0 && hasContent(path+"-journal")
}

// hasContent tells whether there is a file that is not empty.
func hasContent(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}

// hasWAL tells whether a write-ahead log with content lies beside the file.
func hasWAL(path string) bool { return hasContent(path + "-wal") }

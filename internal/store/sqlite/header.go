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

// inspect looks at the file before SQLite does, because SQLite's own answer to
// most of what can be wrong is the same few words. It returns whether there is
// a file with content.
func inspect(path string) (exists bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, unavailable(err)
	case info.IsDir():
		return false, fmt.Errorf("%w: it is a directory", store.ErrNotVault)
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("%w: it is not a regular file", store.ErrNotVault)
	case info.Size() == 0:
		return false, nil // SQLite takes an empty file for a new one
	}
	f, err := os.Open(path)
	if err != nil {
		return false, unavailable(err)
	}
	defer f.Close()
	head := make([]byte, headerSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, unavailable(err)
	}
	if leftCreating(path, head[:n]) {
		return true, nil
	}
	if !bytes.HasPrefix(head, []byte("SQLite format 3\x00")) {
		return false, fmt.Errorf("%w: it is not a SQLite database, or an encrypted one", store.ErrNotVault)
	}
	if n < headerSize {
		return false, fmt.Errorf("%w: the file ends inside its header", store.ErrCorrupt)
	}
	return true, inspectSize(path, f, head, info.Size())
}

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

// writable tells whether the file can be opened for writing.
func writable(path string) bool {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	f.Close()
	return true
}

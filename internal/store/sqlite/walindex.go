//go:build linux || darwin

package sqlite

import (
	"os"
)

// walIndex reads the header of the index of the write-ahead log, the file with
// the ending -shm. Every commit to the database changes it before the commit
// returns, whoever makes it: the header has a counter of transactions, the
// number of frames, and checksums. It lies there twice, 48 bytes each, and the
// writer changes the second copy first. See https://sqlite.org/walformat.html.
//
// The file must be opened by a connection's own walIndex, while the connection
// is open: SQLite deletes the file only with the last connection, so what is
// read belongs to the database as long as the connection does. Closing the
// file is harmless on the systems named above, where the driver locks open
// file descriptions; with the locks of other systems it would release those of
// the whole process.
type walIndex struct{ f *os.File }

// walHeader is one copy of the header.
type walHeader [48]byte

// openWALIndex returns nil if the database has no such file.
func openWALIndex(path string) *walIndex {
	f, err := os.Open(path + "-shm")
	if err != nil {
		return nil
	}
	return &walIndex{f}
}

// header returns the header, unless a writer is just changing it.
func (x *walIndex) header() (walHeader, bool) {
	if x == nil {
		return walHeader{}, false
	}
	var both [2]walHeader
	var p [2 * len(walHeader{})]byte
	if n, err := x.f.ReadAt(p[:], 0); n < len(p) || err != nil {
		return walHeader{}, false
	}
	copy(both[0][:], p[:])
	copy(both[1][:], p[len(walHeader{}):])
	return both[0], both[0] == both[1]
}

func (x *walIndex) close() {
	if x != nil {
		x.f.Close()
	}
}

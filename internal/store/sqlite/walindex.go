//go:build linux || darwin

package sqlite

import (
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// walIndex reads the header of the index of the write-ahead log, the file with
// the ending -shm. Every commit to the database changes it before the commit
// returns, whoever makes it: the header has a counter of transactions, the
// number of frames, and checksums. It lies there twice, 48 bytes each, and the
// writer changes the second copy first. See https://sqlite.org/walformat.html.
//
// The file must be mapped by a connection's own walIndex, while the connection
// is open: SQLite deletes or shortens the file only with the last connection,
// so what is read belongs to the database as long as the connection does.
// Closing the file is harmless on the systems named above, where the driver
// locks open file descriptions; with the locks of other systems it would
// release those of the whole process.
type walIndex struct{ mapped []byte }

// walHeader is one copy of the header.
type walHeader [6]uint64

const walHeaders = 2 * int(unsafe.Sizeof(walHeader{}))

// openWALIndex returns nil if the database has no such file.
func openWALIndex(path string) *walIndex {
	f, err := os.Open(path + "-shm")
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() < int64(walHeaders) {
		return nil
	}
	mapped, err := syscall.Mmap(int(f.Fd()), 0, walHeaders, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil
	}
	return &walIndex{mapped}
}

// header returns the header, unless a writer is just changing it.
func (x *walIndex) header() (first walHeader, ok bool) {
	if x == nil {
		return first, false
	}
	both := (*[2]walHeader)(unsafe.Pointer(unsafe.SliceData(x.mapped)))
	for i := range first {
		first[i] = atomic.LoadUint64(&both[0][i])
	}
	for i := range first {
		if atomic.LoadUint64(&both[1][i]) != first[i] {
			return first, false
		}
	}
	return first, true
}

func (x *walIndex) close() {
	if x != nil {
		syscall.Munmap(x.mapped)
	}
}

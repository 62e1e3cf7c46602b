//go:build linux || darwin

package sqlite

import (
	"runtime/debug"
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
// What is mapped is the very file that the connection has open. SQLite deletes
// or shortens it only with the last connection, so what is read belongs to the
// database as long as the connection does.
type walIndex struct{ mapped []byte }

// walHeader is one copy of the header.
type walHeader [6]uint64

const walHeaders = 2 * int(unsafe.Sizeof(walHeader{}))

// walMapped is what of the index is mapped: the header, and behind it how many
// frames of the log are in the file.
const walMapped = walHeaders + 4

// openWALIndex returns nil if the connection does not have the file open.
func openWALIndex(file descriptor) *walIndex {
	if _, size, ok := identity(file); !ok || size < int64(walMapped) {
		return nil
	}
	mapped, err := syscall.Mmap(int(file.Fd()), 0, walMapped, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil
	}
	return &walIndex{mapped}
}

// header returns the header, unless a writer is just changing it. Nor is there
// one where another program has cut the file: reading it then is a memory
// fault, which would end the process if it were not made a panic.
func (x *walIndex) header() (first walHeader, ok bool) {
	if x == nil {
		return first, false
	}
	defer func(before bool) {
		debug.SetPanicOnFault(before)
		if recover() != nil {
			ok = false
		}
	}(debug.SetPanicOnFault(true))
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

// moved tells whether the log is as it was at this stamp, and all of its frames
// are in the file, written by checkpoints that are done with them.
func (x *walIndex) moved(stamp walHeader) (moved bool) {
	if now, known := x.header(); !known || now != stamp {
		return false
	}
	defer func(before bool) {
		debug.SetPanicOnFault(before)
		if recover() != nil {
			moved = false
		}
	}(debug.SetPanicOnFault(true))
	frames := atomic.LoadUint32((*uint32)(unsafe.Pointer(&x.mapped[walHeaders])))
	now, known := x.header()
	return known && now == stamp && frames == stamp.frames()
}

// frames is how many frames of the log belong to the state that the header is
// of.
func (h *walHeader) frames() uint32 { return (*[12]uint32)(unsafe.Pointer(h))[4] }

// pages is the size of the database in that state, in pages, or 0 if the log has
// always been empty.
func (h *walHeader) pages() uint32 { return (*[12]uint32)(unsafe.Pointer(h))[5] }

// pageSize is that of the database, in bytes.
func (h *walHeader) pageSize() int64 {
	n := int64((*[24]uint16)(unsafe.Pointer(h))[7])
	if n == 1 {
		return 64 << 10
	}
	return n
}

func (x *walIndex) close() {
	if x != nil {
		syscall.Munmap(x.mapped)
	}
}

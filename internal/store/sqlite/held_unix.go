//go:build linux || darwin

package sqlite

import (
	"os"
	"runtime"
	"syscall"
)

// fileID tells a file from every other as long as it is open.
type fileID struct{ dev, ino uint64 }

// identity returns the identity of an open file, and its size.
func identity(file descriptor) (id fileID, size int64, ok bool) {
	info, err := file.Stat()
	if err != nil {
		return id, 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return id, 0, false
	}
	return fileID{uint64(st.Dev), st.Ino}, st.Size, true
}

// identityAt returns the identity of the file at a path, and its size.
func identityAt(path string) (id fileID, size int64, err error) {
	var st syscall.Stat_t
	err = syscall.Stat(path, &st)
	return fileID{uint64(st.Dev), st.Ino}, st.Size, err
}

// ofdSetLock is the fcntl that sets locks of an open file, as the driver does.
var ofdSetLock = map[string]int{"linux": 37, "darwin": 90}[runtime.GOOS]

// unlock gives back the locks of a file that is still open. They would outlive
// its descriptor for as long as a part of the file is mapped.
func unlock(file descriptor) {
	lock := syscall.Flock_t{Type: syscall.F_UNLCK}
	syscall.FcntlFlock(file.Fd(), ofdSetLock, &lock)
}

// giveTo gives a file to the owner of another, where that is allowed.
func giveTo(f *os.File, other os.FileInfo) {
	if st, ok := other.Sys().(*syscall.Stat_t); ok {
		f.Chown(int(st.Uid), int(st.Gid))
	}
}

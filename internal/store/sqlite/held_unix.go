//go:build linux || darwin

package sqlite

import "syscall"

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

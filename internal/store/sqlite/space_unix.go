//go:build linux || darwin

package sqlite

import (
	"path/filepath"
	"syscall"
)

// freeSpace returns how many bytes the disk of a file has left for us, and
// whether it takes another file.
func freeSpace(path string) (bytes uint64, inodes, known bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(path), &st); err != nil {
		return 0, false, false
	}
	return st.Bavail * uint64(st.Bsize), st.Files == 0 || st.Ffree > 0, true
}

// sameDisk tells whether two folders are on one file system.
func sameDisk(a, b string) bool {
	var x, y syscall.Stat_t
	return syscall.Stat(a, &x) == nil && syscall.Stat(b, &y) == nil && x.Dev == y.Dev
}

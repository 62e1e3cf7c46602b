//go:build linux || darwin

package sqlite

import (
	"os"
	"syscall"
)

// canReserve tells whether a connection gets so many bytes of addresses.
func canReserve(n int64) bool {
	memory, err := syscall.Mmap(-1, 0, int(n), syscall.PROT_NONE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	return err == nil && syscall.Munmap(memory) == nil
}

// tryMap does what the driver does to map n bytes of a file: it asks for so much
// memory, and maps the file there.
func tryMap(f descriptor, n int64) bool {
	memory, err := syscall.Mmap(-1, 0, int(n), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil || syscall.Munmap(memory) != nil {
		return false
	}
	file, err := syscall.Mmap(int(f.Fd()), 0, os.Getpagesize(), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return false
	}
	return syscall.Munmap(file) == nil
}

// mappableBytes is how much of the file belongs to the snapshot that has begun, in
// bytes, and 0 if that is not known.
func (c *conn) mappableBytes() int64 {
	if !c.stamped || len(c.files) == 0 || c.files[0].path != c.path {
		return 0
	}
	_, size, _ := identity(c.files[0].file)
	if pages := int64(c.stamp.pages()) * c.stamp.pageSize(); pages > 0 { // else nobody has written to the log
		size = min(size, pages)
	}
	return size
}

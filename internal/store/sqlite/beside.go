package sqlite

import (
	"fmt"
	"io"
	"os"

	"columnvault/internal/store"
)

// beside are the endings of the files that SQLite keeps beside a database.
var beside = []string{"-wal", "-shm", "-journal"}

// inspectBeside refuses what is not a file under the names that SQLite would
// open: to open a pipe may take for ever, and a link leads elsewhere.
func inspectBeside(path string) error {
	for _, suffix := range beside {
		info, err := os.Lstat(path + suffix)
		if err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("%w: beside it, %s is not a regular file", store.ErrUnavailable, info.Name())
		}
	}
	return nil
}

// makeBeside creates the log and its index with the permissions that the
// database has, and not with those of a new file: who may not read one of them
// shall not read the others. SQLite, which would create them at this moment,
// takes them as they are, and deletes them with its last connection. What fails
// here, SQLite will tell of.
func makeBeside(path string) {
	info, err := os.Stat(path)
	if err != nil {
		return
	}
	for _, suffix := range beside[:2] {
		f, err := os.OpenFile(path+suffix, os.O_RDWR|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
		if err != nil {
			continue
		}
		f.Chmod(info.Mode().Perm()) // whatever the umask is
		giveTo(f, info)
		f.Close()
	}
}

// makeLog is makeBeside where the file says that it has a write-ahead log.
func makeLog(path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	var head [headerSize]byte
	if _, err := io.ReadFull(f, head[:]); err == nil && usesLog(head[:]) {
		makeBeside(path)
	}
}

// checkPath refuses a path that no file can have.
func checkPath(path string) error {
	for i := range len(path) {
		if path[i] == 0 {
			return fmt.Errorf("%w: the path has a zero byte", store.ErrInvalidArgument)
		}
	}
	// SQLite's own limit, with the longest ending.
	if most := 1024 - len("-journal") - 1; len(path) > most {
		return fmt.Errorf("%w: the path has %d bytes, and SQLite takes %d", store.ErrInvalidArgument, len(path), most)
	}
	return nil
}

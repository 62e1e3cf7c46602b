package sqlite

import (
	"fmt"
	"os"
)

// Readers map the file: SQLite then reads a page where the system has it in
// memory, and not through a system call into a cache of the connection. There is
// one such memory for all connections and processes, it survives commits, and
// the system takes it back when it needs it. What is in the write-ahead log still
// goes through the cache, and so does everything that a writer reads.
//
// Where the file cannot be read, because its disk fails or another program has
// cut it short, reading the map is a memory fault, which guard makes an error.
//
// SQLite looks at a page of a tree whenever it comes to it where pages are mapped,
// and once where they are cached. That doubles the time of a key-value pair, which
// is a walk down two trees, and is nothing to the elements of a column, which lie
// outside of trees. So pairs are read with the map out of use.

// maxMapped is the most that SQLite maps.
const maxMapped = 1 << 30

// mapping is what a connection maps of its file.
type mapping struct {
	// bytes are as much of the file as may be mapped, 0 for none.
	bytes int64
	// used says that pages come from the map now.
	used bool
	// pairs is how many readings of pairs have come since one of elements.
	pairs int
}

// mappedBytes is as much of the file as a new connection may map.
func (s *Store) mappedBytes() int64 {
	n := s.opts.MapBytes
	if n == 0 {
		n = memoryBytes() / 4
	}
	n = min(n, maxMapped) &^ (64<<10 - 1)
	if n <= 0 || !mappable(s.path, n) {
		return 0
	}
	return n
}

// mappable tells whether so much of a file can be mapped. What the driver cannot
// do it would report by a panic, at the first read.
func mappable(path string, n int64) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return tryMap(f, n)
}

// readsElements puts the map into use.
func (c *conn) readsElements() error {
	c.mapping.pairs = 0
	return c.useMap(true)
}

// readsPairs takes the map out of use. One pair among elements is not worth that.
func (c *conn) readsPairs() error {
	c.mapping.pairs++
	if c.mapping.pairs < 2 {
		return nil
	}
	return c.useMap(false)
}

func (c *conn) useMap(use bool) (err error) {
	if c.mapping.bytes == 0 || c.mapping.used == use {
		return nil
	}
	defer c.guard(&err, catchFaults())
	c.mapping.used = use
	n := int64(0)
	if use {
		n = c.mapping.bytes
	}
	return wrap(c.db.Exec(fmt.Sprintf(`PRAGMA mmap_size = %d`, n)))
}

package sqlite

import (
	"fmt"
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

// SQLite reads some bytes behind the end of a page, and behind the end of the file
// that is a fault too. So what is mapped ends with the file and with the snapshot,
// whichever is shorter: the file may be cut down to a snapshot that is read.

const (
	// maxMapped is the most that SQLite maps, and minMapped what is worth it.
	maxMapped, minMapped = 1 << 30, 1 << 20
	// unmappedReads is how many short reads a connection makes before it maps the
	// file: to map it, and to end that, costs as much as so many calls.
	unmappedReads = 8
)

// mapping is what a connection maps of its file.
type mapping struct {
	// most is as much of the file, in bytes, as there are addresses for.
	most int64
	// size is as much as is mapped when it is used, 0 for nothing yet. The driver
	// keeps the addresses of each size, so a connection has one.
	size int64
	// fits says that the snapshot and the file reach as far as that.
	fits bool
	// used says that pages come from the map now.
	used bool
	// tried says that the file was mapped before, for a trial.
	tried bool
	// short is how many short reads of elements have come, up to unmappedReads,
	// pairs how many readings of pairs since one of elements.
	short, pairs int
}

// mostMapped is as much of the file as a new connection may map.
func (s *Store) mostMapped() int64 {
	n := s.opts.MapBytes
	if n == 0 {
		n = memoryBytes() / 4
	}
	n = min(n, maxMapped) &^ (64<<10 - 1)
	if n < minMapped || !canReserve(maxMemory+n) {
		return 0
	}
	return n
}

// fitMap makes what is mapped fit the snapshot that has begun. The result is false
// if only a new connection can: the file has become much longer, or shorter.
func (c *conn) fitMap() (fits bool, err error) {
	m := &c.mapping
	size := min(c.mappableBytes(), m.most)
	if m.size == 0 && size >= minMapped {
		m.size = size
	}
	m.fits = m.size > 0 && size >= m.size
	if !m.fits {
		err = c.useMap(false)
	}
	return m.size == 0 || size == 0 || m.size <= size && size <= 2*m.size, err
}

// beginMapped is beginSnapshot and fitMap.
func (c *conn) beginMapped() (fits bool, err error) {
	if err := c.beginSnapshot(); err != nil {
		return true, err
	}
	return c.fitMap()
}

// readsElements puts the map into use for n bytes of elements. Long reads go past
// it: a call for each page costs them little, and the process has no memory of
// the file then that it needs no more.
func (c *conn) readsElements(n int) error {
	c.mapping.pairs = 0
	switch {
	case n <= smallRead && c.mapping.short < unmappedReads:
		c.mapping.short++
	case n <= smallRead:
		return c.useMap(true)
	case n >= blobPiece:
		return c.useMap(false)
	}
	return nil
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
	use = use && c.mapping.fits
	if c.mapping.used == use {
		return nil
	}
	if m := &c.mapping; use && !m.tried {
		// What the driver cannot do it would report by a panic, at the first read.
		m.tried = true
		if !tryMap(c.files[0].file, m.size) {
			m.most, m.fits = 0, false
			return nil
		}
	}
	defer c.guard(&err, catchFaults())
	c.mapping.used = use
	n := int64(0)
	if use {
		n = c.mapping.size
	}
	return wrap(c.db.Exec(fmt.Sprintf(`PRAGMA mmap_size = %d`, n)))
}

package structured

import (
	"errors"
	"fmt"
)

// Decoding can take far more memory than the bytes that are decoded: an empty
// map is one byte, and 64 in memory. So what a value takes is counted while it
// is decoded, and a value that takes more than it may is refused.
const (
	// roomAlways, roomPerByte and roomAtMost say how much memory, in bytes, the
	// decoding of a value may take.
	roomAlways  = 64 << 20
	roomPerByte = 16
	roomAtMost  = 1 << 30
	// roomFactor is how many times its bytes a value takes in memory at most,
	// if nothing in it is larger than widthLeast.
	roomFactor = 256
	widthLeast = 32
)

// ErrMemory is returned for a value that would take too much memory.
var ErrMemory = errors.New("decoding it takes too much memory")

// room is where a value is decoded: inside of how many others, and how much
// memory there is.
type room struct {
	depth int
	// left is nil where the value is so small that it fits, whatever it is.
	left *int
}

// roomFor is the room for a value of n bytes, in which nothing that there may be
// many of is larger than width.
func roomFor(n, width int) room {
	if n <= roomAlways/roomFactor*widthLeast/max(width, widthLeast) {
		return room{}
	}
	left := min(roomAlways+roomPerByte*n, roomAtMost)
	return room{left: &left}
}

// inner is the room for what lies inside the value.
func (r room) inner() room { return room{r.depth + 1, r.left} }

// take counts n bytes that are about to be allocated.
func (r room) take(n int) error {
	if r.left == nil {
		return nil
	}
	if *r.left -= n; *r.left < 0 {
		return fmt.Errorf("%w: more than %d bytes for each of its own, or more than %d MiB", ErrMemory, roomPerByte, roomAtMost>>20)
	}
	return nil
}

// grow returns how many elements more a list should have room for that has n
// and no room left, if that is limited, else 0. claim is how many it says that
// it has, 0 if it does not. It counts them.
func (r room) grow(n int, claim uint64, size int) (more int, err error) {
	if r.left == nil {
		return 0, nil
	}
	more = max(n, 4)
	if claim > uint64(n) {
		more = int(claim) - n // all at once, which takes less than growing does
	}
	return more, r.take((n + more) * size)
}

// What Go's maps take in memory, about: a map without pairs, one of up to eight
// beside their keys and values, and the factor by which larger ones are larger
// than their keys and values, with all that is given up while they grow.
const (
	emptyMap  = 48
	smallMap  = 24
	smallest  = 8
	mapFactor = 5
)

// pair counts the pair i of a map, whose key and value take size bytes.
func (r room) pair(i, size int) error {
	switch {
	case i == 0:
		return r.take(smallMap + smallest*size)
	case i < smallest:
		return nil
	}
	return r.take(mapFactor * size)
}

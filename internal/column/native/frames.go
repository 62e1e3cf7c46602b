package native

import (
	"sync"

	"columnvault/internal/store"
)

// DefaultFrameBytes is how many bytes of frames a [Cache] keeps decoded unless it
// says otherwise, and ownFrameBytes how many one transaction that writes does.
const (
	DefaultFrameBytes = 8 << 20
	ownFrameBytes     = 512 << 10
)

// frames keeps frames of compressed runs that are decoded, and what stands in front
// of them, up to a number of bytes. It is safe for concurrent use.
type frames struct {
	mu    sync.Mutex
	known map[frameKey]*frame
	// ring has all of them; the hand goes around and takes those out that were not
	// used since it came by.
	ring  []*frame
	hand  int
	bytes int64
}

// frameKey says which frame. Frames are written only together with a change of the
// structure, so what is kept for another one is never found again.
type frameKey struct {
	id             store.ColumnID
	structure, run int64
	index          int
}

// headIndex is the index of what stands in front of the frames.
const headIndex = -1

// frame is a frame that is decoded. Its bytes do not change.
type frame struct {
	key   frameKey
	bytes []byte
	used  bool
}

// get returns what is kept, nil for nothing.
func (f *frames) get(key frameKey) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	found := f.known[key]
	if found == nil {
		return nil
	}
	found.used = true
	return found.bytes
}

// put keeps bytes, from now on unchanged, as long as there is room for them in
// limit bytes.
func (f *frames) put(key frameKey, bytes []byte, limit int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	size := int64(len(bytes))
	if size > limit || f.known[key] != nil {
		return
	}
	for f.bytes+size > limit {
		f.hand %= len(f.ring)
		if old := f.ring[f.hand]; old.used {
			old.used = false
			f.hand++
			continue
		}
		f.remove(f.hand)
	}
	if f.known == nil {
		f.known = map[frameKey]*frame{}
	}
	added := &frame{key: key, bytes: bytes}
	f.known[key] = added
	f.ring = append(f.ring, added)
	f.bytes += size
}

// remove takes a frame out of the ring.
func (f *frames) remove(k int) {
	old, last := f.ring[k], len(f.ring)-1
	delete(f.known, old.key)
	f.bytes -= int64(len(old.bytes))
	f.ring[k], f.ring[last] = f.ring[last], nil
	f.ring = f.ring[:last]
}

// clear forgets everything.
func (f *frames) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.known)
	clear(f.ring)
	f.ring, f.hand, f.bytes = f.ring[:0], 0, 0
}

// kept is where frames are kept, and up to how many bytes. A transaction that
// writes has frames of its own: to it, a structure can mean different things.
func (c *Column) kept(r store.Reader) (*frames, int64) {
	if _, writes := r.(store.Tx); writes || c.cache == nil {
		return &c.coding().own, ownFrameBytes
	}
	limit := c.cache.FrameBytes
	if limit == 0 {
		limit = DefaultFrameBytes
	}
	return &c.cache.frames, limit
}

package column

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// digestBuffer is how many bytes are collected before they are hashed: elements
// are small, and a call for each costs more than the hash.
const digestBuffer = 32 << 10

// Digest is the SHA-256 over parts, each with its length before it in 32 bits,
// little-endian. The first part says what the others are.
type Digest struct {
	hash hash.Hash
	buf  []byte
}

// NewDigest returns a digest whose first part is what.
func NewDigest(what string) *Digest {
	d := &Digest{hash: sha256.New()}
	d.Part([]byte(what))
	return d
}

// Begin adds the length of a part.
func (d *Digest) Begin(n int) {
	if len(d.buf)+4 > digestBuffer {
		d.flush()
	}
	d.buf = binary.LittleEndian.AppendUint32(d.buf, uint32(n))
}

// More adds bytes of the part.
func (d *Digest) More(p []byte) {
	if len(d.buf)+len(p) > digestBuffer {
		d.flush()
	}
	if len(p) > digestBuffer {
		d.hash.Write(p)
		return
	}
	d.buf = append(d.buf, p...)
}

// Part adds a part.
func (d *Digest) Part(p []byte) {
	d.Begin(len(p))
	d.More(p)
}

// Elements adds elements of this size, 0 for those of varying size, each of which
// is a part.
func (d *Digest) Elements(size int, e *Elements) {
	for k := range e.Count(size) {
		d.Part(e.At(size, k))
	}
}

func (d *Digest) flush() {
	d.hash.Write(d.buf)
	d.buf = d.buf[:0]
}

// Sum is the digest of all parts.
func (d *Digest) Sum() []byte {
	d.flush()
	return d.hash.Sum(nil)
}

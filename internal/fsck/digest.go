package fsck

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"

	"columnvault/internal/column"
)

const minNumber, maxNumber = math.MinInt64, math.MaxInt64

// digestBuffer is how many bytes are collected before they are hashed: elements
// are small, and a call for each costs more than the hash.
const digestBuffer = 32 << 10

// digest is the SHA-256 over parts, each with its length before it in 32 bits,
// little-endian. The first part says what the others are.
type digest struct {
	hash hash.Hash
	buf  []byte
}

func (c *checker) newDigest(what string) *digest {
	if c.buf == nil {
		c.buf = make([]byte, 0, digestBuffer)
	}
	d := &digest{hash: sha256.New(), buf: c.buf[:0]}
	d.part([]byte(what))
	return d
}

// begin adds the length of a part.
func (d *digest) begin(n int) {
	if len(d.buf)+4 > cap(d.buf) {
		d.flush()
	}
	d.buf = binary.LittleEndian.AppendUint32(d.buf, uint32(n))
}

// more adds bytes of the part.
func (d *digest) more(p []byte) {
	if len(d.buf)+len(p) > cap(d.buf) {
		d.flush()
	}
	if len(p) > cap(d.buf) {
		d.hash.Write(p)
		return
	}
	d.buf = append(d.buf, p...)
}

func (d *digest) part(p []byte) {
	d.begin(len(p))
	d.more(p)
}

func (d *digest) elements(size int, b *column.Elements) {
	for k := range b.Count(size) {
		d.part(b.At(size, k))
	}
}

func (d *digest) flush() {
	d.hash.Write(d.buf)
	d.buf = d.buf[:0]
}

func (d *digest) sum() []byte {
	d.flush()
	return d.hash.Sum(nil)
}

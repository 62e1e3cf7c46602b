// Package block compresses and decompresses the blocks of files whose format
// says how large each is: it takes no more memory than that, whatever the bytes
// claim.
package block

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// MaxSize is the largest block in bytes.
const MaxSize = 256 << 20

// ErrDamaged is returned for bytes that are not what they should be.
var ErrDamaged = errors.New("a compressed block is damaged")

// decoder is made when it is needed first.
var decoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxSize), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err) // the options are valid
	}
	return d
})

// check looks whether a block has the size that was announced.
func check(dst []byte, size int, err error) ([]byte, error) {
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	case len(dst) != size:
		return nil, fmt.Errorf("%w: it has %d bytes in place of %d", ErrDamaged, len(dst), size)
	}
	return dst, nil
}

// Zstd decompresses a block of size bytes into the memory of dst, if it fits.
func Zstd(dst, src []byte, size int) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(src); err == nil && h.HasFCS && h.FrameContentSize > uint64(size) {
		return check(nil, size, errors.New("it is larger than announced"))
	}
	dst, err := decoder().DecodeAll(src, dst[:0])
	return check(dst, size, err)
}

// Snappy decompresses a block of size bytes.
func Snappy(dst, src []byte, size int) ([]byte, error) {
	if n, err := snappy.DecodedLen(src); err != nil || n != size {
		return check(nil, size, errors.Join(err, errors.New("it is not as large as announced")))
	}
	dst, err := snappy.Decode(dst[:cap(dst)], src)
	return check(dst, size, err)
}

// Gzip decompresses a block of size bytes.
func Gzip(dst, src []byte, size int) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(src))
	if err != nil {
		return check(nil, size, err)
	}
	b := bytes.NewBuffer(dst[:0])
	_, err = io.Copy(b, io.LimitReader(r, int64(size)+1))
	return check(b.Bytes(), size, err)
}

// HadoopLZ4 decompresses a block of size bytes that Hadoop has framed, or one
// of LZ4 without that.
func HadoopLZ4(dst, src []byte, size int) ([]byte, error) {
	framed, rest := dst[:0], src
	for len(rest) >= 8 {
		whole, packed := binary.BigEndian.Uint32(rest), binary.BigEndian.Uint32(rest[4:])
		if uint64(packed) > uint64(len(rest)-8) || uint64(whole) > uint64(size-len(framed)) {
			break
		}
		part, err := appendLZ4(framed, rest[8:8+packed], len(framed)+int(whole), len(framed))
		if err != nil {
			break
		}
		framed, rest = part, rest[8+packed:]
	}
	if len(rest) == 0 && len(framed) == size {
		return framed, nil
	}
	return LZ4(dst, src, size)
}

// LZ4 decompresses a block of LZ4 of size bytes.
func LZ4(dst, src []byte, size int) ([]byte, error) {
	dst, err := appendLZ4(dst[:0], src, size, 0)
	return check(dst, size, err)
}

// appendLZ4 decompresses a block, until dst has at most size bytes. Matches
// reach back to start.
func appendLZ4(dst, src []byte, size, start int) ([]byte, error) {
	for len(src) > 0 {
		token := src[0]
		src = src[1:]
		literals, rest, ok := lz4Len(src, int(token>>4))
		if !ok || literals > len(rest) || literals > size-len(dst) {
			return dst, ErrDamaged
		}
		dst, src = append(dst, rest[:literals]...), rest[literals:]
		if len(src) == 0 {
			return dst, nil
		}
		if len(src) < 2 {
			return dst, ErrDamaged
		}
		back := int(src[0]) | int(src[1])<<8
		match, rest, ok := lz4Len(src[2:], int(token&15))
		if match += 4; !ok || back == 0 || back > len(dst)-start || match > size-len(dst) {
			return dst, ErrDamaged
		}
		src = rest
		for match > 0 { // what is copied may overlap what it is copied to
			n := min(match, back)
			from := len(dst) - back
			dst = append(dst, dst[from:from+n]...)
			match -= n
		}
	}
	return dst, nil
}

func lz4Len(src []byte, n int) (int, []byte, bool) {
	if n < 15 {
		return n, src, true
	}
	for {
		if len(src) == 0 || n > MaxSize {
			return 0, nil, false
		}
		c := src[0]
		src = src[1:]
		n += int(c)
		if c < 255 {
			return n, src, true
		}
	}
}

package arrow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"columnvault/exchange/arrow/internal/flat"
	"columnvault/exchange/internal/block"
)

const magic = "ARROW1"

// The bounds of what a file can make the reader take.
const (
	maxMetadata = 64 << 20
	maxHeld     = 256 << 20
)

var errEarly = errors.New("the file ends early")

// file is a file as messages.
type file struct {
	r    io.ReaderAt
	size int64
	read int64
	held int64 // bytes that were decompressed
}

// readAt reads bytes that must be there.
func (f *file) readAt(p []byte, at int64) error {
	if at < 0 || int64(len(p)) > f.size-at {
		return errEarly
	}
	n, err := f.r.ReadAt(p, at)
	f.read += int64(n)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// message is a message, of which the body is not read yet.
type message struct {
	header byte
	table  flat.Table
	buffer *flat.Buffer
	at     int64 // of the body
	size   int64
	next   int64 // where the next message is
}

// message reads the message at a place. At the end of a stream it is io.EOF.
func (f *file) message(at int64) (*message, error) {
	start := at
	if at == f.size {
		return nil, io.EOF // a stream may end without saying so
	}
	var word [4]byte
	if err := f.readAt(word[:], at); err != nil {
		return nil, err
	}
	at += 4
	if binary.LittleEndian.Uint32(word[:]) == 0xffffffff {
		if err := f.readAt(word[:], at); err != nil {
			return nil, err
		}
		at += 4
	}
	n := int64(binary.LittleEndian.Uint32(word[:]))
	if n == 0 {
		return nil, io.EOF
	}
	if n > maxMetadata || n > f.size-at {
		return nil, errEarly
	}
	b := make([]byte, n)
	if err := f.readAt(b, at); err != nil {
		return nil, err
	}
	buffer, t := flat.Root(b)
	m := &message{header: t.Byte(1), table: t.Table(2), buffer: buffer, at: at + n, size: t.Int64(3)}
	if err := buffer.Err(); err != nil {
		return nil, fmt.Errorf("the message at byte %d: %w", start, err)
	}
	if m.size < 0 || m.size > f.size-m.at {
		return nil, errEarly
	}
	m.next = m.at + m.size
	return m, nil
}

// place is where a message is in the file.
type place int64

// footer returns the schema of a file, and where its dictionaries and batches
// are.
func (f *file) footer() (schema flat.Table, buffer *flat.Buffer, dicts, batches []place, err error) {
	var tail [10]byte
	if err := f.readAt(tail[:], f.size-int64(len(tail))); err != nil {
		return schema, nil, nil, nil, err
	}
	if string(tail[4:]) != magic {
		return schema, nil, nil, nil, fmt.Errorf("%w: its end is missing", errEarly)
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if n > maxMetadata || n > f.size-int64(len(tail)) {
		return schema, nil, nil, nil, errEarly
	}
	b := make([]byte, n)
	if err := f.readAt(b, f.size-int64(len(tail))-n); err != nil {
		return schema, nil, nil, nil, err
	}
	buffer, t := flat.Root(b)
	schema = t.Table(1)
	for _, s := range t.Structs(2, 3) {
		dicts = append(dicts, place(s[0]))
	}
	for _, s := range t.Structs(3, 3) {
		batches = append(batches, place(s[0]))
	}
	return schema, buffer, dicts, batches, buffer.Err()
}

// buffer is the bytes of an array: in the file, or decompressed.
type buffer struct {
	file     *file
	at, size int64
	codec    int // -1 if the bytes are not compressed
	memory   []byte
	raw      []byte // memory for what was read last
}

// bytes returns n bytes from a place on. They are valid until the next call.
func (b *buffer) bytes(from, n int64) ([]byte, error) {
	if b.codec >= 0 && b.memory == nil {
		if err := b.unpack(); err != nil {
			return nil, err
		}
	}
	if from < 0 || n < 0 {
		return nil, errDamaged
	}
	if b.memory != nil {
		if n > int64(len(b.memory))-from {
			return nil, errDamaged
		}
		return b.memory[from : from+n : from+n], nil
	}
	if n > b.size-from {
		return nil, errDamaged
	}
	if int64(cap(b.raw)) < n {
		b.raw = make([]byte, n)
	}
	b.raw = b.raw[:n]
	return b.raw, b.file.readAt(b.raw, b.at+from)
}

var errDamaged = errors.New("a record batch is damaged")

// unpack decompresses the buffer.
func (b *buffer) unpack() error {
	b.memory = []byte{}
	if b.size == 0 {
		return nil
	}
	if b.size < 8 || b.size > block.MaxSize {
		return errDamaged
	}
	packed := make([]byte, b.size)
	if err := b.file.readAt(packed, b.at); err != nil {
		return err
	}
	n := int64(binary.LittleEndian.Uint64(packed))
	packed = packed[8:]
	if n == -1 { // not compressed after all
		n = int64(len(packed))
	} else if n < 0 || n > block.MaxSize {
		return errDamaged
	} else if b.file.held+n <= maxHeld {
		var err error
		decode := block.LZ4Frame
		if b.codec == int(codecZstd) {
			decode = block.Zstd
		}
		if packed, err = decode(nil, packed, int(n)); err != nil {
			return err
		}
	}
	if b.file.held += n; b.file.held > maxHeld {
		return fmt.Errorf("the buffers of a record batch take more than %d MiB", maxHeld>>20)
	}
	b.memory = packed
	return nil
}

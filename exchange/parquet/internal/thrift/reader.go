// Package thrift reads and writes the compact protocol of Thrift, in which the
// metadata of Parquet files is written.
package thrift

import (
	"encoding/binary"
	"errors"
)

// Type is the type of a field or of the elements of a list.
type Type byte

// The types.
const (
	stop   Type = 0
	True   Type = 1 // a boolean field that is true, and the type of booleans in lists
	False  Type = 2
	Byte   Type = 3
	I16    Type = 4
	I32    Type = 5
	I64    Type = 6
	Double Type = 7
	Binary Type = 8
	List   Type = 9
	Set    Type = 10
	Map    Type = 11
	Struct Type = 12
)

var (
	// ErrShort is returned if the bytes end within a value.
	ErrShort = errors.New("the metadata ends early")
	// ErrSyntax is returned for what is not the compact protocol.
	ErrSyntax = errors.New("the metadata is damaged")
)

// maxDepth bounds structs and lists inside each other.
const maxDepth = 32

// Reader reads values from bytes. After an error all values are zero, and Err
// returns it.
type Reader struct {
	b     []byte
	at    int
	depth int
	err   error
}

// NewReader returns a reader of b.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Err is the first error.
func (r *Reader) Err() error { return r.err }

// Pos is how many bytes were read.
func (r *Reader) Pos() int { return r.at }

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *Reader) byte() byte {
	if r.err != nil || r.at >= len(r.b) {
		r.fail(ErrShort)
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

func (r *Reader) uvarint() uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.b[r.at:])
	switch {
	case n == 0:
		r.fail(ErrShort)
		return 0
	case n < 0:
		r.fail(ErrSyntax)
		return 0
	}
	r.at += n
	return v
}

// Int reads an integer of any width but a byte.
func (r *Reader) Int() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// Byte reads a byte as a number.
func (r *Reader) Byte() int { return int(int8(r.byte())) }

// Bytes reads a binary or a string, which lies in the memory that is read.
func (r *Reader) Bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)-r.at) {
		r.fail(ErrShort)
	}
	if r.err != nil {
		return nil
	}
	r.at += int(n)
	return r.b[r.at-int(n) : r.at : r.at]
}

// String reads a string.
func (r *Reader) String() string { return string(r.Bytes()) }

// Struct reads a struct: field is called for each field, and reads its value, or
// returns false for it to be skipped.
func (r *Reader) Struct(field func(id int, t Type) bool) {
	if !r.enter() {
		return
	}
	defer r.leave()
	id := 0
	for r.err == nil {
		head := r.byte()
		t := Type(head & 15)
		if t == stop {
			return
		}
		if delta := int(head >> 4); delta != 0 {
			id += delta
		} else {
			id = int(int16(r.Int()))
		}
		if r.err == nil && !field(id, t) {
			r.skip(t, false)
		}
	}
}

// List reads a list: begin is called with the number of its elements, which is
// at most that of the bytes that are left, and element for each of them.
func (r *Reader) List(begin func(n int), element func(i int)) {
	if !r.enter() {
		return
	}
	defer r.leave()
	n, _ := r.listHead()
	if r.err != nil {
		return
	}
	begin(n)
	for i := 0; i < n && r.err == nil; i++ {
		element(i)
	}
}

func (r *Reader) listHead() (n int, t Type) {
	head := r.byte()
	size := uint64(head >> 4)
	if size == 15 {
		size = r.uvarint()
	}
	if size > uint64(len(r.b)-r.at) {
		r.fail(ErrShort)
		return 0, 0
	}
	return int(size), Type(head & 15)
}

func (r *Reader) enter() bool {
	if r.depth == maxDepth {
		r.fail(ErrSyntax)
	}
	if r.err != nil {
		return false
	}
	r.depth++
	return true
}

func (r *Reader) leave() { r.depth-- }

// skip skips a value. Booleans take a byte in lists and none in structs.
func (r *Reader) skip(t Type, inList bool) {
	switch t {
	case True, False:
		if inList {
			r.byte()
		}
	case Byte:
		r.byte()
	case I16, I32, I64:
		r.uvarint()
	case Double:
		r.skipBytes(8)
	case Binary:
		r.Bytes()
	case Struct:
		r.Struct(func(int, Type) bool { return false })
	case List, Set:
		if !r.enter() {
			return
		}
		defer r.leave()
		n, element := r.listHead()
		for i := 0; i < n && r.err == nil; i++ {
			r.skip(element, true)
		}
	case Map:
		r.skipMap()
	default:
		r.fail(ErrSyntax)
	}
}

func (r *Reader) skipBytes(n int) {
	if n > len(r.b)-r.at {
		r.fail(ErrShort)
		return
	}
	r.at += n
}

func (r *Reader) skipMap() {
	if !r.enter() {
		return
	}
	defer r.leave()
	n := r.uvarint()
	if n == 0 || r.err != nil {
		return
	}
	types := r.byte()
	for i := uint64(0); i < n && r.err == nil; i++ {
		r.skip(Type(types>>4), true)
		r.skip(Type(types&15), true)
	}
}

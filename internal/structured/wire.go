package structured

import (
	"encoding/binary"
	"errors"
)

// Format is a byte format.
type Format uint8

// The formats.
const (
	MsgPack Format = iota
	CBOR
	jsonItems // what stands for JSON text inside this package, see json.go
)

// String is also the key of the struct tags that belong to the format.
func (f Format) String() string { return [...]string{"msgpack", "cbor", "json"}[f] }

func (f Format) wire() wire {
	return [...]wire{msgpackWire{}, cborWire{}, jsonWire{}}[f]
}

// wire writes and reads the items of one format, and knows nothing of Go types.
type wire interface {
	format() Format
	// maxDepth is how many arrays and maps may lie inside each other, chosen so
	// that Python's reader takes what we write.
	maxDepth() int

	appendNil(dst []byte) []byte
	appendBool(dst []byte, b bool) []byte
	appendInt(dst []byte, n int64) []byte
	appendUint(dst []byte, n uint64) []byte
	appendFloat(dst []byte, f float64) []byte
	// The heads of text, arrays and maps take lengths up to maxLen; the content
	// follows.
	appendText(dst []byte, n int) []byte
	appendArray(dst []byte, n int) []byte
	appendMap(dst []byte, n int) []byte

	// readHead reads the head of the item at src[at:] and returns where its
	// content, or the next item, begins.
	readHead(src []byte, at int) (head, int, error)
}

// maxLen bounds the length of a text, array or map: what an int can count
// everywhere. A column element is far smaller.
const maxLen = 1<<31 - 1

// A head is the first part of an item: its kind with the value of a scalar or
// the length of anything else.
type head struct {
	kind kind
	// indefinite: the content ends at a break byte and n is 0. Only CBOR has
	// this.
	indefinite bool
	// n is 0 or 1 for a boolean, the value of an integer (negative: the bits of
	// the int64), the bits of a float64, or the number of bytes, elements or
	// pairs that follow. readHead has compared that number with what is left of
	// the data: n elements have at least n bytes.
	n uint64
}

type kind uint8

const (
	nilKind kind = iota
	boolKind
	uintKind
	negativeKind // an integer below zero
	floatKind
	textKind
	arrayKind
	mapKind
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "an integer", "a negative integer", "a float", "text", "an array", "a map"}[k]
}

var errTruncated = errors.New("the data ends inside the value")

// sizedHead makes the head of something n bytes, elements or pairs long whose
// content begins at src[at:]; each of them takes at least width bytes. The
// check keeps a damaged length from being believed.
func sizedHead(k kind, n uint64, width int, src []byte, at int) (head, int, error) {
	if n > uint64((len(src)-at)/width) {
		return head{}, at, errTruncated
	}
	return head{kind: k, n: n}, at, nil
}

// more reports whether an array or map with head h has another element after
// the first i, and where it begins.
func (h head) more(src []byte, at, i int) (bool, int) {
	if !h.indefinite {
		return uint64(i) < h.n, at
	}
	if at < len(src) && src[at] == cborBreak {
		return false, at + 1
	}
	return true, at
}

// bigEndian reads an unsigned number of 1, 2, 4 or 8 bytes at src[at:].
func bigEndian(src []byte, at, width int) (n uint64, next int, err error) {
	if len(src)-at < width {
		return 0, at, errTruncated
	}
	switch src = src[at : at+width]; width {
	case 1:
		n = uint64(src[0])
	case 2:
		n = uint64(binary.BigEndian.Uint16(src))
	case 4:
		n = uint64(binary.BigEndian.Uint32(src))
	case 8:
		n = binary.BigEndian.Uint64(src)
	}
	return n, at + width, nil
}

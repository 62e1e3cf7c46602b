package structured

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/x448/float16"
)

// cborWire is CBOR (RFC 8949).
type cborWire struct{}

func (cborWire) format() Format { return CBOR }
func (cborWire) maxDepth() int  { return 256 }

// The major types, in the upper three bits of an item's first byte.
const (
	cborUint     = 0 << 5
	cborNegative = 1 << 5
	cborBytes    = 2 << 5
	cborText     = 3 << 5
	cborArray    = 4 << 5
	cborMap      = 5 << 5
	cborTag      = 6 << 5
	cborSimple   = 7 << 5 // simple values and floats
)

// Whole first bytes.
const (
	cborFalse     = cborSimple | 20
	cborTrue      = cborSimple | 21
	cborNull      = cborSimple | 22
	cborUndefined = cborSimple | 23
	cborFloat16   = cborSimple | 25
	cborFloat32   = cborSimple | 26
	cborFloat64   = cborSimple | 27
	cborBreak     = cborSimple | 31
)

// appendArgument appends a first byte of the major type and its argument in the
// shortest form.
func appendArgument(dst []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(dst, major|byte(n))
	case n <= math.MaxUint8:
		return append(dst, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, major|27), n)
}

func (cborWire) appendNil(dst []byte) []byte { return append(dst, cborNull) }

func (cborWire) appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, cborTrue)
	}
	return append(dst, cborFalse)
}

func (cborWire) appendInt(dst []byte, n int64) []byte {
	if n < 0 {
		return appendArgument(dst, cborNegative, uint64(-1-n))
	}
	return appendArgument(dst, cborUint, uint64(n))
}

func (cborWire) appendUint(dst []byte, n uint64) []byte {
	return appendArgument(dst, cborUint, n)
}

// appendFloat writes the shortest of the three widths that holds f exactly.
func (cborWire) appendFloat(dst []byte, f float64) []byte {
	single := float32(f)
	if float64(single) != f {
		return binary.BigEndian.AppendUint64(append(dst, cborFloat64), math.Float64bits(f))
	}
	half := float16.Fromfloat32(single)
	if half.Float32() != single {
		return binary.BigEndian.AppendUint32(append(dst, cborFloat32), math.Float32bits(single))
	}
	return binary.BigEndian.AppendUint16(append(dst, cborFloat16), half.Bits())
}

func (cborWire) appendText(dst []byte, n int) []byte { return appendArgument(dst, cborText, uint64(n)) }
func (cborWire) appendArray(dst []byte, n int) []byte {
	return appendArgument(dst, cborArray, uint64(n))
}
func (cborWire) appendMap(dst []byte, n int) []byte { return appendArgument(dst, cborMap, uint64(n)) }

var (
	errCBORBytes = errors.New("CBOR byte strings are outside the JSON model")
	errCBORRange = errors.New("the integer is outside -2^63 .. 2^64-1")
)

func (w cborWire) readHead(src []byte, at int) (head, int, error) {
	if at >= len(src) {
		return head{}, at, errTruncated
	}
	first := src[at]
	at++
	major, info := first&(7<<5), first&31
	if major == cborSimple {
		return w.readSimple(first, src, at)
	}
	if info == 31 {
		switch major {
		case cborText:
			return head{kind: textKind, indefinite: true}, at, nil
		case cborArray:
			return head{kind: arrayKind, indefinite: true}, at, nil
		case cborMap:
			return head{kind: mapKind, indefinite: true}, at, nil
		}
	}
	n, at, err := readArgument(info, src, at)
	if err != nil {
		return head{}, at, err
	}
	switch major {
	case cborUint:
		return head{kind: uintKind, n: n}, at, nil
	case cborNegative:
		return negativeHead(n, at)
	case cborText:
		return sizedHead(textKind, n, 1, src, at)
	case cborArray:
		return sizedHead(arrayKind, n, 1, src, at)
	case cborMap:
		return sizedHead(mapKind, n, 2, src, at)
	case cborTag:
		return readBignum(n, src, at)
	}
	return head{}, at, errCBORBytes
}

// readArgument reads the argument that info, the lower five bits of a first
// byte, announces at src[at:].
func readArgument(info byte, src []byte, at int) (uint64, int, error) {
	switch {
	case info < 24:
		return uint64(info), at, nil
	case info <= 27:
		return bigEndian(src, at, 1<<(info-24))
	}
	return 0, at, fmt.Errorf("CBOR additional information %d has no meaning here", info)
}

// negativeHead is the head of the integer -1-n.
func negativeHead(n uint64, at int) (head, int, error) {
	if n > math.MaxInt64 {
		return head{}, at, errCBORRange
	}
	return head{kind: negativeKind, n: ^n}, at, nil // ^n is -1-n in two's complement
}

// readSimple reads what follows a first byte of major type 7: a simple value or
// a float.
func (cborWire) readSimple(first byte, src []byte, at int) (head, int, error) {
	switch first {
	case cborFalse, cborTrue:
		return head{kind: boolKind, n: uint64(first - cborFalse)}, at, nil
	case cborNull, cborUndefined:
		return head{kind: nilKind}, at, nil
	case cborFloat16, cborFloat32, cborFloat64:
		n, at, err := bigEndian(src, at, 2<<(first-cborFloat16))
		switch first {
		case cborFloat16:
			n = math.Float64bits(float64(float16.Frombits(uint16(n)).Float32()))
		case cborFloat32:
			n = math.Float64bits(float64(math.Float32frombits(uint32(n))))
		}
		return head{kind: floatKind, n: n}, at, err
	case cborBreak:
		return head{}, at, errors.New("a CBOR break where a value should be")
	}
	return head{}, at, fmt.Errorf("CBOR simple value %#x is outside the JSON model", first)
}

// readBignum reads the content of tag 2 or 3: an integer as a byte string,
// which encoders use above 64 bits and some use below. Other tags (dates, for
// example) are outside the JSON model.
func readBignum(tag uint64, src []byte, at int) (head, int, error) {
	if tag != 2 && tag != 3 {
		return head{}, at, fmt.Errorf("CBOR tag %d is outside the JSON model", tag)
	}
	if at >= len(src) {
		return head{}, at, errTruncated
	}
	if src[at]&(7<<5) != cborBytes {
		return head{}, at, fmt.Errorf("CBOR tag %d without a byte string", tag)
	}
	size, at, err := readArgument(src[at]&31, src, at+1)
	if err != nil {
		return head{}, at, err
	}
	if size > uint64(len(src)-at) {
		return head{}, at, errTruncated
	}
	var n uint64
	for _, b := range src[at : at+int(size)] {
		if n>>56 != 0 {
			return head{}, at, errCBORRange
		}
		n = n<<8 | uint64(b)
	}
	at += int(size)
	if tag == 3 {
		return negativeHead(n, at)
	}
	return head{kind: uintKind, n: n}, at, nil
}

// readChunks reads a text of indefinite length: pieces of definite length up to
// a break.
func readChunks(src []byte, at int) (string, int, error) {
	var text strings.Builder
	for {
		if at >= len(src) {
			return "", at, errTruncated
		}
		if src[at] == cborBreak {
			return text.String(), at + 1, nil
		}
		h, next, err := cborWire{}.readHead(src, at)
		if err != nil {
			return "", at, err
		}
		if h.kind != textKind || h.indefinite {
			return "", at, errors.New("a CBOR text of indefinite length holds something other than text")
		}
		piece, next, err := readText(src, next, h)
		if err != nil {
			return "", at, err
		}
		text.WriteString(piece)
		at = next
	}
}

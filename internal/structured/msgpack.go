package structured

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// msgpackWire is MessagePack
// (https://github.com/msgpack/msgpack/blob/master/spec.md).
type msgpackWire struct{}

func (msgpackWire) format() Format { return MsgPack }
func (msgpackWire) maxDepth() int  { return 1023 }

func (msgpackWire) appendNil(dst []byte) []byte { return append(dst, 0xc0) }

func (msgpackWire) appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 0xc3)
	}
	return append(dst, 0xc2)
}

func (w msgpackWire) appendInt(dst []byte, n int64) []byte {
	switch {
	case n >= 0:
		return w.appendUint(dst, uint64(n))
	case n >= -32:
		return append(dst, byte(n))
	case n >= math.MinInt8:
		return append(dst, 0xd0, byte(n))
	case n >= math.MinInt16:
		return binary.BigEndian.AppendUint16(append(dst, 0xd1), uint16(n))
	case n >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(dst, 0xd2), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xd3), uint64(n))
}

func (msgpackWire) appendUint(dst []byte, n uint64) []byte {
	switch {
	case n <= 0x7f:
		return append(dst, byte(n))
	case n <= math.MaxUint8:
		return append(dst, 0xcc, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, 0xcd), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, 0xce), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xcf), n)
}

// appendFloat always writes 64 bits, as the Python package does.
func (msgpackWire) appendFloat(dst []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, 0xcb), math.Float64bits(f))
}

func (msgpackWire) appendText(dst []byte, n int) []byte {
	switch {
	case n <= 31:
		return append(dst, 0xa0|byte(n))
	case n <= math.MaxUint8:
		return append(dst, 0xd9, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, 0xda), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, 0xdb), uint32(n))
}

func (msgpackWire) appendArray(dst []byte, n int) []byte {
	switch {
	case n <= 15:
		return append(dst, 0x90|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, 0xdc), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, 0xdd), uint32(n))
}

func (msgpackWire) appendMap(dst []byte, n int) []byte {
	switch {
	case n <= 15:
		return append(dst, 0x80|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, 0xde), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, 0xdf), uint32(n))
}

var (
	errMsgPackBin = errors.New("MessagePack bin (raw bytes) is outside the JSON model")
	errMsgPackExt = errors.New("MessagePack extension types, timestamps among them, are outside the JSON model")
)

func (msgpackWire) readHead(src []byte, at int) (head, int, error) {
	if at >= len(src) {
		return head{}, at, errTruncated
	}
	b := src[at]
	at++
	switch {
	case b <= 0x7f:
		return head{kind: uintKind, n: uint64(b)}, at, nil
	case b <= 0x8f:
		return sizedHead(mapKind, uint64(b&0x0f), 2, src, at)
	case b <= 0x9f:
		return sizedHead(arrayKind, uint64(b&0x0f), 1, src, at)
	case b <= 0xbf:
		return sizedHead(textKind, uint64(b&0x1f), 1, src, at)
	case b >= 0xe0:
		return head{kind: negativeKind, n: uint64(int8(b))}, at, nil
	}

	switch b {
	case 0xc0:
		return head{kind: nilKind}, at, nil
	case 0xc2, 0xc3:
		return head{kind: boolKind, n: uint64(b & 1)}, at, nil
	case 0xc4, 0xc5, 0xc6:
		return head{}, at, errMsgPackBin
	case 0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8:
		return head{}, at, errMsgPackExt
	case 0xc1:
		return head{}, at, fmt.Errorf("byte %#x begins no MessagePack value", b)
	}

	// All that is left carries a number of 1, 2, 4 or 8 bytes.
	width := 1 << (b & 3) // cc .. cf and d0 .. d3
	switch b {
	case 0xca:
		width = 4
	case 0xcb:
		width = 8
	case 0xd9, 0xda, 0xdb:
		width = 1 << (b - 0xd9)
	case 0xdc, 0xdd:
		width = 2 << (b - 0xdc)
	case 0xde, 0xdf:
		width = 2 << (b - 0xde)
	}
	n, at, err := bigEndian(src, at, width)
	if err != nil {
		return head{}, at, err
	}
	switch b {
	case 0xca:
		return head{kind: floatKind, n: math.Float64bits(float64(math.Float32frombits(uint32(n))))}, at, nil
	case 0xcb:
		return head{kind: floatKind, n: n}, at, nil
	case 0xcc, 0xcd, 0xce, 0xcf:
		return head{kind: uintKind, n: n}, at, nil
	case 0xd9, 0xda, 0xdb:
		return sizedHead(textKind, n, 1, src, at)
	case 0xdc, 0xdd:
		return sizedHead(arrayKind, n, 1, src, at)
	case 0xde, 0xdf:
		return sizedHead(mapKind, n, 2, src, at)
	}
	shift := 64 - 8*width // d0 .. d3: extend the sign
	if signed := int64(n<<shift) >> shift; signed < 0 {
		return head{kind: negativeKind, n: uint64(signed)}, at, nil
	}
	return head{kind: uintKind, n: n}, at, nil
}

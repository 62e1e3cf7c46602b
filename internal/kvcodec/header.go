package kvcodec

import (
	"errors"
	"fmt"
)

// Encoding says how a value is stored. The numbers are those in the header.
type Encoding uint8

// The encodings. [AppendAs] says which Go values each of them takes.
const (
	Raw     Encoding = 0
	Pickle  Encoding = 1
	Packed  Encoding = 2
	JSON    Encoding = 3
	MsgPack Encoding = 4
	CBOR    Encoding = 5
	Text    Encoding = 6
)

var names = [...]string{"raw", "pickle", "packed", "json", "msgpack", "cbor", "text"}

// String returns the name of e, or its number if it has none.
func (e Encoding) String() string {
	if int(e) < len(names) {
		return names[e]
	}
	return fmt.Sprintf("encoding %d", uint8(e))
}

// ErrUnsupportedEncoding is returned for a value in an encoding that is not
// read or not written, such as a pickle, and for JSON that no Go value holds. It
// is an [errors.ErrUnsupported].
var ErrUnsupportedEncoding error = unsupportedEncoding{}

type unsupportedEncoding struct{}

func (unsupportedEncoding) Error() string { return "unsupported encoding" }

func (unsupportedEncoding) Is(target error) bool { return target == errors.ErrUnsupported }

// HeaderSize is the number of bytes of a header: 89 4B, the version 01, the
// encoding, a byte of flags, 00 00 00, 56 4B.
const HeaderSize = 10

func appendHeader(dst []byte, e Encoding) []byte {
	return append(dst, 0x89, 0x4b, 1, byte(e), 0, 0, 0, 0, 0x56, 0x4b)
}

// Parse takes a stored value apart. A value without a header is raw. The first
// [HeaderSize] bytes of a value are enough to learn its encoding; the payload
// is then the part of them that follows the header.
//
// A header of a later version, or with an unknown encoding, gives
// [ErrUnsupportedEncoding] together with what the header says.
func Parse(stored []byte) (e Encoding, payload []byte, err error) {
	if !hasMagic(stored) || stored[8] != 0x56 || stored[9] != 0x4b {
		return Raw, stored, nil
	}
	e, payload = Encoding(stored[3]), stored[HeaderSize:]
	switch {
	case stored[2] != 1:
		err = fmt.Errorf("%w: a header of version %d", ErrUnsupportedEncoding, stored[2])
	case int(e) >= len(names):
		err = fmt.Errorf("%w: %v", ErrUnsupportedEncoding, e)
	case stored[5]|stored[6]|stored[7] != 0:
		err = fmt.Errorf("%w: a header with unknown fields", ErrUnsupportedEncoding)
	}
	return e, payload, err
}

// hasMagic reports whether KohakuVault looks for a header in the value.
func hasMagic(stored []byte) bool {
	return len(stored) >= HeaderSize && stored[0] == 0x89 && stored[1] == 0x4b
}

// EncodeRaw returns the stored form of bytes: the bytes themselves. Only bytes
// that begin like a header get one that says raw. KohakuVault never writes such
// a header, but it reads it, and without it fails on these bytes.
func EncodeRaw(value []byte) []byte {
	if !hasMagic(value) {
		return value
	}
	return append(appendHeader(make([]byte, 0, HeaderSize+len(value)), Raw), value...)
}

// DecodeRaw returns the bytes that [EncodeRaw] was given. Values in other
// encodings are returned as they are stored, with their header.
func DecodeRaw(stored []byte) []byte {
	if e, payload, err := Parse(stored); err == nil && e == Raw {
		return payload
	}
	return stored
}

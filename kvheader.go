package columnvault

import (
	"errors"
	"fmt"
)

// ValueEncoding says how the value of a key is stored. Values other than bytes
// carry a header of ten bytes that names it: 89 4B 01, the encoding, a byte of
// flags, three bytes 00, 56 4B.
type ValueEncoding uint8

// The encodings, by their number in the header.
const (
	EncodingRaw     ValueEncoding = 0 // bytes, as a rule without header
	EncodingPickle  ValueEncoding = 1 // Python's own; recognised, never read
	EncodingPacked  ValueEncoding = 2 // numbers and vectors as columns store them
	EncodingJSON    ValueEncoding = 3
	EncodingMsgPack ValueEncoding = 4
	EncodingCBOR    ValueEncoding = 5
	EncodingText    ValueEncoding = 6 // UTF-8
)

var encodingNames = [...]string{"raw", "pickle", "packed", "json", "msgpack", "cbor", "text"}

func (e ValueEncoding) String() string {
	if int(e) < len(encodingNames) {
		return encodingNames[e]
	}
	return fmt.Sprintf("encoding %d", uint8(e))
}

// ErrUnsupportedEncoding: a value in an encoding that is not read, such as
// pickle.
var ErrUnsupportedEncoding = errors.New("unsupported encoding")

const headerSize = 10

func appendHeader(dst []byte, e ValueEncoding) []byte {
	return append(dst, 0x89, 0x4b, 1, byte(e), 0, 0, 0, 0, 0x56, 0x4b)
}

// parseHeader takes a stored value apart. What has no header is raw. For a
// header of a later version, or with an unknown encoding, the payload is what
// lies behind the header.
func parseHeader(stored []byte) (e ValueEncoding, payload []byte, err error) {
	if !hasMagic(stored) || stored[8] != 0x56 || stored[9] != 0x4b {
		return EncodingRaw, stored, nil
	}
	e, payload = ValueEncoding(stored[3]), stored[headerSize:]
	switch {
	case stored[2] != 1:
		err = fmt.Errorf("%w: a header of version %d", ErrUnsupportedEncoding, stored[2])
	case int(e) >= len(encodingNames):
		err = fmt.Errorf("%w: %v", ErrUnsupportedEncoding, e)
	case stored[5]|stored[6]|stored[7] != 0:
		err = fmt.Errorf("%w: a header with unknown fields", ErrUnsupportedEncoding)
	}
	return e, payload, err
}

// hasMagic tells whether KohakuVault looks for a header in the value.
func hasMagic(stored []byte) bool {
	return len(stored) >= headerSize && stored[0] == 0x89 && stored[1] == 0x4b
}

// storedRaw is the stored form of bytes: these themselves. Only bytes that
// begin as a header does get one that says raw, which KohakuVault never writes
// and does read; without it, it fails on them.
func storedRaw(value []byte) []byte {
	if !hasMagic(value) {
		return value
	}
	return append(appendHeader(make([]byte, 0, headerSize+len(value)), EncodingRaw), value...)
}

// rawValue is what Put was given, for a value that is stored raw. Others are
// returned as they are stored, with their header.
func rawValue(stored []byte) []byte {
	if e, payload, err := parseHeader(stored); err == nil && e == EncodingRaw {
		return payload
	}
	return stored
}

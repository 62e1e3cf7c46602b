package dtype

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Encoding is the way text is turned into bytes.
type Encoding uint8

// The encodings. No byte order mark is added to UTF-16; one in the text is
// kept.
const (
	UTF8 Encoding = iota
	UTF16LE
	UTF16BE
	ASCII
	Latin1
)

// String returns the name of e in dtype strings, such as utf16le.
func (e Encoding) String() string {
	if e > Latin1 {
		return "Encoding(" + strconv.Itoa(int(e)) + ")"
	}
	return [...]string{"utf8", "utf16le", "utf16be", "ascii", "latin1"}[e]
}

func parseEncoding(s string) (Encoding, error) {
	switch strings.ToLower(s) {
	case "utf8", "utf-8":
		return UTF8, nil
	case "utf16le", "utf-16le":
		return UTF16LE, nil
	case "utf16be", "utf-16be":
		return UTF16BE, nil
	case "ascii":
		return ASCII, nil
	case "latin1", "iso-8859-1":
		return Latin1, nil
	}
	return 0, fmt.Errorf("%w: unknown encoding %s: want utf8, utf16le, utf16be, ascii or latin1", ErrSyntax, quote(s))
}

// unit reads a UTF-16 code unit.
func (e Encoding) unit(src []byte) rune {
	if e == UTF16BE {
		return rune(binary.BigEndian.Uint16(src))
	}
	return rune(binary.LittleEndian.Uint16(src))
}

// appendUnit appends a UTF-16 code unit.
func (e Encoding) appendUnit(dst []byte, r rune) []byte {
	if e == UTF16BE {
		return binary.BigEndian.AppendUint16(dst, uint16(r))
	}
	return binary.LittleEndian.AppendUint16(dst, uint16(r))
}

// append appends s in the encoding e.
func (e Encoding) append(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return dst, fmt.Errorf("%w: %s is not valid UTF-8: use a bytes column for raw bytes", ErrValue, quote(s))
	}
	switch e {
	case UTF16LE, UTF16BE:
		for _, r := range s {
			if r > 0xffff {
				var high rune
				high, r = utf16.EncodeRune(r)
				dst = e.appendUnit(dst, high)
			}
			dst = e.appendUnit(dst, r)
		}
		return dst, nil
	case ASCII:
		for _, r := range s {
			if r >= utf8.RuneSelf {
				return dst, fmt.Errorf("%w: %s has the non-ASCII character %q: use str:utf8", ErrValue, quote(s), r)
			}
		}
	case Latin1:
		for _, r := range s {
			if r > 0xff {
				return dst, fmt.Errorf("%w: %s has the character %q, which is outside latin1: use str:utf8", ErrValue, quote(s), r)
			}
			dst = append(dst, byte(r))
		}
		return dst, nil
	}
	return append(dst, s...), nil
}

// decode turns bytes in the encoding e into a string, which lies in the memory
// of src if src is UTF-8 already.
func (e Encoding) decode(src []byte) (string, error) {
	switch e {
	case UTF16LE, UTF16BE:
		return e.decodeUTF16(src)
	case ASCII:
		if i := nonASCII(src); i < len(src) {
			return "", fmt.Errorf("%w: the byte %#x at %d is not ASCII", ErrData, src[i], i)
		}
	case Latin1:
		if nonASCII(src) == len(src) {
			break
		}
		text := make([]byte, 0, 2*len(src))
		for _, b := range src {
			text = utf8.AppendRune(text, rune(b))
		}
		return unsafeString(text), nil
	default:
		if !utf8.Valid(src) {
			return "", fmt.Errorf("%w: text is not valid UTF-8: %s", ErrData, quote(unsafeString(src)))
		}
	}
	return unsafeString(src), nil
}

// decodeUTF16 ignores an odd byte at the end, as the Python package does.
func (e Encoding) decodeUTF16(src []byte) (string, error) {
	text := make([]byte, 0, len(src))
	for i := 0; i+1 < len(src); i += 2 {
		r := e.unit(src[i:])
		if utf16.IsSurrogate(r) {
			var low rune
			if i+3 < len(src) {
				low = e.unit(src[i+2:])
			}
			pair := utf16.DecodeRune(r, low)
			if pair == utf8.RuneError { // no pair stands for U+FFFD
				return "", fmt.Errorf("%w: the UTF-16 surrogate %#x at byte %d stands alone", ErrData, r, i)
			}
			r, i = pair, i+2
		}
		text = utf8.AppendRune(text, r)
	}
	return unsafeString(text), nil
}

// trim removes the NUL characters at the end of src: the padding of text of a
// fixed size.
func (e Encoding) trim(src []byte) []byte {
	if e == UTF16LE || e == UTF16BE {
		src = src[:len(src)&^1]
		for len(src) > 0 && src[len(src)-1] == 0 && src[len(src)-2] == 0 {
			src = src[:len(src)-2]
		}
		return src
	}
	for len(src) > 0 && src[len(src)-1] == 0 {
		src = src[:len(src)-1]
	}
	return src
}

// nonASCII returns the position of the first byte above 0x7f, or len(src).
func nonASCII(src []byte) int {
	for i, b := range src {
		if b >= utf8.RuneSelf {
			return i
		}
	}
	return len(src)
}

// unsafeString returns a string in the memory of src.
func unsafeString(src []byte) string {
	return unsafe.String(unsafe.SliceData(src), len(src))
}

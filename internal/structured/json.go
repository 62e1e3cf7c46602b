package structured

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strconv"
)

// JSON text goes through the items of MessagePack: what is to be written is
// encoded as those and then spelled out, and text is turned into those and then
// decoded. So JSON has the coders of the other formats, and with them the rules
// for Go values.

// jsonWire is what the coders write and read on the way to and from JSON text.
type jsonWire struct{ msgpackWire }

func (jsonWire) format() Format { return jsonItems }

// maxDepth leaves some of Python's limit of 1000 calls to the program that reads.
func (jsonWire) maxDepth() int { return 900 }

var (
	// ErrJSON is returned for text that is not JSON.
	ErrJSON = errors.New("bad JSON")
	// ErrJSONRange is returned for JSON that no Go value of the JSON model can
	// hold: integers outside -2^63 .. 2^64-1, numbers beyond float64, halves of
	// surrogate pairs, and more than 900 arrays and objects inside each other.
	ErrJSONRange = errors.New("JSON that no Go value holds")
)

// AppendJSON appends v as JSON text, with the rules of the package for Go values
// and the struct tags of JSON. Floats are written so that they are read as
// floats: 1.0, not 1. On error the returned slice is dst.
func AppendJSON(dst []byte, v any) ([]byte, error) {
	item, err := appendAny(jsonWire{}, nil, v, 0)
	if err != nil {
		return dst, err
	}
	out, _, err := appendJSONItem(dst, item, 0)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// DecodeJSON sets *v to the value that text is. Besides JSON it takes NaN,
// Infinity and -Infinity, which Python writes and reads; they are floats also in
// an any. An error is [ErrJSON], [ErrJSONRange], or says why a T cannot hold the
// value. On error *v is zero.
func DecodeJSON[T any](text []byte, v *T) error {
	*v = *new(T)
	item, err := parseJSON(text)
	if err != nil {
		return err
	}
	c, err := coderOf(jsonWire{}, reflect.TypeFor[T]())
	if err != nil {
		return err
	}
	return Codec[T]{c}.Decode(item, v)
}

// appendJSONItem spells out the item at src[at:] and returns where the next one
// begins.
func appendJSONItem(dst, src []byte, at int) ([]byte, int, error) {
	h, at, err := jsonWire{}.readHead(src, at)
	if err != nil {
		return dst, at, err
	}
	switch h.kind {
	case nilKind:
		return append(dst, "null"...), at, nil
	case boolKind:
		return strconv.AppendBool(dst, h.n != 0), at, nil
	case uintKind:
		return strconv.AppendUint(dst, h.n, 10), at, nil
	case negativeKind:
		return strconv.AppendInt(dst, int64(h.n), 10), at, nil
	case floatKind:
		return appendJSONFloat(dst, h.float()), at, nil
	case textKind:
		s, at, err := readText(src, at, h)
		return appendJSONText(dst, s), at, err
	}

	brackets := "[]"
	if h.kind == mapKind {
		brackets = "{}"
	}
	dst = append(dst, brackets[0])
	for i := range h.n {
		if i > 0 {
			dst = append(dst, ',')
		}
		if h.kind == mapKind {
			if dst, at, err = appendJSONItem(dst, src, at); err != nil {
				return dst, at, err
			}
			dst = append(dst, ':')
		}
		if dst, at, err = appendJSONItem(dst, src, at); err != nil {
			return dst, at, err
		}
	}
	return append(dst, brackets[1]), at, nil
}

// appendJSONFloat writes a finite number with a point or an exponent, which
// tells it from an integer.
func appendJSONFloat(dst []byte, f float64) []byte {
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-5 || abs >= 1e16) {
		format = 'e'
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, format, -1, 64)
	if !bytes.ContainsAny(dst[start:], ".e") {
		dst = append(dst, ".0"...)
	}
	return dst
}

func appendJSONText(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	plain := 0 // where the part of s begins that stands for itself
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[plain:i]...)
		plain = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[plain:]...), '"')
}

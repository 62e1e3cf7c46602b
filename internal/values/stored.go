package values

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"columnvault/dtype"
	"columnvault/internal/excerpt"
)

// ParseStored reads a value of a key, whose type nothing but the text tells. It
// returns a float64, int64, uint64, string, []byte, bool, nil, or a list or
// object of the JSON model, in which numbers are json.Number.
func ParseStored(text []byte) (any, error) {
	word := bytes.TrimSpace(text)
	if f, ok := FloatWord(word); ok && word[0] != '"' {
		return f, nil
	}
	if b, ok, err := DecodeBytes(text); ok {
		return b, err
	}
	v, err := parseAny(text)
	number, ok := v.(json.Number)
	if !ok {
		return v, err
	}
	if text = []byte(number); bytes.ContainsAny(text, ".eE") {
		return numbers[dtype.KindFloat64].parse(text)
	}
	v, err = numbers[dtype.KindInt64].parse(text)
	if err != nil && text[0] != '-' {
		return numbers[dtype.KindUint64].parse(text)
	}
	return v, err
}

// AppendStored prints a value of a key as JSON.
func AppendStored(dst []byte, v any) []byte {
	if b, ok := v.([]byte); ok {
		return AppendBytes(dst, b)
	}
	for _, n := range numbers {
		if n.isTensor(v) {
			return n.appendVector(dst, v, nil)
		}
	}
	return appendAny(dst, v)
}

// ParseKey reads a key: text, or bytes in JSON.
func ParseKey(arg string) ([]byte, error) {
	key, ok, err := DecodeBytes([]byte(arg))
	if ok || err != nil {
		return key, err
	}
	return []byte(arg), nil
}

// ShowKey shows a key in a table: as it is if ParseKey reads that back and it
// is seen as what it is, and otherwise as bytes in JSON.
func ShowKey(key []byte) string {
	s := string(key)
	_, isBytes, _ := DecodeBytes(key)
	if s == "" || isBytes || excerpt.Printable(s) != s || strings.TrimSpace(s) != s {
		return string(AppendBytes(nil, key))
	}
	return s
}

// AppendKey prints a key as JSON.
func AppendKey(dst, key []byte) []byte {
	if utf8.Valid(key) {
		return AppendString(dst, string(key))
	}
	return AppendBytes(dst, key)
}

package catalog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"columnvault/dtype"
	"columnvault/internal/column/layout1"
	"columnvault/internal/store"
)

// entryV1 is the entry of a row of layout 1.
func entryV1(row store.Row) Entry {
	e := Entry{Kind: V1, Name: row.Name, DType: row.DType, Data: row}
	read, form := formOf(row.DType)
	if read != row.DType {
		e.DType, e.Stored = read, row.DType
	}
	e.form = form
	return e
}

// formOf says as which dtype elements of a dtype of KohakuVault 1.x are read,
// and how, if that is not how they are stored. What is not known is read as it
// is stored.
//
// Layout 1 stores vectors with dimensions without the type byte before them. It
// has vectors of bool and f16 and all encodings of text that Python has, which
// layout 0 has not: these are read as vectors of u8 and f32, and as UTF-8.
func formOf(text string) (string, *layout1.Form) {
	if spec, err := dtype.ParseSpec(text); err == nil {
		if spec.Kind == dtype.KindVector && len(spec.Dims) > 0 {
			return text, typedForm(spec)
		}
		return text, nil
	}
	words := strings.Split(text, ":")
	switch {
	case len(words) > 2 && (words[0] == "vec" || words[0] == "vector") && words[1] == "bool":
		words[1] = "u8"
		if spec, err := dtype.ParseSpec(strings.Join(words, ":")); err == nil {
			f := typedForm(spec)
			f.Store = nil
			return spec.String(), f
		}
	case len(words) > 2 && (words[0] == "vec" || words[0] == "vector") && words[1] == "f16":
		words[1] = "f32"
		if spec, err := dtype.ParseSpec(strings.Join(words, ":")); err == nil {
			return spec.String(), halvesForm(spec)
		}
	case len(words) == 2 && (words[0] == "str" || words[0] == "string"):
		if c, ok := codecs[codecName(words[1])]; ok && c.decode == nil {
			return dtype.Text(c.same).String(), nil
		} else if ok {
			return dtype.String.String(), &layout1.Form{Read: c.decode}
		}
	}
	return text, nil
}

// typeByte is what stands before a vector in layout 0.
func typeByte(spec dtype.Spec) byte {
	return dtype.Spec{Kind: dtype.KindVector, Elem: spec.Elem}.Zero()[0]
}

// typedForm is that of vectors without their type byte.
func typedForm(spec dtype.Spec) *layout1.Form {
	code, size := typeByte(spec), int64(spec.ElemSize())
	return &layout1.Form{
		Size: size, Stored: size - 1,
		Read:  func(dst, stored []byte) ([]byte, error) { return append(append(dst, code), stored...), nil },
		Store: func(dst, element []byte) []byte { return append(dst, element[1:]...) },
	}
}

// halvesForm is that of vectors of f16, which are read as those of f32.
func halvesForm(spec dtype.Spec) *layout1.Form {
	code, size := typeByte(spec), int64(spec.ElemSize())
	return &layout1.Form{Size: size, Stored: (size - 1) / 2, Read: func(dst, stored []byte) ([]byte, error) {
		dst = append(dst, code)
		for ; len(stored) > 0; stored = stored[2:] {
			v, err := dtype.Float16.Decode(stored)
			if err != nil {
				return dst, err
			}
			if dst, err = dtype.Float32.Append(dst, v); err != nil {
				return dst, err
			}
		}
		return dst, nil
	}}
}

// codec is an encoding of text by its name in Python.
type codec struct {
	// same is the encoding of a dtype that stores the same bytes, if decode is
	// nil.
	same dtype.Encoding
	// decode appends text as UTF-8.
	decode func(dst, stored []byte) ([]byte, error)
}

// codecs are the encodings that are known, by the names that codecName gives.
var codecs = map[string]codec{
	"utf8": {same: dtype.UTF8}, "u8": {same: dtype.UTF8}, "utf": {same: dtype.UTF8}, "cp65001": {same: dtype.UTF8},
	"utf16le": {same: dtype.UTF16LE}, "unicodelittleunmarked": {same: dtype.UTF16LE},
	"utf16be": {same: dtype.UTF16BE}, "unicodebigunmarked": {same: dtype.UTF16BE},
	"ascii": {same: dtype.ASCII}, "usascii": {same: dtype.ASCII}, "646": {same: dtype.ASCII},
	"latin1": {same: dtype.Latin1}, "latin": {same: dtype.Latin1}, "l1": {same: dtype.Latin1},
	"iso88591": {same: dtype.Latin1}, "88591": {same: dtype.Latin1}, "cp819": {same: dtype.Latin1},

	"utf16": {decode: decodeUTF16}, "u16": {decode: decodeUTF16},
	"utf32": {decode: decodeUTF32}, "u32": {decode: decodeUTF32},
	"utf32le": {decode: utf32Of(binary.LittleEndian)}, "utf32be": {decode: utf32Of(binary.BigEndian)},
	"utf8sig": {decode: decodeSigned},
	"cp1252":  {decode: decode1252}, "windows1252": {decode: decode1252}, "1252": {decode: decode1252},
}

// codecName is the name of an encoding without what Python does not look at.
func codecName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == ' ' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// appendText appends text in an encoding of dtype.
func appendText(dst, stored []byte, e dtype.Encoding) ([]byte, error) {
	text, err := dtype.Text(e).Decode(stored)
	return append(dst, text...), err
}

// decodeUTF16 goes by the mark in front, and else by the machine, which is
// little-endian.
func decodeUTF16(dst, stored []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(stored, []byte{0xff, 0xfe}):
		return appendText(dst, stored[2:], dtype.UTF16LE)
	case bytes.HasPrefix(stored, []byte{0xfe, 0xff}):
		return appendText(dst, stored[2:], dtype.UTF16BE)
	}
	return appendText(dst, stored, dtype.UTF16LE)
}

func decodeUTF32(dst, stored []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(stored, []byte{0xff, 0xfe, 0, 0}):
		return utf32Of(binary.LittleEndian)(dst, stored[4:])
	case bytes.HasPrefix(stored, []byte{0, 0, 0xfe, 0xff}):
		return utf32Of(binary.BigEndian)(dst, stored[4:])
	}
	return utf32Of(binary.LittleEndian)(dst, stored)
}

func utf32Of(order binary.ByteOrder) func(dst, stored []byte) ([]byte, error) {
	return func(dst, stored []byte) ([]byte, error) {
		for i := 0; i < len(stored); i += 4 {
			if len(stored)-i < 4 {
				return dst, fmt.Errorf("%w: %d bytes of UTF-32", dtype.ErrData, len(stored))
			}
			r := order.Uint32(stored[i:])
			if r > utf8.MaxRune || !utf8.ValidRune(rune(r)) {
				return dst, fmt.Errorf("%w: %#x at byte %d is no character", dtype.ErrData, r, i)
			}
			dst = utf8.AppendRune(dst, rune(r))
		}
		return dst, nil
	}
}

// decodeSigned is UTF-8 with a mark in front.
func decodeSigned(dst, stored []byte) ([]byte, error) {
	return appendText(dst, bytes.TrimPrefix(stored, []byte("\ufeff")), dtype.UTF8)
}

// high1252 are the characters of the bytes from 0x80 on, which Latin-1 does not
// have; those that are 0 do not exist.
var high1252 = [...]rune{'€', 0, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0, 'Ž', 0,
	0, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0, 'ž', 'Ÿ'}

func decode1252(dst, stored []byte) ([]byte, error) {
	dst = slices.Grow(dst, len(stored))
	for i, b := range stored {
		r := rune(b)
		if k := int(b) - 0x80; k >= 0 && k < len(high1252) {
			if r = high1252[k]; r == 0 {
				return dst, fmt.Errorf("%w: the byte %#x at %d is no character of cp1252", dtype.ErrData, b, i)
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, nil
}

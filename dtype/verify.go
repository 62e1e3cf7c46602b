package dtype

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"columnvault/internal/structured"
)

// Verify looks whether the elements that lie back to back in data decode, from
// element number from on, without making values of them. If they vary in size,
// element i ends at ends[i]; otherwise ends is not used, and bytes after the
// last whole element are ignored. The first that does not decode is an
// [ElementError] with its position, around an [ErrData]: go on after it to find
// the next. It takes no memory of its own.
func (s Spec) Verify(data []byte, ends []int, from int) error {
	if err := s.check(); err != nil {
		return err
	}
	size := s.ElemSize()
	if s.Sized && size == 0 {
		return nil // elements that hold nothing, whatever is stored
	}
	n := len(ends)
	if size > 0 {
		n = len(data) / size
	}
	es, err := newElements(size, n, data, ends)
	if err != nil {
		return err
	}
	verify := s.verifier()
	if verify == nil {
		return nil
	}
	if from == 0 && s.allValid(data, ends) {
		return nil
	}
	for i := from; i < n; i++ {
		src, err := es.at(i)
		if err == nil {
			err = verify(src)
		}
		if err != nil {
			return &ElementError{i, err}
		}
	}
	return nil
}

// Verify is [Spec.Verify] for elements of a column of the dtype s that have this
// meaning: where they may be missing, what stands for that is no error.
func (m Meaning) Verify(s Spec, data []byte, ends []int, from int) error {
	if !m.Null || s.Kind != KindBool {
		return s.Verify(data, ends, from) // a missing element decodes as a value
	}
	for i := from; i < len(data); i++ {
		if data[i] > 2 {
			return &ElementError{i, fmt.Errorf("%w: a bool that may be missing is the byte 0, 1 or 2, not %d", ErrData, data[i])}
		}
	}
	return nil
}

// Zero is an element that is missing if that may be, and else [Spec.Zero].
func (m Meaning) Zero(s Spec) []byte {
	if m.Null {
		if b, err := m.Type(s).Append(nil, nil); err == nil {
			return b
		}
	}
	return s.Zero()
}

// allValid tells quickly that all elements decode. If it says no, some may not.
func (s Spec) allValid(data []byte, ends []int) bool {
	switch {
	case s.Kind == KindBool:
		return allBools(data)
	case s.Kind != KindText || s.Encoding == UTF16LE || s.Encoding == UTF16BE || s.Sized:
		return false
	}
	last := 0
	for _, end := range ends {
		if end < last || end > len(data) || end < len(data) && !utf8.RuneStart(data[end]) {
			return false
		}
		last = end
	}
	return s.Encoding != ASCII && utf8.Valid(data[:last]) || nonASCII(data[:last]) == last
}

// allBools tells whether all bytes are 0 or 1.
func allBools(data []byte) bool {
	for ; len(data) >= 8; data = data[8:] {
		if binary.LittleEndian.Uint64(data)&^0x0101010101010101 != 0 {
			return false
		}
	}
	for _, b := range data {
		if b > 1 {
			return false
		}
	}
	return true
}

// verifier returns what tells why an element does not decode, nil if all do.
func (s Spec) verifier() func(src []byte) error {
	switch s.Kind {
	case KindBool:
		return func(src []byte) error {
			_, err := Bool.Decode(src)
			return err
		}
	case KindText:
		if s.Encoding == Latin1 {
			return nil
		}
		return s.Encoding.verify
	case KindMsgPack, KindCBOR:
		format := s.format()
		return func(src []byte) error {
			if err := structured.Valid(format, src); err != nil {
				return fmt.Errorf("%w: %v: %w", ErrData, s, err)
			}
			return nil
		}
	case KindVector:
		if len(s.Dims) > 0 {
			return func(src []byte) error { return checkCode(src[0], s.Elem) }
		}
		return func(src []byte) error { return verifyTensor(src, s.Elem) }
	}
	return nil
}

// verify tells why decode refuses bytes.
func (e Encoding) verify(src []byte) error {
	if e != UTF16LE && e != UTF16BE {
		_, err := e.decode(src) // in the memory of src
		return err
	}
	for i := 0; i+1 < len(src); i += 2 {
		r := e.unit(src[i:])
		if !utf16.IsSurrogate(r) {
			continue
		}
		low := rune(0)
		if i+3 < len(src) {
			low = e.unit(src[i+2:])
		}
		if utf16.DecodeRune(r, low) == utf8.RuneError {
			return fmt.Errorf("%w: the UTF-16 surrogate %#x at byte %d stands alone", ErrData, r, i)
		}
		i += 2
	}
	return nil
}

// Zero returns the bytes of an element that stands for one that is lost: the
// number 0, false, no text or bytes, null in msgpack and cbor, a vector of
// zeros with dimensions, and one of no elements without.
func (s Spec) Zero() []byte {
	zero := make([]byte, s.ElemSize())
	switch s.Kind {
	case KindMsgPack, KindCBOR:
		null := []byte{0xc0}
		if s.Kind == KindCBOR {
			null[0] = 0xf6
		}
		if !s.Sized {
			return null
		}
		copy(zero, null)
	case KindVector:
		if len(s.Dims) == 0 {
			return []byte{s.Elem.code(), 1, 0, 0, 0, 0}
		}
		zero[0] = s.Elem.code()
	}
	return zero
}

package dtype

import "unicode/utf8"

// String is the dtype str:utf8: text of any length in UTF-8. Decoded strings
// lie in the memory of the bytes they are decoded from.
var String Type[string] = Text(UTF8)

// Text is the dtype str:ENC: text of any length in the encoding e. Characters
// that e does not have, and strings that are not UTF-8, are an [ErrValue].
func Text(e Encoding) Type[string] {
	return text{newBase(Spec{Kind: KindText, Encoding: e})}
}

// FixedText is the dtype str:N:ENC: text in the encoding e that takes n bytes,
// not characters, padded with zeros. n must be between 0 and [MaxSize]. Longer
// text is an [ErrValue]. NUL characters at the end of a value are lost, because
// nothing tells them from the padding.
func FixedText(n int, e Encoding) Type[string] {
	return text{newBase(Spec{Kind: KindText, Sized: true, Size: n, Encoding: e})}
}

type text struct{ *base }

func (t text) Append(dst []byte, v string) ([]byte, error) {
	if err := t.Err(); err != nil {
		return dst, err
	}
	out, err := t.spec.Encoding.append(dst, v)
	if err == nil {
		out, err = t.pad(out, len(out)-len(dst), func() string { return quote(v) })
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

func (t text) AppendAll(dst []byte, ends []int, vs []string) ([]byte, []int, error) {
	return appendEach(t, dst, ends, vs)
}

func (t text) Decode(src []byte) (string, error) {
	if err := t.Err(); err != nil {
		return "", err
	}
	src, err := t.element(src)
	if err != nil {
		return "", err
	}
	if t.spec.Sized {
		src = t.spec.Encoding.trim(src)
	}
	return t.spec.Encoding.decode(src)
}

func (t text) DecodeAll(dst []string, data []byte, ends []int) error {
	if t.spec.Encoding == UTF8 && !t.spec.Sized && t.Err() == nil && cut(dst, data, ends) {
		return nil
	}
	return decodeEach(t, dst, data, ends)
}

// cut makes strings in UTF-8 of all elements, in the memory of data, whose bytes
// it looks at in one go: for short text that is most of the work. It tells
// whether it could; where something is wrong, it does not say what.
func cut(dst []string, data []byte, ends []int) bool {
	if len(ends) < len(dst) || !utf8.Valid(data) {
		return false
	}
	all, start := unsafeString(data), 0
	for i, end := range ends[:len(dst)] {
		if end < start || end > len(all) || end < len(all) && !utf8.RuneStart(all[end]) {
			return false // also where a character is in two elements
		}
		dst[i], start = all[start:end], end
	}
	return true
}

// Bytes returns nil, because strings point to memory elsewhere.
func (text) Bytes([]string) []byte { return nil }

func (t text) Match(v string) ([][]byte, error) { return matchOne(t, v) }

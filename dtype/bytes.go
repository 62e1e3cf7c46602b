package dtype

// Bytes is the dtype bytes: raw bytes of any length. Decoded values lie in the
// memory of the bytes they are decoded from; they are empty, never nil.
var Bytes Type[[]byte] = raw{newBase(Spec{Kind: KindBytes})}

// FixedBytes is the dtype bytes:N: exactly n raw bytes. n must be between 0 and
// [MaxSize]. A shorter value is padded with zeros, which are returned with it;
// a longer one is an [ErrValue].
func FixedBytes(n int) Type[[]byte] {
	return raw{newBase(Spec{Kind: KindBytes, Sized: true, Size: n})}
}

type raw struct{ *base }

func (t raw) Append(dst []byte, v []byte) ([]byte, error) {
	if err := t.Err(); err != nil {
		return dst, err
	}
	out, err := t.pad(append(dst, v...), len(v), func() string { return "the value" })
	if err != nil {
		return dst, err
	}
	return out, nil
}

func (t raw) AppendAll(dst []byte, ends []int, vs [][]byte) ([]byte, []int, error) {
	return appendEach(t, dst, ends, vs)
}

func (t raw) Decode(src []byte) ([]byte, error) {
	if err := t.Err(); err != nil {
		return nil, err
	}
	if src == nil {
		src = []byte{} // an empty value is not the absence of one
	}
	return t.element(src)
}

func (t raw) DecodeAll(dst [][]byte, data []byte, ends []int) error {
	if !t.spec.Sized && t.Err() == nil && split(dst, data, ends) {
		return nil
	}
	return decodeEach(t, dst, data, ends)
}

// split makes values of all elements, in the memory of data. It tells whether it
// could; where something is wrong, it does not say what.
func split(dst [][]byte, data []byte, ends []int) bool {
	if len(ends) < len(dst) || data == nil {
		return false
	}
	start := 0
	for i, end := range ends[:len(dst)] {
		if end < start || end > len(data) {
			return false
		}
		dst[i], start = data[start:end:end], end
	}
	return true
}

// Bytes returns nil, because the slices point to memory elsewhere.
func (raw) Bytes([][]byte) []byte { return nil }

func (t raw) Match(v []byte) ([][]byte, error) { return matchOne(t, v) }

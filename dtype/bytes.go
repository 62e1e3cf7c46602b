package dtype

// Bytes is raw bytes of any length: bytes. What is decoded lies in the memory of the bytes it is decoded from.
var Bytes Type[[]byte] = raw{newBase(Spec{Kind: KindBytes})}

// FixedBytes is n raw bytes: bytes:N. A shorter value is padded with zeros, which come back with it; a longer one is
// refused.
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
		src = []byte{} // an empty value, unlike nil, says that there is one
	}
	return t.element(src)
}

func (t raw) DecodeAll(dst [][]byte, data []byte, ends []int) error {
	return decodeEach(t, dst, data, ends)
}

// Bytes returns nil: the values lie elsewhere.
func (raw) Bytes([][]byte) []byte { return nil }

func (t raw) Match(v []byte) ([][]byte, error) { return matchOne(t, v) }

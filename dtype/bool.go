package dtype

import "fmt"

// Bool is the dtype bool: one byte, 0 or 1. Other bytes are an [ErrData].
var Bool Type[bool] = boolean{newBase(Spec{Kind: KindBool})}

type boolean struct{ *base }

func (boolean) Append(dst []byte, v bool) ([]byte, error) {
	if v {
		return append(dst, 1), nil
	}
	return append(dst, 0), nil
}

func (t boolean) AppendAll(dst []byte, ends []int, vs []bool) ([]byte, []int, error) {
	return appendEach(t, dst, ends, vs)
}

func (t boolean) Decode(src []byte) (bool, error) {
	src, err := t.element(src)
	if err != nil {
		return false, err
	}
	if src[0] > 1 {
		return false, fmt.Errorf("%w: a bool is the byte 0 or 1, not %d", ErrData, src[0])
	}
	return src[0] == 1, nil
}

func (t boolean) DecodeAll(dst []bool, data []byte, ends []int) error {
	return decodeEach(t, dst, data, ends)
}

// Bytes returns nil, because the memory of a Go bool must never hold anything
// but 0 and 1.
func (boolean) Bytes([]bool) []byte { return nil }

func (t boolean) Match(v bool) ([][]byte, error) { return matchOne(t, v) }

package dtype

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// Type returns the dynamic codec of s, whose values are of any Go type that fits the dtype. If s is invalid, the Err
// method of the result says so.
//
// Decoding gives bool, the number type of the dtype (f16: float32), string, []byte, and for msgpack and cbor what
// [Structured] lists under any. A vec with dimensions gives the flat []E, one without a Tensor[E].
//
// Encoding takes more, as long as nothing is lost:
//   - integers: integers of any Go type, bool as 0 and 1, [encoding/json.Number]; no floats, not even 1.0
//   - floats: numbers of any Go type, bool, json.Number; rounded to the precision of the dtype
//   - text: strings; bytes: []byte, byte arrays, and lists of integers between 0 and 255
//   - vectors: []E (with dimensions: a flat row), a Tensor of any numbers, and slices, arrays and []any of numbers, nested
//     to the depth of the shape; floats without a fraction are taken for integers here
//   - msgpack and cbor: anything [Structured] holds
//
// Numbers out of range are refused.
func (s Spec) Type() Type[any] {
	if s.check() != nil {
		return newStructured[any](s) // any type will do: only its error is left
	}
	if e := kinds[s.Kind].elements; e != nil {
		return e.number(s)
	}
	switch s.Kind {
	case KindBool:
		return dynamic[bool]{boolean{newBase(s)}, toBool}
	case KindFloat16:
		return dynamic[float32]{half{newBase(s)}, toHalf}
	case KindText:
		return dynamic[string]{text{newBase(s)}, toText}
	case KindBytes:
		return dynamic[[]byte]{raw{newBase(s)}, toBytes}
	case KindVector:
		return kinds[s.Elem].elements.vector(s)
	}
	return newStructured[any](s)
}

// dynamic makes a Type[any] of a Type[T] and a function that turns other Go values into a T.
type dynamic[T any] struct {
	Type[T]
	convert func(v any) (T, error)
}

func dynamicNumber[E Element](s Spec) Type[any] {
	return dynamic[E]{number[E]{newBase(s)}, func(v any) (E, error) { return toNumber[E](v, isFloat[E]()) }}
}

func dynamicVector[E Element](s Spec) Type[any] {
	if len(s.Dims) == 0 {
		return dynamic[Tensor[E]]{tensors[E]{newBase(s)}, toTensor[E]}
	}
	return dynamic[[]E]{newVector[E](s), func(v any) ([]E, error) { return toRow[E](v, s) }}
}

func (d dynamic[T]) Append(dst []byte, v any) ([]byte, error) {
	x, err := d.convert(v)
	if err != nil {
		return dst, err
	}
	return d.Type.Append(dst, x)
}

func (d dynamic[T]) AppendAll(dst []byte, ends []int, vs []any) ([]byte, []int, error) {
	return appendEach[any](d, dst, ends, vs)
}

func (d dynamic[T]) Decode(src []byte) (any, error) {
	x, err := d.Type.Decode(src)
	if err != nil {
		return nil, err
	}
	return x, nil
}

func (d dynamic[T]) DecodeAll(dst []any, data []byte, ends []int) error {
	typed := make([]T, len(dst))
	if err := d.Type.DecodeAll(typed, data, ends); err != nil {
		return err
	}
	for i, x := range typed {
		dst[i] = x
	}
	return nil
}

func (dynamic[T]) Bytes([]any) []byte { return nil }

func (d dynamic[T]) Match(v any) ([][]byte, error) {
	x, err := d.convert(v)
	if err != nil {
		return nil, err
	}
	return d.Type.Match(x)
}

func toBool(v any) (bool, error) {
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.Bool {
		return rv.Bool(), nil
	}
	return false, fmt.Errorf("%w: a Go %T where a bool column takes true or false", ErrValue, v)
}

func toHalf(v any) (float32, error) {
	f, err := toNumber[float64](v, true)
	return roundToOdd(f), err
}

func toText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
	case []byte:
		return "", fmt.Errorf("%w: a Go []byte where text is wanted: convert it to a string, or use a bytes column", ErrValue)
	default:
		if rv := reflect.ValueOf(v); rv.Kind() == reflect.String {
			return rv.String(), nil
		}
	}
	return "", fmt.Errorf("%w: a Go %T where text is wanted", ErrValue, v)
}

func toBytes(v any) ([]byte, error) {
	switch v := v.(type) {
	case []byte:
		return v, nil
	case string:
		return nil, fmt.Errorf("%w: a Go string where bytes are wanted: convert it to []byte, or use a str column", ErrValue)
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Slice && rv.Kind() != reflect.Array {
		return nil, fmt.Errorf("%w: a Go %T where bytes are wanted", ErrValue, v)
	}
	b := make([]byte, rv.Len())
	for i := range b {
		var err error
		if b[i], err = reflectNumber[byte](inner(rv.Index(i)), false); err != nil {
			return nil, err
		}
	}
	return b, nil
}

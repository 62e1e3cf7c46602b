package dtype

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// Type returns the dynamic codec of s, which takes Go values of any type that
// fits the dtype. If s is invalid, the Err method of the result says so.
//
// Decoding returns bool, the number type of the dtype (f16: float32), string,
// []byte, and for msgpack and cbor what [Structured] lists under any. A vector
// with dimensions is a flat []E, and one without is a [Tensor] of E.
//
// Encoding takes more types, as long as nothing is lost:
//   - integers: integers of any Go type, bool as 0 and 1, and
//     [encoding/json.Number]; no floats, not even 1.0
//   - floats: numbers of any Go type, bool, and json.Number; rounded to the
//     precision of the dtype
//   - text: strings of any Go type except json.Number
//   - bytes: []byte, byte arrays, and lists of integers between 0 and 255
//   - vectors: []E (with dimensions: a flat row), a Tensor of any numbers, and
//     slices, arrays and []any of numbers, nested to the depth of the shape;
//     floats without a fraction count as integers here
//   - msgpack and cbor: all that [Structured] holds
//
// Numbers out of range, and values of other types, are an [ErrValue].
func (s Spec) Type() Type[any] { return Meaning{}.Type(s) }

// Type returns the dynamic codec of elements of the dtype that have this
// meaning. It is that of [Spec.Type], but that times and dates are
// [time.Time], and missing elements are nil, which is also what msgpack and
// cbor give for null. Of numbers, bool, text and times it also takes what the
// codec of [Nullable] returns. If the dtype and the meaning do not go together,
// the Err method of the result says so.
func (m Meaning) Type(s Spec) Type[any] {
	err := s.check()
	if err == nil {
		err = m.Check(s)
	}
	if err != nil {
		return Structured[any]{base: &base{spec: s, err: err}} // of which only the error counts
	}
	switch e := kinds[s.Kind].elements; {
	case m.IsTime():
		value := m
		value.Null = false
		return newDynamic(newMoment(s, value), m.Null, toTime)
	case e != nil:
		return e.number(s, m.Null)
	}
	switch s.Kind {
	case KindBool:
		return newDynamic(boolean{newBase(s)}, m.Null, toBool)
	case KindFloat16:
		return newDynamic(half{newBase(s)}, m.Null, toHalf)
	case KindText:
		return newDynamic(text{newBase(s)}, m.Null, toText)
	case KindBytes:
		return dynamic[[]byte]{raw{newBase(s)}, toBytes}
	case KindVector:
		return kinds[s.Elem].elements.vector(s)
	}
	t := newStructured[any](s)
	t.meaning = m
	return t
}

// dynamic makes a Type[any] of a Type[T] and a function that turns other Go
// values into a T.
type dynamic[T any] struct {
	Type[T]
	convert func(v any) (T, error)
}

// newDynamic is the dynamic form of t, whose elements may be missing if null is
// set.
func newDynamic[T any](t Type[T], null bool, convert func(v any) (T, error)) Type[any] {
	if !null {
		return dynamic[T]{t, convert}
	}
	return dynamicNull[T]{dynamic[sql.Null[T]]{Nullable(t), func(v any) (n sql.Null[T], err error) {
		if n, ok := v.(sql.Null[T]); ok || v == nil {
			return n, nil
		}
		n.Valid = true
		n.V, err = convert(v)
		return n, err
	}}}
}

// dynamicNull is dynamic for elements that may be missing, which are nil.
type dynamicNull[T any] struct{ dynamic[sql.Null[T]] }

func (d dynamicNull[T]) Decode(src []byte) (any, error) {
	v, err := d.Type.Decode(src)
	if err != nil || !v.Valid {
		return nil, err
	}
	return v.V, nil
}

func (d dynamicNull[T]) DecodeAll(dst []any, data []byte, ends []int) error {
	typed := make([]sql.Null[T], len(dst))
	if err := d.Type.DecodeAll(typed, data, ends); err != nil {
		return err
	}
	for i, v := range typed {
		dst[i] = nil
		if v.Valid {
			dst[i] = v.V
		}
	}
	return nil
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

func toTime(v any) (time.Time, error) {
	if t, ok := v.(time.Time); ok {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("%w: a Go %T where a time.Time is wanted: open the column as Int64 for its numbers", ErrValue, v)
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

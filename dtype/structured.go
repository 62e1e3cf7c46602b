package dtype

import (
	"errors"
	"fmt"
	"reflect"

	"columnvault/internal/structured"
)

// Structured is the codec of msgpack and cbor. It stores values of the JSON
// model: nil, booleans, numbers, text, lists, and maps with text as keys. In Go
// they are structs, maps, slices, arrays, pointers, interfaces, scalars and
// [encoding/json.Number].
//
// # Structs
//
// Fields are chosen as [encoding/json] does. The tag is `msgpack:"name"` or
// `cbor:"name"`, else `json:"name"`, with "-" and the options omitempty,
// omitzero and string. Methods such as MarshalJSON are not called. The keys of
// maps and structs are stored in the order of their bytes.
//
// # What is refused
//
// Values that the model has no place for are an [ErrValue]: NaN and infinities,
// []byte, time.Time, map keys other than strings, text that is not UTF-8,
// integers outside -2^63 .. 2^64-1, and more than 1023 (cbor: 256) lists and
// maps inside each other.
//
// # Reading
//
// Unknown fields are skipped, missing ones are zero, and null is the zero
// value. A number that T has no room for, or a value of another kind, is an
// [ErrData]. Into an any are read nil, bool, int64 (uint64 above its range),
// float64, string, []any and map[string]any. NaN and infinities, which only
// other programs store, are nil in an any, as they are in Python, and
// themselves in a float. Strings lie in the memory of the bytes that were
// decoded.
//
// A map of one byte takes 48 in memory, so decoding may take many times the
// bytes that are stored. 64 MiB and 16 bytes for each stored one are granted,
// and 1 GiB at most; a value that needs more gives [ErrMemory]. No value of
// less than 256 KiB does that in an any. Structs and slices of numbers need
// less than an any does.
type Structured[T any] struct {
	*base
	codec structured.Codec[T]
	check func(value any) error
}

// MsgPack is the dtype msgpack: values of type T as MessagePack of any length.
// A T that the model has no place for is an [ErrValue] of Err and every
// operation.
func MsgPack[T any]() Structured[T] {
	return newStructured[T](Spec{Kind: KindMsgPack})
}

// FixedMsgPack is the dtype msgpack:N: values of type T as MessagePack in n
// bytes, padded with zeros. n must be between 0 and [MaxSize]. A value that
// needs more bytes is an [ErrValue].
func FixedMsgPack[T any](n int) Structured[T] {
	return newStructured[T](Spec{Kind: KindMsgPack, Sized: true, Size: n})
}

// CBOR is the dtype cbor: values of type T as CBOR of any length. A T that the
// model has no place for is an [ErrValue] of Err and every operation.
func CBOR[T any]() Structured[T] {
	return newStructured[T](Spec{Kind: KindCBOR})
}

// FixedCBOR is the dtype cbor:N: values of type T as CBOR in n bytes, padded
// with zeros. n must be between 0 and [MaxSize]. A value that needs more bytes
// is an [ErrValue].
func FixedCBOR[T any](n int) Structured[T] {
	return newStructured[T](Spec{Kind: KindCBOR, Sized: true, Size: n})
}

// format returns the byte format of the kinds msgpack and cbor.
func (s Spec) format() structured.Format {
	if s.Kind == KindCBOR {
		return structured.CBOR
	}
	return structured.MsgPack
}

func newStructured[T any](spec Spec) Structured[T] {
	t := Structured[T]{base: newBase(spec)}
	var err error
	if t.codec, err = structured.New[T](spec.format()); err != nil && t.err == nil {
		t.err = fmt.Errorf("%w: %v cannot hold the Go type %v: %w", ErrValue, spec, reflect.TypeFor[T](), err)
	}
	return t
}

// WithCheck returns a copy of t that appends only values that check accepts. It
// is given what a reader will see in an any, whatever Go type the value came
// from, and must not keep it; what it returns is wrapped in an [ErrValue]. Package
// dtype/jsonschema checks by JSON Schemas. Checking costs far more than encoding.
//
// The check is not stored in the file, and it is not applied when values are
// read.
func (t Structured[T]) WithCheck(check func(value any) error) Structured[T] {
	t.check = check
	return t
}

// Append appends the stored form of v to dst. On error the result is dst.
func (t Structured[T]) Append(dst []byte, v T) ([]byte, error) {
	return t.append(dst, &v)
}

// append takes a pointer, which spares AppendAll a copy of every value on the
// heap.
func (t Structured[T]) append(dst []byte, v *T) ([]byte, error) {
	if err := t.Err(); err != nil {
		return dst, err
	}
	out, err := t.codec.Append(dst, v)
	return t.encoded(dst, out, err, t.check)
}

// encoded finishes the encoding of a value, which has been appended to dst.
func (b *base) encoded(dst, out []byte, err error, check func(value any) error) ([]byte, error) {
	if err != nil {
		return dst, fmt.Errorf("%w: %v: %w", ErrValue, b.spec, err)
	}
	if check != nil {
		if err := b.checked(out[len(dst):], check); err != nil {
			return dst, err
		}
	}
	if out, err = b.pad(out, len(out)-len(dst), func() string { return "the value" }); err != nil {
		return dst, err
	}
	return out, nil
}

// checked decodes the value that is stored in p and checks it.
func (b *base) checked(p []byte, check func(value any) error) error {
	codec, err := structured.New[any](b.spec.format())
	if err != nil {
		return err
	}
	var value any
	if err = codec.Decode(p, &value); err == nil {
		err = check(value)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrValue, err)
	}
	return nil
}

// AppendAll is described at [Type.AppendAll].
func (t Structured[T]) AppendAll(dst []byte, ends []int, vs []T) ([]byte, []int, error) {
	if err := t.Err(); err != nil {
		return dst, ends, err
	}
	out, outEnds := dst, ends
	for i := range vs {
		var err error
		if out, err = t.append(out, &vs[i]); err != nil {
			return dst, ends, &ElementError{i, err}
		}
		if t.size == 0 {
			outEnds = append(outEnds, len(out))
		}
	}
	return out, outEnds, nil
}

// Decode decodes the value at the start of src and ignores what follows it.
func (t Structured[T]) Decode(src []byte) (v T, err error) {
	if err := t.Err(); err != nil {
		return v, err
	}
	err = t.decode(src, &v)
	return v, err
}

func (t Structured[T]) decode(src []byte, v *T) error {
	src, err := t.element(src)
	if err != nil {
		return err
	}
	return t.undecoded(t.codec.Decode(src, v))
}

// undecoded is the error of decoding a value.
func (b *base) undecoded(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrMemory):
		return fmt.Errorf("%v: %w", b.spec, err)
	}
	return fmt.Errorf("%w: %v: %w", ErrData, b.spec, err)
}

// DecodeAll is described at [Type.DecodeAll].
func (t Structured[T]) DecodeAll(dst []T, data []byte, ends []int) error {
	if err := t.Err(); err != nil {
		return err
	}
	es, err := newElements(t.size, len(dst), data, ends)
	if err != nil {
		return err
	}
	for i := range dst {
		src, err := es.at(i)
		if err == nil {
			err = t.decode(src, &dst[i])
		}
		if err != nil {
			return &ElementError{i, err}
		}
	}
	return nil
}

// Bytes returns nil, because values are not stored as they lie in memory.
func (Structured[T]) Bytes([]T) []byte { return nil }

// Match returns what Append writes for v, whatever its check says. The Python
// package writes the same bytes. A value that another program stored in another
// form does not match.
func (t Structured[T]) Match(v T) ([][]byte, error) {
	t.check = nil
	return matchOne(t, v)
}

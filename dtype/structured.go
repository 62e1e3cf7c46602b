package dtype

import (
	"fmt"
	"reflect"

	"columnvault/internal/structured"
)

// Structured is msgpack and cbor: values of the JSON model, held by Go structs, maps, slices, arrays, pointers,
// interfaces and scalars. Maps and structs are stored with their keys sorted by bytes, whatever their order in Go.
//
// Fields are chosen as by encoding/json and named by the tag `msgpack:"name"` or `cbor:"name"`, else `json:"name"`, with
// "-", "omitempty", "omitzero" and "string" as options; methods such as MarshalJSON are not called. Refused are NaN and infinities, []byte,
// time.Time, map keys other than strings, text that is not UTF-8, integers outside -2^63 .. 2^64-1 and more than 1023
// (cbor: 256) arrays and maps inside each other.
//
// Reading skips unknown fields, leaves missing ones zero and checks ranges; null is the zero value. Into an any are read
// nil, bool, int64 (uint64 above its range), float64, string, []any and map[string]any. NaN and infinities that another
// program stored become nil there, as in Python, and stay themselves in a float. Strings lie in the memory of the bytes
// that were decoded.
type Structured[T any] struct {
	*base
	codec  structured.Codec[T]
	schema *schema
}

// MsgPack is values of type T as MessagePack of any length: msgpack.
func MsgPack[T any]() Structured[T] {
	return newStructured[T](Spec{Kind: KindMsgPack})
}

// FixedMsgPack is values of type T as MessagePack in n bytes, padded with zeros: msgpack:N. A value that needs more is
// refused.
func FixedMsgPack[T any](n int) Structured[T] {
	return newStructured[T](Spec{Kind: KindMsgPack, Sized: true, Size: n})
}

// CBOR is values of type T as CBOR of any length: cbor.
func CBOR[T any]() Structured[T] {
	return newStructured[T](Spec{Kind: KindCBOR})
}

// FixedCBOR is values of type T as CBOR in n bytes, padded with zeros: cbor:N. A value that needs more is refused.
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

// WithSchema returns a copy of t that refuses to append what violates schema, the text of a JSON Schema. The error is a
// [SchemaError]. The schema is not stored in the file and plays no part in reading; it must not refer to others by URL.
// Validation costs far more than encoding.
func (t Structured[T]) WithSchema(schema string) (Structured[T], error) {
	if err := t.Err(); err != nil {
		return t, err
	}
	var err error
	t.schema, err = compileSchema(schema, t.spec.format())
	return t, err
}

// Append appends the stored form of v to dst. On error the result is dst.
func (t Structured[T]) Append(dst []byte, v T) ([]byte, error) {
	return t.append(dst, &v)
}

// append spares AppendAll a copy of every value on the heap.
func (t Structured[T]) append(dst []byte, v *T) ([]byte, error) {
	if err := t.Err(); err != nil {
		return dst, err
	}
	out, err := t.codec.Append(dst, v)
	if err != nil {
		return dst, fmt.Errorf("%w: %v: %w", ErrValue, t.spec, err)
	}
	if t.schema != nil {
		if err := t.schema.validate(out[len(dst):]); err != nil {
			return dst, err
		}
	}
	if out, err = t.pad(out, len(out)-len(dst), func() string { return "the value" }); err != nil {
		return dst, err
	}
	return out, nil
}

// AppendAll is described at [Type].
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
	if err := t.codec.Decode(src, v); err != nil {
		return fmt.Errorf("%w: %v: %w", ErrData, t.spec, err)
	}
	return nil
}

// DecodeAll is described at [Type].
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

// Bytes returns nil: the stored form is not that of memory.
func (Structured[T]) Bytes([]T) []byte { return nil }

// Match returns what Append writes for v, whatever the schema says. The Python package writes the same bytes; a value that
// another program wrote in another form is not found by them.
func (t Structured[T]) Match(v T) ([][]byte, error) {
	t.schema = nil
	return matchOne(t, v)
}

package kvcodec

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"unicode/utf8"

	"columnvault/dtype"
	"columnvault/internal/store"
)

// Append appends the stored form of a value, with its header, in the encoding
// that KohakuVault chooses for it. Numbers and vectors that KohakuVault's
// reader would take for something else are stored as msgpack.
func Append(dst []byte, value any) ([]byte, error) {
	value, err := plainNumber(value)
	if err != nil {
		return nil, err
	}
	r := reflect.ValueOf(value)
	switch {
	case isBytes(r):
		return AppendAs(dst, Raw, value)
	case r.Kind() == reflect.String:
		return AppendAs(dst, Text, value)
	case r.CanInt():
		return appendNumber(dst, uint64(r.Int()), false, value)
	case r.CanUint() && r.Uint() <= math.MaxInt64:
		return appendNumber(dst, r.Uint(), false, value)
	case r.CanFloat():
		return appendNumber(dst, math.Float64bits(r.Float()), true, value)
	}
	if _, ok := dtype.ElementKind(value); ok {
		return appendVector(dst, value)
	}
	return AppendAs(dst, MsgPack, value)
}

// isBytes reports whether a value is a []byte or of a type made of it.
func isBytes(r reflect.Value) bool {
	return r.Kind() == reflect.Slice && r.Type().Elem() == reflect.TypeFor[byte]()
}

// AppendAs appends the stored form of a value in the encoding e.
func AppendAs(dst []byte, e Encoding, value any) ([]byte, error) {
	value, err := plainNumber(value)
	if err != nil {
		return nil, err
	}
	r := reflect.ValueOf(value)
	if e == Raw {
		if !isBytes(r) {
			return nil, fmt.Errorf("%w: raw values are bytes, not %T", store.ErrInvalidArgument, value)
		}
		return append(dst, EncodeRaw(r.Bytes())...), nil
	}
	dst = appendHeader(dst, e)
	switch e {
	case Text:
		if r.Kind() != reflect.String {
			return nil, fmt.Errorf("%w: text values are strings, not %T", store.ErrInvalidArgument, value)
		}
		return dtype.String.Append(dst, r.String())
	case JSON:
		return appendJSON(dst, value)
	case MsgPack:
		return dtype.MsgPack[any]().Append(dst, value)
	case CBOR:
		return dtype.CBOR[any]().Append(dst, value)
	case Packed:
		return appendPacked(dst, value)
	}
	return nil, fmt.Errorf("%w: %v is not written", ErrUnsupportedEncoding, e)
}

// Decode reads a stored value of any encoding as a T. An encoding that is not
// read gives [ErrUnsupportedEncoding], together with the bytes of the value if
// T can hold bytes.
//
// Strings and byte slices in the result lie in the memory of stored.
func Decode[T any](stored []byte) (value T, err error) {
	e, payload, err := Parse(stored)
	if err != nil {
		return value, err
	}
	switch e {
	case Raw:
		err = assign(&value, payload)
	case Text:
		if !utf8.Valid(payload) {
			return value, fmt.Errorf("%w: the text is not UTF-8", store.ErrCorrupt)
		}
		err = assign(&value, string(payload))
	case JSON:
		err = decodeJSON(payload, &value)
	case MsgPack:
		err = decodeStructured(dtype.MsgPack[T](), dtype.MsgPack[any](), payload, &value)
	case CBOR:
		err = decodeStructured(dtype.CBOR[T](), dtype.CBOR[any](), payload, &value)
	case Packed:
		err = unpack(payload, &value)
	default:
		_ = assign(&value, payload) // if T is no place for bytes, the error below says enough
		err = fmt.Errorf("%w: %v", ErrUnsupportedEncoding, e)
	}
	return value, err
}

var numberType = reflect.TypeFor[json.Number]()

// assign sets out to a value of the same type, or of the type that T is made
// of. Any value can be assigned to an out of type any, and no text to a
// [json.Number].
func assign[T any](out *T, value any) error {
	if v, ok := value.(T); ok {
		*out = v
		return nil
	}
	r, to := reflect.ValueOf(value), reflect.TypeFor[T]()
	if r.Kind() != to.Kind() || !r.CanConvert(to) || to == numberType {
		return fmt.Errorf("%w: the value is %T, which does not fit into %v", store.ErrInvalidArgument, value, to)
	}
	reflect.ValueOf(out).Elem().Set(r.Convert(to))
	return nil
}

// decodeStructured reads a value of the JSON model. If the bytes are sound and
// only T is wrong for them, the file is not to blame.
func decodeStructured[T any](t dtype.Type[T], model dtype.Type[any], payload []byte, out *T) (err error) {
	if *out, err = t.Decode(payload); err == nil {
		return nil
	}
	if errors.Is(err, dtype.ErrMemory) {
		return err
	}
	if _, e := model.Decode(payload); e == nil || errors.Is(e, dtype.ErrMemory) {
		return fmt.Errorf("%w: %v", store.ErrInvalidArgument, err)
	}
	return err
}

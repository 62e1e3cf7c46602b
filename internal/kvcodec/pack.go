package kvcodec

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"unicode/utf8"

	"columnvault/dtype"
	"columnvault/internal/store"
)

// appendNumber packs the number with these bits if KohakuVault reads it back,
// and stores it as msgpack otherwise.
func appendNumber(dst []byte, bits uint64, float bool, value any) ([]byte, error) {
	if packedIsFloat(bits) != float {
		return AppendAs(dst, MsgPack, value)
	}
	return binary.LittleEndian.AppendUint64(appendHeader(dst, Packed), bits), nil
}

// packedIsFloat is how KohakuVault guesses whether eight packed bytes are a
// float: they are if as a float they have a fraction, or as an integer more
// than twelve digits.
func packedIsFloat(bits uint64) bool {
	f := math.Float64frombits(bits)
	if _, fraction := math.Modf(f); !math.IsNaN(f) && !math.IsInf(f, 0) && math.Abs(fraction) > 1e-9 {
		return true
	}
	i := int64(bits)
	return i != math.MinInt64 && max(i, -i) >= 1e12 // the smallest has no absolute value there
}

// appendPacked appends a number, a text or a vector as a column stores it.
func appendPacked(dst []byte, value any) ([]byte, error) {
	r := reflect.ValueOf(value)
	switch {
	case r.CanInt() || r.CanUint():
		return dtype.Spec{Kind: dtype.KindInt64}.Type().Append(dst, value)
	case r.CanFloat():
		return dtype.Float64.Append(dst, r.Float())
	case r.Kind() == reflect.String:
		return dtype.String.Append(dst, r.String())
	}
	packed, err := packVector(value)
	return append(dst, packed...), err
}

// packVector packs a slice of numbers or a tensor.
func packVector(value any) ([]byte, error) {
	elem, ok := dtype.ElementKind(value)
	if !ok {
		return nil, fmt.Errorf("%w: %T has no packed form", store.ErrInvalidArgument, value)
	}
	return dtype.Spec{Kind: dtype.KindVector, Elem: elem}.Type().Append(nil, value)
}

// unpack reads a packed value. The bytes do not say what they are, so the type
// of out decides; for any, the rules of KohakuVault do.
func unpack[T any](payload []byte, out *T) error {
	if n, ok := any(out).(*json.Number); ok {
		return decodeNumber(unpackAny(payload), n)
	}
	r := reflect.ValueOf(out).Elem()
	switch {
	case r.CanInt() || r.CanUint() || r.CanFloat():
		return unpackNumber(payload, r)
	case r.Kind() == reflect.String && !utf8.Valid(payload):
		return fmt.Errorf("%w: the value is not text", store.ErrInvalidArgument)
	case r.Kind() == reflect.String:
		return assign(out, string(payload))
	case r.Kind() == reflect.Interface:
		return assign(out, unpackAny(payload))
	}
	value, err := unpackVector(payload)
	if err != nil && isBytes(r) {
		return assign(out, payload)
	}
	if err != nil {
		return err
	}
	if r.Kind() == reflect.Slice {
		tensor := reflect.ValueOf(value)
		if shape := tensor.FieldByName("Shape"); shape.Len() != 1 {
			return fmt.Errorf("%w: the value is a tensor of shape %v, not a slice", store.ErrInvalidArgument, shape)
		}
		value = tensor.FieldByName("Data").Interface()
	}
	return assign(out, value)
}

func unpackNumber(payload []byte, out reflect.Value) error {
	if len(payload) != 8 {
		return fmt.Errorf("%w: the value has %d bytes, and a number has 8", store.ErrInvalidArgument, len(payload))
	}
	bits := binary.LittleEndian.Uint64(payload)
	i, f := int64(bits), math.Float64frombits(bits)
	switch {
	case out.CanFloat() && !out.OverflowFloat(f):
		out.SetFloat(f)
	case out.CanFloat():
		return fmt.Errorf("%w: %g does not fit into %v", store.ErrInvalidArgument, f, out.Type())
	case out.CanInt() && !out.OverflowInt(i):
		out.SetInt(i)
	case out.CanUint() && i >= 0 && !out.OverflowUint(bits):
		out.SetUint(bits)
	default:
		return fmt.Errorf("%w: %d does not fit into %v", store.ErrInvalidArgument, i, out.Type())
	}
	return nil
}

// unpackAny reads a packed value as what KohakuVault would take it for. Unlike
// KohakuVault it also recognizes vectors of fewer than eight bytes.
func unpackAny(payload []byte) any {
	if len(payload) == 8 {
		bits := binary.LittleEndian.Uint64(payload)
		if packedIsFloat(bits) {
			return math.Float64frombits(bits)
		}
		return int64(bits)
	}
	if value, err := unpackVector(payload); err == nil {
		return value
	}
	if utf8.Valid(payload) {
		return string(payload)
	}
	return payload
}

// unpackVector reads a vector of any shape as a [dtype.Tensor].
func unpackVector(payload []byte) (any, error) {
	elem, ok := dtype.VectorElem(payload)
	if !ok {
		return nil, fmt.Errorf("%w: the value is not a vector", store.ErrInvalidArgument)
	}
	value, err := dtype.Spec{Kind: dtype.KindVector, Elem: elem}.Type().Decode(payload)
	if err != nil {
		err = fmt.Errorf("%w: the value is not a vector: %v", store.ErrInvalidArgument, err)
	}
	return value, err
}

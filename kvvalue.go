package columnvault

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"unicode/utf8"

	"columnvault/dtype"
)

// PutValue stores a Go value in the encoding that KohakuVault chooses for it,
// with its header: text as text; numbers, slices of numbers (but []byte) and
// tensors packed; bytes raw; booleans, nil, maps, structs and other slices as
// msgpack. Numbers that KohakuVault's reader would take for others, such as
// 0.0 or 10^12, which it packs and misreads, are stored as msgpack, and so are
// booleans and nil, of which it makes numbers and pickles.
func (kv *KV) PutValue(ctx context.Context, key []byte, value any) error {
	stored, err := appendValue(nil, value)
	if err != nil {
		return kv.valueError("put", key, err)
	}
	return kv.putStored(ctx, Pair{Key: key, Value: stored})
}

// PutValueAs stores a Go value in the encoding asked for.
func (kv *KV) PutValueAs(ctx context.Context, key []byte, e Encoding, value any) error {
	stored, err := appendValueAs(nil, e, value)
	if err != nil {
		return kv.valueError("put", key, err)
	}
	return kv.putStored(ctx, Pair{Key: key, Value: stored})
}

func (kv *KV) valueError(op string, key []byte, err error) error {
	return kv.fail(op, key, fail(op, kv.table, -1, err))
}

// GetValue reads a value in whatever encoding it is stored. Where the file
// records the type, T must be able to hold it; T any takes everything: bytes,
// string, bool, int64 (uint64 above its range), float64, nil, []any,
// map[string]any, dtype.Tensor. A packed number is eight bytes that may be an
// integer or a float: T decides which, and for any the rule of KohakuVault's
// reader does, which is right for all numbers that PutValue packs. A pickle
// gives ErrUnsupportedEncoding, together with its bytes if T can hold bytes.
func GetValue[T any](ctx context.Context, kv *KV, key []byte) (value T, err error) {
	var stored []byte
	err = kv.view(ctx, "get", key, func(tx *Tx) error {
		stored, err = tx.get(ctx, kv.table, key)
		return err
	})
	if err != nil {
		return value, err
	}
	err = decodeValue(stored, &value)
	return value, kv.valueError("get", key, err)
}

// ValueInfo is what can be said of a value without loading it.
type ValueInfo struct {
	Encoding Encoding
	Size     int64 // of the payload in bytes
}

// Stat returns the encoding and the size of the value of a key.
func (kv *KV) Stat(ctx context.Context, key []byte) (info ValueInfo, err error) {
	err = kv.view(ctx, "stat", key, func(tx *Tx) error {
		size, err := tx.size(ctx, kv.table, key)
		if err != nil {
			return err
		}
		head := make([]byte, min(size, headerSize))
		if value, ok := tx.held.kv.lookup(kv.table, key); ok {
			copy(head, value)
		} else if err := tx.r.GetAt(ctx, kv.table, key, head, 0); err != nil {
			return err
		}
		e, payload, err := parseHeader(head)
		if errors.Is(err, ErrUnsupportedEncoding) {
			err = nil // the number is there all the same
		}
		info = ValueInfo{Encoding: e, Size: size - int64(len(head)-len(payload))}
		return err
	})
	return info, err
}

// appendValue appends a value with its header.
func appendValue(dst []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case []byte:
		return append(dst, storedRaw(v)...), nil
	case string:
		return appendValueAs(dst, EncodingText, v)
	}
	r := reflect.ValueOf(value)
	switch {
	case r.CanInt():
		return appendNumber(dst, uint64(r.Int()), false, value)
	case r.CanUint() && r.Uint() <= math.MaxInt64:
		return appendNumber(dst, r.Uint(), false, value)
	case r.CanFloat():
		return appendNumber(dst, math.Float64bits(r.Float()), true, value)
	}
	if packed, err := packVector(value); err == nil && len(packed) != 8 { // eight bytes would be read as a number
		return append(appendHeader(dst, EncodingPacked), packed...), nil
	}
	return appendValueAs(dst, EncodingMsgPack, value)
}

// appendNumber packs a number of these bits if KohakuVault reads that back.
func appendNumber(dst []byte, bits uint64, float bool, value any) ([]byte, error) {
	if packedIsFloat(bits) != float {
		return appendValueAs(dst, EncodingMsgPack, value)
	}
	return binary.LittleEndian.AppendUint64(appendHeader(dst, EncodingPacked), bits), nil
}

// packedIsFloat is how KohakuVault guesses whether eight packed bytes are a
// float: if they make one with a fraction, or an integer of more than twelve
// digits.
func packedIsFloat(bits uint64) bool {
	f := math.Float64frombits(bits)
	if _, fraction := math.Modf(f); !math.IsNaN(f) && !math.IsInf(f, 0) && math.Abs(fraction) > 1e-9 {
		return true
	}
	i := int64(bits)
	return i != math.MinInt64 && max(i, -i) >= 1e12 // the smallest has no absolute value there
}

// appendValueAs appends a value in an encoding, with the header.
func appendValueAs(dst []byte, e Encoding, value any) ([]byte, error) {
	if e == EncodingRaw {
		v, ok := value.([]byte)
		if !ok {
			return nil, fmt.Errorf("%w: raw values are bytes, not %T", ErrInvalidArgument, value)
		}
		return append(dst, storedRaw(v)...), nil
	}
	dst = appendHeader(dst, e)
	switch e {
	case EncodingText:
		v, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("%w: text values are strings, not %T", ErrInvalidArgument, value)
		}
		return dtype.String.Append(dst, v)
	case EncodingJSON:
		text, err := json.Marshal(value)
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrInvalidArgument, err)
		}
		return append(dst, text...), err
	case EncodingMsgPack:
		return dtype.MsgPack[any]().Append(dst, value)
	case EncodingCBOR:
		return dtype.CBOR[any]().Append(dst, value)
	case EncodingPacked:
		packed, err := pack(value)
		return append(dst, packed...), err
	}
	return nil, fmt.Errorf("%w: %v is not written", ErrUnsupportedEncoding, e)
}

// pack is the form of numbers, text and vectors in columns.
func pack(value any) ([]byte, error) {
	r := reflect.ValueOf(value)
	switch {
	case r.CanInt() || r.CanUint():
		return dtype.Spec{Kind: dtype.KindInt64}.Type().Append(nil, value)
	case r.CanFloat():
		return dtype.Float64.Append(nil, r.Float())
	case r.Kind() == reflect.String:
		return dtype.String.Append(nil, r.String())
	}
	return packVector(value)
}

// vectors are the codecs of vectors of any shape, by the Go type of elements.
var vectors = map[reflect.Kind]dtype.Kind{
	reflect.Float32: dtype.KindFloat32, reflect.Float64: dtype.KindFloat64,
	reflect.Int8: dtype.KindInt8, reflect.Int16: dtype.KindInt16, reflect.Int32: dtype.KindInt32, reflect.Int64: dtype.KindInt64,
	reflect.Uint8: dtype.KindUint8, reflect.Uint16: dtype.KindUint16, reflect.Uint32: dtype.KindUint32, reflect.Uint64: dtype.KindUint64,
}

// packVector packs a slice of numbers or a tensor.
func packVector(value any) ([]byte, error) {
	t := reflect.TypeOf(value)
	if t != nil && t.Kind() == reflect.Struct {
		if data, ok := t.FieldByName("Data"); ok {
			t = data.Type
		}
	}
	if t == nil || t.Kind() != reflect.Slice {
		return nil, fmt.Errorf("%w: %T has no packed form", ErrInvalidArgument, value)
	}
	elem, ok := vectors[t.Elem().Kind()]
	if !ok {
		return nil, fmt.Errorf("%w: %T has no packed form", ErrInvalidArgument, value)
	}
	return dtype.Spec{Kind: dtype.KindVector, Elem: elem}.Type().Append(nil, value)
}

// decodeValue reads a stored value into out.
func decodeValue[T any](stored []byte, out *T) error {
	e, payload, err := parseHeader(stored)
	if err != nil {
		return err
	}
	switch e {
	case EncodingRaw:
		return assign(out, payload)
	case EncodingText:
		if !utf8.Valid(payload) {
			return fmt.Errorf("%w: the text is not UTF-8", ErrCorrupt)
		}
		return assign(out, string(payload))
	case EncodingJSON:
		return decodeJSON(payload, out)
	case EncodingMsgPack:
		return decodeStructured(dtype.MsgPack[T](), payload, out)
	case EncodingCBOR:
		return decodeStructured(dtype.CBOR[T](), payload, out)
	case EncodingPacked:
		return unpack(payload, out)
	}
	assign(out, payload)
	return fmt.Errorf("%w: %v", ErrUnsupportedEncoding, e)
}

// assign puts a value into out, if that is of its type or any.
func assign[T any](out *T, value any) error {
	v, ok := value.(T)
	if !ok {
		return fmt.Errorf("%w: the value is %T, which does not fit into %T", ErrInvalidArgument, value, *out)
	}
	*out = v
	return nil
}

func decodeStructured[T any](t dtype.Type[T], payload []byte, out *T) (err error) {
	*out, err = t.Decode(payload)
	return err
}

// decodeJSON reads JSON. Numbers become int64 or float64 where out is any.
func decodeJSON(payload []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	if err := d.Decode(out); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: something follows the JSON", ErrCorrupt)
	}
	if v, ok := out.(*any); ok {
		*v = plainNumbers(*v)
	}
	return nil
}

func plainNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = plainNumbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plainNumbers(v[k])
		}
	}
	return value
}

// unpack reads what pack has written, or KohakuVault. Neither says what it is,
// so the type of out decides, and for any the rules of KohakuVault.
func unpack[T any](payload []byte, out *T) error {
	r := reflect.ValueOf(out).Elem()
	switch {
	case r.CanInt() || r.CanUint() || r.CanFloat():
		return unpackNumber(payload, r)
	case r.Kind() == reflect.String:
		return assign(out, any(string(payload)))
	case r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8:
		return assign(out, any(payload))
	case r.Kind() == reflect.Interface:
		return assign(out, unpackAny(payload))
	}
	value, err := unpackVector(payload)
	if err != nil {
		return err
	}
	if r.Kind() == reflect.Slice {
		tensor := reflect.ValueOf(value)
		if shape := tensor.FieldByName("Shape"); shape.Len() != 1 {
			return fmt.Errorf("%w: the value is a tensor of shape %v, not a slice", ErrInvalidArgument, shape)
		}
		value = tensor.FieldByName("Data").Interface()
	}
	return assign(out, value)
}

func unpackNumber(payload []byte, out reflect.Value) error {
	if len(payload) != 8 {
		return fmt.Errorf("%w: the value has %d bytes, and a number has 8", ErrInvalidArgument, len(payload))
	}
	bits := binary.LittleEndian.Uint64(payload)
	i, f := int64(bits), math.Float64frombits(bits)
	switch {
	case out.CanFloat():
		out.SetFloat(f)
	case out.CanInt() && !out.OverflowInt(i):
		out.SetInt(i)
	case out.CanUint() && i >= 0 && !out.OverflowUint(bits):
		out.SetUint(bits)
	default:
		return fmt.Errorf("%w: %d does not fit into %v", ErrInvalidArgument, i, out.Type())
	}
	return nil
}

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

// unpackVector reads a vector of any shape as a dtype.Tensor.
func unpackVector(payload []byte) (any, error) {
	elem, ok := dtype.VectorElem(payload)
	if !ok {
		return nil, fmt.Errorf("%w: the value is not a vector", ErrInvalidArgument)
	}
	return dtype.Spec{Kind: dtype.KindVector, Elem: elem}.Type().Decode(payload)
}

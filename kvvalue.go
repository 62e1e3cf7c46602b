package columnvault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"

	"columnvault/dtype"
)

// PutValue stores a Go value in the encoding that KohakuVault chooses for it,
// with its header: text as text; numbers, slices of numbers that have a dtype
// (but []byte) and tensors packed; bytes raw; booleans, nil, maps, structs and
// other slices as msgpack. Numbers that KohakuVault's reader would take for
// others, such as 0.0 or 10^12, which it packs and misreads, are stored as
// msgpack, and so are vectors that it would take for numbers, and booleans and
// nil, of which it makes numbers and pickles.
func (kv *KV) PutValue(ctx context.Context, key []byte, value any) error {
	stored, err := appendValue(nil, value)
	if err != nil {
		return kv.fail("put", key, err)
	}
	return kv.putStored(ctx, Pair{Key: key, Value: stored})
}

// PutValueAs stores a Go value in the encoding asked for.
func (kv *KV) PutValueAs(ctx context.Context, key []byte, e ValueEncoding, value any) error {
	stored, err := appendValueAs(nil, e, value)
	if err != nil {
		return kv.fail("put", key, err)
	}
	return kv.putStored(ctx, Pair{Key: key, Value: stored})
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
	err = kv.view(ctx, "get", key, func(t tableIn) error {
		stored, err = t.get(ctx, key)
		return err
	})
	if err != nil {
		return value, err
	}
	err = decodeValue(stored, &value)
	return value, kv.fail("get", key, err)
}

// ValueInfo is what can be said of a value without loading it.
type ValueInfo struct {
	Encoding ValueEncoding
	Size     int64 // of the payload in bytes
}

// Stat returns the encoding and the size of the value of a key.
func (kv *KV) Stat(ctx context.Context, key []byte) (info ValueInfo, err error) {
	err = kv.view(ctx, "stat", key, func(t tableIn) error {
		size, err := t.size(ctx, key)
		if err != nil {
			return err
		}
		head := make([]byte, min(size, headerSize))
		if value, ok := t.held.Get(key); ok {
			copy(head, value)
		} else if err := t.tx.r.GetAt(ctx, t.name, key, head, 0); err != nil {
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
	r := reflect.ValueOf(value)
	switch {
	case isBytes(r):
		return appendValueAs(dst, EncodingRaw, value)
	case r.Kind() == reflect.String:
		return appendValueAs(dst, EncodingText, value)
	case r.CanInt():
		return appendNumber(dst, uint64(r.Int()), false, value)
	case r.CanUint() && r.Uint() <= math.MaxInt64:
		return appendNumber(dst, r.Uint(), false, value)
	case r.CanFloat():
		return appendNumber(dst, math.Float64bits(r.Float()), true, value)
	}
	packed, err := packVector(value)
	switch {
	case err == nil && len(packed) != 8: // eight bytes would be read as a number
		return append(appendHeader(dst, EncodingPacked), packed...), nil
	case err == nil && r.Kind() == reflect.Struct:
		return nil, fmt.Errorf("%w: packed, this tensor has 8 bytes and would be read as a number; PutValueAs with EncodingPacked stores it for GetValue[%T]", ErrInvalidArgument, value)
	}
	return appendValueAs(dst, EncodingMsgPack, value)
}

// isBytes tells whether a value is a []byte or of a type made of that.
func isBytes(r reflect.Value) bool {
	return r.Kind() == reflect.Slice && r.Type().Elem() == reflect.TypeFor[byte]()
}

// appendValueAs appends a value in an encoding, with the header.
func appendValueAs(dst []byte, e ValueEncoding, value any) ([]byte, error) {
	r := reflect.ValueOf(value)
	if e == EncodingRaw {
		if !isBytes(r) {
			return nil, fmt.Errorf("%w: raw values are bytes, not %T", ErrInvalidArgument, value)
		}
		return append(dst, storedRaw(r.Bytes())...), nil
	}
	dst = appendHeader(dst, e)
	switch e {
	case EncodingText:
		if r.Kind() != reflect.String {
			return nil, fmt.Errorf("%w: text values are strings, not %T", ErrInvalidArgument, value)
		}
		return dtype.String.Append(dst, r.String())
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
		return decodeStructured(dtype.MsgPack[T](), dtype.MsgPack[any](), payload, out)
	case EncodingCBOR:
		return decodeStructured(dtype.CBOR[T](), dtype.CBOR[any](), payload, out)
	case EncodingPacked:
		return unpack(payload, out)
	}
	assign(out, payload)
	return fmt.Errorf("%w: %v", ErrUnsupportedEncoding, e)
}

// assign puts a value into out, if that is any, of its type, or of one that is
// made of it.
func assign[T any](out *T, value any) error {
	if v, ok := value.(T); ok {
		*out = v
		return nil
	}
	r, to := reflect.ValueOf(value), reflect.TypeFor[T]()
	if r.Kind() != to.Kind() || !r.CanConvert(to) {
		return fmt.Errorf("%w: the value is %T, which does not fit into %v", ErrInvalidArgument, value, to)
	}
	reflect.ValueOf(out).Elem().Set(r.Convert(to))
	return nil
}

// decodeStructured reads a value of the JSON model. If that cannot be done only
// because of T, the file is not to blame.
func decodeStructured[T any](t dtype.Type[T], model dtype.Type[any], payload []byte, out *T) (err error) {
	if *out, err = t.Decode(payload); err == nil {
		return nil
	}
	if _, e := model.Decode(payload); e == nil {
		return fmt.Errorf("%w: %v", ErrInvalidArgument, err)
	}
	return err
}

// decodeJSON reads JSON. Numbers become int64, uint64 or float64 where out is
// any, or a list or map of that.
func decodeJSON(payload []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	if err := d.Decode(out); err != nil {
		kind := ErrCorrupt
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			kind = ErrInvalidArgument
		}
		return fmt.Errorf("%w: reading the JSON: %w", kind, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: something follows the JSON", ErrCorrupt)
	}
	switch v := out.(type) {
	case *any:
		*v = plainNumbers(*v)
	case *[]any:
		plainNumbers(*v)
	case *map[string]any:
		plainNumbers(*v)
	}
	return nil
}

func plainNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		if u, err := strconv.ParseUint(v.String(), 10, 64); err == nil {
			return u
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

package columnvault

import (
	"context"
	"errors"

	"columnvault/internal/kvcodec"
	"columnvault/internal/store"
)

// ValueEncoding says how the value of a key is stored. [KV.PutValue] chooses
// one, [KV.PutValueAs] is told which, and [KV.Stat] reports it. The number is
// the one in the file; docs/format.md describes the bytes of each encoding.
//
// JSON, msgpack and CBOR hold values of the JSON model: nil, booleans, numbers,
// text, lists, and maps with text as keys, in any Go types that
// [dtype.Structured] describes and with the rules given there. Methods such as
// MarshalJSON are not called: msgpack and CBOR ignore them, and JSON refuses
// types that have them. A [json.Number] is a number in every encoding.
type ValueEncoding uint8

// The encodings.
const (
	// EncodingRaw is a []byte as it is.
	EncodingRaw = ValueEncoding(kvcodec.Raw)
	// EncodingPickle is an object of Python. It is recognized but never read.
	EncodingPickle = ValueEncoding(kvcodec.Pickle)
	// EncodingPacked is a number, a text or a vector as a column stores it. The
	// type is not stored, so GetValue has to be told: eight bytes may be an
	// integer or a float.
	EncodingPacked = ValueEncoding(kvcodec.Packed)
	// EncodingJSON is JSON text, with the struct tags of JSON. A
	// [json.RawMessage] is stored and read as the text itself, which leaves the
	// rules to [encoding/json].
	EncodingJSON = ValueEncoding(kvcodec.JSON)
	// EncodingMsgPack is MessagePack, as columns of msgpack store it.
	EncodingMsgPack = ValueEncoding(kvcodec.MsgPack)
	// EncodingCBOR is CBOR, as columns of cbor store it.
	EncodingCBOR = ValueEncoding(kvcodec.CBOR)
	// EncodingText is a string in UTF-8.
	EncodingText = ValueEncoding(kvcodec.Text)
)

// String returns the name of e, such as "msgpack", or its number if it has no
// name.
func (e ValueEncoding) String() string { return kvcodec.Encoding(e).String() }

// ErrUnsupportedEncoding is returned for a value in an encoding that is not
// read or not written, such as a pickle, and for JSON that no Go value holds,
// such as an integer of more than 64 bits. It is also an [ErrUnsupported].
var ErrUnsupportedEncoding = kvcodec.ErrUnsupportedEncoding

// PutValue stores a Go value in the encoding that KohakuVault chooses for it:
//
//   - bytes raw, and text as text
//   - numbers packed, and so are tensors and slices of numbers that have a
//     dtype ([]byte is bytes)
//   - booleans, nil, maps, structs and all other slices as msgpack
//
// KohakuVault's reader takes some packed values for others: it packs 0.0 and
// reads the integer 0, and it reads vectors of eight bytes or fewer, such as
// []int8{5}, as numbers or text. Such values are stored as msgpack here, so
// that both sides read what was put. A tensor that short has no such form and
// gives [ErrInvalidArgument].
func (kv *KV) PutValue(ctx context.Context, key []byte, value any) error {
	stored, err := kvcodec.Append(nil, value)
	if err != nil {
		return kv.fail("put", key, err)
	}
	return kv.putStored(ctx, store.Pair{Key: key, Value: stored})
}

// PutValueAs stores a Go value in the encoding asked for. A value that the
// encoding cannot hold gives [ErrInvalidArgument], and nothing is stored;
// [EncodingPickle] gives [ErrUnsupportedEncoding].
func (kv *KV) PutValueAs(ctx context.Context, key []byte, e ValueEncoding, value any) error {
	stored, err := kvcodec.AppendAs(nil, kvcodec.Encoding(e), value)
	if err != nil {
		return kv.fail("put", key, err)
	}
	return kv.putStored(ctx, store.Pair{Key: key, Value: stored})
}

// GetValue reads a value in whatever encoding it is stored.
//
// A value that T cannot hold gives [ErrInvalidArgument]. If T is any, every
// value fits: it is read as []byte, string, bool, int64 (uint64 above its
// range), float64, nil, []any, map[string]any or a [dtype.Tensor].
//
// A packed number is eight bytes that may be an integer or a float. T decides
// which; if T is any, the rule of KohakuVault's reader does, which is right for
// all numbers that [KV.PutValue] packs.
//
// NaN and the infinities, which Python writes into JSON, are floats. JSON that
// no Go value holds gives [ErrUnsupportedEncoding] unless T is
// [json.RawMessage]. So does a pickle, together with its bytes if T can hold
// bytes.
//
// Strings and byte slices from one call share memory; clone what you keep for
// long.
func GetValue[T any](ctx context.Context, kv *KV, key []byte) (value T, err error) {
	var stored []byte
	err = kv.read(ctx, "get", key, func(t tableIn) error {
		stored, err = t.get(ctx, key)
		return err
	})
	if err != nil {
		return value, err
	}
	value, err = kvcodec.Decode[T](stored)
	return value, kv.fail("get", key, err)
}

// ValueInfo is what is known of a value without loading it.
type ValueInfo struct {
	Encoding ValueEncoding
	// Size is the number of bytes of the value, without its header.
	Size int64
}

// Stat returns the encoding and the size of the value of a key. It reads the
// header alone, however large the value is.
func (kv *KV) Stat(ctx context.Context, key []byte) (info ValueInfo, err error) {
	err = kv.read(ctx, "stat", key, func(t tableIn) error {
		size, err := t.size(ctx, key)
		if err != nil {
			return err
		}
		head := make([]byte, min(size, kvcodec.HeaderSize))
		if value, ok := t.held.Get(key); ok {
			copy(head, value)
		} else if err := t.tx.r.GetAt(ctx, t.name, key, head, 0); err != nil {
			return err
		}
		e, payload, err := kvcodec.Parse(head)
		if errors.Is(err, ErrUnsupportedEncoding) {
			err = nil // the number of the encoding is known nevertheless
		}
		info = ValueInfo{ValueEncoding(e), size - int64(len(head)-len(payload))}
		return err
	})
	return info, err
}

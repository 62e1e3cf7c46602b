// Package dtype holds the types of columns: their names, and the codecs between
// Go values and stored bytes.
//
// Every column has a dtype, a string such as i64 or str:32:utf8 that is kept in
// the file. A program that knows its columns names the codec, and gets Go
// values of one type:
//
//	prices, err := columnvault.Create(ctx, v, "prices", dtype.Float64, nil)
//	points, err := columnvault.Create(ctx, v, "at", dtype.Vector[float32](3), nil)
//
// A program that learns the dtype only at run time calls [Parse], which returns
// a codec of values of any type.
//
// # The dtypes
//
//	dtype                   Go type           codec
//	bool                    bool              Bool
//	i8 i16 i32 i64          int8 .. int64     Int8 Int16 Int32 Int64
//	u8 u16 u32 u64          uint8 .. uint64   Uint8 Uint16 Uint32 Uint64
//	f16 f32 f64             float32, float64  Float16 Float32 Float64
//	str[:ENC]               string            String, Text
//	str:N[:ENC]             string            FixedText
//	bytes, bytes:N          []byte            Bytes, FixedBytes
//	msgpack, msgpack:N      any of the model  MsgPack, FixedMsgPack
//	cbor, cbor:N            any of the model  CBOR, FixedCBOR
//	vec:ELEM:DIM[:DIM...]   []E               Vector
//	vec:ELEM                []E or Tensor[E]  Vector, Tensors
//
// Numbers are stored in little-endian order. ENC is utf8 (the default),
// utf16le, utf16be, ascii or latin1. ELEM is a number other than f16. "The
// model" is that of JSON: [Structured] lists the Go types that it holds.
//
// With :N every element takes N bytes. Shorter values are padded with zeros,
// and longer ones are refused, never cut. The padding of bytes is returned with
// the value. From text all NUL characters at the end are removed, including
// those of the value itself. Without :N and DIM elements vary in size.
//
// # Meanings
//
// A column may mean more than its dtype says: integers may be times or dates,
// and elements may be missing. Such a [Meaning] is kept beside the dtype, which
// stays as it is, so programs that do not know of it see plain elements.
//
//	codec                  stored as             Go type
//	Timestamp(unit, zone)  i64 with time=unit    time.Time
//	Date                   i64 with date         time.Time
//	Nullable(t)            that of t, with null  sql.Null[T]
//
// # Codecs
//
// A codec is a [Type]. Types are immutable and safe for concurrent use. A
// constructor with a bad argument, such as FixedBytes(-1), returns a Type that
// reports it from Err and from every operation.
//
// # Memory
//
// Codecs append to memory of the caller, like [encoding/hex.AppendEncode]. What
// they decode may lie in the memory of the bytes they are given, which must not
// change while the values are in use. Strings and byte slices from one call
// share memory; clone what you keep for long.
//
// # Compatibility
//
// The bytes are those of KohakuVault 0.8.6, which testdata/packer_golden.json
// records; the numeric dtypes other than i64 and f64 are those of its version
// 1. Some values are stored there as something else: NaN in msgpack becomes
// null, and 256 in a vector of u8 becomes 0. This package refuses them;
// docs/format.md lists all cases.
//
// # Errors
//
// To [errors.Is], every error is one of [ErrSyntax], [ErrValue] and [ErrData].
// No input causes a panic, and lengths in stored bytes are checked before
// memory is allocated.
package dtype

// Package dtype is the types of columns: the grammar of their names and the codecs between Go values and stored bytes.
//
// A dtype is a string kept in the file beside the column, such as i64 or str:32:utf8. [ParseSpec] reads one into a
// [Spec], whose String method gives the canonical spelling:
//
//	bool i8 i16 i32 i64 u8 u16 u32 u64 f16 f32 f64   numbers, little-endian
//	str[:N][:ENC]                                    text; ENC is utf8 (default), utf16le, utf16be, ascii or latin1
//	bytes[:N]                                        raw bytes
//	msgpack[:N] cbor[:N]                             values of the JSON model
//	vec:ELEM[:DIM...]                                arrays of numbers (bool and f16 excepted)
//
// With :N every element takes N bytes, padded with zeros, and longer values are refused, never cut. The padding of bytes
// is returned with the value; of text all trailing NUL characters are dropped, the value's own included. A vec without
// dimensions takes a shape of its own for every element. Without :N and dimensions elements vary in size.
//
// # Codecs
//
// A [Type] is a dtype together with a Go type. [Int64], [String], [Bytes] and their like are variables; [FixedText],
// [MsgPack], [Vector] and others are functions, because they have parameters. [Parse] makes the dynamic form, a
// Type[any], from a string that is known only at run time. Types are immutable and safe for concurrent use. A
// constructor has no error result: a type made with a bad argument (FixedBytes(-1)) reports it from Err and from every
// operation.
//
// The methods append to memory of the caller, as encoding/hex.AppendEncode does. What they decode may lie in the memory
// of the bytes they are given: the caller hands these over and must not change them as long as the values are in use.
//
// # Compatibility
//
// The bytes are those of KohakuVault 0.8.6 (its DataPacker), which testdata/packer_golden.json records; the numeric
// dtypes other than i64 and f64 are those of its version 1. Where that package stores something other than what it was given
// (NaN in msgpack becomes null, 256 in a vector of u8 becomes 0) this one refuses; docs/format.md lists the cases.
//
// # Errors
//
// Every error is one of [ErrSyntax], [ErrValue] (with [ErrSchema] inside it) and [ErrData] to errors.Is. No input causes
// a panic, and lengths in stored bytes are checked before memory is allocated.
package dtype

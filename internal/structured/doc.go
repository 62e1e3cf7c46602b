// Package structured stores Go values of the JSON model (null, booleans, integers, floats, text, arrays, maps with text
// keys) as MessagePack, CBOR or JSON text, and reads them back.
//
// The first two formats leave choices to the writer. This package makes those of KohakuVault, byte for byte, so that a column
// written by either side looks the same: integers take their shortest form, lengths are definite, floats are float64 in
// MessagePack and the shortest exact width in CBOR, and the keys of every map are sorted by their UTF-8 bytes. That order
// is why the encoder is our own: CBOR libraries can sort by the encoded key, which puts "b" before "aa", and MessagePack
// libraries write struct fields as declared. (See "DataPacker" in docs/format.md.)
//
// # Go values
//
// Booleans, integers, floats, strings, slices, arrays, maps with string keys, structs, pointers, interfaces and
// [encoding/json.Number] can be stored. Struct fields follow the rules of encoding/json, embedding included; the tag is
// `msgpack:"name"` or `cbor:"name"`, else `json:"name"`, with "-", "omitempty", "omitzero" and "string" as options.
// Methods such as MarshalJSON are not called. Nil pointers, slices, maps and interfaces are null.
//
// What the JSON model lacks is refused, never replaced: NaN and infinities, byte slices and arrays, [time.Time],
// channels, functions, complex numbers, keys that are not strings, strings that are not UTF-8, integers outside
// -2^63 .. 2^64-1, and values nested deeper than the format's limit, which cyclic values run into.
//
// Reading fills the same types. It is exact about kinds (no text into a number), lenient about width (any integer that
// fits, an integral float into an integer) and about fields: unknown ones are skipped, missing ones are zero, null is
// the zero value, and of equal keys the last counts. Into an empty interface go nil, bool, int64 (uint64 above its
// range), float64, string, []any and map[string]any; a NaN or infinity, which only other programs write, becomes nil
// there as it does in Python, and stays itself in a float field. Bytes after the value are ignored: they are the padding
// of fixed-size columns.
//
// # How it works
//
// The first use of a Go type compiles it to a [coder], cached for the life of the program. The coders know Go types
// and leave bytes to a [wire], which knows one of the formats.
package structured

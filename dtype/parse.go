package dtype

import (
	"fmt"
	"strconv"
	"strings"
)

// Names for error texts.
const (
	dtypeNames = "bool, i8 .. i64, u8 .. u64, f16, f32, f64, str[:N][:ENC], bytes[:N], msgpack[:N], cbor[:N] " +
		"or vec:ELEM[:DIM...]"
	elementNames = "i8 .. i64, u8 .. u64, f32 or f64"
)

// ParseSpec reads a dtype string. An error is an [ErrSyntax].
//
// It takes all that KohakuVault 0.8.6 takes, with the same meaning: other names
// (string, messagepack, vector, vec:float32, str:utf-8), sizes such as 08 and
// +8, and anything after i64:, f64: and bytes:N:. Only the name of the encoding
// may be in capitals. The names of the other numbers, which come from version
// 1, take nothing after them.
func ParseSpec(s string) (Spec, error) {
	spec, err := parseSpec(strings.Split(s, ":"))
	if err == nil {
		err = spec.check()
	}
	if err != nil {
		return Spec{}, fmt.Errorf("%w (in %s)", err, quote(s))
	}
	return spec, nil
}

// Parse returns the dynamic codec of a dtype string, for programs that learn
// the dtype at run time. [Spec.Type] says which Go values it takes and returns.
// An error is an [ErrSyntax].
func Parse(s string) (Type[any], error) {
	spec, err := ParseSpec(s)
	if err != nil {
		return nil, err
	}
	return spec.Type(), nil
}

func parseSpec(words []string) (Spec, error) {
	name, args := words[0], words[1:]
	switch name {
	case "i64":
		return Spec{Kind: KindInt64}, nil
	case "f64":
		return Spec{Kind: KindFloat64}, nil
	case "str", "string":
		return parseText(args)
	case "bytes":
		return parseSized(KindBytes, args)
	case "msgpack", "messagepack":
		return parseSized(KindMsgPack, args)
	case "cbor":
		return parseSized(KindCBOR, args)
	case "vec", "vector":
		return parseVector(args)
	}
	for k := KindBool; k <= KindFloat64; k++ {
		if name == k.String() && len(args) == 0 {
			return Spec{Kind: k}, nil
		}
	}
	return Spec{}, fmt.Errorf("%w: unknown type %s: want %s", ErrSyntax, quote(strings.Join(words, ":")), dtypeNames)
}

// parseText reads [:N][:ENC].
func parseText(args []string) (spec Spec, err error) {
	spec.Kind = KindText
	switch len(args) {
	case 0:
	case 1:
		if n, err := parseSize(args[0]); err == nil {
			spec.Sized, spec.Size = true, n
			break
		}
		spec.Encoding, err = parseEncoding(args[0])
	case 2:
		spec.Sized = true
		if spec.Size, err = parseSize(args[0]); err == nil {
			spec.Encoding, err = parseEncoding(args[1])
		}
	default:
		err = fmt.Errorf("%w: too many parts: want str[:N][:ENC]", ErrSyntax)
	}
	return spec, err
}

// parseSized reads [:N] and ignores what follows.
func parseSized(k Kind, args []string) (spec Spec, err error) {
	spec.Kind = k
	if len(args) > 0 {
		spec.Sized = true
		spec.Size, err = parseSize(args[0])
	}
	return spec, err
}

// parseVector reads ELEM[:DIM...].
func parseVector(args []string) (spec Spec, err error) {
	spec.Kind = KindVector
	if len(args) == 0 {
		return spec, fmt.Errorf("%w: a vector needs an element type, as in vec:f32", ErrSyntax)
	}
	for k, info := range kinds {
		if info.code != 0 && (args[0] == info.name || args[0] == info.long) {
			spec.Elem = Kind(k)
		}
	}
	if spec.Elem == 0 {
		return spec, fmt.Errorf("%w: unknown element type %s: want %s", ErrSyntax, quote(args[0]), elementNames)
	}
	for _, arg := range args[1:] {
		d, err := parseSize(arg)
		if err != nil {
			return spec, err
		}
		spec.Dims = append(spec.Dims, d)
	}
	return spec, nil
}

// parseSize reads a number as Rust's usize does: digits with an optional plus.
func parseSize(s string) (int, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "+"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %s is not a size", ErrSyntax, quote(s))
	}
	return int(min(n, MaxSize+1)), nil // too large either way, which check reports
}

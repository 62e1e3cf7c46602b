package values

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"columnvault/dtype"
)

// Printer turns values of a dtype and a meaning into JSON.
type Printer struct {
	kind   dtype.Kind
	dims   []int
	number numeric // of the dtype, or of the elements of a vector
	moment Moment
}

// NewPrinter returns the printer for a dtype and a meaning.
func NewPrinter(spec dtype.Spec, m dtype.Meaning) Printer {
	p := Printer{kind: spec.Kind, dims: spec.Dims, number: numbers[spec.Kind], moment: NewMoment(m)}
	if spec.Kind == dtype.KindVector {
		p.number = numbers[spec.Elem]
	}
	return p
}

// Append prints a value as JSON, and a missing one as null.
func (p Printer) Append(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case time.Time:
		return p.moment.append(dst, v)
	}
	switch p.kind {
	case dtype.KindBytes:
		return AppendBytes(dst, v.([]byte))
	case dtype.KindVector:
		return p.number.appendVector(dst, v, p.dims)
	case dtype.KindBool, dtype.KindText, dtype.KindMsgPack, dtype.KindCBOR:
		return appendAny(dst, v)
	}
	return p.number.append(dst, v)
}

// appendAny prints a value of the JSON model, maps with their keys in order.
func appendAny(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case uint64:
		return strconv.AppendUint(dst, v, 10)
	case float64:
		return AppendFloat(dst, v, 64)
	case json.Number: // as it was read
		return append(dst, v...)
	case string:
		return AppendString(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, elem := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendAny(dst, elem)
		}
		return append(dst, ']')
	case map[string]any:
		dst = append(dst, '{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(AppendString(dst, key), ':')
			dst = appendAny(dst, v[key])
		}
		return append(dst, '}')
	}
	panic(fmt.Sprintf("a value of the Go type %T, which is not of the JSON model", v))
}

// AppendBytes prints bytes in JSON.
func AppendBytes(dst, v []byte) []byte {
	dst = append(dst, `{"$base64":true,"encoded":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, v)
	return append(dst, `"}`...)
}

// AppendString prints a JSON string, and escapes only what JSON demands.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

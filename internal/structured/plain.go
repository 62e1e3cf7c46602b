package structured

import (
	"encoding/binary"
	"math"
	"reflect"
	"unicode/utf8"
	"unsafe"

	"github.com/x448/float16"
)

// Reflection takes more of the time of a struct than all else together. So its
// fields that are plain (booleans, numbers and text that lie in the struct
// itself) are written and read by their offsets, as far as what is stored is of
// the usual form. Everything else is left to the coder of the field: null, a
// float that is an integer, and whatever is wrong, so that there is one place
// that says what that is.
//
// A pointer that is made here has the type that reflection found at that offset,
// and does not outlive the call.

// plainKind returns the kind of a plain field, or Invalid.
func plainKind(c coder, t reflect.Type) reflect.Kind {
	switch c.(type) {
	case boolCoder, integerCoder, floatCoder, textCoder:
		return t.Kind()
	}
	return reflect.Invalid
}

// encodePlain appends what lies at p. The result is false, and nothing is
// appended, if that cannot be stored.
func encodePlain(format Format, kind reflect.Kind, dst []byte, p unsafe.Pointer) ([]byte, bool) {
	switch kind {
	case reflect.String:
		s := *(*string)(p)
		if len(s) > maxLen || !utf8.ValidString(s) {
			return dst, false
		}
		if format == CBOR {
			dst = appendArgument(dst, cborText, uint64(len(s)))
		} else {
			dst = msgpackWire{}.appendText(dst, len(s))
		}
		return append(dst, s...), true
	case reflect.Float64:
		return encodePlainFloat(format, dst, *(*float64)(p))
	case reflect.Float32:
		return encodePlainFloat(format, dst, float64(*(*float32)(p)))
	case reflect.Bool:
		if format == CBOR {
			return cborWire{}.appendBool(dst, *(*bool)(p)), true
		}
		return msgpackWire{}.appendBool(dst, *(*bool)(p)), true
	}
	n, signed := loadInteger(kind, p)
	switch {
	case format == CBOR && signed:
		return cborWire{}.appendInt(dst, int64(n)), true
	case format == CBOR:
		return cborWire{}.appendUint(dst, n), true
	case signed:
		return msgpackWire{}.appendInt(dst, int64(n)), true
	}
	return msgpackWire{}.appendUint(dst, n), true
}

func encodePlainFloat(format Format, dst []byte, f float64) ([]byte, bool) {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return dst, false
	case format == CBOR:
		return cborWire{}.appendFloat(dst, f), true
	}
	return msgpackWire{}.appendFloat(dst, f), true
}

// decodePlain reads the item at src[at:] into what lies at p, and returns where
// the next one begins. The result is false, and nothing is changed, if the item
// is of an unusual form, or wrong.
func decodePlain(format Format, kind reflect.Kind, src []byte, at int, p unsafe.Pointer) (next int, ok bool) {
	if at >= len(src) {
		return at, false
	}
	first := src[at]
	switch kind {
	case reflect.String:
		var n int
		if n, next, ok = textSize(format, first, src, at+1); !ok || n > len(src)-next {
			return at, false
		}
		text := unsafe.String(unsafe.SliceData(src[next:]), n)
		if n == 0 {
			text = ""
		} else if !utf8.ValidString(text) {
			return at, false
		}
		*(*string)(p) = text
		return next + n, true
	case reflect.Float64, reflect.Float32:
		f, next, ok := plainFloat(format, first, src, at+1)
		if !ok {
			return at, false
		}
		if kind == reflect.Float64 {
			*(*float64)(p) = f
			return next, true
		}
		if float64(float32(f)) != f {
			return at, false
		}
		*(*float32)(p) = float32(f)
		return next, true
	case reflect.Bool:
		no, yes := byte(0xc2), byte(0xc3)
		if format == CBOR {
			no, yes = cborFalse, cborTrue
		}
		if first != no && first != yes {
			return at, false
		}
		*(*bool)(p) = first == yes
		return at + 1, true
	}
	n, negative, next, ok := integer(format, first, src, at+1)
	if !ok || !storeInteger(kind, p, n, negative) {
		return at, false
	}
	return next, true
}

// textSize reads the head of a text that begins with the byte first and goes on
// at src[at:].
func textSize(format Format, first byte, src []byte, at int) (n, next int, ok bool) {
	width := 0
	if format == CBOR {
		switch {
		case first >= cborText && first < cborText|24:
			return int(first - cborText), at, true
		case first >= cborText|24 && first <= cborText|26:
			width = 1 << (first - cborText - 24)
		}
	} else {
		switch {
		case first >= 0xa0 && first <= 0xbf:
			return int(first & 0x1f), at, true
		case first >= 0xd9 && first <= 0xdb:
			width = 1 << (first - 0xd9)
		}
	}
	if width == 0 || len(src)-at < width {
		return 0, at, false
	}
	size, next, _ := bigEndian(src, at, width)
	return int(size), next, size <= maxLen
}

// plainFloat reads a float that begins with the byte first and goes on at
// src[at:].
func plainFloat(format Format, first byte, src []byte, at int) (f float64, next int, ok bool) {
	if format == CBOR {
		switch left := len(src) - at; {
		case first == cborFloat64 && left >= 8:
		case first == cborFloat32 && left >= 4:
			return float64(math.Float32frombits(binary.BigEndian.Uint32(src[at:]))), at + 4, true
		case first == cborFloat16 && left >= 2:
			return float64(float16.Frombits(binary.BigEndian.Uint16(src[at:])).Float32()), at + 2, true
		default:
			return 0, at, false
		}
	} else if first != 0xcb || len(src)-at < 8 {
		return 0, at, false
	}
	return math.Float64frombits(binary.BigEndian.Uint64(src[at:])), at + 8, true
}

// integer reads an integer that begins with the byte first and goes on at
// src[at:]. A negative one is the bits of an int64.
func integer(format Format, first byte, src []byte, at int) (n uint64, negative bool, next int, ok bool) {
	width := 0
	if format == CBOR {
		if first >= cborBytes {
			return 0, false, at, false
		}
		negative = first >= cborNegative
		info := first & 31
		switch {
		case info < 24:
			n = uint64(info)
		case info <= 27:
			if width = 1 << (info - 24); len(src)-at < width {
				return 0, false, at, false
			}
			n, at, _ = bigEndian(src, at, width)
		default:
			return 0, false, at, false
		}
		if negative {
			if n > math.MaxInt64 {
				return 0, false, at, false
			}
			n = ^n
		}
		return n, negative, at, true
	}
	switch {
	case first <= 0x7f:
		return uint64(first), false, at, true
	case first >= 0xe0:
		return uint64(int8(first)), true, at, true
	case first >= 0xcc && first <= 0xd3:
		width = 1 << (first & 3)
	}
	if width == 0 || len(src)-at < width {
		return 0, false, at, false
	}
	n, at, _ = bigEndian(src, at, width)
	if first >= 0xd0 {
		shift := 64 - 8*width
		n = uint64(int64(n<<shift) >> shift)
		negative = int64(n) < 0
	}
	return n, negative, at, true
}

// loadInteger returns the integer at p. A signed one is the bits of an int64.
func loadInteger(kind reflect.Kind, p unsafe.Pointer) (n uint64, signed bool) {
	switch kind {
	case reflect.Int:
		return uint64(*(*int)(p)), true
	case reflect.Int8:
		return uint64(*(*int8)(p)), true
	case reflect.Int16:
		return uint64(*(*int16)(p)), true
	case reflect.Int32:
		return uint64(*(*int32)(p)), true
	case reflect.Int64:
		return uint64(*(*int64)(p)), true
	case reflect.Uint:
		return uint64(*(*uint)(p)), false
	case reflect.Uint8:
		return uint64(*(*uint8)(p)), false
	case reflect.Uint16:
		return uint64(*(*uint16)(p)), false
	case reflect.Uint32:
		return uint64(*(*uint32)(p)), false
	case reflect.Uint64:
		return *(*uint64)(p), false
	}
	return uint64(*(*uintptr)(p)), false
}

// storeInteger puts an integer at p, if it is in the range of that.
func storeInteger(kind reflect.Kind, p unsafe.Pointer, n uint64, negative bool) bool {
	signed := int64(n)
	if kind >= reflect.Int && kind <= reflect.Int64 {
		if (signed < 0) != negative {
			return false
		}
	} else if negative {
		return false
	}
	switch kind {
	case reflect.Int64:
		*(*int64)(p) = signed
	case reflect.Int:
		if int64(int(signed)) != signed {
			return false
		}
		*(*int)(p) = int(signed)
	case reflect.Int32:
		if int64(int32(signed)) != signed {
			return false
		}
		*(*int32)(p) = int32(signed)
	case reflect.Int16:
		if int64(int16(signed)) != signed {
			return false
		}
		*(*int16)(p) = int16(signed)
	case reflect.Int8:
		if int64(int8(signed)) != signed {
			return false
		}
		*(*int8)(p) = int8(signed)
	case reflect.Uint64:
		*(*uint64)(p) = n
	case reflect.Uint:
		if uint64(uint(n)) != n {
			return false
		}
		*(*uint)(p) = uint(n)
	case reflect.Uint32:
		if n > math.MaxUint32 {
			return false
		}
		*(*uint32)(p) = uint32(n)
	case reflect.Uint16:
		if n > math.MaxUint16 {
			return false
		}
		*(*uint16)(p) = uint16(n)
	case reflect.Uint8:
		if n > math.MaxUint8 {
			return false
		}
		*(*uint8)(p) = uint8(n)
	case reflect.Uintptr:
		if uint64(uintptr(n)) != n {
			return false
		}
		*(*uintptr)(p) = uintptr(n)
	default:
		return false
	}
	return true
}

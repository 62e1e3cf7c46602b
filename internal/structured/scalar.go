package structured

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"
)

type boolCoder struct{ w wire }

func (c boolCoder) encode(dst []byte, v reflect.Value, _ int) ([]byte, error) {
	return c.w.appendBool(dst, v.Bool()), nil
}

func (c boolCoder) decode(src []byte, at int, v reflect.Value, _ room) (int, error) {
	h, at, err := c.w.readHead(src, at)
	switch {
	case err != nil:
		return at, err
	case h.kind != boolKind && h.kind != nilKind:
		return at, errMismatch(h, v.Type())
	}
	v.SetBool(h.n != 0)
	return at, nil
}

type integerCoder struct {
	w      wire
	signed bool
}

func (c integerCoder) encode(dst []byte, v reflect.Value, _ int) ([]byte, error) {
	if c.signed {
		return c.w.appendInt(dst, v.Int()), nil
	}
	return c.w.appendUint(dst, v.Uint()), nil
}

func (c integerCoder) decode(src []byte, at int, v reflect.Value, _ room) (int, error) {
	h, at, err := c.w.readHead(src, at)
	if err != nil {
		return at, err
	}
	h = h.integral()
	negative := h.kind == negativeKind
	switch n := int64(h.n); {
	case h.kind != nilKind && h.kind != uintKind && !negative:
		return at, errMismatch(h, v.Type())
	case c.signed && (n < 0) == negative && !v.OverflowInt(n):
		v.SetInt(n)
	case !c.signed && !negative && !v.OverflowUint(h.n):
		v.SetUint(h.n)
	default:
		return at, errRange(h, v.Type())
	}
	return at, nil
}

// integral turns the head of a float that is an integer into the head of that
// integer.
func (h head) integral() head {
	if h.kind != floatKind {
		return h
	}
	f := math.Float64frombits(h.n)
	switch {
	case f != math.Trunc(f): // NaN too
	case f >= 0 && f < 1<<64:
		return head{kind: uintKind, n: uint64(f)}
	case f < 0 && f >= -1<<63:
		return head{kind: negativeKind, n: uint64(int64(f))}
	}
	return h
}

func errRange(h head, t reflect.Type) error {
	if h.kind == negativeKind {
		return fmt.Errorf("%d is outside the range of a Go %v", int64(h.n), t)
	}
	return fmt.Errorf("%d is outside the range of a Go %v", h.n, t)
}

type floatCoder struct{ w wire }

func (c floatCoder) encode(dst []byte, v reflect.Value, _ int) ([]byte, error) {
	return appendFloat(c.w, dst, v.Float())
}

func (c floatCoder) decode(src []byte, at int, v reflect.Value, _ room) (int, error) {
	h, at, err := c.w.readHead(src, at)
	if err != nil {
		return at, err
	}
	if h.kind > floatKind || h.kind == boolKind {
		return at, errMismatch(h, v.Type())
	}
	f := h.float()
	if v.OverflowFloat(f) {
		return at, fmt.Errorf("%g is outside the range of a Go %v", f, v.Type())
	}
	v.SetFloat(f)
	return at, nil
}

// float is the number of a numeric head; null is 0.
func (h head) float() float64 {
	switch h.kind {
	case negativeKind:
		return float64(int64(h.n))
	case floatKind:
		return math.Float64frombits(h.n)
	}
	return float64(h.n)
}

func appendFloat(w wire, dst []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, errFloat
	}
	return w.appendFloat(dst, f), nil
}

type textCoder struct{ w wire }

func (c textCoder) encode(dst []byte, v reflect.Value, _ int) ([]byte, error) {
	return appendText(c.w, dst, v.String())
}

func (c textCoder) decode(src []byte, at int, v reflect.Value, _ room) (int, error) {
	h, at, err := c.w.readHead(src, at)
	if err != nil {
		return at, err
	}
	switch h.kind {
	case nilKind:
		v.SetString("")
		return at, nil
	case textKind:
		s, at, err := readText(src, at, h)
		v.SetString(s)
		return at, err
	}
	return at, errMismatch(h, v.Type())
}

func appendText(w wire, dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return dst, errText
	}
	if len(s) > maxLen {
		return dst, errLen
	}
	return append(w.appendText(dst, len(s)), s...), nil
}

// readText reads the content of a text with head h at src[at:]. The string lies
// in the memory of src.
func readText(src []byte, at int, h head) (string, int, error) {
	if h.indefinite {
		return readChunks(src, at)
	}
	if h.n == 0 {
		return "", at, nil
	}
	end := at + int(h.n)
	s := unsafe.String(&src[at], int(h.n))
	if !utf8.ValidString(s) {
		return "", at, errText
	}
	return s, end, nil
}

// numberCoder is for json.Number, a string type that holds the text of a
// number.
type numberCoder struct{ w wire }

func (c numberCoder) encode(dst []byte, v reflect.Value, _ int) ([]byte, error) {
	return appendNumber(c.w, dst, json.Number(v.String()))
}

// appendNumber stores n as an integer, or as a float if it is written as one.
func appendNumber(w wire, dst []byte, n json.Number) ([]byte, error) {
	s := string(n)
	if s == "" {
		s = "0" // the zero value, as in encoding/json
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return w.appendInt(dst, i), nil
	}
	if u, err := strconv.ParseUint(s, 10, 64); err == nil {
		return w.appendUint(dst, u), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	// Only JSON's own spelling: ParseFloat also takes inf, nan and hexadecimal.
	if err != nil || strings.Trim(s, "+-.0123456789eE") != "" || !strings.ContainsAny(s, ".eE") {
		return dst, fmt.Errorf("json.Number %.40q is no number between -2^63 and 2^64-1, nor a float64", s)
	}
	return w.appendFloat(dst, f), nil
}

func (c numberCoder) decode(src []byte, at int, v reflect.Value, _ room) (int, error) {
	h, at, err := c.w.readHead(src, at)
	if err != nil {
		return at, err
	}
	switch h.kind {
	case nilKind:
		v.SetString("")
	case uintKind:
		v.SetString(strconv.FormatUint(h.n, 10))
	case negativeKind:
		v.SetString(strconv.FormatInt(int64(h.n), 10))
	case floatKind:
		f := h.float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return at, errFloat
		}
		text := strconv.FormatFloat(f, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0" // so that it is a float when it is stored again
		}
		v.SetString(text)
	default:
		return at, errMismatch(h, v.Type())
	}
	return at, nil
}

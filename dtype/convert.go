package dtype

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"columnvault/internal/excerpt"
)

// toNumber converts a Go number, bool or json.Number to E. An integer E takes floats only if floats is set, and then only
// those without a fraction; a float E rounds.
func toNumber[E Element](v any, floats bool) (E, error) {
	switch v := v.(type) { // the common ones without reflection
	case E:
		return v, nil
	case int:
		return fromInt[E](int64(v))
	case float64:
		if floats {
			return fromFloat[E](v)
		}
	}
	return reflectNumber[E](reflect.ValueOf(v), floats)
}

var numberType = reflect.TypeFor[json.Number]()

// reflectNumber is toNumber for the value in v.
func reflectNumber[E Element](v reflect.Value, floats bool) (E, error) {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return 1, nil
		}
		return 0, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return fromInt[E](v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return fromUint[E](v.Uint())
	case reflect.Float32, reflect.Float64:
		if floats {
			return fromFloat[E](v.Float())
		}
		return 0, fmt.Errorf("%w: the float %v where %v takes integers: round it first, or use f64",
			ErrValue, v.Float(), kindOf[E]())
	case reflect.String:
		if v.Type() == numberType {
			return fromText[E](v.String(), floats)
		}
	case reflect.Invalid:
		return 0, fmt.Errorf("%w: nil where a number of type %v is wanted", ErrValue, kindOf[E]())
	}
	return 0, fmt.Errorf("%w: a Go %v where a number of type %v is wanted", ErrValue, v.Type(), kindOf[E]())
}

func isFloat[E Element]() bool { return E(1)/2 != 0 }

func errRange[E Element](v any) error {
	return fmt.Errorf("%w: %v is outside the range of %v", ErrValue, v, kindOf[E]())
}

func fromInt[E Element](n int64) (E, error) {
	e := E(n)
	if isFloat[E]() || int64(e) == n && (e < 0) == (n < 0) {
		return e, nil
	}
	return 0, errRange[E](n)
}

func fromUint[E Element](n uint64) (E, error) {
	e := E(n)
	if isFloat[E]() || uint64(e) == n && e >= 0 {
		return e, nil
	}
	return 0, errRange[E](n)
}

func fromFloat[E Element](f float64) (E, error) {
	switch {
	case isFloat[E]():
		e := E(f)
		if math.IsInf(float64(e), 0) && !math.IsInf(f, 0) {
			return 0, errRange[E](f)
		}
		return e, nil
	case f != math.Trunc(f): // NaN too
		return 0, fmt.Errorf("%w: %v is not an integer, which %v takes", ErrValue, f, kindOf[E]())
	case f >= -1<<63 && f < 1<<63:
		return fromInt[E](int64(f))
	case f >= 0 && f < 1<<64:
		return fromUint[E](uint64(f))
	}
	return 0, errRange[E](f)
}

// fromText converts the text of a json.Number.
func fromText[E Element](s string, floats bool) (E, error) {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return fromInt[E](i)
	}
	if u, err := strconv.ParseUint(s, 10, 64); err == nil {
		return fromUint[E](u)
	}
	// Only JSON's own spelling: ParseFloat also takes inf, nan and hexadecimal.
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.Trim(s, "+-.0123456789eE") != "" {
		return 0, fmt.Errorf("%w: json.Number %s is not a number of type %v", ErrValue, quote(s), kindOf[E]())
	}
	if !floats {
		return 0, fmt.Errorf("%w: json.Number %s is not an integer within the range of %v", ErrValue, quote(s), kindOf[E]())
	}
	return fromFloat[E](f)
}

// toRow converts v to a flat row of the fixed vector s.
func toRow[E Element](v any, s Spec) ([]E, error) {
	if row, ok := v.([]E); ok {
		return row, nil
	}
	t, err := toTensor[E](v)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(t.Shape, s.Dims) {
		return nil, fmt.Errorf("%w: shape %s where %s has %s", ErrValue,
			excerpt.Shorten(fmt.Sprint(t.Shape), excerpt.Name), s.shown(), excerpt.Shorten(fmt.Sprint(s.Dims), excerpt.Name))
	}
	return t.Data, nil
}

// toTensor converts v to a Tensor: a Tensor of any numbers, or numbers nested in slices, arrays and []any to the same depth
// everywhere.
func toTensor[E Element](v any) (Tensor[E], error) {
	switch v := v.(type) {
	case Tensor[E]:
		return v, nil
	case []E:
		return Tensor[E]{[]int{len(v)}, v}, nil
	}
	if k, shape, list := anyTensor(v); k != 0 {
		data, err := flatten(make([]E, 0, list.Len()), list, []int{list.Len()})
		return Tensor[E]{shape, data}, err
	}
	var shape []int
	for rv := reflect.ValueOf(v); isList(rv); rv = inner(rv.Index(0)) {
		if len(shape) == maxRank {
			return Tensor[E]{}, fmt.Errorf("%w: lists nested deeper than the %d dimensions of a vector", ErrValue, maxRank)
		}
		shape = append(shape, rv.Len())
		if rv.Len() == 0 {
			break
		}
	}
	n := volume(shape)
	if n > MaxSize {
		return Tensor[E]{}, fmt.Errorf("%w: shape %v has more elements than %d", ErrValue, shape, MaxSize)
	}
	// The shape is that of the first elements. Until the others are seen n is a claim, which gets no more than this.
	const first = 1 << 13
	data, err := flatten(make([]E, 0, min(n, first)), reflect.ValueOf(v), shape)
	return Tensor[E]{shape, data}, err
}

// flatten appends the numbers in v, which must have the given shape, to dst.
func flatten[E Element](dst []E, v reflect.Value, shape []int) ([]E, error) {
	if len(shape) == 0 {
		e, err := reflectNumber[E](v, true)
		return append(dst, e), err
	}
	if !isList(v) || v.Len() != shape[0] {
		return dst, fmt.Errorf("%w: lists of different lengths or depths are no vector", ErrValue)
	}
	for i := range shape[0] {
		var err error
		if dst, err = flatten(dst, inner(v.Index(i)), shape[1:]); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func isList(v reflect.Value) bool {
	return v.Kind() == reflect.Slice || v.Kind() == reflect.Array
}

// inner returns the value in an interface, and other values as they are.
func inner(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Interface {
		return v.Elem()
	}
	return v
}

package structured

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"sync"
)

// interfaceCoder is for values whose type is known only at run time.
type interfaceCoder struct {
	w     wire
	empty bool // the interface has no methods, so that anything can be read into it
}

func (c interfaceCoder) encode(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if v.IsNil() {
		return c.w.appendNil(dst), nil
	}
	return appendAny(c.w, dst, v.Interface(), depth)
}

func (c interfaceCoder) decode(src []byte, at int, v reflect.Value, in room) (int, error) {
	if !c.empty {
		h, at, err := c.w.readHead(src, at)
		if err == nil && h.kind != nilKind {
			err = errMismatch(h, v.Type())
		}
		v.SetZero()
		return at, err
	}
	x, at, err := readAny(c.w, src, at, in)
	if x == nil {
		v.SetZero()
	} else {
		v.Set(reflect.ValueOf(x))
	}
	return at, err
}

// appendAny appends a value of any type. The types of decoded JSON go without
// reflection.
func appendAny(w wire, dst []byte, x any, depth int) ([]byte, error) {
	switch x := x.(type) {
	case nil:
		return w.appendNil(dst), nil
	case bool:
		return w.appendBool(dst, x), nil
	case int:
		return w.appendInt(dst, int64(x)), nil
	case int64:
		return w.appendInt(dst, x), nil
	case uint64:
		return w.appendUint(dst, x), nil
	case float64:
		return appendFloat(w, dst, x)
	case string:
		return appendText(w, dst, x)
	case json.Number:
		return appendNumber(w, dst, x)
	case []any:
		return appendAnySlice(w, dst, x, depth)
	case map[string]any:
		return appendAnyMap(w, dst, x, depth)
	}
	c, err := coderOf(w, reflect.TypeOf(x))
	if err != nil {
		return dst, err
	}
	return c.encode(dst, reflect.ValueOf(x), depth)
}

func appendAnySlice(w wire, dst []byte, x []any, depth int) ([]byte, error) {
	if x == nil {
		return w.appendNil(dst), nil
	}
	if err := enter(w, len(x), depth); err != nil {
		return dst, err
	}
	dst = w.appendArray(dst, len(x))
	for i, elem := range x {
		var err error
		if dst, err = appendAny(w, dst, elem, depth+1); err != nil {
			return dst, inElement(i, err)
		}
	}
	return dst, nil
}

var keySlices = sync.Pool{New: func() any { return new([]string) }}

func appendAnyMap(w wire, dst []byte, x map[string]any, depth int) ([]byte, error) {
	if x == nil {
		return w.appendNil(dst), nil
	}
	if err := enter(w, len(x), depth); err != nil {
		return dst, err
	}
	scratch := keySlices.Get().(*[]string)
	keys := (*scratch)[:0]
	defer func() {
		clear(keys)
		*scratch = keys
		keySlices.Put(scratch)
	}()
	for key := range x {
		keys = append(keys, key)
	}
	slices.Sort(keys)

	dst = w.appendMap(dst, len(keys))
	for _, key := range keys {
		var err error
		if dst, err = appendText(w, dst, key); err == nil {
			dst, err = appendAny(w, dst, x[key], depth+1)
		}
		if err != nil {
			return dst, inField(key, err)
		}
	}
	return dst, nil
}

// anySize is the size of an interface, and that of a string.
const anySize = 16

// readAny reads the item at src[at:] as one of the types that the package
// comment lists.
func readAny(w wire, src []byte, at int, in room) (any, int, error) {
	h, at, err := w.readHead(src, at)
	if err != nil {
		return nil, at, err
	}
	if h.kind >= uintKind && h.kind <= textKind {
		if err := in.take(anySize); err != nil { // a number, or the head of a text
			return nil, at, err
		}
	}
	switch h.kind {
	case boolKind:
		return h.n != 0, at, nil
	case uintKind:
		if h.n > math.MaxInt64 {
			return h.n, at, nil
		}
		return int64(h.n), at, nil
	case negativeKind:
		return int64(h.n), at, nil
	case floatKind:
		f := h.float()
		if (math.IsNaN(f) || math.IsInf(f, 0)) && w.format() != jsonItems {
			return nil, at, nil // as in Python, which reads them of JSON alone
		}
		return f, at, nil
	case textKind:
		s, at, err := readText(src, at, h)
		if err != nil {
			return nil, at, err
		}
		return s, at, nil
	case arrayKind:
		return readAnySlice(w, src, at, h, in)
	case mapKind:
		return readAnyMap(w, src, at, h, in)
	}
	return nil, at, nil
}

func readAnySlice(w wire, src []byte, at int, h head, in room) (any, int, error) {
	if err := enter(w, 0, in.depth); err != nil {
		return nil, at, err
	}
	const first = firstBytes / anySize
	list := make([]any, 0, min(h.n, first))
	if err := in.take(anySize * (2 + cap(list))); err != nil {
		return nil, at, err
	}
	for i := 0; ; i++ {
		var more bool
		if more, at = h.more(src, at, i); !more {
			return list, at, nil
		}
		if i == cap(list) {
			more, err := in.grow(i, h.n, anySize)
			if err != nil {
				return nil, at, err
			}
			list = slices.Grow(list, max(more, 1))
		}
		var elem any
		var err error
		if elem, at, err = readAny(w, src, at, in.inner()); err != nil {
			return nil, at, inElement(i, err)
		}
		list = append(list, elem)
	}
}

func readAnyMap(w wire, src []byte, at int, h head, in room) (any, int, error) {
	if err := enter(w, 0, in.depth); err != nil {
		return nil, at, err
	}
	if err := in.take(emptyMap); err != nil {
		return nil, at, err
	}
	m := make(map[string]any, min(h.n, firstPairs))
	for i := 0; ; i++ {
		var more bool
		if more, at = h.more(src, at, i); !more {
			return m, at, nil
		}
		var key string
		var value any
		var err error
		if key, at, err = readKey(w, src, at); err != nil {
			return nil, at, err
		}
		if err = in.pair(i, 2*anySize); err != nil { // a string is as large
			return nil, at, err
		}
		if value, at, err = readAny(w, src, at, in.inner()); err != nil {
			return nil, at, inField(key, err)
		}
		m[key] = value
	}
}

// skip reads past the item at src[at:], with the checks that reading it would
// make.
func skip(w wire, src []byte, at, depth int) (int, error) {
	h, at, err := w.readHead(src, at)
	if err != nil {
		return at, err
	}
	switch h.kind {
	case textKind:
		_, at, err = readText(src, at, h)
		return at, err
	case arrayKind, mapKind:
	default:
		return at, nil
	}
	if err := enter(w, 0, depth); err != nil {
		return at, err
	}
	for i := 0; ; i++ {
		var more bool
		if more, at = h.more(src, at, i); !more {
			return at, nil
		}
		if h.kind == mapKind {
			if _, at, err = readKey(w, src, at); err != nil {
				return at, err
			}
		}
		if at, err = skip(w, src, at, depth+1); err != nil {
			return at, err
		}
	}
}

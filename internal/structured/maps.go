package structured

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// readKey reads the key of a pair.
func readKey(w wire, src []byte, at int) (string, int, error) {
	h, at, err := w.readHead(src, at)
	if err != nil {
		return "", at, err
	}
	if h.kind != textKind {
		return "", at, errKey
	}
	return readText(src, at, h)
}

type mapCoder struct {
	w    wire
	t    reflect.Type
	elem coder
}

// A pair is one entry of a map on its way to be sorted.
type pair struct {
	key   string
	value reflect.Value
}

var pairSlices = sync.Pool{New: func() any { return new([]pair) }}

func (c mapCoder) encode(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if v.IsNil() {
		return c.w.appendNil(dst), nil
	}
	if err := enter(c.w, v.Len(), depth); err != nil {
		return dst, err
	}
	scratch := pairSlices.Get().(*[]pair)
	pairs := (*scratch)[:0]
	defer func() {
		clear(pairs)
		*scratch = pairs
		pairSlices.Put(scratch)
	}()
	for iter := v.MapRange(); iter.Next(); {
		pairs = append(pairs, pair{iter.Key().String(), iter.Value()})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.key, b.key) })

	dst = c.w.appendMap(dst, len(pairs))
	for _, p := range pairs {
		var err error
		if dst, err = appendText(c.w, dst, p.key); err == nil {
			dst, err = c.elem.encode(dst, p.value, depth+1)
		}
		if err != nil {
			return dst, inField(p.key, err)
		}
	}
	return dst, nil
}

func (c mapCoder) decode(src []byte, at int, v reflect.Value, in room) (int, error) {
	v.SetZero()
	h, at, ok, err := begin(c.w, mapKind, src, at, c.t, in.depth)
	if !ok {
		return at, err
	}
	size := anySize + int(c.t.Elem().Size())
	if err := in.take(emptyMap + size); err != nil {
		return at, err
	}
	m := reflect.MakeMapWithSize(c.t, int(min(h.n, firstPairs)))
	key := reflect.New(c.t.Key()).Elem()
	value := reflect.New(c.t.Elem()).Elem()
	for i := 0; ; i++ {
		var more bool
		if more, at = h.more(src, at, i); !more {
			v.Set(m)
			return at, nil
		}
		var name string
		if name, at, err = readKey(c.w, src, at); err != nil {
			return at, err
		}
		if err = in.pair(i, size); err != nil {
			return at, err
		}
		if at, err = c.elem.decode(src, at, value, in.inner()); err != nil {
			return at, inField(name, err)
		}
		key.SetString(name)
		m.SetMapIndex(key, value)
	}
}

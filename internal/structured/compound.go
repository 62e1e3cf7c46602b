package structured

import (
	"fmt"
	"reflect"
)

// firstBytes bounds what a slice or map allocates before its first element is
// read. Beyond it memory grows with the elements that are really there, so that
// a few bytes of damaged or hostile data cannot ask for gigabytes.
const (
	firstBytes = 4 << 10
	firstPairs = 64
)

type pointerCoder struct {
	w     wire
	t     reflect.Type // of what it points to
	elem  coder
	nests bool
}

func (c pointerCoder) encode(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if v.IsNil() {
		return c.w.appendNil(dst), nil
	}
	if c.nests {
		if depth++; depth > c.w.maxDepth() {
			return dst, errDepth(c.w)
		}
	}
	return c.elem.encode(dst, v.Elem(), depth)
}

func (c pointerCoder) decode(src []byte, at int, v reflect.Value, in room) (int, error) {
	h, next, err := c.w.readHead(src, at)
	if err != nil {
		return at, err
	}
	if h.kind == nilKind {
		v.SetZero()
		return next, nil
	}
	if c.nests {
		if in.depth++; in.depth > c.w.maxDepth() {
			return at, errDepth(c.w)
		}
	}
	if err := in.take(int(c.t.Size())); err != nil {
		return at, err
	}
	p := reflect.New(c.t)
	at, err = c.elem.decode(src, at, p.Elem(), in)
	if err == nil {
		if v.Type() != p.Type() { // a named pointer type
			p = p.Convert(v.Type())
		}
		v.Set(p)
	}
	return at, err
}

// enter checks that an array or map of n elements may be written inside of
// depth others.
func enter(w wire, n, depth int) error {
	if depth >= w.maxDepth() {
		return errDepth(w)
	}
	if n > maxLen {
		return errLen
	}
	return nil
}

// begin reads the head of an array or map inside of depth others, for a Go t.
// ok is false if there is null instead.
func begin(w wire, want kind, src []byte, at int, t reflect.Type, depth int) (h head, next int, ok bool, err error) {
	h, at, err = w.readHead(src, at)
	switch {
	case err != nil || h.kind == nilKind:
		return h, at, false, err
	case h.kind != want:
		return h, at, false, errMismatch(h, t)
	}
	err = enter(w, 0, depth)
	return h, at, err == nil, err
}

// appendElements appends an array of the n elements of v.
func appendElements(w wire, elem coder, dst []byte, v reflect.Value, n, depth int) ([]byte, error) {
	if err := enter(w, n, depth); err != nil {
		return dst, err
	}
	dst = w.appendArray(dst, n)
	for i := range n {
		var err error
		if dst, err = elem.encode(dst, v.Index(i), depth+1); err != nil {
			return dst, inElement(i, err)
		}
	}
	return dst, nil
}

type sliceCoder struct {
	w     wire
	elem  coder
	empty reflect.Value // a slice without elements that is not nil
	first int           // elements to allocate before the first is read
	size  int           // of an element, in bytes
}

func (c sliceCoder) encode(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if v.IsNil() {
		return c.w.appendNil(dst), nil
	}
	return appendElements(c.w, c.elem, dst, v, v.Len(), depth)
}

func (c sliceCoder) decode(src []byte, at int, v reflect.Value, in room) (int, error) {
	v.SetZero()
	h, at, ok, err := begin(c.w, arrayKind, src, at, v.Type(), in.depth)
	if !ok {
		return at, err
	}
	v.Set(c.empty)
	first := int(min(h.n, uint64(c.first)))
	if err := in.take(first * c.size); err != nil {
		return at, err
	}
	v.Grow(first)
	for i := 0; ; i++ {
		var more bool
		if more, at = h.more(src, at, i); !more {
			return at, nil
		}
		if i == v.Cap() {
			more, err := in.grow(i, h.n, c.size)
			if err != nil {
				return at, err
			}
			v.Grow(max(more, 1))
		}
		v.SetLen(i + 1)
		if at, err = c.elem.decode(src, at, v.Index(i), in.inner()); err != nil {
			return at, inElement(i, err)
		}
	}
}

type arrayCoder struct {
	w    wire
	elem coder
}

func (c arrayCoder) encode(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	return appendElements(c.w, c.elem, dst, v, v.Len(), depth)
}

// decode wants exactly as many elements as the Go array has: dropping some, or
// making some up, would go unnoticed.
func (c arrayCoder) decode(src []byte, at int, v reflect.Value, in room) (int, error) {
	v.SetZero()
	h, at, ok, err := begin(c.w, arrayKind, src, at, v.Type(), in.depth)
	if !ok {
		return at, err
	}
	for i := 0; ; i++ {
		var more bool
		if more, at = h.more(src, at, i); !more {
			if i < v.Len() {
				return at, fmt.Errorf("an array of %d elements, which is too short for a Go %v", i, v.Type())
			}
			return at, nil
		}
		if i == v.Len() {
			return at, fmt.Errorf("an array with more elements than a Go %v", v.Type())
		}
		if at, err = c.elem.decode(src, at, v.Index(i), in.inner()); err != nil {
			return at, inElement(i, err)
		}
	}
}

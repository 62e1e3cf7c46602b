package structured

import (
	"fmt"
	"reflect"
	"unsafe"
)

// quotedCoder is for scalars with the option "string", and pointers to them:
// they are stored as JSON inside text.
type quotedCoder struct {
	w     wire
	inner coder // of the items that stand for JSON
}

func newQuotedCoder(w wire, t reflect.Type) (coder, error) {
	inner, err := coderOf(jsonWire{}, t)
	return quotedCoder{w, inner}, err
}

func (c quotedCoder) encode(dst []byte, v reflect.Value, _ int) ([]byte, error) {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return c.w.appendNil(dst), nil
	}
	item, err := c.inner.encode(nil, v, 0)
	if err != nil {
		return dst, err
	}
	text, _, err := appendJSONItem(nil, item, 0)
	if err != nil {
		return dst, err
	}
	return appendText(c.w, dst, unsafe.String(unsafe.SliceData(text), len(text)))
}

func (c quotedCoder) decode(src []byte, at int, v reflect.Value, _ room) (int, error) {
	v.SetZero()
	h, at, err := c.w.readHead(src, at)
	switch {
	case err != nil || h.kind == nilKind:
		return at, err
	case h.kind != textKind:
		return at, fmt.Errorf("found %s where the tag option \"string\" wants text", h.kind)
	}
	text, at, err := readText(src, at, h)
	if err != nil {
		return at, err
	}
	item, err := parseJSON([]byte(text))
	if err != nil {
		return at, err
	}
	_, err = c.inner.decode(item, 0, v, room{})
	return at, err
}

package structured

import (
	"reflect"
	"unsafe"
)

type structCoder struct {
	w      wire
	fields []field // in the order of the names' bytes, which is how they are stored
	byName map[string]int
	// always is how many of the fields every value has.
	always int
	// pointed is the size of the structs that are embedded by a pointer.
	pointed int
}

func (c *structCoder) encode(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	n := len(c.fields)
	if err := enter(c.w, n, depth); err != nil {
		return dst, err
	}
	if c.always < n {
		n = c.always
		for i := range c.fields {
			if f := &c.fields[i]; !f.always && f.present(v).IsValid() {
				n++
			}
		}
	}
	dst = c.w.appendMap(dst, n)
	format, base := c.w.format(), address(v)
	for i := range c.fields {
		f := &c.fields[i]
		if base != nil && f.plain != reflect.Invalid && f.always {
			start := len(dst)
			out, ok := encodePlain(format, f.plain, append(dst, f.key...), unsafe.Add(base, f.offset))
			if ok {
				dst = out
				continue
			}
			dst = out[:start] // below is said what is wrong
		}
		fv := f.present(v)
		if !fv.IsValid() {
			continue
		}
		dst = append(dst, f.key...)
		var err error
		if dst, err = f.coder.encode(dst, fv, depth+1); err != nil {
			return dst, inField(f.name, err)
		}
	}
	return dst, nil
}

// address is where the struct v lies, or nil if that is a copy.
func address(v reflect.Value) unsafe.Pointer {
	if !v.CanAddr() {
		return nil
	}
	return v.Addr().UnsafePointer()
}

// present returns the field inside the struct v, or the zero Value if it is not
// to be stored: omitempty, omitzero, or an embedded pointer on the way is nil.
func (f *field) present(v reflect.Value) reflect.Value {
	fv := f.in(v, false)
	if fv.IsValid() && (f.omitEmpty && isEmpty(fv) || f.isZero != nil && f.isZero(fv)) {
		return reflect.Value{}
	}
	return fv
}

// isEmpty is what omitempty means in encoding/json.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

func (c *structCoder) decode(src []byte, at int, v reflect.Value, in room) (int, error) {
	v.SetZero()
	h, at, ok, err := begin(c.w, mapKind, src, at, v.Type(), in.depth)
	if !ok {
		return at, err
	}
	if err := in.take(c.pointed); err != nil {
		return at, err
	}
	format, base := c.w.format(), address(v)
	expect := 0 // the field that comes next if the keys are in order, as ours are
	for i := 0; ; i++ {
		var more bool
		if more, at = h.more(src, at, i); !more {
			return at, nil
		}
		var name string
		if expect < len(c.fields) && hasPrefix(src[at:], c.fields[expect].key) {
			at += len(c.fields[expect].key)
		} else {
			if name, at, err = readKey(c.w, src, at); err != nil {
				return at, err
			}
			known, ok := c.byName[name]
			if !ok {
				if at, err = skip(c.w, src, at, in.depth+1); err != nil {
					return at, inField(name, err)
				}
				continue
			}
			expect = known
		}
		f := &c.fields[expect]
		if f.plain != reflect.Invalid && base != nil {
			var ok bool
			if at, ok = decodePlain(format, f.plain, src, at, unsafe.Add(base, f.offset)); ok {
				expect++
				continue
			}
		}
		if at, err = f.coder.decode(src, at, f.in(v, true), in.inner()); err != nil {
			return at, inField(f.name, err)
		}
		expect++
	}
}

func hasPrefix(src []byte, prefix string) bool {
	return len(src) >= len(prefix) && string(src[:len(prefix)]) == prefix
}

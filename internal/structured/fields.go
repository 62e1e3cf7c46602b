package structured

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// A field is a struct field that is stored.
type field struct {
	name  string
	index []int // as for reflect.Value.FieldByIndex
	// throughPointer: the path of index leads through an embedded pointer,
	// which may be nil.
	throughPointer bool
	tagged         bool // name comes from a tag
	omitEmpty      bool
	isZero         func(reflect.Value) bool // of omitzero, or nil
	quoted         bool                     // option "string": a scalar is stored as JSON inside text

	key   string // name as it is stored: head and text
	coder coder
	// plain is the kind of a plain field, whose value lies at offset in the
	// struct; see plain.go. always says that every value has it.
	plain  reflect.Kind
	offset uintptr
	always bool
}

// fieldsOf lists the stored fields of the struct type t in the order of their
// names' bytes. Which fields of embedded structs count follows encoding/json:
// of equal names the least nested one, of those a tagged one, and if several
// are left, none.
func fieldsOf(t reflect.Type, tag string) ([]field, error) {
	var (
		all  []field
		next = []embedded{{t: t}}
		seen = make(map[reflect.Type]bool)
	)
	for len(next) > 0 { // one level of embedding a turn
		level := next
		next = nil
		for _, e := range level {
			seen[e.t] = true
		}
		for _, e := range level {
			for i := range e.t.NumField() {
				f, inner, err := e.member(i, tag)
				switch {
				case err != nil:
					return nil, inField(e.t.Field(i).Name, err)
				case f != nil:
					all = append(all, *f)
				case inner != nil && !seen[inner.t]:
					next = append(next, *inner)
				}
			}
		}
	}
	fields := dominant(all)
	if len(fields) == 0 && t.NumField() > 0 {
		return nil, fmt.Errorf("the Go type %v has no exported field, so nothing of it would be stored", t)
	}
	return fields, nil
}

// embedded is a struct whose fields are listed: the outermost one, or one
// embedded in it at index.
type embedded struct {
	t              reflect.Type
	index          []int
	throughPointer bool
}

// member says what the field i of e is: one that is stored, an embedded struct
// that is listed in its turn, or neither.
func (e embedded) member(i int, tag string) (*field, *embedded, error) {
	sf := e.t.Field(i)
	name, options, ok := parseTag(sf.Tag, tag)
	if !ok {
		return nil, nil, nil
	}
	index := append(slices.Clip(e.index), i)

	t, isPointer := sf.Type, sf.Type.Kind() == reflect.Pointer
	if isPointer {
		t = t.Elem()
	}
	if sf.Anonymous && t.Kind() == reflect.Struct && name == "" {
		switch {
		case t == timeType:
			return nil, nil, errTime
		case isPointer && !sf.IsExported():
			return nil, nil, errors.New("an embedded pointer to an unexported struct cannot be set: embed the struct itself")
		}
		return nil, &embedded{t, index, e.throughPointer || isPointer}, nil
	}

	if !sf.IsExported() {
		return nil, nil, nil
	}
	f := &field{
		name:           cmp.Or(name, sf.Name),
		index:          index,
		throughPointer: e.throughPointer,
		tagged:         name != "",
		omitEmpty:      slices.Contains(options, "omitempty"),
		quoted:         slices.Contains(options, "string") && isScalar(sf.Type),
	}
	if slices.Contains(options, "omitzero") {
		f.isZero = zeroTest(sf.Type)
	}
	return f, nil, nil
}

// parseTag returns the name (empty: the field's own) and the options of a
// field, from the format's tag if there is one, else from the json tag. ok is
// false for a field that is not to be stored.
func parseTag(st reflect.StructTag, tag string) (name string, options []string, ok bool) {
	text, found := st.Lookup(tag)
	if !found {
		text = st.Get("json")
	}
	words := strings.Split(text, ",")
	return words[0], words[1:], text != "-"
}

// isScalar reports whether the option "string" concerns fields of type t.
func isScalar(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer && t.Name() == "" {
		t = t.Elem()
	}
	return t.Kind() >= reflect.Bool && t.Kind() <= reflect.Float64 || t.Kind() == reflect.String
}

type zeroer interface{ IsZero() bool }

// zeroTest is what omitzero means in encoding/json: a method IsZero decides, if
// the type or a pointer to it has one.
func zeroTest(t reflect.Type) func(reflect.Value) bool {
	is := reflect.TypeFor[zeroer]()
	switch {
	case !reflect.PointerTo(t).Implements(is) && !t.Implements(is):
		return reflect.Value.IsZero
	case t.Kind() == reflect.Interface:
		return func(v reflect.Value) bool {
			return v.IsNil() || v.Elem().Kind() == reflect.Pointer && v.Elem().IsNil() || v.Interface().(zeroer).IsZero()
		}
	case t.Kind() == reflect.Pointer:
		return func(v reflect.Value) bool { return v.IsNil() || v.Interface().(zeroer).IsZero() }
	case t.Implements(is):
		return func(v reflect.Value) bool { return v.Interface().(zeroer).IsZero() }
	}
	return func(v reflect.Value) bool {
		if !v.CanAddr() {
			p := reflect.New(t)
			p.Elem().Set(v)
			v = p.Elem()
		}
		return v.Addr().Interface().(zeroer).IsZero()
	}
}

// dominant sorts fields by name and keeps the one of each name that wins.
func dominant(fields []field) []field {
	rank := func(f field) int { // the smaller, the better
		if f.tagged {
			return 2 * len(f.index)
		}
		return 2*len(f.index) + 1
	}
	slices.SortStableFunc(fields, func(a, b field) int {
		return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(rank(a), rank(b)))
	})
	kept := fields[:0]
	for len(fields) > 0 {
		n := 1
		for n < len(fields) && fields[n].name == fields[0].name {
			n++
		}
		if n == 1 || rank(fields[0]) < rank(fields[1]) {
			kept = append(kept, fields[0])
		}
		fields = fields[n:]
	}
	return kept
}

// in returns the field inside the struct v. An embedded pointer on the way that
// is nil is set to a new struct if create is true, else the result is the zero
// Value.
func (f *field) in(v reflect.Value, create bool) reflect.Value {
	for i, n := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !create {
					return reflect.Value{}
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return v
}

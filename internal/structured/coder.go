package structured

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"
)

// A coder moves the values of one Go type between memory and the bytes of one
// format.
type coder interface {
	// encode appends v to dst. depth counts the arrays and maps around v.
	encode(dst []byte, v reflect.Value, depth int) ([]byte, error)
	// decode reads the item at src[at:] into v, which is settable, and returns
	// where the next item begins. Nothing of what v held before remains or is
	// reused. in counts the arrays and maps around it, and what is allocated.
	decode(src []byte, at int, v reflect.Value, in room) (int, error)
}

// coders holds every compiled coder of a format for the life of the program:
// reflect.Type to *compiled.
var coders [3]sync.Map

// compiled is the coder of a type.
type compiled struct {
	coder
	// width is the size of the largest Go value of which a few bytes can make
	// another one: what a pointer points to, an element of a slice or map.
	width int
}

func coderOf(w wire, t reflect.Type) (*compiled, error) {
	if c, ok := coders[w.format()].Load(t); ok {
		return c.(*compiled), nil
	}
	comp := compiler{w: w, coders: make(map[reflect.Type]*forward)}
	c, err := comp.compile(t)
	if err != nil {
		return nil, err
	}
	done := &compiled{c, comp.width}
	coders[w.format()].Store(t, done)
	return done, nil
}

// compiler builds the coder of one type and of all types inside it, each of
// them once.
type compiler struct {
	w      wire
	coders map[reflect.Type]*forward
	width  int
}

// forward stands for a coder that is still being built, when it is nil:
// recursive types refer to themselves through it.
type forward struct{ coder }

var (
	timeType   = reflect.TypeFor[time.Time]()
	numberType = reflect.TypeFor[json.Number]()
)

var (
	errTime = errors.New("time.Time is outside the JSON model: " +
		"store UnixNano() as an integer or Format(time.RFC3339Nano) as text")
	errBytes = errors.New("bytes are outside the JSON model, and the Python package cannot read them inside a value: " +
		"use a column of dtype bytes, or base64 text")
)

func (c *compiler) compile(t reflect.Type) (coder, error) {
	if f, ok := c.coders[t]; ok {
		if f.coder != nil {
			return f.coder, nil
		}
		return f, nil
	}
	f := new(forward)
	c.coders[t] = f
	var err error
	f.coder, err = c.build(t)
	return f.coder, err
}

func (c *compiler) build(t reflect.Type) (coder, error) {
	switch t {
	case timeType:
		return nil, errTime
	case numberType:
		return numberCoder{c.w}, nil
	}
	if c.w.format() == jsonItems {
		if err := checkMethods(t); err != nil {
			return nil, err
		}
	}
	switch t.Kind() {
	case reflect.Bool:
		return boolCoder{c.w}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return integerCoder{c.w, true}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return integerCoder{c.w, false}, nil
	case reflect.Float32, reflect.Float64:
		return floatCoder{c.w}, nil
	case reflect.String:
		return textCoder{c.w}, nil
	case reflect.Interface:
		return interfaceCoder{c.w, t.NumMethod() == 0}, nil
	case reflect.Pointer:
		return c.pointer(t)
	case reflect.Slice:
		return c.slice(t)
	case reflect.Array:
		return c.array(t)
	case reflect.Map:
		return c.mapping(t)
	case reflect.Struct:
		return c.structure(t)
	}
	return nil, fmt.Errorf("the Go type %v is outside the JSON model", t)
}

// checkMethods refuses types that say themselves what they are in JSON: not to
// ask them would store something else than encoding/json does.
func checkMethods(t reflect.Type) error {
	if t.Kind() == reflect.Interface {
		return nil // what is in it will be asked
	}
	for _, m := range methods {
		if reflect.PointerTo(t).Implements(m.of) {
			return fmt.Errorf("the Go type %v has the method %s, which is not called: encode the whole value with encoding/json, "+
				"and store it as a json.RawMessage", t, m.name)
		}
	}
	return nil
}

// methods have their names beside them, because a program that asks reflection
// for those gets all exported methods of all its types linked.
var methods = []struct {
	of   reflect.Type
	name string
}{
	{reflect.TypeFor[json.Marshaler](), "MarshalJSON"}, {reflect.TypeFor[json.Unmarshaler](), "UnmarshalJSON"},
	{reflect.TypeFor[encoding.TextMarshaler](), "MarshalText"}, {reflect.TypeFor[encoding.TextUnmarshaler](), "UnmarshalText"},
}

func (c *compiler) pointer(t reflect.Type) (coder, error) {
	elem, err := c.compile(t.Elem())
	if err != nil {
		return nil, err
	}
	// A pointer to a pointer or to an interface can lead back to itself with no
	// array or map on the way, so it counts as a level of its own.
	c.width = max(c.width, int(t.Elem().Size()))
	nests := t.Elem().Kind() == reflect.Pointer || t.Elem().Kind() == reflect.Interface
	return pointerCoder{c.w, t.Elem(), elem, nests}, nil
}

func (c *compiler) slice(t reflect.Type) (coder, error) {
	if t.Elem().Kind() == reflect.Uint8 {
		return nil, fmt.Errorf("%v: %w", t, errBytes)
	}
	elem, err := c.compile(t.Elem())
	if err != nil {
		return nil, inside("[]", err)
	}
	size := int(t.Elem().Size())
	c.width = max(c.width, size)
	return sliceCoder{c.w, elem, reflect.MakeSlice(t, 0, 0), max(1, firstBytes/max(1, size)), size}, nil
}

func (c *compiler) array(t reflect.Type) (coder, error) {
	if t.Elem().Kind() == reflect.Uint8 {
		return nil, fmt.Errorf("%v: %w", t, errBytes)
	}
	if t.Len() > maxLen {
		return nil, fmt.Errorf("%v: %w", t, errLen)
	}
	elem, err := c.compile(t.Elem())
	if err != nil {
		return nil, inside("[]", err)
	}
	return arrayCoder{c.w, elem}, nil
}

func (c *compiler) mapping(t reflect.Type) (coder, error) {
	if t.Key().Kind() != reflect.String {
		return nil, fmt.Errorf("%v: the keys of a map must be strings", t)
	}
	elem, err := c.compile(t.Elem())
	if err != nil {
		return nil, inside("[]", err)
	}
	c.width = max(c.width, anySize+int(t.Elem().Size()))
	return mapCoder{c.w, t, elem}, nil
}

func (c *compiler) structure(t reflect.Type) (coder, error) {
	fields, err := fieldsOf(t, c.w.format().String())
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	s := &structCoder{w: c.w, fields: fields, byName: make(map[string]int, len(fields))}
	for i := range fields {
		f := &fields[i]
		ft := t.FieldByIndex(f.index).Type
		if f.quoted {
			f.coder, err = newQuotedCoder(c.w, ft)
		} else {
			f.coder, err = c.compile(ft)
		}
		if err != nil {
			return nil, inField(t.FieldByIndex(f.index).Name, err)
		}
		f.key = string(append(c.w.appendText(nil, len(f.name)), f.name...))
		s.byName[f.name] = i
		f.always = !f.omitEmpty && f.isZero == nil && !f.throughPointer
		if !f.throughPointer && c.w.format() != jsonItems {
			f.plain, f.offset = plainKind(f.coder, ft), offsetOf(t, f.index)
		}
		s.pointed += embeddedSize(t, f.index, seen)
		if f.always {
			s.always++
		}
	}
	c.width = max(c.width, s.pointed)
	return s, nil
}

// offsetOf is where a field lies in a struct, if no pointer is on the way.
func offsetOf(t reflect.Type, index []int) (at uintptr) {
	for _, i := range index {
		sf := t.Field(i)
		at, t = at+sf.Offset, sf.Type
	}
	return at
}

// embeddedSize is the size of the structs that are embedded by a pointer on the
// way to a field and that were not seen before.
func embeddedSize(t reflect.Type, index []int, seen map[string]bool) (n int) {
	for k, i := range index[:len(index)-1] {
		if t = t.Field(i).Type; t.Kind() != reflect.Pointer {
			continue
		}
		t = t.Elem()
		if path := fmt.Sprint(index[:k+1]); !seen[path] {
			seen[path] = true
			n += int(t.Size())
		}
	}
	return n
}

package rows

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"columnvault/dtype"
	"columnvault/internal/excerpt"
	"columnvault/internal/structured"
)

// Tag is the key of the struct tag that says how a field is stored.
const Tag = "columnvault"

// Of lists the fields of a struct type that are stored, in the order of their
// declaration. An error names the field and is an [dtype.ErrSyntax].
func Of(t reflect.Type) ([]*Field, error) {
	if t.Kind() != reflect.Struct || t == timeType || isNullType(t) {
		return nil, fmt.Errorf("%w: the rows of a table are structs, and not %v", dtype.ErrSyntax, t)
	}
	w := walk{depths: map[string]int{}, places: map[string]int{}}
	if err := w.structure(t, 0, 0); err != nil {
		return nil, err
	}
	if len(w.fields) == 0 {
		return nil, fmt.Errorf("%w: %v has no exported field, so nothing of it would be stored", dtype.ErrSyntax, t)
	}
	return w.fields, nil
}

// walk lists the fields of a struct and of those embedded in it. As in Go, of
// equal names the one that is embedded least deeply counts.
type walk struct {
	fields []*Field
	// depths and places are how deep the field of a name lies, and where it
	// stands in the list.
	depths, places map[string]int
}

func (w *walk) structure(t reflect.Type, offset uintptr, depth int) error {
	for i := range t.NumField() {
		sf := t.Field(i)
		tag, err := parseTag(sf.Tag.Get(Tag))
		if tag.skip || !sf.Anonymous && !sf.IsExported() {
			continue
		}
		at := offset + sf.Offset
		if err == nil {
			if sf.Anonymous && tag == (tagged{}) && sf.Type.Kind() == reflect.Struct && sf.Type != timeType && !isNullType(sf.Type) {
				if err := w.structure(sf.Type, at, depth+1); err != nil {
					return fmt.Errorf("%s: %w", sf.Name, err)
				}
				continue
			}
			if sf.Anonymous && sf.Type.Kind() == reflect.Pointer {
				err = errors.New("an embedded pointer is not followed: embed the struct itself")
			} else if !sf.IsExported() {
				continue
			} else {
				err = w.field(sf, tag, at, depth)
			}
		}
		if err != nil {
			if !errors.Is(err, dtype.ErrSyntax) {
				err = fmt.Errorf("%w: %w", dtype.ErrSyntax, err)
			}
			return fmt.Errorf("field %s: %w", sf.Name, err)
		}
	}
	return nil
}

func (w *walk) field(sf reflect.StructField, tag tagged, offset uintptr, depth int) error {
	name := sf.Name
	if tag.name != "" {
		name = tag.name
	}
	if strings.Contains(name, ".") {
		return fmt.Errorf("the name %s has a dot, which separates a table from its columns", excerpt.Quote(name, excerpt.Name))
	}
	place, taken := w.places[name]
	switch {
	case taken && w.depths[name] < depth:
		return nil
	case taken && w.depths[name] == depth:
		return fmt.Errorf("two fields have the name %s", excerpt.Quote(name, excerpt.Name))
	}
	f, err := newField(name, sf.Type, tag, offset)
	if err != nil {
		return err
	}
	if taken {
		w.fields[place], w.depths[name] = f, depth
		return nil
	}
	w.depths[name], w.places[name] = depth, len(w.fields)
	w.fields = append(w.fields, f)
	return nil
}

// tagged is what a struct tag says.
type tagged struct {
	name, dtype string
	// words are those of a meaning: time=, zone= and date.
	words      string
	value      string
	hasDefault bool
	skip       bool
}

// parseTag reads NAME,DTYPE,time=UNIT,zone=ZONE,date,default=VALUE. Everything
// may be left out; the default comes last, because it may have commas in it.
func parseTag(text string) (t tagged, err error) {
	if text == "-" {
		return tagged{skip: true}, nil
	}
	text, t.value, t.hasDefault = strings.Cut(text, ",default=")
	words := strings.Split(text, ",")
	t.name = words[0]
	for _, word := range words[1:] {
		switch {
		case word == "null":
			return t, errors.New("a field whose value may be missing is a sql.Null, which needs no word in the tag")
		case word == "date" || strings.HasPrefix(word, "time=") || strings.HasPrefix(word, "zone="):
			t.words = strings.TrimSpace(t.words + " " + word)
		case word == "":
		case t.dtype == "":
			t.dtype = word
		default:
			return t, fmt.Errorf("unknown word %s in the tag: want NAME,DTYPE,time=UNIT,zone=ZONE,date,default=VALUE", excerpt.Quote(word, excerpt.Name))
		}
	}
	return t, nil
}

var timeType = reflect.TypeFor[time.Time]()

// isNullType tells whether t is a sql.Null of something, or one of the older
// types of that package, which lie in memory in the same way: a value, and
// whether it is one.
func isNullType(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.PkgPath() == "database/sql" && strings.HasPrefix(t.Name(), "Null") &&
		t.NumField() == 2 && t.Field(1).Name == "Valid" && t.Field(0).Offset == 0
}

// newField finds out how a field of a Go type is stored.
func newField(name string, t reflect.Type, tag tagged, offset uintptr) (*Field, error) {
	f := &Field{Name: name}
	p := place{t: t, offset: offset}
	if isNullType(t) {
		p = place{t: t.Field(0).Type, offset: offset, null: true, valid: t.Field(1).Offset}
	}
	if p.t.Kind() == reflect.Pointer {
		return nil, fmt.Errorf("a pointer (%v) is not stored: for a value that may be missing use sql.Null[%v]", t, p.t.Elem())
	}
	var err error
	if tag.words != "" {
		if p.t != timeType {
			return nil, fmt.Errorf("the words %q are for a time.Time, and the field is of the type %v", tag.words, t)
		}
		if f.Meaning, err = dtype.ParseMeaning(tag.words); err != nil {
			return nil, err
		}
	}
	if p.t == timeType && !f.Meaning.Date && f.Meaning.Time == 0 {
		f.Meaning.Time = dtype.Microsecond
	}
	f.Meaning.Null = p.null
	if tag.dtype == "" {
		f.Spec, err = usual(p.t)
	} else {
		f.Spec, err = dtype.ParseSpec(tag.dtype)
	}
	if err != nil {
		return nil, err
	}
	if err := f.Meaning.Check(f.Spec); err != nil {
		return nil, err
	}
	if f.codec, err = newCodec(f.Spec, f.Meaning, p); err != nil {
		return nil, err
	}
	if tag.hasDefault {
		if f.Default, err = parseDefault(tag.value, f.Spec, f.Meaning); err != nil {
			return nil, fmt.Errorf("default %s: %w", excerpt.Quote(tag.value, excerpt.Value), err)
		}
	}
	return f, nil
}

// place is where values lie in a row: those of the type t, of which a flag at
// valid says whether they are there if null is set.
type place struct {
	t      reflect.Type
	offset uintptr
	null   bool
	valid  uintptr
}

// usual is the dtype of a Go type whose tag names none.
func usual(t reflect.Type) (dtype.Spec, error) {
	if t == timeType {
		return dtype.Spec{Kind: dtype.KindInt64}, nil
	}
	if n, ok := numberOf(t.Kind()); ok {
		return dtype.Spec{Kind: n.kind}, nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return dtype.Spec{Kind: dtype.KindBool}, nil
	case reflect.String:
		return dtype.Spec{Kind: dtype.KindText}, nil
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return dtype.Spec{Kind: dtype.KindBytes}, nil
		}
		if n, ok := numberOf(t.Elem().Kind()); ok {
			return dtype.Spec{Kind: dtype.KindVector, Elem: n.kind}, nil
		}
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return dtype.Spec{Kind: dtype.KindBytes, Sized: true, Size: t.Len()}, nil
		}
		elem, dims := dimensions(t)
		if n, ok := numberOf(elem.Kind()); ok {
			return dtype.Spec{Kind: dtype.KindVector, Elem: n.kind, Dims: dims}, nil
		}
	}
	return dtype.Spec{}, fmt.Errorf("the Go type %v has no dtype by itself: name msgpack or cbor in the tag, as in `%s:\",msgpack\"`, or leave it out with \"-\"", t, Tag)
}

// dimensions are those of an array of arrays, and the type of its elements.
func dimensions(t reflect.Type) (elem reflect.Type, dims []int) {
	for ; t.Kind() == reflect.Array; t = t.Elem() {
		dims = append(dims, t.Len())
	}
	return t, dims
}

// numberType makes the codecs of a Go type of numbers, and of vectors of it.
type numberType struct {
	kind          dtype.Kind
	scalar        func(offset uintptr, null bool) codec
	slice, arrays func(dims []int, offset uintptr) codec
}

// numberOf is a Go type of numbers by its kind. An int has 64 bits on all platforms
// that this module can be built for. It is a function and no map, because that
// would bring the codecs into programs that have no tables.
func numberOf(kind reflect.Kind) (n numberType, ok bool) {
	switch kind {
	case reflect.Int8:
		return numbersOf(dtype.Int8), true
	case reflect.Int16:
		return numbersOf(dtype.Int16), true
	case reflect.Int32:
		return numbersOf(dtype.Int32), true
	case reflect.Int64, reflect.Int:
		return numbersOf(dtype.Int64), true
	case reflect.Uint8:
		return numbersOf(dtype.Uint8), true
	case reflect.Uint16:
		return numbersOf(dtype.Uint16), true
	case reflect.Uint32:
		return numbersOf(dtype.Uint32), true
	case reflect.Uint64, reflect.Uint:
		return numbersOf(dtype.Uint64), true
	case reflect.Float32:
		return numbersOf(dtype.Float32), true
	case reflect.Float64:
		return numbersOf(dtype.Float64), true
	}
	return n, false
}

func numbersOf[E dtype.Element](t dtype.Type[E]) numberType {
	return numberType{
		kind:   t.Spec().Kind,
		scalar: func(offset uintptr, null bool) codec { return newScalar(t, offset, null) },
		slice:  func(dims []int, offset uintptr) codec { return newTyped[[]E](dtype.Vector[E](dims...), offset) },
		arrays: func(dims []int, offset uintptr) codec { return &array[E]{dtype.Vector[E](dims...), offset} },
	}
}

// newScalar is the codec of values that are a T, or a sql.Null[T] if null is
// set.
func newScalar[T any](t dtype.Type[T], offset uintptr, null bool) codec {
	if null {
		return newTyped(dtype.Nullable(t), offset)
	}
	return newTyped(t, offset)
}

// newCodec makes the codec of a field. A Go type fits a dtype if its memory is
// that of the type that the dtype has in Go.
func newCodec(s dtype.Spec, m dtype.Meaning, p place) (codec, error) {
	kind := p.t.Kind()
	number, isNumber := numberOf(kind)
	switch {
	case p.t == timeType:
		if s.Kind != dtype.KindInt64 {
			break
		}
		if m.Date {
			return newScalar(dtype.Date, p.offset, p.null), nil
		}
		t := dtype.Timestamp(m.Time, m.Zone)
		return newScalar(t, p.offset, p.null), t.Err()
	case s.Kind == dtype.KindMsgPack || s.Kind == dtype.KindCBOR:
		return newNested(s, m, p)
	case isNumber && s.Kind == number.kind:
		return number.scalar(p.offset, p.null), nil
	case kind == reflect.Float32 && s.Kind == dtype.KindFloat16:
		return newScalar(dtype.Float16, p.offset, p.null), nil
	case kind == reflect.Bool && s.Kind == dtype.KindBool:
		return newScalar(dtype.Bool, p.offset, p.null), nil
	case kind == reflect.String && s.Kind == dtype.KindText:
		t := dtype.Text(s.Encoding)
		if s.Sized {
			t = dtype.FixedText(s.Size, s.Encoding)
		}
		return newScalar(t, p.offset, p.null), t.Err()
	case kind == reflect.Slice && p.t.Elem().Kind() == reflect.Uint8 && s.Kind == dtype.KindBytes:
		t := dtype.Bytes
		if s.Sized {
			t = dtype.FixedBytes(s.Size)
		}
		return newTyped(t, p.offset), t.Err()
	case kind == reflect.Slice && s.Kind == dtype.KindVector:
		if n, ok := numberOf(p.t.Elem().Kind()); ok && n.kind == s.Elem {
			return n.slice(s.Dims, p.offset), nil
		}
	case kind == reflect.Array:
		elem, dims := dimensions(p.t)
		n, ok := numberOf(elem.Kind())
		switch {
		case s.Kind == dtype.KindBytes && elem.Kind() == reflect.Uint8 && len(dims) == 1 && s.Sized && s.Size == dims[0] && s.Size > 0:
			return &byteArray{s.Size, p.offset}, nil
		case s.Kind == dtype.KindVector && ok && n.kind == s.Elem && fmt.Sprint(dims) == fmt.Sprint(s.Dims):
			t := n.arrays(s.Dims, p.offset)
			return t, s.Type().Err()
		}
	}
	return nil, fmt.Errorf("the Go type %v does not fit the dtype %v, whose values are %s", p.t, s, goTypeOf(s))
}

// goTypeOf names the Go type of the values of a dtype.
func goTypeOf(s dtype.Spec) string {
	switch s.Kind {
	case dtype.KindText:
		return "strings"
	case dtype.KindBytes:
		return "[]byte, or arrays of as many bytes"
	case dtype.KindFloat16:
		return "float32"
	case dtype.KindVector:
		return "slices or arrays of its numbers"
	case dtype.KindBool:
		return "bool"
	}
	for kind := reflect.Int8; kind <= reflect.Float64; kind++ {
		if n, ok := numberOf(kind); ok && n.kind == s.Kind && kind != reflect.Uint {
			return kind.String()
		}
	}
	return "any"
}

func newNested(s dtype.Spec, m dtype.Meaning, p place) (codec, error) {
	format := structured.MsgPack
	if s.Kind == dtype.KindCBOR {
		format = structured.CBOR
	}
	values, err := structured.Of(format, p.t)
	if err != nil {
		return nil, fmt.Errorf("%v cannot hold the Go type %v: %w", s, p.t, err)
	}
	c := &nested{t: p.t, values: values, spec: s, offset: p.offset, null: p.null, valid: p.valid}
	if p.null {
		if c.missing, err = m.Type(s).Append(nil, nil); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// parseDefault returns the stored form of a default: text and bytes as they
// are, times as in RFC 3339, dates as 2006-01-02, and else as in JSON, with NaN
// and the infinities for floats.
func parseDefault(text string, s dtype.Spec, m dtype.Meaning) ([]byte, error) {
	var v any
	var err error
	switch {
	case m.Date:
		v, err = time.Parse(time.DateOnly, text)
	case m.Time != 0:
		v, err = time.Parse(time.RFC3339Nano, text)
	case s.Kind == dtype.KindText:
		v = text
	case s.Kind == dtype.KindBytes:
		v = []byte(text)
	case s.Kind == dtype.KindFloat16 || s.Kind == dtype.KindFloat32 || s.Kind == dtype.KindFloat64:
		v, err = strconv.ParseFloat(text, 64)
	case s.Kind == dtype.KindBool:
		v, err = strconv.ParseBool(text)
	case s.Kind < dtype.KindFloat16:
		v = json.Number(text)
	default:
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err = d.Decode(&v); err == nil && d.More() {
			err = errors.New("more than one JSON value")
		}
	}
	if err != nil {
		return nil, err
	}
	stored, err := m.Type(s).Append(nil, v)
	if stored == nil && err == nil {
		stored = []byte{} // an empty default is not the absence of one
	}
	return stored, err
}

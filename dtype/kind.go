package dtype

import "reflect"

// Kind is the family of a dtype, and the kind of the elements of a vector.
type Kind uint8

// The kinds. The zero Kind is none of them.
const (
	KindBool Kind = 1 + iota
	KindInt8
	KindInt16
	KindInt32
	KindInt64
	KindUint8
	KindUint16
	KindUint32
	KindUint64
	KindFloat16
	KindFloat32
	KindFloat64
	KindText
	KindBytes
	KindMsgPack
	KindCBOR
	KindVector
)

// kinds describes every Kind. It is also the registry of the number kinds that
// vectors can hold: those that have elements, a long name and a code.
var kinds = [...]struct {
	name     string     // in dtype strings
	width    int        // bytes of a bool or a number
	long     string     // a second name that vectors accept for their elements
	code     byte       // type byte of stored vectors
	elements anyElement // what depends on the Go type
}{
	0:           {name: "invalid"},
	KindBool:    {name: "bool", width: 1},
	KindInt8:    {"i8", 1, "int8", 9, element[int8]{}},
	KindInt16:   {"i16", 2, "int16", 10, element[int16]{}},
	KindInt32:   {"i32", 4, "int32", 3, element[int32]{}},
	KindInt64:   {"i64", 8, "int64", 4, element[int64]{}},
	KindUint8:   {"u8", 1, "uint8", 5, element[uint8]{}},
	KindUint16:  {"u16", 2, "uint16", 6, element[uint16]{}},
	KindUint32:  {"u32", 4, "uint32", 7, element[uint32]{}},
	KindUint64:  {"u64", 8, "uint64", 8, element[uint64]{}},
	KindFloat16: {name: "f16", width: 2},
	KindFloat32: {"f32", 4, "float32", 1, element[float32]{}},
	KindFloat64: {"f64", 8, "float64", 2, element[float64]{}},
	KindText:    {name: "str"},
	KindBytes:   {name: "bytes"},
	KindMsgPack: {name: "msgpack"},
	KindCBOR:    {name: "cbor"},
	KindVector:  {name: "vec"},
}

// known returns k, or the zero Kind for a number that is no Kind.
func (k Kind) known() Kind {
	if int(k) < len(kinds) {
		return k
	}
	return 0
}

// String returns the name of k in dtype strings, or "invalid".
func (k Kind) String() string { return kinds[k.known()].name }

func (k Kind) width() int { return kinds[k.known()].width }

func (k Kind) code() byte { return kinds[k.known()].code }

// anyElement is an element[E] of any E.
type anyElement interface {
	goType() reflect.Type
	// number and vector return the dynamic codecs of s. Numbers may be missing
	// if null is set.
	number(s Spec, null bool) Type[any]
	vector(s Spec) Type[any]
	// tensor returns the parts of v if that is a Tensor[E].
	tensor(v any) (shape []int, data reflect.Value, ok bool)
}

type element[E Element] struct{}

func (element[E]) goType() reflect.Type { return reflect.TypeFor[E]() }

func (element[E]) number(s Spec, null bool) Type[any] {
	convert := func(v any) (E, error) { return toNumber[E](v, isFloat[E]()) }
	return newDynamic(number[E]{newBase(s)}, null, convert)
}

func (element[E]) vector(s Spec) Type[any] { return dynamicVector[E](s) }

func (element[E]) tensor(v any) ([]int, reflect.Value, bool) {
	t, ok := v.(Tensor[E])
	return t.Shape, reflect.ValueOf(t.Data), ok
}

// goKinds are the kinds that have elements, by the kind of their Go type.
var goKinds = func() (list [reflect.UnsafePointer + 1]Kind) {
	for k, info := range kinds {
		if info.elements != nil {
			list[info.elements.goType().Kind()] = Kind(k)
		}
	}
	return list
}()

// kindOf returns the Kind of numbers of type E.
func kindOf[E Element]() Kind { return goKinds[reflect.TypeFor[E]().Kind()] }

// VectorElem returns the kind of the elements of a stored vector, which is in
// its first byte. It looks at nothing else, so the bytes need not be a vector.
func VectorElem(stored []byte) (Kind, bool) {
	for k, info := range kinds {
		if len(stored) > 0 && info.code != 0 && info.code == stored[0] {
			return Kind(k), true
		}
	}
	return 0, false
}

// ElementKind returns the kind of the elements of v if that is a [Tensor] or a
// slice of one of the types that [Element] lists. A slice of a named type, such
// as time.Duration, is neither.
func ElementKind(v any) (Kind, bool) {
	if k, _, _ := anyTensor(v); k != 0 {
		return k, true
	}
	t := reflect.TypeOf(v)
	if t == nil || t.Kind() != reflect.Slice || t.Elem().PkgPath() != "" {
		return 0, false
	}
	k := goKinds[t.Elem().Kind()]
	return k, k != 0
}

// anyTensor returns the parts of a Tensor of whatever elements, or the zero
// Kind if v is none.
func anyTensor(v any) (elem Kind, shape []int, data reflect.Value) {
	if reflect.ValueOf(v).Kind() != reflect.Struct {
		return
	}
	for k, info := range kinds {
		if info.elements == nil {
			continue
		}
		if shape, data, ok := info.elements.tensor(v); ok {
			return Kind(k), shape, data
		}
	}
	return
}

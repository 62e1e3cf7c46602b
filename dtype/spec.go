package dtype

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"columnvault/internal/excerpt"
)

// MaxSize is the largest size of an element that a dtype can ask for: 128 MiB.
const MaxSize = 128 << 20

// Kind is the family of a dtype, and the element kind of a vector.
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

// kinds describes every Kind.
var kinds = [...]struct {
	name  string // in dtype strings
	long  string // a second name that vectors accept for their elements
	width int    // bytes, of numeric kinds
	code  byte   // type byte of stored vectors; 0: not an element kind
}{
	0:           {name: "invalid"},
	KindBool:    {name: "bool", width: 1},
	KindInt8:    {name: "i8", long: "int8", width: 1, code: 9},
	KindInt16:   {name: "i16", long: "int16", width: 2, code: 10},
	KindInt32:   {name: "i32", long: "int32", width: 4, code: 3},
	KindInt64:   {name: "i64", long: "int64", width: 8, code: 4},
	KindUint8:   {name: "u8", long: "uint8", width: 1, code: 5},
	KindUint16:  {name: "u16", long: "uint16", width: 2, code: 6},
	KindUint32:  {name: "u32", long: "uint32", width: 4, code: 7},
	KindUint64:  {name: "u64", long: "uint64", width: 8, code: 8},
	KindFloat16: {name: "f16", width: 2},
	KindFloat32: {name: "f32", long: "float32", width: 4, code: 1},
	KindFloat64: {name: "f64", long: "float64", width: 8, code: 2},
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

// String returns the name of k in dtype strings.
func (k Kind) String() string { return kinds[k.known()].name }

func (k Kind) width() int { return kinds[k.known()].width }

func (k Kind) code() byte { return kinds[k.known()].code }

// VectorElem returns the element kind of a stored vector, which its first byte tells, and whether there is one.
func VectorElem(stored []byte) (Kind, bool) {
	for k, info := range kinds {
		if len(stored) > 0 && info.code != 0 && info.code == stored[0] {
			return Kind(k), true
		}
	}
	return 0, false
}

// Spec is a parsed dtype. Two specs are the same column type if and only if their String methods agree.
type Spec struct {
	Kind Kind
	// Sized says that :N is present and Size is N, in bytes. Only text, bytes, msgpack and cbor have it. N = 0 is
	// possible: such a column counts as variable in size and takes only values that encode to nothing.
	Sized bool
	Size  int
	// Encoding is that of text.
	Encoding Encoding
	// Elem and Dims are the element kind and the dimensions of a vector. Without Dims each element has its own shape.
	// Dims is shared by all copies of a Spec and must not be changed.
	Elem Kind
	Dims []int
}

// String returns the canonical spelling, which ParseSpec accepts if s is valid.
func (s Spec) String() string {
	var b strings.Builder
	b.WriteString(s.Kind.String())
	if s.Sized {
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(s.Size))
	}
	switch s.Kind {
	case KindText:
		b.WriteByte(':')
		b.WriteString(s.Encoding.String())
	case KindVector:
		b.WriteByte(':')
		b.WriteString(s.Elem.String())
		for _, d := range s.Dims {
			b.WriteByte(':')
			b.WriteString(strconv.Itoa(d))
		}
	}
	return b.String()
}

// ElemSize returns the number of bytes of one stored element, or 0 if it varies.
func (s Spec) ElemSize() int {
	switch {
	case s.Sized:
		return s.Size
	case s.Kind == KindVector && len(s.Dims) > 0:
		return 1 + volume(s.Dims)*s.Elem.width() // a type byte comes first
	}
	return s.Kind.width()
}

// Fixed reports whether all elements have the same size, other than 0.
func (s Spec) Fixed() bool { return s.ElemSize() > 0 }

// volume returns the product of dims, or MaxSize+1 if a dimension is negative or the product of those other than 0 is
// more than MaxSize: beside a 0 they are lists all the same.
func volume(dims []int) int {
	n := 1
	for _, d := range dims {
		if d < 0 || n > MaxSize/max(d, 1) {
			return MaxSize + 1
		}
		n *= max(d, 1)
	}
	if slices.Contains(dims, 0) {
		return 0
	}
	return n
}

// shown is what errors show of s, whose dimensions may be any number.
func (s Spec) shown() string { return excerpt.Shorten(s.String(), excerpt.Name) }

// check returns an ErrSyntax if s is not a dtype.
func (s Spec) check() error {
	switch s.Kind {
	case KindText, KindBytes, KindMsgPack, KindCBOR:
		if s.Sized && (s.Size < 0 || s.Size > MaxSize) || !s.Sized && s.Size != 0 {
			return fmt.Errorf("%w: %s: the size must be between 0 and %d bytes", ErrSyntax, s.shown(), MaxSize)
		}
		if s.Kind == KindText && s.Encoding > Latin1 {
			return fmt.Errorf("%w: %s: unknown encoding", ErrSyntax, s.shown())
		}
		return nil
	case KindVector:
		if s.Sized {
			break
		}
		if s.Elem.code() == 0 {
			return fmt.Errorf("%w: %s: the elements of a vector must be %s", ErrSyntax, s.shown(), elementNames)
		}
		for _, d := range s.Dims {
			if d <= 0 {
				return fmt.Errorf("%w: %s: the dimensions of a vector must be greater than 0", ErrSyntax, s.shown())
			}
		}
		if s.ElemSize() > MaxSize {
			return fmt.Errorf("%w: %s: a vector must fit into %d bytes", ErrSyntax, s.shown(), MaxSize)
		}
		return nil
	}
	if s.Kind.known() == 0 {
		return fmt.Errorf("%w: a dtype without a kind", ErrSyntax)
	}
	if s.Sized {
		return fmt.Errorf("%w: %v takes no size", ErrSyntax, s.Kind)
	}
	return nil
}

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

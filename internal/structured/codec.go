package structured

import "reflect"

// Codec stores the values of T in one format. It is safe for concurrent use.
type Codec[T any] struct {
	coder coder
}

// New compiles the codec of T, or says which part of T the JSON model has no
// place for.
func New[T any](f Format) (Codec[T], error) {
	c, err := coderOf(f.wire(), reflect.TypeFor[T]())
	return Codec[T]{c}, err
}

// Append appends the bytes of *v to dst. It takes a pointer so that v need not
// move to the heap, and does not change *v. On error the returned slice has the
// length of dst.
func (c Codec[T]) Append(dst []byte, v *T) ([]byte, error) {
	out, err := c.coder.encode(dst, reflect.ValueOf(v).Elem(), 0)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// Decode sets *v to the value at the start of src and ignores the bytes after
// it. The strings in *v lie in the memory of src, which must not change as long
// as they are used. On error *v is zero.
func (c Codec[T]) Decode(src []byte, v *T) error {
	if _, err := c.coder.decode(src, 0, reflect.ValueOf(v).Elem(), 0); err != nil {
		*v = *new(T)
		return err
	}
	return nil
}

package structured

import "reflect"

// Codec stores the values of T in one format. It is safe for concurrent use.
type Codec[T any] struct {
	coder *compiled
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
// as they are used. On error *v is zero. A value that would take more memory than 64 MiB
// and 16 bytes for each of its own, or more than 1 GiB, gives [ErrMemory].
func (c Codec[T]) Decode(src []byte, v *T) error {
	in := roomFor(len(src), c.coder.width)
	if _, err := c.coder.decode(src, 0, reflect.ValueOf(v).Elem(), in); err != nil {
		*v = *new(T)
		return err
	}
	return nil
}

// Of is [New] for a Go type that is known at run time only.
func Of(f Format, t reflect.Type) (TypeCodec, error) {
	c, err := coderOf(f.wire(), t)
	return TypeCodec{c}, err
}

// TypeCodec stores the values of a Go type in one format, as a [Codec] does.
type TypeCodec struct {
	coder *compiled
}

// Append appends the bytes of v to dst, as [Codec.Append] does.
func (c TypeCodec) Append(dst []byte, v reflect.Value) ([]byte, error) {
	out, err := c.coder.encode(dst, v, 0)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// Decode sets v, which must be settable, as [Codec.Decode] does.
func (c TypeCodec) Decode(src []byte, v reflect.Value) error {
	if _, err := c.coder.decode(src, 0, v, roomFor(len(src), c.coder.width)); err != nil {
		v.SetZero()
		return err
	}
	return nil
}

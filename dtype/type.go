package dtype

import "fmt"

// Type is a dtype whose values are Go values of type T. Only this package
// implements it. A Type is immutable and safe for concurrent use.
type Type[T any] interface {
	// Spec returns the parsed dtype. Its Dims must not be changed.
	Spec() Spec
	// String returns the canonical dtype string.
	String() string
	// Meaning returns what the elements mean beyond the dtype.
	Meaning() Meaning
	// Size returns the number of bytes of one stored element, or 0 if it
	// varies.
	Size() int
	// Err returns why the type cannot be used, or nil: an [ErrSyntax] if it was
	// made with a bad argument, an [ErrValue] if it is msgpack or cbor of a Go
	// type that has no form there. Every other method that returns an error
	// then returns this one.
	Err() error

	// Append appends the stored form of v to dst. A v that the dtype cannot
	// hold is an [ErrValue], and the result is dst.
	Append(dst []byte, v T) ([]byte, error)
	// AppendAll appends the stored forms of vs to dst. If they vary in size, it
	// also appends the length of dst after each of them to ends. If one cannot
	// be stored, the error is an [ElementError] with its position in vs, and
	// the results are dst and ends.
	AppendAll(dst []byte, ends []int, vs []T) ([]byte, []int, error)

	// Decode decodes the element in src. If the dtype has a fixed size, src may
	// hold more than the element, and the rest is ignored. Bytes that do not
	// decode are an [ErrData].
	//
	// Text, bytes, and strings in structured values may lie in the memory of
	// src, which must not change while the value is in use.
	Decode(src []byte) (T, error)
	// DecodeAll decodes len(dst) elements that lie back to back in data. If
	// they vary in size, element i ends at ends[i], where the next one begins;
	// otherwise ends is not used. One that does not decode is an [ElementError]
	// with its position. After an error the content of dst is undefined.
	//
	// The values may lie in the memory of data, as those of Decode may.
	DecodeAll(dst []T, data []byte, ends []int) error

	// Bytes returns the memory of vs if it is, byte for byte, the stored form:
	// for numbers other than f16, on little-endian machines. Writing into it
	// changes the values. Otherwise it returns nil.
	Bytes(vs []T) []byte

	// Match returns the stored forms of the values that equal v, for searching.
	// In most cases there is one. There is none for NaN, and there are two for
	// the float zero, because +0 and -0 are equal and differ in bytes. f16
	// rounds v first. Vectors, msgpack and cbor are equal if their bytes are,
	// so v is compared by what Append writes.
	Match(v T) ([][]byte, error)

	sealed()
}

// base is the part that all types share. It is embedded as a pointer, so that
// methods do not copy it. The zero values of the exported types have a nil
// base, which is why methods look at Err before they touch a field.
type base struct {
	spec    Spec
	meaning Meaning
	size    int
	err     error
}

// newBase checks spec and keeps the error, if there is one, for Err.
func newBase(spec Spec) *base {
	b := &base{spec: spec, err: spec.check()}
	if b.err == nil {
		b.size = spec.ElemSize()
	}
	return b
}

// Spec returns the parsed dtype.
func (b *base) Spec() Spec {
	if b == nil {
		return Spec{}
	}
	return b.spec
}

// String returns the canonical dtype string.
func (b *base) String() string { return b.Spec().String() }

// Meaning returns what the elements mean beyond the dtype.
func (b *base) Meaning() Meaning {
	if b == nil {
		return Meaning{}
	}
	return b.meaning
}

// Size returns the number of bytes of one stored element, or 0 if it varies.
func (b *base) Size() int {
	if b == nil {
		return 0
	}
	return b.size
}

// Err returns why the type cannot be used, or nil.
func (b *base) Err() error {
	if b == nil {
		return Spec{}.check()
	}
	return b.err
}

func (*base) sealed() {}

// pad fills dst, which ends in a value of n bytes, up to the fixed size, if
// there is one. describe names the value in the error.
func (b *base) pad(dst []byte, n int, describe func() string) ([]byte, error) {
	if !b.spec.Sized {
		return dst, nil
	}
	if n > b.spec.Size {
		return dst, fmt.Errorf("%w: %s needs %d bytes but %v holds %d", ErrValue, describe(), n, b.spec, b.spec.Size)
	}
	return append(dst, make([]byte, b.spec.Size-n)...), nil
}

// element cuts src, which holds at least one element, to the fixed size, if
// there is one.
func (b *base) element(src []byte) ([]byte, error) {
	n := len(src)
	if b.size > 0 || b.spec.Sized {
		n = b.size
	}
	if len(src) < n {
		return nil, fmt.Errorf("%w: %d bytes, but an element of %s has %d", ErrData, len(src), b.spec.shown(), n)
	}
	return src[:n:n], nil
}

// matchOne is Match for types whose values have one stored form.
func matchOne[T any](t Type[T], v T) ([][]byte, error) {
	b, err := t.Append(nil, v)
	if err != nil {
		return nil, err
	}
	return [][]byte{b}, nil
}

// appendEach is AppendAll by way of Append.
func appendEach[T any](t Type[T], dst []byte, ends []int, vs []T) ([]byte, []int, error) {
	if err := t.Err(); err != nil {
		return dst, ends, err
	}
	out, outEnds := dst, ends
	varies := t.Size() == 0
	for i, v := range vs {
		var err error
		if out, err = t.Append(out, v); err != nil {
			return dst, ends, &ElementError{i, err}
		}
		if varies {
			outEnds = append(outEnds, len(out))
		}
	}
	return out, outEnds, nil
}

// decodeEach is DecodeAll by way of Decode.
func decodeEach[T any](t Type[T], dst []T, data []byte, ends []int) error {
	if err := t.Err(); err != nil {
		return err
	}
	es, err := newElements(t.Size(), len(dst), data, ends)
	if err != nil {
		return err
	}
	for i := range dst {
		src, err := es.at(i)
		if err == nil {
			dst[i], err = t.Decode(src)
		}
		if err != nil {
			return &ElementError{i, err}
		}
	}
	return nil
}

// elements finds single elements in what DecodeAll is given.
type elements struct {
	size int
	data []byte
	ends []int
}

func newElements(size, n int, data []byte, ends []int) (elements, error) {
	switch {
	case size > 0 && len(data)/size < n:
		return elements{}, fmt.Errorf("%w: %d bytes hold fewer than %d elements of %d bytes", ErrData, len(data), n, size)
	case size == 0 && len(ends) < n:
		return elements{}, fmt.Errorf("%w: %d ends for %d elements of variable size", ErrData, len(ends), n)
	}
	return elements{size, data, ends}, nil
}

func (e elements) at(i int) ([]byte, error) {
	if e.size > 0 {
		return e.data[i*e.size : (i+1)*e.size], nil
	}
	start, end := 0, e.ends[i]
	if i > 0 {
		start = e.ends[i-1]
	}
	if start < 0 || end < start || end > len(e.data) {
		return nil, fmt.Errorf("%w: bytes %d to %d of %d", ErrData, start, end, len(e.data))
	}
	return e.data[start:end:end], nil
}

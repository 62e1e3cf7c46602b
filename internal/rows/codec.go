package rows

import (
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"columnvault/dtype"
	"columnvault/internal/structured"
)

// typed is the codec of a field that lies in memory as a T does.
type typed[T any] struct {
	t      dtype.Type[T]
	offset uintptr
	memory *sync.Pool // of *batch[T]
}

// batchLen is how many values are brought together before they are converted
// at once.
const batchLen = 256

// batch is memory for values on their way.
type batch[T any] struct {
	values [batchLen]T
	ends   [batchLen]int
}

func newTyped[T any](t dtype.Type[T], offset uintptr) codec {
	return &typed[T]{t, offset, &sync.Pool{New: func() any { return new(batch[T]) }}}
}

// together returns the values of n rows if they lie back to back.
func (c *typed[T]) together(base unsafe.Pointer, stride uintptr, n int) ([]T, bool) {
	if n == 1 || stride == unsafe.Sizeof(*new(T)) {
		return unsafe.Slice((*T)(unsafe.Add(base, c.offset)), n), true
	}
	return nil, false
}

func (c *typed[T]) gather(dst []byte, ends []int, base unsafe.Pointer, stride uintptr, n int) ([]byte, []int, error) {
	if values, ok := c.together(base, stride, n); ok {
		return c.t.AppendAll(dst, ends, values)
	}
	b := c.memory.Get().(*batch[T])
	defer c.giveBack(b, min(n, batchLen))
	out, outEnds := dst, ends
	for done := 0; done < n; {
		values := b.values[:min(n-done, batchLen)]
		first := unsafe.Add(base, c.offset+uintptr(done)*stride)
		for i := range values {
			values[i] = *(*T)(unsafe.Add(first, uintptr(i)*stride))
		}
		var err error
		if out, outEnds, err = c.t.AppendAll(out, outEnds, values); err != nil {
			return dst, ends, at(err, done)
		}
		done += len(values)
	}
	return out, outEnds, nil
}

func (c *typed[T]) scatter(base unsafe.Pointer, stride uintptr, n int, data []byte, ends []int) error {
	if values, ok := c.together(base, stride, n); ok {
		return c.t.DecodeAll(values, data, ends)
	}
	b := c.memory.Get().(*batch[T])
	defer c.giveBack(b, min(n, batchLen))
	size := c.t.Size()
	for done := 0; done < n; {
		values := b.values[:min(n-done, batchLen)]
		part, partEnds := data, ends
		if size > 0 {
			part = data[min(done*size, len(data)):]
		} else if done > 0 {
			start := ends[done-1]
			if start < 0 || start > len(data) {
				return at(&dtype.ElementError{Err: dtype.ErrData}, done)
			}
			part, partEnds = data[start:], b.ends[:len(values)]
			for i := range partEnds {
				partEnds[i] = ends[done+i] - start
			}
		}
		if err := c.t.DecodeAll(values, part, partEnds); err != nil {
			return at(err, done)
		}
		first := unsafe.Add(base, c.offset+uintptr(done)*stride)
		for i, v := range values {
			*(*T)(unsafe.Add(first, uintptr(i)*stride)) = v
		}
		done += len(values)
	}
	return nil
}

// giveBack keeps the memory of a batch, without what its values point to.
func (c *typed[T]) giveBack(b *batch[T], used int) {
	clear(b.values[:used])
	c.memory.Put(b)
}

// array is the codec of arrays of numbers, one vector each.
type array[E dtype.Element] struct {
	t      dtype.VectorType[E]
	offset uintptr
}

func (c *array[E]) row(base unsafe.Pointer, stride uintptr, i int) []E {
	return unsafe.Slice((*E)(unsafe.Add(base, c.offset+uintptr(i)*stride)), c.t.RowLen())
}

func (c *array[E]) gather(dst []byte, ends []int, base unsafe.Pointer, stride uintptr, n int) ([]byte, []int, error) {
	out := dst
	for i := range n {
		var err error
		if out, err = c.t.AppendFlat(out, c.row(base, stride, i)); err != nil {
			return dst, ends, &dtype.ElementError{Index: i, Err: err}
		}
	}
	return out, ends, nil
}

func (c *array[E]) scatter(base unsafe.Pointer, stride uintptr, n int, data []byte, _ []int) error {
	for i := range n {
		src, err := element(c.t.Size(), i, data, nil)
		if err == nil {
			err = c.t.DecodeFlat(c.row(base, stride, i), src)
		}
		if err != nil {
			return at(&dtype.ElementError{Err: unwrapElement(err)}, i)
		}
	}
	return nil
}

// unwrapElement is what is wrong with the only element of a call.
func unwrapElement(err error) error {
	if bad, ok := err.(*dtype.ElementError); ok {
		return bad.Err
	}
	return err
}

// byteArray is the codec of arrays of bytes.
type byteArray struct {
	size   int
	offset uintptr
}

func (c *byteArray) bytes(base unsafe.Pointer, stride uintptr, i int) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(base, c.offset+uintptr(i)*stride)), c.size)
}

func (c *byteArray) gather(dst []byte, ends []int, base unsafe.Pointer, stride uintptr, n int) ([]byte, []int, error) {
	for i := range n {
		dst = append(dst, c.bytes(base, stride, i)...)
	}
	return dst, ends, nil
}

func (c *byteArray) scatter(base unsafe.Pointer, stride uintptr, n int, data []byte, _ []int) error {
	for i := range n {
		src, err := element(c.size, i, data, nil)
		if err != nil {
			return &dtype.ElementError{Index: i, Err: err}
		}
		copy(c.bytes(base, stride, i), src)
	}
	return nil
}

// nested is the codec of values in msgpack and cbor, whose Go type is known at
// run time only. It uses reflection, as the codec of such columns does.
type nested struct {
	t      reflect.Type
	values structured.TypeCodec
	spec   dtype.Spec
	offset uintptr
	// valid is the offset of the field that says that a value is not missing,
	// if null is set.
	valid uintptr
	null  bool
	// missing is what is written for a missing value.
	missing []byte
}

func (c *nested) value(p unsafe.Pointer) reflect.Value { return reflect.NewAt(c.t, p).Elem() }

func (c *nested) gather(dst []byte, ends []int, base unsafe.Pointer, stride uintptr, n int) ([]byte, []int, error) {
	out, outEnds := dst, ends
	for i := range n {
		p := unsafe.Add(base, c.offset+uintptr(i)*stride)
		var err error
		if out, err = c.append(out, p); err != nil {
			return dst, ends, &dtype.ElementError{Index: i, Err: err}
		}
		if c.spec.ElemSize() == 0 {
			outEnds = append(outEnds, len(out))
		}
	}
	return out, outEnds, nil
}

func (c *nested) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	out := dst
	if c.null && !*(*bool)(unsafe.Add(p, c.valid)) {
		out = append(out, c.missing...)
	} else {
		var err error
		if out, err = c.values.Append(dst, c.value(p)); err != nil {
			return dst, fmt.Errorf("%w: %v: %w", dtype.ErrValue, c.spec, err)
		}
		if c.null && isNull(c.spec, out[len(dst):]) {
			return dst, fmt.Errorf("%w: the value is null, which stands for a missing one in a nullable column of %v", dtype.ErrValue, c.spec)
		}
	}
	if n := len(out) - len(dst); c.spec.Sized {
		if n > c.spec.Size {
			return dst, fmt.Errorf("%w: the value needs %d bytes but %v holds %d", dtype.ErrValue, n, c.spec, c.spec.Size)
		}
		out = append(out, make([]byte, c.spec.Size-n)...)
	}
	return out, nil
}

// isNull tells whether a stored value is null.
func isNull(s dtype.Spec, stored []byte) bool {
	if len(stored) == 0 {
		return false
	}
	if s.Kind == dtype.KindMsgPack {
		return stored[0] == 0xc0
	}
	return stored[0] == 0xf6 || stored[0] == 0xf7 // and "undefined"
}

func (c *nested) scatter(base unsafe.Pointer, stride uintptr, n int, data []byte, ends []int) error {
	size := c.spec.ElemSize()
	for i := range n {
		p := unsafe.Add(base, c.offset+uintptr(i)*stride)
		src, err := element(size, i, data, ends)
		if err == nil && c.null && isNull(c.spec, src) {
			continue
		}
		if err == nil {
			if err = c.values.Decode(src, c.value(p)); err != nil {
				err = fmt.Errorf("%w: %v: %w", dtype.ErrData, c.spec, err)
			}
		}
		if err != nil {
			return &dtype.ElementError{Index: i, Err: err}
		}
		if c.null {
			*(*bool)(unsafe.Add(p, c.valid)) = true
		}
	}
	return nil
}

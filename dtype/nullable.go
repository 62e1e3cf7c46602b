package dtype

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"
)

// Nullable is t with elements that may be missing. The dtype stays the same,
// and one of its values stands for "missing":
//
//	signed numbers, times, dates   the lowest
//	unsigned numbers               the highest
//	f16 f32 f64                    NaN, every one; 0x7ff8000000000000 is written
//	bool                           the byte 2
//	text                           the text of one character, U+0000
//	msgpack, cbor                  null
//
// To store that value as a value is an [ErrValue]. Bytes, vectors, and text of a
// fixed size have no value to spare: for them the result reports an [ErrSyntax]
// from Err.
//
// A missing value equals nothing: Match finds no stored form of it. V is not
// looked at in one that is written, and zero in one that is read.
func Nullable[T any](t Type[T]) Type[sql.Null[T]] {
	b := newBase(t.Spec())
	b.meaning = t.Meaning()
	b.meaning.Null = true
	none, _ := noneOf(b.spec)
	switch {
	case t.Err() != nil:
		b.err = t.Err()
	case t.Meaning().Null:
		b.err = fmt.Errorf("%w: the type is nullable already", ErrSyntax)
	default:
		b.err = b.meaning.Check(b.spec)
	}
	n := nullable[T]{b, t, none}
	if fast, ok := t.(interface{ nullable(any) any }); ok && b.err == nil {
		return fast.nullable(n).(Type[sql.Null[T]])
	}
	return n
}

// none is what stands for a missing element.
type none struct {
	// stored is what is written, without padding.
	stored []byte
	// missing tells whether an element is one. Where other bytes than stored
	// mean the same, those are, too.
	missing func(element []byte) bool
	// value says that in a column that is not nullable it is a value like
	// others.
	value bool
}

// noneOf returns what stands for a missing element of the dtype, if there is
// something.
func noneOf(s Spec) (none, bool) {
	exactly := func(stored ...byte) none {
		return none{stored, func(b []byte) bool { return bytes.Equal(b, stored) }, true}
	}
	width := s.Kind.width()
	switch s.Kind {
	case KindBool:
		n := exactly(2)
		n.value = false // there is no such bool
		return n, true
	case KindInt8, KindInt16, KindInt32, KindInt64:
		lowest := make([]byte, width)
		lowest[width-1] = 0x80
		return exactly(lowest...), true
	case KindUint8, KindUint16, KindUint32, KindUint64:
		return exactly(bytes.Repeat([]byte{0xff}, width)...), true
	case KindFloat16:
		return none{[]byte{0x00, 0x7e}, func(b []byte) bool { return binary.LittleEndian.Uint16(b)&0x7fff > 0x7c00 }, false}, true
	case KindFloat32:
		return none{[]byte{0, 0, 0xc0, 0x7f}, func(b []byte) bool {
			f := math.Float32frombits(binary.LittleEndian.Uint32(b))
			return f != f
		}, false}, true
	case KindFloat64:
		return none{[]byte{0, 0, 0, 0, 0, 0, 0xf8, 0x7f}, func(b []byte) bool {
			f := math.Float64frombits(binary.LittleEndian.Uint64(b))
			return f != f
		}, false}, true
	case KindText:
		nul, err := s.Encoding.append(nil, "\x00")
		n := exactly(nul...)
		if len(nul) == 2 { // an odd byte at the end is ignored in UTF-16
			n.missing = func(b []byte) bool { return bytes.Equal(b[:len(b)&^1], nul) }
		}
		return n, err == nil && !s.Sized
	case KindMsgPack:
		return nullOf(s, 0xc0)
	case KindCBOR:
		return nullOf(s, 0xf6, 0xf7) // and "undefined"
	}
	return none{}, false
}

// nullOf is null in msgpack or cbor: the first of these bytes is written.
func nullOf(s Spec, first ...byte) (none, bool) {
	missing := func(b []byte) bool { return len(b) > 0 && bytes.IndexByte(first, b[0]) >= 0 }
	return none{first[:1], missing, false}, !s.Sized || s.Size > 0
}

// nullable is the codec of elements that may be missing.
type nullable[T any] struct {
	*base
	value Type[T]
	none  none
}

func (t nullable[T]) Append(dst []byte, v sql.Null[T]) ([]byte, error) {
	if t.err != nil || !v.Valid {
		return t.appendMissing(dst, t.none.stored)
	}
	out, err := t.value.Append(dst, v.V)
	if err != nil {
		return dst, err
	}
	if t.none.missing(out[len(dst):]) {
		return dst, t.refuse(v.V)
	}
	return out, nil
}

// appendMissing appends what stands for a missing value.
func (b *base) appendMissing(dst, stored []byte) ([]byte, error) {
	if b.err != nil {
		return dst, b.err
	}
	return b.pad(append(dst, stored...), len(stored), func() string { return "a missing value" })
}

// refuse is the error of a value that stands for a missing one.
func (b *base) refuse(v any) error {
	return fmt.Errorf("%w: the value %s stands for a missing one in a nullable column of %s", ErrValue, quote(fmt.Sprint(v)), b.spec.shown())
}

func (t nullable[T]) AppendAll(dst []byte, ends []int, vs []sql.Null[T]) ([]byte, []int, error) {
	return appendEach(t, dst, ends, vs)
}

func (t nullable[T]) Decode(src []byte) (v sql.Null[T], err error) {
	if t.err != nil {
		return v, t.err
	}
	if src, err = t.element(src); err != nil || t.none.missing(src) {
		return v, err
	}
	v.V, err = t.value.Decode(src)
	v.Valid = err == nil
	return v, err
}

func (t nullable[T]) DecodeAll(dst []sql.Null[T], data []byte, ends []int) error {
	return decodeEach(t, dst, data, ends)
}

// Bytes returns nil, because a value has another form in memory.
func (nullable[T]) Bytes([]sql.Null[T]) []byte { return nil }

func (t nullable[T]) Match(v sql.Null[T]) ([][]byte, error) {
	if t.err != nil || !v.Valid {
		return nil, t.err
	}
	if _, err := t.Append(nil, v); err != nil {
		return nil, err
	}
	return t.value.Match(v.V)
}

// nullableNumber is nullable for whole slices of numbers.
type nullableNumber[E Element] struct {
	nullable[E]
	// lowest stands for a missing number; it is NaN for floats.
	lowest E
}

func (t number[E]) nullable(n any) any {
	slow := n.(nullable[E])
	var lowest [1]E
	readNumbers(lowest[:], slow.none.stored)
	return nullableNumber[E]{slow, lowest[0]}
}

// batchOf is how many numbers are moved at once.
const batchOf = 256

func (t nullableNumber[E]) AppendAll(dst []byte, ends []int, vs []sql.Null[E]) ([]byte, []int, error) {
	out := slices.Grow(dst, len(vs)*t.size)
	var batch [batchOf]E
	for at := 0; at < len(vs); {
		n := min(len(vs)-at, batchOf)
		for i, v := range vs[at : at+n] {
			batch[i] = v.V
			if !v.Valid {
				batch[i] = t.lowest
			} else if v.V != v.V || v.V == t.lowest {
				return dst, ends, &ElementError{at + i, t.refuse(v.V)}
			}
		}
		out = appendNumbers(out, batch[:n])
		at += n
	}
	return out, ends, nil
}

func (t nullableNumber[E]) DecodeAll(dst []sql.Null[E], data []byte, _ []int) error {
	if _, err := newElements(t.size, len(dst), data, nil); err != nil {
		return err
	}
	if floats, ok := any(dst).([]sql.Null[float64]); ok {
		decodeNullableFloats(floats, data)
		return nil
	}
	var batch [batchOf]E
	for len(dst) > 0 {
		n := min(len(dst), batchOf)
		readNumbers(batch[:n], data)
		for i, v := range batch[:n] {
			valid := v == v && v != t.lowest
			if !valid {
				v = 0
			}
			dst[i].V, dst[i].Valid = v, valid
		}
		dst, data = dst[n:], data[n*t.size:]
	}
	return nil
}

// decodeNullableFloats is DecodeAll without a branch where values are missing,
// which for floats the compiler does not find by itself.
func decodeNullableFloats(dst []sql.Null[float64], data []byte) {
	const infinity = 0x7ff << 52
	for i := range dst {
		bits := binary.LittleEndian.Uint64(data[8*i:])
		valid := bits<<1 <= infinity<<1
		mask := uint64(0)
		if valid {
			mask = math.MaxUint64
		}
		dst[i].V, dst[i].Valid = math.Float64frombits(bits&mask), valid
	}
}

// nullableMoment is nullable for whole slices of times.
type nullableMoment struct {
	nullable[time.Time]
	moment moment
}

func (t moment) nullable(n any) any { return nullableMoment{n.(nullable[time.Time]), t} }

func (t nullableMoment) DecodeAll(dst []sql.Null[time.Time], data []byte, _ []int) error {
	if _, err := newElements(t.size, len(dst), data, nil); err != nil {
		return err
	}
	for i := range dst {
		n := int64(binary.LittleEndian.Uint64(data[8*i:]))
		dst[i] = sql.Null[time.Time]{}
		if n == math.MinInt64 {
			continue
		}
		v, err := t.moment.time(n)
		if err != nil {
			return &ElementError{i, err}
		}
		dst[i].V, dst[i].Valid = v, true
	}
	return nil
}

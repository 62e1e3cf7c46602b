package parquet

import (
	"bytes"
	"math"
	"reflect"
	"unicode/utf8"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"columnvault/dtype"
)

// group is a group of columns in their order; that of the library sorts them by
// name.
type group struct {
	pq.Group
	fields []pq.Field
}

func (g *group) add(name string, n pq.Node) { g.fields = append(g.fields, field{n, name}) }

func (g *group) Fields() []pq.Field { return g.fields }

// GoType is not asked for: nothing is written by way of structs.
func (g *group) GoType() reflect.Type { return reflect.TypeFor[any]() }

type field struct {
	pq.Node
	name string
}

func (f field) Name() string { return f.name }

func (f field) Value(base reflect.Value) reflect.Value { return base }

// numbered gives a node and those in it their numbers.
func numbered(n pq.Node, path string, id func(path string) int) pq.Node {
	if !n.Leaf() {
		inner := members{Node: n}
		for _, f := range n.Fields() {
			inner.fields = append(inner.fields, field{numbered(f, path+"."+f.Name(), id), f.Name()})
		}
		n = inner
	}
	if number := id(path); number != 0 {
		n = pq.FieldID(n, number)
	}
	return n
}

// members is a group that has others in place of its fields.
type members struct {
	pq.Node
	fields []pq.Field
}

func (m members) Fields() []pq.Field { return m.fields }

// bounded is a type whose pages have bounds other than those of the library.
type bounded struct {
	pq.Type
	bounds func(pq.Page) (least, greatest pq.Value, ok bool)
}

func (t bounded) NewColumnBuffer(column, values int) pq.ColumnBuffer {
	return boundedBuffer{t.Type.NewColumnBuffer(column, values), t.bounds}
}

type boundedBuffer struct {
	pq.ColumnBuffer
	bounds func(pq.Page) (least, greatest pq.Value, ok bool)
}

func (b boundedBuffer) Page() pq.Page { return boundedPage{b.ColumnBuffer.Page(), b.bounds} }

type boundedPage struct {
	pq.Page
	bounds func(pq.Page) (least, greatest pq.Value, ok bool)
}

func (p boundedPage) Bounds() (least, greatest pq.Value, ok bool) { return p.bounds(p.Page) }

// outerZeros makes a zero among the bounds of floats that which lies outside of
// the other: readers take the two for different numbers.
func outerZeros(p pq.Page) (least, greatest pq.Value, ok bool) {
	least, greatest, ok = p.Bounds()
	if !ok {
		return least, greatest, ok
	}
	switch least.Kind() {
	case pq.Float:
		if least.Float() == 0 {
			least = pq.FloatValue(float32(math.Copysign(0, -1)))
		}
		if greatest.Float() == 0 {
			greatest = pq.FloatValue(0)
		}
	case pq.Double:
		if least.Double() == 0 {
			least = pq.DoubleValue(math.Copysign(0, -1))
		}
		if greatest.Double() == 0 {
			greatest = pq.DoubleValue(0)
		}
	}
	return least, greatest, ok
}

// maxBound is how long bounds of text are at most, in bytes: the footer has them
// for each row group.
const maxBound = 256

// shortText makes the bounds of text short; they may lie outside of the values.
func shortText(p pq.Page) (least, greatest pq.Value, ok bool) {
	return short(p, func(b []byte) []byte {
		for len(b) > 0 {
			r, size := utf8.DecodeLastRune(b)
			b = b[:len(b)-size]
			if r == utf8.RuneError && size == 1 {
				continue // of a rune that was cut
			}
			if r++; r == 0xD800 {
				r = 0xE000
			}
			if r <= utf8.MaxRune {
				return utf8.AppendRune(b, r)
			}
		}
		return nil
	})
}

// shortBytes makes the bounds of bytes short.
func shortBytes(p pq.Page) (least, greatest pq.Value, ok bool) {
	return short(p, func(b []byte) []byte {
		for i := len(b) - 1; i >= 0; i-- {
			if b[i] < 255 {
				b[i]++
				return b[:i+1]
			}
		}
		return nil
	})
}

// short cuts bounds off. above returns what is greater than all that begins with
// b, in the memory of b, or nil.
func short(p pq.Page, above func(b []byte) []byte) (least, greatest pq.Value, ok bool) {
	least, greatest, ok = p.Bounds()
	if !ok {
		return least, greatest, ok
	}
	if b := least.ByteArray(); len(b) > maxBound {
		b = b[:maxBound]
		for !utf8.RuneStart(least.ByteArray()[len(b)]) && len(b) > maxBound-utf8.UTFMax {
			b = b[:len(b)-1]
		}
		least = pq.ByteArrayValue(b)
	}
	if b := greatest.ByteArray(); len(b) > maxBound {
		if b = above(bytes.Clone(b[:maxBound])); b != nil {
			greatest = pq.ByteArrayValue(b)
		}
	}
	return least, greatest, ok
}

// half is the type of floats of 16 bits, which the library takes for bytes.
type half struct{ bounded }

func newHalf() pq.Type { return half{bounded{pq.FixedLenByteArrayType(2), halfBounds}} }

func (half) String() string { return "FLOAT16" }

func (half) LogicalType() *format.LogicalType {
	return &format.LogicalType{Value: new(format.Float16Type)}
}

func (half) Compare(a, b pq.Value) int {
	x, y := halfOf(a.ByteArray()), halfOf(b.ByteArray())
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func (t half) NewColumnIndexer(limit int) pq.ColumnIndexer {
	return unordered{t.Type.NewColumnIndexer(limit)}
}

// unordered is the index of pages that is not said to be in order.
type unordered struct{ pq.ColumnIndexer }

func (u unordered) ColumnIndex() format.ColumnIndex {
	index := u.ColumnIndexer.ColumnIndex()
	index.BoundaryOrder = format.Unordered
	return index
}

func halfOf(b []byte) float32 {
	list := make([]float32, 1)
	if dtype.Float16.DecodeAll(list, b, nil) != nil {
		return 0 // which cannot be: there are two bytes
	}
	return list[0]
}

// halfBounds returns the bounds of a page. NaN is neither; of the two zeros
// readers want the outer ones.
func halfBounds(p pq.Page) (least, greatest pq.Value, ok bool) {
	data := p.Data()
	raw, _ := data.FixedLenByteArray()
	if len(raw) == 0 {
		return least, greatest, false
	}
	list := make([]float32, len(raw)/2)
	if dtype.Float16.DecodeAll(list, raw, nil) != nil {
		return least, greatest, false
	}
	low, high := []byte{0x00, 0xFC}, []byte{0x00, 0x7C} // infinities
	from, to := -1, -1
	for i, v := range list {
		if v == v && (from < 0 || v < list[from]) {
			from = i
		}
		if v == v && (to < 0 || v > list[to]) {
			to = i
		}
	}
	if from >= 0 {
		low, high = bytes.Clone(raw[2*from:2*from+2]), bytes.Clone(raw[2*to:2*to+2])
		if list[from] == 0 {
			low = []byte{0x00, 0x80}
		}
		if list[to] == 0 {
			high = []byte{0x00, 0x00}
		}
	}
	return pq.FixedLenByteArrayValue(low), pq.FixedLenByteArrayValue(high), true
}

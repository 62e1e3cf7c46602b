package arrow

import (
	"encoding/binary"
	"fmt"
	"slices"

	"columnvault/dtype"
	"columnvault/exchange/arrow/internal/flat"
)

// array is the values of a field in a record batch.
type array struct {
	*field
	length, nulls int64
	buffers       []*buffer // the first says which values are there
	children      []*array
}

// batch is a record batch whose arrays are being put together.
type batch struct {
	file   *file
	at     int64
	size   int64
	codec  int
	nodes  [][]int64
	places [][]int64
	views  []int64
}

// newBatch returns the arrays of fields in a record batch.
func newBatch(f *file, m *message, t flat.Table, fields []*field) (rows int64, arrays []*array, err error) {
	b := &batch{file: f, at: m.at, size: m.size, codec: -1, nodes: t.Structs(1, 2), places: t.Structs(2, 2)}
	if t.Has(3) {
		b.codec = int(t.Table(3).Byte(0))
		if b.codec > int(codecZstd) {
			return 0, nil, fmt.Errorf("the record batch is compressed by codec %d, which is not supported", b.codec)
		}
	}
	for _, v := range t.Structs(4, 1) {
		b.views = append(b.views, v[0])
	}
	rows = t.Int64(0)
	if err := m.buffer.Err(); err != nil || rows < 0 {
		return 0, nil, errDamaged
	}
	for _, field := range fields {
		a, err := b.array(field)
		if err != nil {
			return 0, nil, err
		}
		if a.length != rows {
			return 0, nil, errDamaged
		}
		arrays = append(arrays, a)
	}
	return rows, arrays, nil
}

// array takes the next array.
func (b *batch) array(f *field) (*array, error) {
	if f.index != nil {
		return b.array(f.index)
	}
	if len(b.nodes) == 0 {
		return nil, errDamaged
	}
	a := &array{field: f, length: b.nodes[0][0], nulls: b.nodes[0][1]}
	b.nodes = b.nodes[1:]
	n := 2
	switch f.kind {
	case kindNull:
		n = 0
	case kindBinary, kindText, kindLargeBinary, kindLargeText:
		n = 3
	case kindFixedList, kindStruct:
		n = 1
	case kindBinaryView, kindTextView:
		if len(b.views) == 0 || b.views[0] < 0 || b.views[0] > int64(len(b.places)) {
			return nil, errDamaged
		}
		n += int(b.views[0])
		b.views = b.views[1:]
	}
	if n > len(b.places) || a.length < 0 || a.nulls < 0 || a.nulls > a.length {
		return nil, errDamaged
	}
	for _, p := range b.places[:n] {
		if p[0] < 0 || p[1] < 0 || p[0] > b.size || p[1] > b.size-p[0] {
			return nil, errDamaged
		}
		a.buffers = append(a.buffers, &buffer{file: b.file, at: b.at + p[0], size: p[1], codec: b.codec})
	}
	b.places = b.places[n:]
	for _, c := range f.children {
		child, err := b.array(c)
		if err != nil {
			return nil, err
		}
		a.children = append(a.children, child)
	}
	return a, nil
}

// gaps tells which of the values are missing; it returns nil if none is.
func (a *array) gaps(from, to int64) ([]bool, error) {
	if a.kind == kindNull {
		gaps := make([]bool, to-from)
		for i := range gaps {
			gaps[i] = true
		}
		return gaps, nil
	}
	if a.nulls == 0 || a.buffers[0].size == 0 {
		return nil, nil
	}
	bits, err := a.buffers[0].bytes(from/8, (to+7)/8-from/8)
	if err != nil {
		return nil, err
	}
	gaps := make([]bool, to-from)
	any := false
	at := from % 8
	for i := range gaps {
		gaps[i] = bits[at>>3]>>(at&7)&1 == 0
		any = any || gaps[i]
		at++
	}
	if !any {
		return nil, nil
	}
	return gaps, nil
}

// raw returns the bytes of values of one size.
func (a *array) raw(from, to int64) ([]byte, error) {
	w := int64(a.width())
	return a.buffers[1].bytes(from*w, (to-from)*w)
}

// bools returns booleans.
func (a *array) bools(from, to int64, dst []bool) error {
	bits, err := a.buffers[1].bytes(from/8, (to+7)/8-from/8)
	if err != nil {
		return err
	}
	at := from % 8
	for i := range dst {
		dst[i] = bits[at>>3]>>(at&7)&1 == 1
		at++
	}
	return nil
}

// offsets returns where values begin and end: one number more than values.
func (a *array) offsets(from, to int64) ([]int64, error) {
	if from == to {
		return []int64{0}, nil
	}
	size := int64(4)
	if a.wide() {
		size = 8
	}
	raw, err := a.buffers[1].bytes(from*size, (to-from+1)*size)
	if err != nil {
		return nil, err
	}
	ends := make([]int64, to-from+1)
	for i := range ends {
		if size == 8 {
			ends[i] = int64(binary.LittleEndian.Uint64(raw[8*i:]))
		} else {
			ends[i] = int64(int32(binary.LittleEndian.Uint32(raw[4*i:])))
		}
		if ends[i] < 0 || i > 0 && ends[i] < ends[i-1] {
			return nil, errDamaged
		}
	}
	return ends, nil
}

// fitBytes and fitValues are how much of values that vary in size, and how many
// values of lists, are read at once.
const (
	fitBytes  = 4 << 20
	fitValues = 256 << 10
)

// fit returns how far values can be read at once: at most to, and at least one.
func (a *array) fit(from, to int64) (int64, error) {
	if to-from <= 1 {
		return to, nil
	}
	switch a.kind {
	case kindBinary, kindText, kindLargeBinary, kindLargeText, kindList, kindLargeList, kindMap:
		to = min(to, from+64<<10)
		ends, err := a.offsets(from, to)
		if err != nil {
			return 0, err
		}
		limit := ends[0] + fitBytes
		if len(a.children) > 0 {
			limit = min(ends[0]+fitValues, ends[len(ends)-1])
			if limit > ends[0] {
				if limit, err = a.children[0].fit(ends[0], limit); err != nil {
					return 0, err
				}
			}
		}
		n, _ := slices.BinarySearch(ends, limit+1)
		return from + max(1, int64(n-1)), nil
	case kindBinaryView, kindTextView:
		return a.fitViews(from, min(to, from+64<<10))
	case kindFixedBinary:
		return min(to, from+max(1, fitBytes/max(1, int64(a.size)))), nil
	case kindFixedList:
		size := max(1, int64(a.size))
		to = min(to, from+max(1, fitValues/size))
		end, err := a.children[0].fit(from*int64(a.size), to*int64(a.size))
		return from + max(1, end/size-from), err
	case kindStruct:
		for _, c := range a.children {
			var err error
			if to, err = c.fit(from, to); err != nil {
				return 0, err
			}
		}
	}
	return to, nil
}

// texts returns values that vary in size, nil for those that are missing. They
// lie in one piece of memory.
func (a *array) texts(from, to int64, gaps []bool) ([][]byte, error) {
	if a.isView() {
		return a.views(from, to, gaps)
	}
	ends, err := a.offsets(from, to)
	if err != nil {
		return nil, err
	}
	all, err := a.buffers[2].bytes(ends[0], ends[len(ends)-1]-ends[0])
	if err != nil {
		return nil, err
	}
	list := make([][]byte, to-from)
	for i := range list {
		if gaps == nil || !gaps[i] {
			list[i] = all[ends[i]-ends[0] : ends[i+1]-ends[0]]
		}
	}
	return list, nil
}

// view is where a value of a view lies: in the view, or in a buffer.
func (a *array) view(raw []byte) (length int64, b *buffer, at int64) {
	length = int64(int32(binary.LittleEndian.Uint32(raw)))
	if length <= 12 {
		return length, nil, 0
	}
	number := int64(int32(binary.LittleEndian.Uint32(raw[8:])))
	if number < 0 || number >= int64(len(a.buffers)-2) {
		return -1, nil, 0
	}
	return length, a.buffers[2+number], int64(int32(binary.LittleEndian.Uint32(raw[12:])))
}

func (a *array) fitViews(from, to int64) (int64, error) {
	raw, err := a.buffers[1].bytes(from*16, (to-from)*16)
	if err != nil {
		return 0, err
	}
	size := int64(0)
	for i := range to - from {
		n, _, _ := a.view(raw[16*i:])
		if size += max(n, 0); size > fitBytes && i > 0 {
			return from + i, nil
		}
	}
	return to, nil
}

func (a *array) views(from, to int64, gaps []bool) ([][]byte, error) {
	raw, err := a.buffers[1].bytes(from*16, (to-from)*16)
	if err != nil {
		return nil, err
	}
	var all []byte
	ends := []int{0}
	for i := range to - from {
		if gaps == nil || !gaps[i] {
			n, b, at := a.view(raw[16*i:])
			switch {
			case n < 0:
				return nil, errDamaged
			case b == nil:
				all = append(all, raw[16*i+4:16*i+4+n]...)
			default:
				part, err := b.bytes(at, n)
				if err != nil {
					return nil, err
				}
				all = append(all, part...)
			}
		}
		ends = append(ends, len(all))
	}
	list := make([][]byte, to-from)
	for i := range list {
		if gaps == nil || !gaps[i] {
			list[i] = all[ends[i]:ends[i+1]:ends[i+1]]
		}
	}
	return list, nil
}

var units = []dtype.Unit{dtype.Second, dtype.Millisecond, dtype.Microsecond, dtype.Nanosecond}

package parquet

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"

	"columnvault/dtype"
	"columnvault/exchange/internal/block"
	"columnvault/exchange/parquet/internal/encoding"
	"columnvault/exchange/parquet/internal/thrift"
)

// leafWriter writes the values of a column of the schema.
type leafWriter struct {
	path     []string
	physical int
	width    int // of values of one size
	// maxDef and maxRep are the highest levels.
	maxDef, maxRep int
	plain          bool
	bounds         bounds // of the page, or nil
	total          bounds // of the row group

	// The page that is filled.
	values     []byte
	bits       int // of booleans
	reps, defs []uint8
	entries    int
	rows       int
	nulls      int

	// The row group.
	pages   []byte
	infos   []pageInfo
	count   int64
	rawSize int64
	allRows int64
	missing int64
	body    []byte
}

// addPresent notes n values that are there.
func (l *leafWriter) addPresent(n int) {
	l.entries += n
	l.rows += n
	if l.maxDef > 0 {
		for range n {
			l.defs = append(l.defs, uint8(l.maxDef))
		}
	}
}

// addMissing notes a value that is missing.
func (l *leafWriter) addMissing() {
	l.entries++
	l.rows++
	l.nulls++
	l.defs = append(l.defs, uint8(l.maxDef-1))
}

// addList notes the levels of a list of n values.
func (l *leafWriter) addList(n int) {
	l.rows++
	if n == 0 {
		l.entries++
		l.reps, l.defs = append(l.reps, 0), append(l.defs, uint8(l.maxDef-1))
		return
	}
	l.entries += n
	l.reps = append(l.reps, 0)
	for range n - 1 {
		l.reps = append(l.reps, 1)
	}
	for range n {
		l.defs = append(l.defs, uint8(l.maxDef))
	}
}

// pageRows bounds the rows of a page, so that its statistics are of use.
const pageRows = 64 << 10

// full tells whether the page should end.
func (l *leafWriter) full() bool { return len(l.values) >= pageBytes || l.rows >= pageRows }

// endPage ends the page, if there is anything in it.
func (l *leafWriter) endPage() error {
	if l.entries == 0 {
		return nil
	}
	body := l.body[:0]
	if l.maxRep > 0 {
		body = appendLevels(body, l.reps, encoding.Width(l.maxRep))
	}
	if l.maxDef > 0 {
		body = appendLevels(body, l.defs, encoding.Width(l.maxDef))
	}
	body = append(body, l.values...)
	l.body = body
	if len(body) > block.MaxSize {
		return dtype.ErrValue // which cannot be: a value is far smaller
	}
	at := len(l.pages)
	packed := body
	if !l.plain {
		packed = block.AppendZstd(nil, body)
	}
	var w thrift.Writer
	w.Struct(func() {
		w.I32(1, pageData)
		w.I32(2, int32(len(body)))
		w.I32(3, int32(len(packed)))
		w.I32(4, int32(crc32.ChecksumIEEE(packed)))
		w.Sub(5, func() {
			w.I32(1, int32(l.entries))
			w.I32(2, encPlain)
			w.I32(3, encRLE)
			w.I32(4, encRLE)
		})
	})
	l.pages = append(append(l.pages, w.Out...), packed...)
	info := pageInfo{at: int64(at), size: int32(len(l.pages) - at), firstRow: l.allRows, nulls: int64(l.nulls), empty: l.nulls == l.entries}
	if l.bounds != nil {
		info.min, info.max = l.bounds.encode()
		l.total.merge(l.bounds)
		l.bounds.reset()
	}
	l.infos = append(l.infos, info)
	l.count += int64(l.entries)
	l.missing += int64(l.nulls)
	l.allRows += int64(l.rows)
	l.rawSize += int64(len(w.Out) + len(body))
	l.values, l.reps, l.defs = l.values[:0], l.reps[:0], l.defs[:0]
	l.entries, l.rows, l.nulls, l.bits = 0, 0, 0, 0
	return nil
}

func appendLevels(dst []byte, levels []uint8, width int) []byte {
	start := len(dst)
	dst = encoding.AppendRLE(append(dst, 0, 0, 0, 0), levels, width)
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}

// endChunk returns what is to be said of the row group, which begins at a place
// of the file.
func (l *leafWriter) endChunk(at int64) chunk {
	c := chunk{physical: l.physical, codec: codecZstd, values: l.count, raw: l.rawSize, packed: int64(len(l.pages)),
		dataAt: at, nulls: l.missing, path: l.path, pages: l.infos}
	if l.plain {
		c.codec = codecNone
	}
	for i := range c.pages {
		c.pages[i].at += at
	}
	if l.maxRep > 0 {
		c.nulls = -1
	}
	if l.total != nil {
		c.min, c.max = l.total.encode()
		c.bounded = c.min != nil
		l.total.reset()
	}
	l.infos, l.count, l.rawSize, l.allRows, l.missing = nil, 0, 0, 0, 0
	return c
}

// bounds are the least and the greatest of the values so far.
type bounds interface {
	merge(other bounds)
	reset()
	// encode returns them as they are stored, or nil if there are none.
	encode() (least, greatest []byte)
}

// numberBounds are those of numbers.
type numberBounds[T dtype.Element] struct {
	least, greatest T
	any             bool
	put             func(dst []byte, v T) []byte
}

// see takes values into account. NaN is neither.
func (b *numberBounds[T]) see(list []T) {
	if len(list) == 0 {
		return
	}
	least, greatest, seen := b.least, b.greatest, b.any
	for _, v := range list {
		if v != v {
			continue
		}
		if !seen {
			least, greatest, seen = v, v, true
		}
		least, greatest = min(least, v), max(greatest, v)
	}
	b.least, b.greatest, b.any = least, greatest, seen
}

func (b *numberBounds[T]) merge(other bounds) {
	if o := other.(*numberBounds[T]); o.any {
		b.see([]T{o.least, o.greatest})
	}
}

func (b *numberBounds[T]) reset() { b.any = false }

func (b *numberBounds[T]) encode() (least, greatest []byte) {
	if !b.any {
		return nil, nil
	}
	low, high := b.least, b.greatest
	switch l := any(&low).(type) {
	case *float64:
		if *l == 0 { // of the two zeros readers want the outer ones
			*l = math.Copysign(0, -1)
		}
	case *float32:
		if *l == 0 {
			*l = float32(math.Copysign(0, -1))
		}
	}
	if high == 0 {
		high = 0
	}
	return b.put(nil, low), b.put(nil, high)
}

// byteBounds are those of text and bytes. What is longer than maxBound bytes is
// not kept, and then there are no bounds.
type byteBounds struct {
	least, greatest []byte
	any, long       bool
}

const maxBound = 256

func (b *byteBounds) see(v []byte) {
	if b.long = b.long || len(v) > maxBound; b.long {
		return
	}
	if !b.any {
		b.least, b.greatest, b.any = append(b.least[:0], v...), append(b.greatest[:0], v...), true
		return
	}
	if bytes.Compare(v, b.least) < 0 {
		b.least = append(b.least[:0], v...)
	}
	if bytes.Compare(v, b.greatest) > 0 {
		b.greatest = append(b.greatest[:0], v...)
	}
}

func (b *byteBounds) merge(other bounds) {
	o := other.(*byteBounds)
	b.long = b.long || o.long
	if o.any {
		b.see(o.least)
		b.see(o.greatest)
	}
}

func (b *byteBounds) reset() { b.any, b.long = false, false }

func (b *byteBounds) encode() (least, greatest []byte) {
	if !b.any || b.long {
		return nil, nil
	}
	return append([]byte{}, b.least...), append([]byte{}, b.greatest...)
}

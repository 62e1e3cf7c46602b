package sqlitefile

import (
	"encoding/binary"
	"unicode/utf16"
)

// Kind is the kind of a field.
type Kind uint8

// The kinds of fields.
const (
	Null Kind = iota
	Integer
	Float
	Text
	Blob
)

// Field is a field of a row.
type Field struct {
	Kind Kind
	// Size is the number of bytes of text and of a BLOB.
	Size int64

	offset int64 // in the payload
	stored int   // bytes of a number
	value  int64 // of a number that takes no bytes
}

// Row is a row of a table, or of an index.
type Row struct {
	// Page is the page that the row begins in.
	Page   uint32
	RowID  int64
	Fields []Field

	body *payload // the bytes of all fields
}

// Rows calls visit for each row in a page of a tree, until it returns false. It
// returns how many rows could not be made out.
func (f *File) Rows(page uint32, visit func(*Row) bool) (bad int) {
	n, ok := f.node(page)
	if !ok {
		f.spoil(page)
		return 0
	}
	room := f.usable
	for k := range n.cells {
		if k > 0 {
			if n, ok = f.node(page); !ok { // visit may have read other pages
				break
			}
		}
		c, ok := f.cell(&n, n.at(k))
		if ok {
			room -= c.end - n.at(k) // cells do not overlap
		}
		if !ok || n.kind == tableInner || room < 0 {
			bad++
			continue
		}
		fields := f.fields(n.data[c.at:c.at+c.local], c.size)
		if fields == nil {
			bad++
			continue
		}
		body := &payload{f: f, size: c.size, page: page, at: c.at, local: c.local, more: c.more}
		if !visit(&Row{Page: page, RowID: c.rowID, Fields: fields, body: body}) {
			break
		}
	}
	if bad > 0 {
		f.spoil(page)
	}
	return bad
}

// Follow finds the pages of the row, so that they count as used.
func (r *Row) Follow() { r.body.follow() }

// maxFields is the most fields that a row can have, as SQLite is built by
// default.
const maxFields = 2000

// fields reads the head of a record, nil if its sizes do not add up to that of
// the payload.
func (f *File) fields(p []byte, size int64) []Field {
	head, k := varint(p)
	if k == 0 || head < uint64(k) || head > uint64(len(p)) {
		return nil
	}
	p = p[k:head]
	fields := make([]Field, 0, 8)
	at := int64(head)
	for len(p) > 0 {
		kind, k := varint(p)
		if k == 0 || len(fields) == maxFields {
			return nil
		}
		p = p[k:]
		field := Field{offset: at}
		switch {
		case kind == 0:
		case kind <= 6:
			field.Kind, field.stored = Integer, [...]int{1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}[kind]
		case kind == 7:
			field.Kind, field.stored = Float, 8
		case kind == 8, kind == 9:
			field.Kind, field.value = Integer, int64(kind-8)
		case kind < 12 || kind > 1<<33:
			return nil
		default:
			field.Kind, field.Size = Blob, int64(kind-12)/2
			if kind%2 == 1 {
				field.Kind, field.Size = Text, int64(kind-13)/2
			}
		}
		fields = append(fields, field)
		if at += field.Size + int64(field.stored); at > size {
			return nil
		}
	}
	if at != size || len(fields) == 0 {
		return nil
	}
	return fields
}

// Int returns an integer. One that is stored in more bytes than it takes was not
// written by SQLite, and cannot be read.
func (r *Row) Int(k int) (int64, bool) {
	if k >= len(r.Fields) || r.Fields[k].Kind != Integer {
		return 0, false
	}
	field := &r.Fields[k]
	if field.stored == 0 {
		return field.value, true
	}
	var b [8]byte
	p := b[8-field.stored:]
	if holes := r.body.walk(p, field.offset, field.offset+int64(len(p))); len(holes) > 0 {
		return 0, false
	}
	shift := 64 - 8*field.stored
	v := int64(binary.BigEndian.Uint64(b[:])) << shift >> shift
	return v, field.stored == bytesOf(v)
}

// bytesOf is how many bytes SQLite takes for an integer, other than 0 and 1 where
// these take none.
func bytesOf(v int64) int {
	for _, n := range []int{1, 2, 3, 4, 6} {
		if half := int64(1) << (8*n - 1); -half <= v && v < half {
			return n
		}
	}
	return 8
}

// Distrust makes a hole of the last page of the row's chain, if it has one: what
// was read there cannot be what was written.
func (r *Row) Distrust() {
	r.body.follow()
	if len(r.body.chain) > 0 {
		r.body.spoilLast()
	}
}

// Bytes returns the bytes of text or of a BLOB, if there are at most limit and
// all can be read.
func (r *Row) Bytes(k int, limit int64) ([]byte, bool) {
	v, ok := r.Value(k)
	if !ok || v.Size > limit || len(v.Holes(0, v.Size)) > 0 {
		return nil, false
	}
	p := make([]byte, v.Size)
	return p, len(v.ReadAt(p, 0)) == 0
}

// Text returns text as UTF-8, with the same conditions.
func (r *Row) Text(k int, limit int64) (string, bool) {
	p, ok := r.Bytes(k, limit)
	if !ok || r.Fields[k].Kind != Text {
		return "", false
	}
	if r.body.f.encoding == UTF8 {
		return string(p), true
	}
	units := make([]uint16, len(p)/2)
	for i := range units {
		if units[i] = binary.LittleEndian.Uint16(p[2*i:]); r.body.f.encoding == UTF16BE {
			units[i] = binary.BigEndian.Uint16(p[2*i:])
		}
	}
	return string(utf16.Decode(units)), true
}

// Value is the text or the BLOB of a field. It stays valid without its row.
type Value struct {
	Size int64 // in bytes

	body   *payload
	offset int64
}

// Value returns the text or the BLOB of a field.
func (r *Row) Value(k int) (Value, bool) {
	if k >= len(r.Fields) || r.Fields[k].Kind < Text {
		return Value{}, false
	}
	return Value{r.Fields[k].Size, r.body, r.Fields[k].offset}, true
}

// ReadAt fills p with the bytes from offset on, which must lie within the
// value, and zeros for those that could not be read, which it returns.
func (v *Value) ReadAt(p []byte, offset int64) []Hole {
	return v.holes(v.body.walk(p, v.offset+offset, v.offset+offset+int64(len(p))))
}

// Holes are the bytes from offset from up to to that cannot be read. Nothing but
// the chain of their pages is looked at.
func (v *Value) Holes(from, to int64) []Hole {
	return v.holes(v.body.walk(nil, v.offset+from, v.offset+to))
}

// holes turns offsets in the payload into such in the value.
func (v *Value) holes(holes []Hole) []Hole {
	for i := range holes {
		holes[i].From -= v.offset
		holes[i].To -= v.offset
	}
	return holes
}

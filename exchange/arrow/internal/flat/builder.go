package flat

import "encoding/binary"

// Builder writes tables, from the end of the memory to its beginning: what a
// table refers to is written before it. Places are counted from the end.
type Builder struct {
	b     []byte // the used part is b[head:]
	head  int
	align int
}

// Ref is the place of a table, a list or text.
type Ref int

// room makes room for n bytes that begin at a multiple of align.
func (w *Builder) room(n, align int) {
	w.align = max(w.align, align)
	pad := -(w.used() + n) & (align - 1)
	for w.head < n+pad {
		grown := make([]byte, max(256, 2*len(w.b)))
		w.head += len(grown) - len(w.b)
		copy(grown[w.head:], w.b[len(w.b)-(len(grown)-w.head):])
		w.b = grown
	}
	w.head -= pad
	clear(w.b[w.head : w.head+pad])
}

func (w *Builder) used() int { return len(w.b) - w.head }

func (w *Builder) push32(v uint32) {
	w.head -= 4
	binary.LittleEndian.PutUint32(w.b[w.head:], v)
}

func (w *Builder) pushBytes(p []byte) {
	w.head -= len(p)
	copy(w.b[w.head:], p)
}

// String writes text.
func (w *Builder) String(s string) Ref {
	w.room(len(s)+1+4, 4)
	w.head--
	w.b[w.head] = 0
	w.pushBytes([]byte(s))
	w.push32(uint32(len(s)))
	return Ref(w.used())
}

// Refs writes a list of what is at these places.
func (w *Builder) Refs(refs []Ref) Ref {
	w.room(4*len(refs)+4, 4)
	for i := len(refs) - 1; i >= 0; i-- {
		w.push32(uint32(w.used() + 4 - int(refs[i])))
	}
	w.push32(uint32(len(refs)))
	return Ref(w.used())
}

// Structs writes a list of structs of numbers of 64 bits.
func (w *Builder) Structs(structs [][]int64) Ref {
	n := 0
	for _, s := range structs {
		n += 8 * len(s)
	}
	w.room(n, 8)
	w.room(n+4, 4)
	for i := len(structs) - 1; i >= 0; i-- {
		for k := len(structs[i]) - 1; k >= 0; k-- {
			w.head -= 8
			binary.LittleEndian.PutUint64(w.b[w.head:], uint64(structs[i][k]))
		}
	}
	w.push32(uint32(len(structs)))
	return Ref(w.used())
}

// Field is a field of a table that is written.
type Field struct {
	ID   int
	Size int // in bytes: 1, 2, 4 or 8; 0 for one that refers to To
	N    int64
	To   Ref
}

// Byte, Int16, Int32, Int64 and To are fields.
func Byte(id int, n byte) Field { return Field{ID: id, Size: 1, N: int64(n)} }

// Bool is a field that is true or false.
func Bool(id int, v bool) Field {
	if v {
		return Byte(id, 1)
	}
	return Byte(id, 0)
}

// Int16 is a field of 16 bits.
func Int16(id int, n int16) Field { return Field{ID: id, Size: 2, N: int64(n)} }

// Int32 is a field of 32 bits.
func Int32(id int, n int32) Field { return Field{ID: id, Size: 4, N: int64(n)} }

// Int64 is a field of 64 bits.
func Int64(id int, n int64) Field { return Field{ID: id, Size: 8, N: n} }

// To is a field that refers to what is at a place.
func To(id int, to Ref) Field { return Field{ID: id, To: to} }

// Table writes a table.
func (w *Builder) Table(fields ...Field) Ref {
	last := -1
	for _, f := range fields {
		last = max(last, f.ID)
	}
	places := make([]int, last+1)
	end := w.used()
	for _, f := range fields {
		size := f.Size
		if size == 0 {
			size = 4
		}
		w.room(size, size)
		w.head -= size
		at := w.b[w.head:]
		switch {
		case f.Size == 0:
			binary.LittleEndian.PutUint32(at, uint32(w.used()-int(f.To)))
		case size == 1:
			at[0] = byte(f.N)
		case size == 2:
			binary.LittleEndian.PutUint16(at, uint16(f.N))
		case size == 4:
			binary.LittleEndian.PutUint32(at, uint32(f.N))
		default:
			binary.LittleEndian.PutUint64(at, uint64(f.N))
		}
		places[f.ID] = w.used()
	}
	w.room(4, 4)
	w.push32(0)
	table := w.used()
	w.room(4+2*len(places), 2)
	for i := len(places) - 1; i >= 0; i-- {
		w.head -= 2
		offset := 0
		if places[i] > 0 {
			offset = table - places[i]
		}
		binary.LittleEndian.PutUint16(w.b[w.head:], uint16(offset))
	}
	w.head -= 4
	binary.LittleEndian.PutUint16(w.b[w.head:], uint16(4+2*len(places)))
	binary.LittleEndian.PutUint16(w.b[w.head+2:], uint16(table-end))
	binary.LittleEndian.PutUint32(w.b[len(w.b)-table:], uint32(w.used()-table))
	return Ref(table)
}

// Finish returns the bytes, which begin with where the table at root is. Their
// length is a multiple of 8.
func (w *Builder) Finish(root Ref) []byte {
	w.room(4, max(8, w.align))
	w.push32(uint32(w.used() + 4 - int(root)))
	return w.b[w.head:]
}

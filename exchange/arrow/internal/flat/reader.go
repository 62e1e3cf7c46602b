// Package flat reads and writes tables of FlatBuffers, in which the metadata of
// Arrow is written.
package flat

import (
	"encoding/binary"
	"errors"
)

// ErrDamaged is returned for bytes that are no tables.
var ErrDamaged = errors.New("the metadata is damaged")

// Table is a table in a buffer. The zero Table has no fields. What does not lie
// in the buffer is as if it were not there, and sets the error of the buffer.
type Table struct {
	b   *Buffer
	at  int
	end int // of the vtable, relative to vtable
	v   int // the vtable
}

// Buffer is the memory of tables.
type Buffer struct {
	b   []byte
	err error
	// reads counts tables and vectors: what refers to the same bytes again and
	// again must not take time without bounds.
	reads int
}

// maxReads bounds the tables and vectors that are read from a buffer, beside
// those that its size gives room for.
const maxReads = 1 << 20

// Root returns the table that a buffer begins with.
func Root(b []byte) (*Buffer, Table) {
	buf := &Buffer{b: b}
	return buf, buf.table(int(buf.u32(0)))
}

// Err tells whether something did not lie in the buffer.
func (b *Buffer) Err() error { return b.err }

func (b *Buffer) fail() { b.err = ErrDamaged }

func (b *Buffer) has(at, n int) bool {
	if at < 0 || n < 0 || at > len(b.b) || n > len(b.b)-at {
		b.fail()
		return false
	}
	return true
}

func (b *Buffer) count() bool {
	if b.reads++; b.reads > maxReads {
		b.fail()
		return false
	}
	return true
}

func (b *Buffer) u16(at int) uint16 {
	if !b.has(at, 2) {
		return 0
	}
	return binary.LittleEndian.Uint16(b.b[at:])
}

func (b *Buffer) u32(at int) uint32 {
	if !b.has(at, 4) {
		return 0
	}
	return binary.LittleEndian.Uint32(b.b[at:])
}

func (b *Buffer) u64(at int) uint64 {
	if !b.has(at, 8) {
		return 0
	}
	return binary.LittleEndian.Uint64(b.b[at:])
}

func (b *Buffer) table(at int) Table {
	if !b.count() || !b.has(at, 4) {
		return Table{}
	}
	v := at - int(int32(b.u32(at)))
	if !b.has(v, 4) {
		return Table{}
	}
	end := int(b.u16(v))
	if !b.has(v, end) {
		return Table{}
	}
	return Table{b: b, at: at, v: v, end: end}
}

// field returns where a field lies, or 0 if it is not there.
func (t Table) field(id int) int {
	slot := 4 + 2*id
	if t.b == nil || slot+2 > t.end {
		return 0
	}
	if off := int(t.b.u16(t.v + slot)); off != 0 {
		return t.at + off
	}
	return 0
}

// Bool returns a field that is false by default.
func (t Table) Bool(id int) bool { return t.Byte(id) != 0 }

// Byte returns a field of a byte.
func (t Table) Byte(id int) byte {
	at := t.field(id)
	if at == 0 || !t.b.has(at, 1) {
		return 0
	}
	return t.b.b[at]
}

// Int16 returns a field of 16 bits, or what stands for one that is not there.
func (t Table) Int16(id int, missing int16) int16 {
	if at := t.field(id); at != 0 {
		return int16(t.b.u16(at))
	}
	return missing
}

// Int32 returns a field of 32 bits, or what stands for one that is not there.
func (t Table) Int32(id int, missing int32) int32 {
	if at := t.field(id); at != 0 {
		return int32(t.b.u32(at))
	}
	return missing
}

// Int64 returns a field of 64 bits.
func (t Table) Int64(id int) int64 {
	if at := t.field(id); at != 0 {
		return int64(t.b.u64(at))
	}
	return 0
}

// follow returns what a field refers to, or 0.
func (t Table) follow(id int) int {
	at := t.field(id)
	if at == 0 {
		return 0
	}
	return at + int(t.b.u32(at))
}

// Has tells whether a field is there.
func (t Table) Has(id int) bool { return t.field(id) != 0 }

// Table returns a field that is a table.
func (t Table) Table(id int) Table {
	at := t.follow(id)
	if at == 0 {
		return Table{}
	}
	return t.b.table(at)
}

// String returns a field that is text.
func (t Table) String(id int) string {
	at := t.follow(id)
	if at == 0 || !t.b.count() {
		return ""
	}
	n := int(t.b.u32(at))
	if !t.b.has(at+4, n) {
		return ""
	}
	return string(t.b.b[at+4 : at+4+n])
}

// Tables returns a field that is a list of tables.
func (t Table) Tables(id int) []Table {
	at, n := t.list(id, 4)
	tables := make([]Table, 0, min(n, 1<<10))
	for i := range n {
		ref := at + 4*i
		tables = append(tables, t.b.table(ref+int(t.b.u32(ref))))
		if t.b.err != nil {
			return nil
		}
	}
	return tables
}

// Structs returns a field that is a list of structs, each of so many numbers of
// 64 bits.
func (t Table) Structs(id, words int) [][]int64 {
	at, n := t.list(id, 8*words)
	structs := make([][]int64, n)
	all := make([]int64, n*words)
	for i := range structs {
		structs[i] = all[i*words : (i+1)*words]
		for k := range words {
			structs[i][k] = int64(t.b.u64(at + 8*(i*words+k)))
		}
	}
	return structs
}

// list returns where the elements of a list are and how many.
func (t Table) list(id, size int) (at, n int) {
	at = t.follow(id)
	if at == 0 || !t.b.count() {
		return 0, 0
	}
	n = int(t.b.u32(at))
	if n > len(t.b.b)/size || !t.b.has(at+4, n*size) {
		t.b.fail()
		return 0, 0
	}
	return at + 4, n
}

package thrift

import "encoding/binary"

// Writer writes values.
type Writer struct {
	// Out is what has been written.
	Out  []byte
	last int // the number of the last field of the open struct
}

// Struct writes a struct that is no field: an element of a list, or the
// outermost one.
func (w *Writer) Struct(fields func()) {
	outer := w.last
	w.last = 0
	fields()
	w.Out = append(w.Out, byte(stop))
	w.last = outer
}

func (w *Writer) field(id int, t Type) {
	if delta := id - w.last; delta > 0 && delta < 16 {
		w.Out = append(w.Out, byte(delta)<<4|byte(t))
	} else {
		w.Out = append(w.Out, byte(t))
		w.Out = binary.AppendVarint(w.Out, int64(id))
	}
	w.last = id
}

// Bool writes a boolean field.
func (w *Writer) Bool(id int, v bool) {
	if v {
		w.field(id, True)
	} else {
		w.field(id, False)
	}
}

// Byte writes a field of a byte.
func (w *Writer) Byte(id int, v int8) {
	w.field(id, Byte)
	w.Out = append(w.Out, byte(v))
}

// I32 writes a field of 32 bits.
func (w *Writer) I32(id int, v int32) {
	w.field(id, I32)
	w.Out = binary.AppendVarint(w.Out, int64(v))
}

// I64 writes a field of 64 bits.
func (w *Writer) I64(id int, v int64) {
	w.field(id, I64)
	w.Out = binary.AppendVarint(w.Out, v)
}

// Bytes writes a field of bytes.
func (w *Writer) Bytes(id int, v []byte) {
	w.field(id, Binary)
	w.ElementBytes(v)
}

// String writes a field of text.
func (w *Writer) String(id int, v string) { w.Bytes(id, []byte(v)) }

// Sub writes a field that is a struct.
func (w *Writer) Sub(id int, fields func()) {
	w.field(id, Struct)
	w.Struct(fields)
}

// List writes a field that is a list of n elements, each of which element
// writes.
func (w *Writer) List(id int, t Type, n int, element func(i int)) {
	w.field(id, List)
	if n < 15 {
		w.Out = append(w.Out, byte(n)<<4|byte(t))
	} else {
		w.Out = append(w.Out, 0xf0|byte(t))
		w.Out = binary.AppendUvarint(w.Out, uint64(n))
	}
	for i := range n {
		element(i)
	}
}

// ElementInt writes an integer in a list.
func (w *Writer) ElementInt(v int64) { w.Out = binary.AppendVarint(w.Out, v) }

// ElementBytes writes bytes in a list.
func (w *Writer) ElementBytes(v []byte) {
	w.Out = binary.AppendUvarint(w.Out, uint64(len(v)))
	w.Out = append(w.Out, v...)
}

// ElementBool writes a boolean in a list.
func (w *Writer) ElementBool(v bool) {
	if v {
		w.Out = append(w.Out, byte(True))
	} else {
		w.Out = append(w.Out, byte(False))
	}
}

// I16 writes a field of 16 bits.
func (w *Writer) I16(id int, v int16) {
	w.field(id, I16)
	w.Out = binary.AppendVarint(w.Out, int64(v))
}

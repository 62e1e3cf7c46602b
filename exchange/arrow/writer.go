package arrow

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"columnvault/exchange"
	"columnvault/exchange/arrow/internal/flat"
	"columnvault/exchange/internal/fit"
	"columnvault/exchange/internal/note"
)

// WriterOptions configure a [Writer].
type WriterOptions struct {
	// Stream writes a stream, in place of a file that can be read from any place.
	Stream bool
}

// Writer writes rows as a file or a stream of Arrow IPC, a record batch for each
// batch, without compression, so that others can map it into memory. Vectors are
// lists of a fixed size, arrays without dimensions structs of two lists, and
// msgpack and cbor JSON text. A note in the schema says which dtypes and
// meanings the columns have, so that a [Reader] gives them back.
type Writer struct {
	w       io.Writer
	at      int64
	o       WriterOptions
	fields  []exchange.Field
	columns []*columnWriter
	blocks  [][]int64
	row     int64
}

// NewWriter returns a sink that writes to w. It does not close it.
func NewWriter(w io.Writer, o *WriterOptions) *Writer {
	if o == nil {
		o = &WriterOptions{}
	}
	return &Writer{w: w, o: *o}
}

func (w *Writer) write(p []byte) error {
	n, err := w.w.Write(p)
	w.at += int64(n)
	return err
}

// Begin writes the schema.
func (w *Writer) Begin(_ context.Context, fields []exchange.Field) error {
	w.fields = fields
	for _, f := range fields {
		c, err := newColumnWriter(f)
		if err != nil {
			return fit.In(f.Name, err)
		}
		w.columns = append(w.columns, c)
	}
	if !w.o.Stream {
		if err := w.write([]byte(magic + "\x00\x00")); err != nil {
			return err
		}
	}
	var b flat.Builder
	_, err := w.message(&b, headerSchema, w.schema(&b), 0)
	return err
}

// schema writes the schema into a buffer.
func (w *Writer) schema(b *flat.Builder) flat.Ref {
	refs := make([]flat.Ref, len(w.columns))
	for i, c := range w.columns {
		refs[i] = c.schema.write(b)
	}
	list := b.Refs(refs)
	key, value := b.String(note.Key), b.String(note.Encode(w.fields))
	notes := b.Refs([]flat.Ref{b.Table(flat.To(0, key), flat.To(1, value))})
	return b.Table(flat.To(1, list), flat.To(2, notes))
}

// write writes a field of the schema.
func (f *field) write(b *flat.Builder) flat.Ref {
	children := make([]flat.Ref, len(f.children))
	for i, c := range f.children {
		children[i] = c.write(b)
	}
	list := b.Refs(children)
	name := b.String(f.name)
	var of []flat.Field
	switch f.kind {
	case kindInt:
		of = []flat.Field{flat.Int32(0, int32(f.bits)), flat.Bool(1, !f.unsigned)}
	case kindFloat:
		of = []flat.Field{flat.Int16(0, map[int]int16{16: 0, 32: 1, 64: 2}[f.bits])}
	case kindDate:
		of = []flat.Field{flat.Int16(0, f.unit)}
	case kindTimestamp:
		of = []flat.Field{flat.To(1, b.String(f.zone)), flat.Int16(0, f.unit)}
	case kindFixedBinary, kindFixedList:
		of = []flat.Field{flat.Int32(0, int32(f.size))}
	}
	t := b.Table(of...)
	fields := []flat.Field{flat.To(0, name), flat.To(3, t), flat.To(5, list)}
	if f.json {
		key, value := b.String(extension), b.String(jsonText)
		fields = append(fields, flat.To(6, b.Refs([]flat.Ref{b.Table(flat.To(0, key), flat.To(1, value))})))
	}
	return b.Table(append(fields, flat.Bool(1, f.nullable), flat.Byte(2, byte(f.kind)))...)
}

// align is what the bodies of messages and the buffers in them are aligned to.
const align = 64

// message writes the head of a message, and returns how long it is.
func (w *Writer) message(b *flat.Builder, header byte, table flat.Ref, size int64) (int64, error) {
	root := b.Table(flat.Int64(3, size), flat.To(2, table), flat.Int16(0, metadataV5), flat.Byte(1, header))
	meta := b.Finish(root)
	head := []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}
	pad := 0
	if !w.o.Stream { // so that the body is aligned in the file
		pad = int(-(w.at + int64(len(head)+len(meta))) & (align - 1))
	}
	binary.LittleEndian.PutUint32(head[4:], uint32(len(meta)+pad))
	head = append(append(head, meta...), make([]byte, pad)...)
	return int64(len(head)), w.write(head)
}

// Write writes a record batch.
func (w *Writer) Write(ctx context.Context, b *exchange.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var body body
	for i, c := range w.columns {
		if row, err := c.add(&body, b.Columns[i]); err != nil {
			return fit.At(w.row+int64(row), w.fields[i].Name, err)
		}
	}
	var fb flat.Builder
	places := fb.Structs(body.places)
	nodes := fb.Structs(body.nodes)
	table := fb.Table(flat.Int64(0, int64(b.Rows)), flat.To(1, nodes), flat.To(2, places))
	at := w.at
	n, err := w.message(&fb, headerBatch, table, body.size)
	if err != nil {
		return err
	}
	w.blocks = append(w.blocks, []int64{at, n, body.size})
	var zeros [align]byte
	for _, p := range body.parts {
		if err := w.write(p); err != nil {
			return err
		}
		if pad := -len(p) & (align - 1); pad > 0 {
			if err := w.write(zeros[:pad]); err != nil {
				return err
			}
		}
	}
	w.row += int64(b.Rows)
	return nil
}

// End writes the end, and of a file where everything is.
func (w *Writer) End(context.Context) error {
	if err := w.write([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}); err != nil || w.o.Stream {
		return err
	}
	var b flat.Builder
	blocks := b.Structs(w.blocks)
	dicts := b.Structs(nil)
	schema := w.schema(&b)
	footer := b.Finish(b.Table(flat.To(1, schema), flat.To(2, dicts), flat.To(3, blocks), flat.Int16(0, metadataV5)))
	if int64(len(footer)) > maxMetadata {
		return fmt.Errorf("the file has %d record batches, too many for its footer", len(w.blocks))
	}
	footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
	return w.write(append(footer, magic...))
}

// body is what follows the head of a record batch.
type body struct {
	parts  [][]byte
	places [][]int64
	nodes  [][]int64
	size   int64
}

// node adds an array.
func (b *body) node(rows, missing int) {
	b.nodes = append(b.nodes, []int64{int64(rows), int64(missing)})
}

// buffer adds a buffer.
func (b *body) buffer(p []byte) {
	b.parts = append(b.parts, p)
	b.places = append(b.places, []int64{b.size, int64(len(p))})
	b.size += int64(len(p)+align-1) &^ (align - 1)
}

// validity adds the buffer that says which values are there.
func (b *body) validity(rows int, gaps []bool) {
	missing := 0
	for _, gap := range gaps {
		if gap {
			missing++
		}
	}
	b.node(rows, missing)
	if missing == 0 {
		b.buffer(nil)
		return
	}
	bits := make([]byte, (rows+7)/8)
	for i, gap := range gaps {
		if !gap {
			bits[i>>3] |= 1 << (i & 7)
		}
	}
	b.buffer(bits)
}

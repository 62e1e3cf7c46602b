package arrow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow/memory"
	flatbuffers "github.com/google/flatbuffers/go"
)

// The library believes what the metadata of a file claims, as to how often text
// is repeated, fields nest and buffers follow each other. So that is looked at
// here before the library reads it. What is not a table at all makes this panic,
// as it does the library, which fit.Guard turns into an error.

// The bounds of what a file can make the reader take.
const (
	maxMetadata = 64 << 20 // of a message, or the end of a file
	maxText     = 64 << 20 // names and notes, as often as they are referred to
	maxFields   = 1 << 16
	maxDepth    = 60 // the library reads as many
	maxUnpacked = 256 << 20
)

var (
	errEarly   = errors.New("the file ends early")
	errSchema  = errors.New("the schema is damaged")
	errDamaged = errors.New("a record batch is damaged")
)

// input is a file, of which is counted how much was read.
type input struct {
	r          io.ReaderAt
	size, read int64
	views      views // of its schema
}

// views is how many fields a schema has whose values are views: beside those of
// dictionaries, and in each of these by its number. The library asks for a count
// of buffers for each, whether the list of counts has one or not.
type views struct {
	fields int
	inDict map[int64]int
}

// ReadAt reads bytes. It fails only if some are missing.
func (in *input) ReadAt(p []byte, at int64) (n int, err error) {
	n, err = in.r.ReadAt(p, at)
	in.read += int64(n)
	if n == len(p) {
		err = nil
	}
	return n, err
}

// bytes returns bytes that must be there.
func (in *input) bytes(at, n int64) ([]byte, error) {
	if at < 0 || n < 0 || n > maxMetadata || at > in.size || n > in.size-at {
		return nil, errEarly
	}
	p := make([]byte, n)
	_, err := in.ReadAt(p, at)
	return p, notEOF(err)
}

func notEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errEarly
	}
	return err
}

// allocator gives the library memory, as much as a file of a size can need.
type allocator struct {
	memory.GoAllocator
	left int64
}

// take panics if it is too much: an allocator has no other way to refuse.
func (a *allocator) take(n int) {
	if n < 0 || int64(n) > a.left {
		panic(fmt.Errorf("a record batch takes %d MiB more than the file can need", (int64(n)-a.left)>>20))
	}
	a.left -= int64(n)
}

func (a *allocator) Allocate(n int) []byte {
	a.take(n)
	return a.GoAllocator.Allocate(n)
}

func (a *allocator) Reallocate(n int, b []byte) []byte {
	a.Free(b)
	a.take(n)
	return a.GoAllocator.Reallocate(n, b)
}

// Free only counts: values of batches may still lie in the memory.
func (a *allocator) Free(b []byte) { a.left += int64(len(b)) }

// The fields of tables, by where the format has them.
const (
	messageHeader     = 8
	messageHeaderType = 6
	messageNotes      = 12
	footerSchema      = 6
	footerDicts       = 8
	footerBatches     = 10
	schemaEndianness  = 4
	schemaFields      = 6
	schemaNotes       = 8
	fieldName         = 4
	fieldKind         = 8
	fieldType         = 10
	fieldDict         = 12
	fieldChildren     = 14
	fieldNotes        = 16
	zoneOfTimestamp   = 6
	noteKey           = 4
	noteValue         = 6
	dictOfField       = 4
	dictNumber        = 4
	dictBatch         = 6
	batchBuffers      = 8
	batchViews        = 12

	headerSchema = 1
	headerDict   = 2
	headerBatch  = 3

	kindTimestamp  = 10
	kindBinaryView = 23
	kindTextView   = 24

	blockSize = 24
)

// unsupported are the types that have no form here.
var unsupported = map[byte]string{11: "intervals", 14: "unions", 22: "runs", 25: "list views", 26: "list views"}

// metadata is the table that the bytes of a message or the end of a file hold.
type metadata struct{ flatbuffers.Table }

func rootOf(b []byte) metadata {
	return metadata{flatbuffers.Table{Bytes: b, Pos: flatbuffers.GetUOffsetT(b)}}
}

// at returns where a field is, or 0.
func (t metadata) at(field flatbuffers.VOffsetT) flatbuffers.UOffsetT {
	if o := t.Offset(field); o != 0 {
		return flatbuffers.UOffsetT(o)
	}
	return 0
}

// number returns a field of a byte.
func (t metadata) number(field flatbuffers.VOffsetT) byte {
	if o := t.at(field); o != 0 {
		return t.GetByte(t.Pos + o)
	}
	return 0
}

// table returns a field that is a table.
func (t metadata) table(field flatbuffers.VOffsetT) (metadata, error) {
	o := t.at(field)
	if o == 0 {
		return metadata{}, errSchema
	}
	return metadata{flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(t.Pos + o)}}, nil
}

// length returns how long a list or text is.
func (t metadata) length(field flatbuffers.VOffsetT) int {
	if o := t.at(field); o != 0 {
		return t.VectorLen(o)
	}
	return 0
}

// tables calls do for the tables of a list.
func (t metadata) tables(field flatbuffers.VOffsetT, do func(metadata) error) error {
	for i := range t.length(field) {
		at := t.Vector(t.at(field)) + flatbuffers.UOffsetT(4*i)
		if err := do(metadata{flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(at)}}); err != nil {
			return err
		}
	}
	return nil
}

// long returns a field of eight bytes.
func (t metadata) long(field flatbuffers.VOffsetT) int64 {
	if o := t.at(field); o != 0 {
		return t.GetInt64(t.Pos + o)
	}
	return 0
}

// rest is what the metadata may still hold, and the views of its fields.
type rest struct {
	fields, text int
	views        views
}

func newRest() *rest { return &rest{maxFields, maxText, views{inDict: map[int64]int{}}} }

// take takes text.
func (r *rest) take(n int) error {
	if r.text -= n; r.text < 0 {
		return fmt.Errorf("%w: it has more than %d MiB of names and notes", errSchema, maxText>>20)
	}
	return nil
}

// notes checks pairs of a key and a value.
func (r *rest) notes(t metadata, field flatbuffers.VOffsetT) error {
	const perNote = 64 // bytes that one takes beside its text
	return t.tables(field, func(n metadata) error { return r.take(perNote + n.length(noteKey) + n.length(noteValue)) })
}

// checkSchema checks a schema.
func (in *input) checkSchema(schema metadata) error {
	if schema.number(schemaEndianness) != 0 {
		return errors.New("the file is big-endian, which is not supported")
	}
	r := newRest()
	if err := r.notes(schema, schemaNotes); err != nil {
		return err
	}
	err := schema.tables(schemaFields, func(f metadata) error { return r.field(f, 0) })
	in.views = r.views
	return err
}

// field checks a field, and those within it.
func (r *rest) field(f metadata, depth int) error {
	if r.fields--; r.fields < 0 || depth > maxDepth {
		return fmt.Errorf("%w: it has more than %d fields, or they nest deeper than %d", errSchema, maxFields, maxDepth)
	}
	if err := r.take(f.length(fieldName)); err != nil {
		return err
	}
	kind := f.number(fieldKind)
	if name, ok := unsupported[kind]; ok {
		return fmt.Errorf("field %q holds %s, which are not supported", f.ByteVector(f.Pos+f.at(fieldName)), name)
	}
	if kind == kindTimestamp {
		if t, err := f.table(fieldType); err != nil {
			return err
		} else if err := r.take(t.length(zoneOfTimestamp)); err != nil {
			return err
		}
	}
	if err := r.notes(f, fieldNotes); err != nil {
		return err
	}
	outer := r.views.fields
	inDict := f.at(fieldDict) != 0
	if inDict {
		r.views.fields = 0
	}
	if kind == kindBinaryView || kind == kindTextView {
		r.views.fields++
	}
	if err := f.tables(fieldChildren, func(c metadata) error { return r.field(c, depth+1) }); err != nil || !inDict {
		return err
	}
	dict, err := f.table(fieldDict)
	if err != nil {
		return err
	}
	id := dict.long(dictOfField)
	r.views.inDict[id] = max(r.views.inDict[id], r.views.fields)
	r.views.fields = outer
	return nil
}

// checkFooter checks the end of a file and the dictionaries, and returns where
// its record batches are.
func (in *input) checkFooter() (batches []int64, err error) {
	const tail = int64(4 + len(magic))
	end, err := in.bytes(in.size-tail, tail)
	if err != nil {
		return nil, err
	}
	if string(end[4:]) != magic {
		return nil, fmt.Errorf("%w: its end is missing", errEarly)
	}
	n := int64(binary.LittleEndian.Uint32(end))
	b, err := in.bytes(in.size-tail-n, n)
	if err != nil {
		return nil, err
	}
	footer := rootOf(b)
	schema, err := footer.table(footerSchema)
	if err != nil {
		return nil, err
	}
	if err := in.checkSchema(schema); err != nil {
		return nil, err
	}
	for _, at := range footer.blocks(footerDicts) {
		if err := in.checkMessage(at); err != nil {
			return nil, err
		}
	}
	return footer.blocks(footerBatches), nil
}

// blocks returns where messages are.
func (t metadata) blocks(field flatbuffers.VOffsetT) []int64 {
	n := t.length(field)
	if n > len(t.Bytes)/blockSize {
		panic(errEarly)
	}
	places := make([]int64, n)
	for i := range places {
		places[i] = t.GetInt64(t.Vector(t.at(field)) + flatbuffers.UOffsetT(blockSize*i))
	}
	return places
}

// checkMessage checks the metadata of the message at a place.
func (in *input) checkMessage(at int64) error {
	b, err := in.bytes(at, 4)
	if err != nil {
		return err
	}
	n := binary.LittleEndian.Uint32(b)
	at += 4
	if n == 0xffffffff {
		if b, err = in.bytes(at, 4); err != nil {
			return err
		}
		n = binary.LittleEndian.Uint32(b)
		at += 4
	}
	if n == 0 {
		return nil // the end of a stream
	}
	if b, err = in.bytes(at, int64(n)); err != nil {
		return err
	}
	message := rootOf(b)
	if err := newRest().notes(message, messageNotes); err != nil {
		return err
	}
	header, err := message.table(messageHeader)
	if err != nil {
		return errDamaged
	}
	switch message.number(messageHeaderType) {
	case headerSchema:
		return in.checkSchema(header)
	case headerDict:
		views := in.views.inDict[header.long(dictNumber)]
		if header, err = header.table(dictBatch); err != nil {
			return errDamaged
		}
		return header.checkViews(views)
	case headerBatch:
		return header.checkViews(in.views.fields)
	}
	return nil
}

// checkViews checks how many buffers the values of so many fields of views are
// said to lie in.
func (t metadata) checkViews(fields int) error {
	if t.length(batchViews) < fields {
		return errDamaged
	}
	left := int64(t.length(batchBuffers))
	for i := range t.length(batchViews) {
		n := t.GetInt64(t.Vector(t.at(batchViews)) + flatbuffers.UOffsetT(8*i))
		if n < 0 || n > left {
			return errDamaged
		}
		left -= n
	}
	return nil
}

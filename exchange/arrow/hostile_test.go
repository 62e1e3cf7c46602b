package arrow_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"columnvault/exchange"
	"columnvault/internal/formattest"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	flatbuffers "github.com/google/flatbuffers/go"
)

// table writes a table of fields that refer to others.
func table(b *flatbuffers.Builder, refs map[int]flatbuffers.UOffsetT, kind byte) flatbuffers.UOffsetT {
	b.StartObject(7)
	for slot, ref := range refs {
		b.PrependUOffsetTSlot(slot, ref, 0)
	}
	if kind != 0 { // of a field
		b.PrependByteSlot(2, kind, 0)
	}
	return b.EndObject()
}

// refs writes a list of tables.
func refs(b *flatbuffers.Builder, to ...flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	b.StartVector(4, len(to), 4)
	for _, ref := range to {
		b.PrependUOffsetT(ref)
	}
	return b.EndVector(len(to))
}

// framed returns a message.
func framed(b *flatbuffers.Builder, header byte, table, notes flatbuffers.UOffsetT) []byte {
	b.StartObject(5)
	b.PrependInt16Slot(0, 4, 0)
	b.PrependByteSlot(1, header, 0)
	b.PrependUOffsetTSlot(2, table, 0)
	b.PrependUOffsetTSlot(4, notes, 0)
	b.Finish(b.EndObject())
	meta := b.FinishedBytes()
	meta = append(meta, make([]byte, -len(meta)&7)...)
	head := binary.LittleEndian.AppendUint32([]byte{0xff, 0xff, 0xff, 0xff}, uint32(len(meta)))
	return append(head, meta...)
}

const typeStruct = 13

// structs returns the schema of structs within each other, each of which the
// outer one has so often.
func structs(depth, often int) []byte {
	b := flatbuffers.NewBuilder(0)
	name, empty := b.CreateString("a"), table(b, nil, 0)
	f := table(b, map[int]flatbuffers.UOffsetT{0: name, 3: empty, 5: refs(b)}, typeStruct)
	for range depth {
		inner := make([]flatbuffers.UOffsetT, often)
		for i := range inner {
			inner[i] = f
		}
		children := refs(b, inner...)
		f = table(b, map[int]flatbuffers.UOffsetT{0: name, 3: empty, 5: children}, typeStruct)
	}
	fields := refs(b, f)
	return framed(b, 1, table(b, map[int]flatbuffers.UOffsetT{1: fields}, 0), 0)
}

// repeated returns so many references to a note of a MiB.
func repeated(b *flatbuffers.Builder) flatbuffers.UOffsetT {
	text := b.CreateString(strings.Repeat("x", 1<<20))
	note := table(b, map[int]flatbuffers.UOffsetT{0: text, 1: text}, 0)
	list := make([]flatbuffers.UOffsetT, 10_000)
	for i := range list {
		list[i] = note
	}
	return refs(b, list...)
}

// stream returns a column of a library's own array as a stream.
func stream(t *testing.T, a arrow.Array, o ...ipc.Option) []byte {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: a.DataType()}}, nil)
	var out bytes.Buffer
	w := ipc.NewWriter(&out, append(o, ipc.WithSchema(schema))...)
	if err := w.Write(array.NewRecordBatch(schema, []arrow.Array{a}, int64(a.Len()))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestClaims reads files of some bytes to MiB that claim to hold far more. They
// take memory, stack or years of a reader that believes them.
func TestClaims(t *testing.T) {
	note := flatbuffers.NewBuilder(0)
	noted := table(note, map[int]flatbuffers.UOffsetT{1: refs(note), 2: repeated(note)}, 0)

	texts := array.NewStringViewBuilder(memory.DefaultAllocator)
	texts.Append("a text that is longer than what a view holds")
	views := stream(t, texts.NewArray())
	head := views[:8+binary.LittleEndian.Uint32(views[4:])]
	batch := func(notes bool) []byte {
		b := flatbuffers.NewBuilder(0)
		b.StartVector(8, 1, 8)
		b.PrependInt64(1 << 36)
		counts := b.EndVector(1)
		var list flatbuffers.UOffsetT
		if notes {
			list, counts = repeated(b), 0
		}
		return append(bytes.Clone(head), framed(b, 3, table(b, map[int]flatbuffers.UOffsetT{4: counts}, 0), list)...)
	}

	numbers := array.NewInt64Builder(memory.DefaultAllocator)
	numbers.AppendValues(make([]int64, 1000), nil)
	packed := stream(t, numbers.NewArray(), ipc.WithZstd())
	frame := bytes.Index(packed, []byte{0x28, 0xb5, 0x2f, 0xfd})
	binary.LittleEndian.PutUint64(packed[frame-8:], 1<<36)

	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"fields within each other":   {structs(200_000, 1), "nest deeper"},
		"fields that are repeated":   {structs(50, 2), "more than 65536 fields"},
		"notes that are repeated":    {framed(note, 1, noted, 0), "MiB of names and notes"},
		"notes of a record batch":    {batch(true), "record batch 0: the schema is damaged: it has more than 64 MiB of names and notes"},
		"buffers of views":           {batch(false), "record batch 0: a record batch is damaged"},
		"a buffer that is unpacked":  {packed, "more than the file can need"},
		"a message longer than that": {[]byte("\xff\xff\xff\xff\xff\xff\xff\x3fabcd"), "the file ends early"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := formattest.Read(t.Context(), reader(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestPlaceOfDamage checks that an error, or a panic of the library, names the
// record batch and the column.
func TestPlaceOfDamage(t *testing.T) {
	texts := array.NewStringBuilder(memory.DefaultAllocator)
	texts.AppendValues([]string{"one", "two", "three"}, nil)
	file := stream(t, texts.NewArray())
	ends := bytes.Index(file, []byte{0, 0, 0, 0, 3, 0, 0, 0, 6, 0, 0, 0, 11, 0, 0, 0})
	file[ends+4] = 9 // the second text ends before it begins
	err := formattest.Read(t.Context(), reader(file))
	if want := "record batch 0: column \"a\": the file is damaged"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want one with %q", err, want)
	}
}

// TestRepeatedText checks that text which rows share is not read as often at
// once: what is made of a batch has it anew for each row.
func TestRepeatedText(t *testing.T) {
	const rows = 500
	text := bytes.Repeat([]byte("x"), 1<<20)
	headers := make([]arrow.ViewHeader, rows)
	for i := range headers {
		headers[i].SetBytes(text)
		headers[i].SetIndexOffset(0, 0)
	}
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.GetBytes(headers)), memory.NewBufferBytes(text)}
	views := array.MakeFromData(array.NewData(arrow.BinaryTypes.StringView, rows, buffers, nil, 0, 0))

	values := array.NewStringBuilder(memory.DefaultAllocator)
	values.Append(string(text))
	positions := array.NewInt8Builder(memory.DefaultAllocator)
	positions.AppendValues(make([]int8, rows), nil)
	dict := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	indexed := array.NewDictionaryArray(dict, positions.NewArray(), values.NewArray())

	for _, a := range []arrow.Array{views, indexed} {
		r := reader(stream(t, a))
		fields, err := r.Begin(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		b, read := exchange.NewBatch(fields), 0
		for {
			b.Reset()
			if err := r.Next(t.Context(), b); err != nil {
				if err != io.EOF || read != rows {
					t.Errorf("%v: %d rows, then %v", a.DataType(), read, err)
				}
				break
			}
			if read += b.Rows; b.Rows > 8 {
				t.Errorf("%v: a batch has %d MiB of text", a.DataType(), b.Rows)
			}
		}
	}
}

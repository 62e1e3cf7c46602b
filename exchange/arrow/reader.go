// Package arrow reads and writes Arrow IPC: files (.arrow, Feather of version 2)
// and streams, by means of Apache's own library, of which a program that does not
// import this package has nothing. docs/exchange.md says which types become which.
//
// # Files of others
//
// A record batch lies in memory as a whole while it is read, with all its columns,
// the chosen ones and the others; a dictionary as long as it is needed. Together
// they take no more than the size of the file, and 256 MiB for what is compressed.
// Metadata is checked before the library acts on it, and what it refuses, or
// panics about, is an error. What is left to the library is how it decompresses:
// a frame of zstd may take a window of 64 MiB beyond that.
package arrow

import (
	"context"
	"errors"
	"fmt"
	"io"

	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
	"columnvault/exchange/internal/note"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// Options configure a [Reader]. The zero value reads all columns.
type Options struct {
	// Columns are those that are read, in the order of the file; nil means all.
	Columns []string
}

// Reader is a file or a stream of Arrow IPC as a source of rows. Columns of one
// value a row get the dtype that has the same values, lists of numbers become
// vectors, with dimensions if the file says so, and structs, maps and other
// lists msgpack. What a [Writer] has written comes back as it was.
type Reader struct{ *fit.Source }

// NewReader returns a source of the rows of a file, or a stream, of size bytes.
// It does not read from it before Begin. It holds a record batch of the file and
// some MiB.
func NewReader(r io.ReaderAt, size int64, o *Options) *Reader {
	if o == nil {
		o = &Options{}
	}
	return &Reader{fit.NewSource(&rows{in: input{r: r, size: size}, o: *o, vectors: map[string]bool{}})}
}

// rows are the rows of a file in its own types.
type rows struct {
	in      input
	o       Options
	chosen  []int // the columns that are read
	columns []column
	noted   map[string]exchange.Field
	// vectors has the names of lists that are not read as vectors after all.
	vectors map[string]bool

	// read returns the next record batch, valid until the next call.
	read   func() (arrow.RecordBatch, error)
	record arrow.RecordBatch
	at     int // in the record batch
	number int // of record batches that were opened
}

// Noted are the types that a Writer has noted.
func (r *rows) Noted() map[string]exchange.Field { return r.noted }

// Progress is how much of the file has been read.
func (r *rows) Progress() (done, total int64) { return min(r.in.read, r.in.size), r.in.size }

const magic = "ARROW1"

// Open goes to the first row.
func (r *rows) Open(context.Context) (fields []exchange.Field, err error) {
	defer fit.Guard(&err)
	r.record, r.at, r.number = nil, 0, 0
	schema, err := r.open()
	if err != nil {
		return nil, err
	}
	text, _ := schema.Metadata().GetValue(note.Key)
	r.noted = note.Decode(text)
	if err := r.choose(schema); err != nil {
		return nil, err
	}
	r.columns = nil
	known := dictionaries{}
	for _, i := range r.chosen {
		f := schema.Field(i)
		c := known.columnOf(f, !r.vectors[f.Name])
		if f.Type.ID() == arrow.STRUCT && c.field().Type.String() != r.noted[f.Name].Type.String() {
			c = nested{f, known} // a struct that only looks like an array
		}
		r.columns = append(r.columns, c)
		found := c.field()
		// Almost all fields of others are nullable. Whether values are missing
		// shows when they come.
		found.Name, found.Meaning.Null = f.Name, f.Type.ID() == arrow.NULL
		fields = append(fields, found)
	}
	return fields, nil
}

// open opens the file, or the stream.
func (r *rows) open() (*arrow.Schema, error) {
	head, err := r.in.bytes(0, int64(len(magic)))
	if err != nil {
		return nil, fmt.Errorf("the file is no Arrow file: %w", err)
	}
	in := io.NewSectionReader(&r.in, 0, r.in.size)
	options := []ipc.Option{ipc.WithAllocator(&allocator{left: r.in.size + maxUnpacked}),
		ipc.WithBodySizeLimit(r.in.size), ipc.WithMetadataSizeLimit(maxMetadata)}
	if string(head) != magic {
		stream, err := ipc.NewReaderFromMessageReader(&messages{ipc.NewMessageReader(in, options...), &r.in, in}, options...)
		if err != nil {
			return nil, fmt.Errorf("the file is no Arrow file or stream: %w", notEOF(err))
		}
		r.read = stream.Read
		return stream.Schema(), nil
	}
	batches, err := r.in.checkFooter()
	if err != nil {
		return nil, err
	}
	file, err := ipc.NewFileReader(in, options...)
	if err != nil {
		return nil, notEOF(err)
	}
	next := 0
	r.read = func() (arrow.RecordBatch, error) {
		if r.record != nil {
			r.record.Release()
		}
		if next == len(batches) {
			return nil, io.EOF
		}
		if err := r.in.checkMessage(batches[next]); err != nil {
			return nil, err
		}
		next++
		return file.RecordBatchAt(next - 1)
	}
	return file.Schema(), nil
}

// messages are those of a stream. Each is checked before it is read.
type messages struct {
	ipc.MessageReader
	file *input
	in   io.Seeker
}

func (m *messages) Message() (*ipc.Message, error) {
	at, err := m.in.Seek(0, io.SeekCurrent)
	if err == nil && at < m.file.size { // a stream may end without saying so
		err = m.file.checkMessage(at)
	}
	if err != nil {
		return nil, err
	}
	return m.MessageReader.Message()
}

// choose takes the columns that are wanted.
func (r *rows) choose(schema *arrow.Schema) error {
	var names []string
	for _, f := range schema.Fields() {
		names = append(names, f.Name)
	}
	var err error
	if r.chosen, err = fit.Choose("file", names, r.o.Columns); err != nil {
		return err
	}
	if len(r.chosen) == 0 {
		return errors.New("the file has no columns")
	}
	return nil
}

// maxRows is how many rows are read at once.
const maxRows = 64 << 10

// Next adds rows.
func (r *rows) Next(ctx context.Context, b *exchange.Batch) error {
	for r.record == nil || r.at == int(r.record.NumRows()) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.nextRecord(); err != nil {
			return err
		}
	}
	to := r.at + min(maxRows, int(r.record.NumRows())-r.at)
	err := r.each(func(_ int, a arrow.Array) error {
		to = fitting(a, r.at, to)
		return nil
	})
	if err != nil {
		return err
	}
	err = r.each(func(i int, a arrow.Array) error { return r.columns[i].read(a, r.at, to, b.Columns[i]) })
	if err != nil {
		return err
	}
	b.Rows = to - r.at
	r.at = to
	return nil
}

// each calls do for the columns. It names the place of an error, and has a list
// with gaps be read in another way.
func (r *rows) each(do func(i int, a arrow.Array) error) error {
	for i, at := range r.chosen {
		err := func() (err error) {
			defer fit.Guard(&err)
			return do(i, storage(r.record.Column(at)))
		}()
		if err == nil {
			continue
		}
		name := r.record.ColumnName(at)
		if errors.Is(err, errGaps) {
			r.vectors[name] = true
			return exchange.ErrRetype
		}
		return fmt.Errorf("record batch %d: %w", r.number-1, fit.In(name, err))
	}
	return nil
}

// nextRecord goes to the next record batch.
func (r *rows) nextRecord() (err error) {
	defer func() {
		if err != nil && err != io.EOF {
			err = fmt.Errorf("record batch %d: %w", r.number, notEOF(err))
		}
	}()
	defer fit.Guard(&err)
	record, err := r.read()
	r.record, r.at = record, 0
	if err != nil {
		r.record = nil
		return err
	}
	for _, c := range record.Columns() {
		if int64(c.Len()) != record.NumRows() {
			return errDamaged
		}
	}
	r.number++
	return nil
}

// Package arrow reads and writes Arrow IPC: files (.arrow, Feather of version 2)
// and streams. It is an implementation of its own, which reads parts of record
// batches, so that their size costs no memory; docs/exchange.md says which parts
// of the format it has.
package arrow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
	"columnvault/exchange/internal/note"
	"columnvault/internal/excerpt"
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
// It does not read from it before Begin. It holds some MiB of each column, and
// of compressed files the buffers of a record batch, at most 256 MiB.
func NewReader(r io.ReaderAt, size int64, o *Options) *Reader {
	if o == nil {
		o = &Options{}
	}
	return &Reader{fit.NewSource(&rows{file: file{r: r, size: size}, o: *o, vectors: map[string]bool{}})}
}

// rows are the rows of a file in its own types.
type rows struct {
	file    file
	o       Options
	fields  []*field // all of the schema
	chosen  []int    // those that are read
	columns []column
	noted   map[string]exchange.Field
	// vectors has the names of lists that are not read as vectors after all.
	vectors map[string]bool
	dicts   map[int64]exchange.Column
	byDict  map[int64]*field

	// Of a file, batches are the record batches to come; of a stream, next is
	// where the next message is.
	stream  bool
	batches []place
	next    int64

	arrays   []*array
	at, left int64 // in the record batch
	number   int   // of record batches that were opened
}

// Noted are the types that a Writer has noted.
func (r *rows) Noted() map[string]exchange.Field { return r.noted }

// Progress is how much of the file has been read.
func (r *rows) Progress() (done, total int64) { return min(r.file.read, r.file.size), r.file.size }

// Open goes to the first row.
func (r *rows) Open(context.Context) (fields []exchange.Field, err error) {
	defer fit.Guard(&err)
	r.arrays, r.at, r.left, r.number, r.file.held = nil, 0, 0, 0, 0
	r.dicts, r.byDict = map[int64]exchange.Column{}, map[int64]*field{}
	dicts, err := r.readSchema()
	if err != nil {
		return nil, err
	}
	for _, f := range r.fields {
		r.noteDicts(f)
	}
	if err := r.choose(); err != nil {
		return nil, err
	}
	for _, p := range dicts {
		m, err := r.file.message(int64(p))
		if err == nil {
			err = r.readDict(m)
		}
		if err != nil {
			return nil, notEOF(err)
		}
	}
	r.columns = nil
	for _, i := range r.chosen {
		f := r.fields[i]
		c := columnOf(f, !r.vectors[f.name])
		if f.kind == kindStruct && c.field().Type.String() != r.noted[f.name].Type.String() {
			c = nested{} // a struct that only looks like an array
		}
		if _, ok := c.(nested); ok {
			c = nested{r.dicts}
		}
		r.columns = append(r.columns, c)
		found := c.field()
		// Almost all fields of others are nullable. Whether values are missing
		// shows when they come.
		found.Name, found.Meaning.Null = f.name, f.kind == kindNull
		fields = append(fields, found)
	}
	return fields, nil
}

func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return errEarly
	}
	return err
}

// readSchema reads the schema, and returns where dictionaries are if that is
// known from the beginning.
func (r *rows) readSchema() (dicts []place, err error) {
	var head [8]byte
	if err := r.file.readAt(head[:], 0); err != nil {
		return nil, fmt.Errorf("the file is no Arrow file: %w", err)
	}
	var notes map[string]string
	if r.stream = string(head[:6]) != magic; r.stream {
		m, err := r.file.message(0)
		if err != nil {
			return nil, fmt.Errorf("the file is no Arrow file or stream: %w", notEOF(err))
		}
		if m.header != headerSchema {
			return nil, errors.New("the file is no Arrow file or stream: it does not begin with a schema")
		}
		r.next = m.next
		if r.fields, notes, err = readSchema(m.table); err == nil {
			err = m.buffer.Err()
		}
		if err != nil {
			return nil, err
		}
	} else {
		schema, buffer, dictPlaces, batches, err := r.file.footer()
		if err != nil {
			return nil, err
		}
		if r.fields, notes, err = readSchema(schema); err == nil {
			err = buffer.Err()
		}
		if err != nil {
			return nil, err
		}
		dicts, r.batches = dictPlaces, batches
	}
	r.noted = note.Decode(notes[note.Key])
	return dicts, nil
}

// noteDicts notes which dictionaries the fields have.
func (r *rows) noteDicts(f *field) {
	if f.index != nil {
		r.byDict[f.dict] = f.values()
	}
	for _, c := range f.children {
		r.noteDicts(c)
	}
}

// choose takes the columns that are wanted.
func (r *rows) choose() error {
	r.chosen = nil
	var names []string
	for i, f := range r.fields {
		names = append(names, f.name)
		if r.o.Columns == nil || slices.Contains(r.o.Columns, f.name) {
			r.chosen = append(r.chosen, i)
		}
	}
	for _, name := range r.o.Columns {
		if !slices.Contains(names, name) {
			return fmt.Errorf("the file has no column %s; its columns are %s", excerpt.Quote(name, excerpt.Name), excerpt.Few(names))
		}
	}
	if len(r.chosen) == 0 {
		return errors.New("the file has no columns")
	}
	return nil
}

// maxDict bounds the memory that dictionaries take in the file.
const maxDict = 256 << 20

// readDict reads a dictionary, or more of it.
func (r *rows) readDict(m *message) error {
	if m.header != headerDictionary {
		return errDamaged
	}
	id := m.table.Int64(0)
	f := r.byDict[id]
	if f == nil {
		return errDamaged
	}
	if m.size > maxDict {
		return fmt.Errorf("a dictionary takes more than %d MiB", maxDict>>20)
	}
	n, arrays, err := newBatch(&r.file, m, m.table.Table(1), []*field{f})
	if err != nil {
		return err
	}
	if n > maxEntries {
		return errDamaged
	}
	c := columnOf(f, false)
	if _, ok := c.(nested); ok {
		c = nested{r.dicts}
	}
	values := r.dicts[id]
	if values == nil || !m.table.Bool(2) {
		values = exchange.NewBatch([]exchange.Field{c.field()}).Columns[0]
	}
	if err := c.read(arrays[0], 0, n, values); err != nil {
		return err
	}
	r.dicts[id] = values
	for _, column := range r.columns {
		if i, ok := column.(*indexed); ok && i.dict == id {
			i.values = values
		}
	}
	return nil
}

// Next adds rows.
func (r *rows) Next(ctx context.Context, b *exchange.Batch) (err error) {
	defer fit.Guard(&err)
	for r.left == 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.open(); err != nil {
			return err
		}
	}
	const maxRows = 64 << 10
	to := r.at + min(maxRows, r.left)
	for i, a := range r.arrays {
		if to, err = a.fit(r.at, to); err != nil {
			return r.failed(i, err)
		}
	}
	for i, a := range r.arrays {
		if err := r.columns[i].read(a, r.at, to, b.Columns[i]); err != nil {
			return r.failed(i, err)
		}
	}
	b.Rows = int(to - r.at)
	r.left -= to - r.at
	r.at = to
	return nil
}

// failed names the place of an error, and has a list with gaps be read in
// another way.
func (r *rows) failed(i int, err error) error {
	name := r.fields[r.chosen[i]].name
	if errors.Is(err, errGaps) {
		r.vectors[name] = true
		return exchange.ErrRetype
	}
	return fmt.Errorf("record batch %d: %w", r.number-1, fit.In(name, err))
}

// open goes to the next record batch.
func (r *rows) open() error {
	for {
		m, err := r.message()
		if err != nil {
			return err
		}
		if m.header == headerDictionary && r.stream {
			if err := r.readDict(m); err != nil {
				return err
			}
			continue
		}
		if m.header != headerBatch {
			return errDamaged
		}
		r.file.held = 0
		n, arrays, err := newBatch(&r.file, m, m.table, r.fields)
		if err != nil {
			return fmt.Errorf("record batch %d: %w", r.number, err)
		}
		r.number++
		r.arrays = make([]*array, len(r.chosen))
		for k, i := range r.chosen {
			r.arrays[k] = arrays[i]
			if c, ok := r.columns[k].(*indexed); ok {
				c.values = r.dicts[c.dict]
			}
		}
		r.at, r.left = 0, n
		return nil
	}
}

// message reads the next message.
func (r *rows) message() (*message, error) {
	if r.stream {
		m, err := r.file.message(r.next)
		if err == nil {
			r.next = m.next
		}
		return m, err
	}
	if len(r.batches) == 0 {
		return nil, io.EOF
	}
	m, err := r.file.message(int64(r.batches[0]))
	r.batches = r.batches[1:]
	return m, notEOF(err)
}

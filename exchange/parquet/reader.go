// Package parquet reads and writes Parquet files. What is specific to the format
// (the footer, the headers, the encodings, and all of writing) is done by
// github.com/parquet-go/parquet-go. The walk from page to page is one of this
// package, because that library takes memory as a file claims it: here nothing
// that a file claims costs more memory than its bounds.
package parquet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/format"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
	"columnvault/exchange/internal/note"
)

// Decimals says what becomes of decimals.
type Decimals uint8

const (
	// DecimalsText reads them as text, with all their digits.
	DecimalsText Decimals = iota
	// DecimalsFloat reads them as the nearest f64.
	DecimalsFloat
)

// Options configure a [Reader]. The zero value reads all columns.
type Options struct {
	// Columns are those that are read, in the order of the file; nil means all.
	Columns []string
	// Decimals is what becomes of decimals.
	Decimals Decimals
}

// Reader is a Parquet file as a source of rows. Columns of one value a row get
// the dtype that has the same values, lists of numbers become vectors, with
// dimensions if all are of one length, and groups, maps and other lists msgpack.
// What a [Writer] has written comes back as it was.
type Reader struct{ *fit.Source }

// NewReader returns a source of the rows of a file of size bytes. It does not
// read from it before Begin. It holds a page of each column, and some MiB.
func NewReader(r io.ReaderAt, size int64, o *Options) *Reader {
	if o == nil {
		o = &Options{}
	}
	return &Reader{fit.NewSource(&rows{in: input{r: r, size: size}, o: *o})}
}

// rows are the rows of a file in its own types.
type rows struct {
	in      input
	o       Options
	meta    *format.FileMetaData
	leaves  []*node
	columns []*topColumn
	noted   map[string]exchange.Field
	// group is the next row group, and left what there still is of the one before.
	group int
	left  int64
	row   int64
	batch int // rows, at most
}

// topColumn is a column that is read.
type topColumn struct {
	column
	node  *node
	field exchange.Field
	state listState
	open  []*pages
}

// listState says as what a list of numbers is read. Each is tried after the one
// before.
type listState uint8

const (
	listFixed listState = iota
	listFree
	listNested
)

const magic = "PAR1"

// maxRows bounds the rows of a batch, and batchBytes their bytes as far as they
// can be told before.
const (
	maxRows    = 64 << 10
	batchBytes = 4 << 20
)

// Noted are the types that a Writer has noted.
func (r *rows) Noted() map[string]exchange.Field { return r.noted }

// Progress is how much of the file has been read.
func (r *rows) Progress() (done, total int64) { return min(r.in.read, r.in.size), r.in.size }

// Open goes to the first row.
func (r *rows) Open(context.Context) (fields []exchange.Field, err error) {
	defer fit.Guard(&err)
	if r.meta == nil {
		if err := r.readFooter(); err != nil {
			return nil, err
		}
	}
	r.close()
	r.group, r.left, r.row = 0, 0, 0
	width := 0
	for _, c := range r.columns {
		if err := r.prepare(c); err != nil {
			return nil, fit.In(c.node.name, err)
		}
		fields = append(fields, c.field)
		width += rowWidth(c)
	}
	r.batch = max(1, min(maxRows, batchBytes/max(1, width/max(1, len(r.columns)))))
	return fields, nil
}

// rowWidth is the bytes of a row of a column, where that is the same for all.
func rowWidth(c *topColumn) int {
	n := 8
	if c.node.leaf >= 0 {
		n = max(n, c.node.width())
	}
	for _, d := range c.field.Type.Dims {
		n *= d
	}
	return n
}

// readFooter reads the schema and where everything is.
func (r *rows) readFooter() error {
	var tail [8]byte
	err := r.in.readAt(tail[:], r.in.size-8)
	switch {
	case errors.Is(err, errOutside), err == nil && string(tail[4:]) != magic && string(tail[4:]) != "PARE":
		return errors.New("the file is no Parquet file, or its end is missing")
	case err != nil:
		return err
	case string(tail[4:]) == "PARE":
		return errors.New("the file is encrypted, which is not supported")
	}
	size := int64(binary.LittleEndian.Uint32(tail[:]))
	if size > r.in.size-8 || size > maxFooter {
		return errors.New("the footer of the file is larger than the file, or than 128 MiB")
	}
	footer := make([]byte, size)
	if err := r.in.readAt(footer, r.in.size-8-size); err != nil {
		return err
	}
	var m format.FileMetaData
	_, err = decodeThrift(footer, &m)
	if err != nil {
		return fmt.Errorf("the footer: %w", err)
	}
	if m.EncryptionAlgorithm.Value != nil {
		return errors.New("the file is encrypted, which is not supported")
	}
	root, leaves, err := newTree(m.Schema)
	if err != nil {
		return err
	}
	for i, g := range m.RowGroups {
		if len(g.Columns) != len(leaves) || g.NumRows < 0 {
			return fmt.Errorf("row group %d: %w", i, errSchema)
		}
	}
	return r.choose(&m, root, leaves)
}

// choose takes the columns that are wanted.
func (r *rows) choose(m *format.FileMetaData, root *node, leaves []*node) error {
	var names []string
	for _, n := range root.children {
		names = append(names, n.name)
	}
	chosen, err := fit.Choose("file", names, r.o.Columns)
	if err != nil {
		return err
	}
	var columns []*topColumn
	for _, i := range chosen {
		columns = append(columns, &topColumn{node: root.children[i]})
	}
	if len(columns) == 0 {
		return errors.New("the file has no columns")
	}
	r.meta, r.leaves, r.columns = m, leaves, columns
	for _, kv := range m.KeyValueMetadata {
		if kv.Key == note.Key {
			r.noted = note.Decode(kv.Value)
		}
	}
	return nil
}

// prepare finds out how a column is read.
func (r *rows) prepare(c *topColumn) error {
	n := c.node
	c.column = nil
	switch {
	case n.leaf >= 0 && n.repetition != repeated:
		k, err := kindOf(n, r.o.Decimals)
		if err != nil {
			return err
		}
		c.column, c.field = k.flat(), k.field()
		c.field.Meaning.Null = r.nulls(n.leaf) > 0
	case n.leaf < 0 && c.state != listNested:
		if err := r.prepareList(c); err != nil {
			return err
		}
	}
	if c.column == nil {
		nested, err := newNested(n, r.leaves, r.o.Decimals)
		if err != nil {
			return err
		}
		c.column, c.field = nested, nested.field()
	}
	c.field.Name = n.name
	return nil
}

// prepareList reads a group as vectors, if it can be.
func (r *rows) prepareList(c *topColumn) error {
	want := r.noted[c.node.name].Type
	if t := r.tensor(c.node, want); t != nil {
		c.column, c.field = t, plainField(want)
		return nil
	}
	length := 0
	if c.state == listFixed {
		if length = r.listLength(c.node); length == 0 && r.meta.NumRows == 0 {
			length = fit.RowLen(want)
		}
	}
	list, err := r.list(c.node, length)
	if err != nil || list == nil {
		return err
	}
	c.column, c.field = list, list.(interface{ field() exchange.Field }).field()
	return nil
}

// list returns the column of a list of numbers, or nil.
func (r *rows) list(n *node, length int) (column, error) {
	element, ok := n.listElement()
	if !ok || element.leaf < 0 {
		return nil, nil
	}
	k, err := kindOf(element, r.o.Decimals)
	if err != nil {
		return nil, err
	}
	return k.list(length), nil
}

// tensor returns the column of arrays as a Writer writes them, or nil.
func (r *rows) tensor(n *node, want dtype.Spec) column {
	if want.Kind != dtype.KindVector || len(want.Dims) > 0 || len(n.children) != 2 || n.children[0].name != shapeName || n.children[1].name != dataName {
		return nil
	}
	shapes, err := r.list(n.children[0], 0)
	if err != nil || shapes == nil || n.def > 0 {
		return nil
	}
	data, err := r.list(n.children[1], 0)
	if err != nil || data == nil {
		return nil
	}
	t := tensorOf(shapes, data)
	if f, ok := t.(interface{ field() exchange.Field }); !ok || f.field().Type.Elem != want.Elem {
		return nil
	}
	return t
}

// nulls is how many missing values a column has, as far as the footer tells.
func (r *rows) nulls(leaf int) (n int64) {
	for _, g := range r.meta.RowGroups {
		n += max(0, g.Columns[leaf].MetaData.Statistics.NullCount)
	}
	return n
}

// listLength is the length of all lists of a column, as far as the footer tells,
// or 0.
func (r *rows) listLength(n *node) int {
	length := int64(0)
	for _, g := range r.meta.RowGroups {
		if g.NumRows == 0 {
			continue
		}
		values := g.Columns[n.leaves[0]].MetaData.NumValues
		if values%g.NumRows != 0 || length != 0 && values/g.NumRows != length {
			return 0
		}
		length = values / g.NumRows
	}
	if length > dtype.MaxSize/8 {
		return 0
	}
	return int(length)
}

// Next adds rows.
func (r *rows) Next(ctx context.Context, b *exchange.Batch) (err error) {
	defer fit.Guard(&err)
	for r.left == 0 {
		if r.group == len(r.meta.RowGroups) {
			r.close()
			return io.EOF
		}
		if err := r.openGroup(); err != nil {
			return err
		}
	}
	n := int(min(int64(r.batch), r.left))
	for _, c := range r.columns {
		if err := ctx.Err(); err != nil {
			return err
		}
		if n, err = c.fill(n); err != nil {
			return r.failed(c, err)
		}
	}
	if n == 0 {
		return errEarly
	}
	for i, c := range r.columns {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.take(n, b.Columns[i]); err != nil {
			return r.failed(c, err)
		}
	}
	b.Rows = n
	r.row += int64(n)
	r.left -= int64(n)
	return nil
}

// failed names the place of an error, and has a list that is not as it was
// thought to be read in another way.
func (r *rows) failed(c *topColumn, err error) error {
	switch {
	case errors.Is(err, errLength):
		c.state = listFree
		return exchange.ErrRetype
	case errors.Is(err, errNested):
		c.state = listNested
		return exchange.ErrRetype
	}
	var row *rowError
	if errors.As(err, &row) {
		return fit.At(r.row+int64(row.row), c.node.name, err)
	}
	return fmt.Errorf("row group %d: %w", r.group-1, fit.In(c.node.name, err))
}

// openGroup goes to the next row group.
func (r *rows) openGroup() error {
	g := &r.meta.RowGroups[r.group]
	r.close()
	for _, c := range r.columns {
		for _, leaf := range c.node.leaves {
			p, err := newPages(&r.in, r.leaves[leaf], &g.Columns[leaf])
			if err != nil {
				return fmt.Errorf("row group %d: %w", r.group, fit.In(c.node.name, err))
			}
			c.open = append(c.open, p)
		}
		c.begin(c.open)
	}
	r.group, r.left = r.group+1, g.NumRows
	return nil
}

// close gives back the pages of a row group.
func (r *rows) close() {
	for _, c := range r.columns {
		for _, p := range c.open {
			p.close()
		}
		c.open = nil
	}
}

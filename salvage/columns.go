package salvage

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// entrySize is the number of bytes of an entry of an index: the number of the
// chunk, the first byte of the element and the one after its last.
const entrySize = 12

// saveColumns saves all columns of which the catalog has a row, and then the
// chunks of which it has none.
func (j *job) saveColumns(ctx context.Context) error {
	var rows []store.Row
	for _, id := range slices.Sorted(maps.Keys(j.rows)) {
		rows = append(rows, j.rows[id])
	}
	for _, e := range catalog.Entries(rows) {
		for _, row := range []store.Row{e.Data, e.Index} {
			j.claimed[int64(row.ID)] = row.ID != 0
		}
	}
	for _, e := range catalog.Entries(rows) {
		if err := j.saveColumn(ctx, e); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(j.names)) {
		if len(j.chunks[id]) == 0 {
			j.note("the column %s is lost: there is neither its row of the catalog nor a chunk", show(j.names[id]))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(j.chunks)) {
		if j.claimed[id] {
			continue
		}
		c := Column{Name: fmt.Sprintf("recovered/%d", id), Remark: "the row of the catalog is lost; each element is a chunk"}
		if name, known := j.names[id]; known {
			c.Remark = fmt.Sprintf("the row of the catalog is lost, whose name was %s; each element is a chunk", show(name))
		}
		if err := j.saveChunks(ctx, c, id); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) saveColumn(ctx context.Context, e catalog.Entry) error {
	c := Column{Name: e.Name, DType: e.DType, Missing: []Range{}}
	if e.Kind == catalog.Half && e.Data.ID == 0 {
		// Both programs give the two rows of a column numbers that follow each
		// other.
		id := int64(e.Index.ID) - 1
		if len(j.chunks[id]) > 0 && !j.claimed[id] {
			e.Data, e.Kind, c.DType = store.Row{ID: store.ColumnID(id)}, catalog.VarSize, "bytes"
			c.Remark = "the row of the catalog with the dtype is lost"
			j.claimed[id] = true
		}
	}
	switch {
	case e.Kind == catalog.Half && e.Data.ID == 0:
		if e.Index.Length <= 0 {
			return nil // an empty column that a crash has left
		}
		c.DType, c.Remark = "bytes", "only the index is left"
		c.Expected = j.bounded(e.Index.Length, entrySize)
		c.lose(0, c.Expected, "the bytes of all elements are lost")
		j.report.Columns = append(j.report.Columns, c)
		return nil
	case e.Kind == catalog.Half && len(j.chunks[int64(e.Data.ID)]) > 0:
		c.Name += " (data)"
		c.Remark = "the index is lost; each element is a chunk, with many elements back to back"
		return j.saveChunks(ctx, c, int64(e.Data.ID))
	case e.Kind == catalog.Half:
		return nil
	case e.Kind == catalog.VarSize:
		return j.saveVarSize(ctx, c, e)
	}
	return j.saveFixed(ctx, c, e, j.chunks[int64(e.Data.ID)])
}

// repaired is a row whose numbers can be used, and the number of its elements.
// What is wrong with them is added to the remark.
func (j *job) repaired(c *Column, row store.Row, chunks map[int64]*chunk) (store.Row, int64) {
	switch {
	case row.MaxChunk >= row.ElemSize:
	case row.Layout == store.LayoutV1 && row.MaxChunk > 0:
		row.MaxChunk = row.ElemSize // a block for each element
	default:
		c.remark("the size of chunks is lost")
		row.MaxChunk = row.ElemSize << 20
		if first := chunks[0]; first != nil && first.data.Size >= row.ElemSize {
			row.MaxChunk = first.data.Size
		}
	}
	row.MaxChunk -= row.MaxChunk % row.ElemSize
	backed := int64(0) // the elements that the chunks can hold
	for number, chunk := range chunks {
		if number >= 0 && number <= j.limit/row.MaxChunk {
			backed = max(backed, (number*row.MaxChunk+min(row.MaxChunk, chunk.data.Size))/row.ElemSize)
		}
	}
	if row.Length < 0 {
		c.remark("the length is lost")
		return row, backed
	}
	if bounded := j.bounded(row.Length, row.ElemSize); bounded < row.Length {
		c.remark("a length of %d is more than the file can have held", row.Length)
		return row, min(bounded, backed)
	}
	return row, row.Length
}

// bounded is a number of elements of this size, or as many as a file of this
// size can have held.
func (j *job) bounded(n, size int64) int64 { return max(0, min(n, j.limit/size)) }

// spend tells whether so many bytes can have been in the file beside all that was
// saved before. A file that lies could fill the disk otherwise.
func (j *job) spend(bytes int64) bool {
	if bytes > j.limit {
		return false
	}
	j.limit -= bytes
	return true
}

// saveFixed saves a column of either layout that has elements of one size.
func (j *job) saveFixed(ctx context.Context, c Column, e catalog.Entry, chunks map[int64]*chunk) error {
	row := e.Data
	if size := e.StoredSize(); size > 0 && row.ElemSize != size {
		c.remark("the catalog gives elements a size of %d bytes", row.ElemSize)
		row.ElemSize = size
	}
	if row.ElemSize < 1 || row.ElemSize > dtype.MaxSize {
		c.remark("elements of %d bytes are impossible; each element is a chunk", row.ElemSize)
		return j.saveWhole(ctx, c, int64(row.ID), chunks)
	}
	row, end := j.repaired(&c, row, chunks)
	c.Expected = end
	j.spend(end * row.ElemSize)
	s, err := j.begin(ctx, &c, row)
	if err != nil {
		return err
	}
	return s.finish(ctx, j.elements(ctx, row, chunks, end, func(p piece) error { return s.piece(ctx, p) }))
}

func (j *job) saveVarSize(ctx context.Context, c Column, e catalog.Entry) error {
	e.Index.ElemSize = entrySize
	index, end := j.repaired(&c, e.Index, j.chunks[int64(e.Index.ID)])
	c.Expected = end
	j.spend(end * entrySize)
	if end > 0 && len(j.chunks[int64(index.ID)]) == 0 && len(j.chunks[int64(e.Data.ID)]) > 0 {
		c.lose(0, end, "the index is lost")
		whole := Column{Name: c.Name + " (data)", Remark: "the index is lost; each element is a chunk, with many elements back to back"}
		if err := j.saveChunks(ctx, whole, int64(e.Data.ID)); err != nil {
			return err
		}
		j.report.Columns = append(j.report.Columns, c)
		return nil
	}
	e.Data.ElemSize = 0
	s, err := j.begin(ctx, &c, e.Data)
	if err != nil {
		return err
	}
	r := valueReader{job: j, chunks: j.chunks[int64(e.Data.ID)], begun: -1}
	err = j.elements(ctx, index, j.chunks[int64(index.ID)], end, func(p piece) error {
		if p.reason != "" {
			r.begun = unknown
			return s.lose(ctx, p.to, "index: "+p.reason)
		}
		entries := append([]byte(nil), p.data...) // reading values takes the buffer
		for k := range p.to - p.from {
			value, reason := r.value(entries[k*entrySize:])
			if err := s.value(ctx, value, reason); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	return s.finish(ctx, err)
}

// valueReader reads the elements of a variable-size column. It keeps a part of
// one chunk, as elements next to each other mostly lie so.
type valueReader struct {
	job    *job
	chunks map[int64]*chunk

	// begun is the chunk of the last element that was not empty: before any it
	// is -1, and after a hole in the index it is not known.
	begun int64

	chunk *chunk
	at    int64 // where data begins in it
	data  []byte
	holes []hole
}

const unknown = -2

type hole struct {
	from, to int64
	reason   string
}

// value returns the element of an entry, or why it cannot be read.
func (r *valueReader) value(entry []byte) (value []byte, reason string) {
	number := int64(int32(binary.LittleEndian.Uint32(entry)))
	start := int64(int32(binary.LittleEndian.Uint32(entry[4:])))
	end := int64(int32(binary.LittleEndian.Uint32(entry[8:])))
	if number < 0 || start < 0 || end < start {
		return nil, "the entry in the index points nowhere"
	}
	c := r.chunks[number]
	if end == 0 && (c == nil || r.begun == number || r.begun == unknown || number == 0 && r.begun >= 0) {
		// Elements ascend in a chunk, so only the first of it can be empty ones at
		// its beginning. This is what a page of zeros says.
		return nil, "the entry in the index is zero"
	}
	if end > start {
		r.begun = number
	}
	if start == end {
		return nil, ""
	}
	switch {
	case c == nil:
		return nil, fmt.Sprintf("chunk %d is missing", number)
	case end > c.data.Size:
		return nil, fmt.Sprintf("the entry in the index points past the end of chunk %d", number)
	}
	if end-start > column.MaxElement {
		return nil, fmt.Sprintf("the entry in the index says that the element has %d bytes", end-start)
	}
	return r.bytes(c, start, end)
}

// bytes returns a part of a chunk, or why it cannot be read.
func (r *valueReader) bytes(c *chunk, start, end int64) (value []byte, reason string) {
	if c != r.chunk || start < r.at || end > r.at+int64(len(r.data)) {
		// No memory is taken for what is not there.
		if holes := c.data.Holes(start, end); len(holes) > 0 {
			return nil, reasonOf(c, holes[0])
		}
		r.load(c, start, end)
	}
	if !r.job.spend(end - start) {
		return nil, "the column speaks of more bytes than the file can have held"
	}
	for _, h := range r.holes {
		if h.from < end && h.to > start {
			return nil, h.reason
		}
	}
	return r.data[start-r.at : end-r.at], ""
}

// load reads the part of a chunk from start on, up to end at least.
func (r *valueReader) load(c *chunk, start, end int64) {
	n := min(c.data.Size-start, max(end-start, pieceBytes))
	if int64(cap(r.data)) < n {
		r.data = make([]byte, n)
	}
	r.chunk, r.at, r.data = c, start, r.data[:n]
	r.holes = r.holes[:0]
	for _, h := range c.data.ReadAt(r.data, start) {
		r.holes = append(r.holes, hole{h.From, h.To, reasonOf(c, h)})
	}
	r.job.advance(n)
}

// saveChunks saves the chunks of a column as they are, each as one element.
func (j *job) saveChunks(ctx context.Context, c Column, id int64) error {
	j.claimed[id] = true
	return j.saveWhole(ctx, c, id, j.chunks[id])
}

func (j *job) saveWhole(ctx context.Context, c Column, id int64, chunks map[int64]*chunk) error {
	c.DType, c.Missing = "bytes", []Range{}
	s, err := j.begin(ctx, &c, store.Row{ID: store.ColumnID(id)})
	if err != nil {
		return err
	}
	c.Expected = int64(len(chunks))
	for k, number := range slices.Sorted(maps.Keys(chunks)) {
		if err = ctx.Err(); err != nil {
			break
		}
		data, reason := j.whole(chunks[number])
		if reason != "" {
			c.lose(int64(k), int64(k)+1, reason)
		} else {
			c.Read++
		}
		if err = s.w.addValue(ctx, data); err != nil {
			break
		}
	}
	return s.finish(ctx, err)
}

// whole is the bytes of a chunk that count, and what is wrong with them. Where a
// page is lost there are zeros, and where the rest is lost they end.
func (j *job) whole(c *chunk) (data []byte, reason string) {
	n := c.data.Size
	if c.used > 0 {
		n = min(n, c.used)
	}
	for _, h := range c.data.Holes(0, n) {
		reason = reasonOf(c, h) + ", and there are zeros in its place"
		if h.To == n {
			reason, n = reasonOf(c, h)+", and the element ends there", h.From
		}
	}
	if n > column.MaxElement || !j.spend(n) {
		return nil, fmt.Sprintf("chunk %d has %d bytes, which are too many", c.number, n)
	}
	data = make([]byte, n)
	c.data.ReadAt(data, 0)
	j.advance(n)
	return data, reason
}

// show is a name for a note.
func show(name string) string { return excerpt.Quote(name, excerpt.Name) }

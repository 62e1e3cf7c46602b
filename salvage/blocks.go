package salvage

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/column/layout1"
	"columnvault/internal/sqlitefile"
	"columnvault/internal/store"
)

// block is a chunk of a column of KohakuVault 1.x: its row, and the bytes, which
// another table has.
type block struct {
	chunk
	store.Block
	column int64
	// offsets say where elements that vary in size begin and end. Without bytes
	// there are none, and so there are not for elements of one size.
	offsets sqlitefile.Value
	// listed says that its row was read: if not, the indexes over the rows have
	// said where it belongs, and how many elements it has is not known.
	listed bool
	// stored says that its bytes were found.
	stored bool
}

// offsetSize is the number of bytes of an offset.
const offsetSize = 8

// saveLayout1 saves the columns of KohakuVault 1.x as such, element by element.
func (j *job) saveLayout1(ctx context.Context) error {
	known := true
	_, err := j.survey.of(roleBlockFormat, func(r *sqlitefile.Row, _ bool) error {
		known = intOr(r, 1, 1) == 1
		return nil
	})
	if err != nil {
		return err
	}
	if !known {
		j.report.NotRead = append(j.report.NotRead, j.survey.names(roleBlockColumns, roleBlocks, roleBlockData)...)
		return nil
	}
	rows := map[int64]store.Row{}
	bad, err := j.survey.of(roleBlockColumns, func(r *sqlitefile.Row, _ bool) error {
		row := store.Row{ID: store.ColumnID(r.RowID), ElemSize: intOr(r, 3, -1), Length: intOr(r, 4, -1), MaxChunk: intOr(r, 5, layout1.BlockBytes), Layout: store.LayoutV1}
		var named, typed bool
		row.Name, named = r.Text(1, maxText)
		row.DType, typed = r.Text(2, maxText)
		if !named || !typed {
			j.note("the name or the dtype of column %d of layout 1 cannot be read", r.RowID)
			return nil
		}
		row.Attrs = attrsOf(r, 6, row.DType)
		if _, twice := rows[r.RowID]; !twice {
			rows[r.RowID] = row
		}
		return j.ctx.Err()
	})
	if err != nil {
		return err
	}
	j.damaged("rows of columns of layout 1", bad)
	columns, err := j.readBlocks()
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		row := rows[id]
		c := Column{Name: row.Name, DType: row.DType, Missing: []Range{}}
		if err := j.saveBlocks(ctx, c, row, columns[id]); err != nil {
			return err
		}
		delete(columns, id)
	}
	for _, id := range slices.Sorted(maps.Keys(columns)) {
		c := Column{Name: fmt.Sprintf("recovered/blocks/%d", id), Missing: []Range{}, Remark: "the row of the column is lost, and with it the dtype"}
		row := rowOfBlocks(columns[id])
		c.DType = row.DType
		if err := j.saveBlocks(ctx, c, row, columns[id]); err != nil {
			return err
		}
	}
	return nil
}

// rowOfBlocks is the row of a column of which only blocks are left: its elements
// are bytes, of the size that the blocks say.
func rowOfBlocks(blocks []*block) store.Row {
	row := store.Row{DType: "bytes", Length: -1, MaxChunk: layout1.BlockBytes, Layout: store.LayoutV1}
	for _, b := range blocks {
		if size := b.payload() / max(1, b.Room); b.offsets.Size == 0 && b.listed && b.stored && size > 0 && size < math.MaxInt32 {
			row.ElemSize, row.MaxChunk = size, b.payload()
			row.DType = fmt.Sprintf("bytes:%d", size)
			break
		}
	}
	return row
}

// payload is the number of bytes for elements.
func (b *block) payload() int64 { return b.data.Size }

// readBlocks finds the blocks of all columns, in the order of their elements.
func (j *job) readBlocks() (map[int64][]*block, error) {
	found := map[int64]*block{} // by block_id
	bad, err := j.survey.of(roleBlocks, func(r *sqlitefile.Row, stray bool) error {
		column, ok1 := r.Int(1)
		number, ok2 := r.Int(2)
		first, ok3 := r.Int(3)
		rows, ok4 := r.Int(4)
		room, ok5 := r.Int(7)
		const most = 1 << 56
		if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || first < 0 || rows < 0 || first > most || rows > most || number < 0 || number > most {
			j.note("a row of a block in page %d cannot be made out", r.Page)
			return j.ctx.Err()
		}
		if found[r.RowID] == nil {
			found[r.RowID] = &block{chunk: chunk{number: number, stray: stray}, Block: store.Block{First: first, Rows: rows, Room: room}, column: column, listed: true}
		}
		return j.ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	j.damaged("rows of blocks", bad)
	if err := j.indexedBlocks(found); err != nil {
		return nil, err
	}
	lost := 0
	bad, err = j.survey.of(roleBlockData, func(r *sqlitefile.Row, _ bool) error {
		data, ok := r.Value(1)
		if !ok {
			return j.ctx.Err()
		}
		r.Follow() // before another row can take a page of the chain
		b := found[r.RowID]
		switch {
		case b == nil:
			lost++
		case !b.stored:
			b.data, b.stored = data, true
			b.offsets, _ = r.Value(2)
		}
		return j.ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	j.damaged("bytes of blocks", bad)
	if lost > 0 {
		j.note("the bytes of %d blocks of layout 1 were found, and nothing says where they belong", lost)
	}
	columns := map[int64][]*block{}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		b := found[id]
		columns[b.column] = append(columns[b.column], b)
	}
	for _, blocks := range columns {
		slices.SortStableFunc(blocks, func(a, b *block) int {
			return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.number, b.number))
		})
	}
	return columns, nil
}

// indexedBlocks adds the blocks whose rows are lost, and which both indexes over
// the rows still name.
func (j *job) indexedBlocks(found map[int64]*block) error {
	numbers := map[int64]place{}
	entry := func(r *sqlitefile.Row) (column, n, id int64, ok bool) {
		column, ok1 := r.Int(0)
		n, ok2 := r.Int(1)
		id, ok3 := r.Int(2)
		return column, n, id, ok1 && ok2 && ok3 && n >= 0
	}
	_, err := j.survey.of(roleBlockNumbers, func(r *sqlitefile.Row, _ bool) error {
		if column, number, id, ok := entry(r); ok && found[id] == nil {
			numbers[id] = place{column, number}
		}
		return j.ctx.Err()
	})
	if err != nil {
		return err
	}
	_, err = j.survey.of(roleBlockFirsts, func(r *sqlitefile.Row, stray bool) error {
		column, first, id, ok := entry(r)
		if p, numbered := numbers[id]; ok && numbered && p.column == column && found[id] == nil {
			found[id] = &block{chunk: chunk{number: p.number, stray: stray}, Block: store.Block{First: first}, column: column}
		}
		return j.ctx.Err()
	})
	return err
}

// saveBlocks saves a column of layout 1.
func (j *job) saveBlocks(ctx context.Context, c Column, row store.Row, blocks []*block) error {
	if row.Length < 0 {
		c.remark("the length is lost")
		row.Length = backed(blocks)
	}
	e := catalog.Entries([]store.Row{row})[0]
	if row.ElemSize == 0 || row.ElemSize < 0 && e.StoredSize() == 0 {
		row.ElemSize = 0
		return j.saveOffsets(ctx, c, row, blocks)
	}
	chunks := map[int64]*chunk{}
	for _, b := range blocks {
		if b.stored && chunks[b.number] == nil {
			chunks[b.number] = &b.chunk
		}
	}
	return j.saveFixed(ctx, c, e, chunks)
}

// backed is the number of elements that blocks speak of.
func backed(blocks []*block) (n int64) {
	for _, b := range blocks {
		n = max(n, b.First+b.Rows)
	}
	return n
}

// saveOffsets saves a column whose elements vary in size.
func (j *job) saveOffsets(ctx context.Context, c Column, row store.Row, blocks []*block) error {
	end := j.bounded(row.Length, offsetSize)
	if end < row.Length {
		c.remark("a length of %d is more than the file can have held", row.Length)
		end = min(end, backed(blocks))
	}
	c.Expected = end
	j.spend(end * offsetSize)
	s, err := j.begin(ctx, &c, row)
	if err != nil {
		return err
	}
	for k, b := range blocks {
		next := end
		if k+1 < len(blocks) {
			next = min(next, blocks[k+1].First)
		}
		if err = s.lose(ctx, min(b.First, end), "the block that has them is missing"); err != nil {
			break
		}
		if s.at >= next {
			continue // another block has said that it has them
		}
		to := next
		if b.listed {
			to = min(to, b.First+b.Rows)
		}
		if !b.stored {
			err = s.lose(ctx, to, fmt.Sprintf("the bytes of chunk %d are missing", b.number))
		}
		r := valueReader{job: j}
		for s.at < to && err == nil {
			value, reason := b.value(&r, s.at-b.First)
			err = s.value(ctx, value, reason)
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		err = s.lose(ctx, end, "the block that has them is missing")
	}
	return s.finish(ctx, err)
}

// value is element k of the block, or why it cannot be read.
func (b *block) value(r *valueReader, k int64) (value []byte, reason string) {
	if (k+2)*offsetSize > b.offsets.Size {
		return nil, fmt.Sprintf("chunk %d has no offset for it", b.number)
	}
	var p [2 * offsetSize]byte
	if holes := b.offsets.ReadAt(p[:], k*offsetSize); len(holes) > 0 {
		return nil, "offsets: " + reasonOf(&b.chunk, holes[0])
	}
	start, end := binary.LittleEndian.Uint64(p[:]), binary.LittleEndian.Uint64(p[offsetSize:])
	switch {
	case start > end || end > uint64(b.payload()) || !b.listed && end == 0 && k > 0:
		return nil, fmt.Sprintf("its offsets in chunk %d lead nowhere", b.number)
	case end-start > column.MaxElement:
		return nil, fmt.Sprintf("its offsets in chunk %d say that it has %d bytes", b.number, end-start)
	case start == end:
		return nil, ""
	}
	return r.bytes(&b.chunk, int64(start), int64(end))
}

package salvage

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"columnvault/dtype"
	"columnvault/internal/sqlitefile"
	"columnvault/internal/store"
)

// chunk is the bytes of a column in a row of col_chunks.
type chunk struct {
	number int64
	data   sqlitefile.Value
	// used is bytes_used, or -1 where it could not be read.
	used  int64
	stray bool
	// headless says that the row is lost, with its first bytes, which lay in
	// the page head.
	headless bool
	head     uint32
}

// readRows reads the catalog and finds all chunks.
func (j *job) readRows() error {
	bad, err := j.survey.of(roleColumns, func(r *sqlitefile.Row, _ bool) error {
		if len(r.Fields) < 6 {
			j.note("a row of the catalog is too short")
			return nil
		}
		row := store.Row{ID: store.ColumnID(r.RowID), ElemSize: intOr(r, 3, -1), Length: intOr(r, 4, -1), MinChunk: intOr(r, 6, 131072), MaxChunk: intOr(r, 7, 16777216)}
		var named, typed bool
		row.Name, named = r.Text(1, maxText)
		row.DType, typed = r.Text(2, maxText)
		if !named || !typed {
			j.note("the name or the dtype of column %d cannot be read", r.RowID)
			return nil
		}
		row.Attrs = attrsOf(r, 8, row.DType)
		if _, twice := j.rows[row.ID]; !twice {
			j.rows[row.ID] = row
		}
		return nil
	})
	if err != nil {
		return err
	}
	j.damaged("rows of the catalog", bad)
	_, err = j.survey.of(roleNames, func(r *sqlitefile.Row, stray bool) error {
		name, named := r.Text(0, maxText)
		id, ok := r.Int(1)
		if _, there := j.rows[store.ColumnID(id)]; named && ok && !there && !stray {
			j.names[id] = name
		}
		return j.ctx.Err()
	})
	if err != nil {
		return err
	}
	return j.readChunks()
}

// attrsOf is what a row of the catalog says that elements of the dtype mean. No
// more than that of a field, at from or behind it, is known about its place:
// other programs may have added fields, too.
func attrsOf(r *sqlitefile.Row, from int, text string) string {
	spec, err := dtype.ParseSpec(text)
	if err != nil {
		return ""
	}
	for i := from; i < len(r.Fields); i++ {
		if words, ok := r.Text(i, store.MaxAttrs); ok && dtype.Attrs(words).Meaning(spec) != (dtype.Meaning{}) {
			return words
		}
	}
	return ""
}

// place is where a chunk belongs.
type place struct{ column, number int64 }

// placedRow is a chunk as its row says it.
type placedRow struct {
	rowID int64
	place place
	chunk *chunk
}

// readChunks finds all chunks, and compares the places that their rows say with
// the indexes, which say them a second and a third time.
func (j *job) readChunks() error {
	var rows []placedRow
	seen := map[int64]bool{}
	bad, err := j.survey.of(roleChunks, func(r *sqlitefile.Row, stray bool) error {
		column, ok1 := r.Int(0)
		number, ok2 := r.Int(1)
		data, ok3 := r.Value(2)
		if !ok1 || !ok2 || !ok3 {
			j.note("a chunk in page %d cannot be told from others", r.Page)
			return j.ctx.Err()
		}
		r.Follow() // before another row can take a page of the chain
		if capacity, ok := r.Int(3); !ok || capacity <= 0 {
			r.Distrust() // the capacity lies behind the data
		}
		seen[r.RowID] = true
		c := &chunk{data: data, used: intOr(r, 4, -1), stray: stray}
		rows = append(rows, placedRow{r.RowID, place{column, number}, c})
		return j.ctx.Err()
	})
	if err != nil {
		return err
	}
	j.damaged("chunks", bad)
	byRow, byPlace := map[int64]place{}, map[place]int64{}
	_, err = j.survey.of(rolePlaces, func(r *sqlitefile.Row, _ bool) error {
		column, ok1 := r.Int(0)
		number, ok2 := r.Int(1)
		rowID, ok3 := r.Int(len(r.Fields) - 1)
		if !ok1 || !ok2 || !ok3 {
			return j.ctx.Err()
		}
		p := place{column, number}
		if old, twice := byRow[rowID]; !twice {
			byRow[rowID] = p
		} else if old != p {
			delete(byRow, rowID) // nobody knows which of the indexes is right
		}
		byPlace[p] = rowID
		return j.ctx.Err()
	})
	if err != nil {
		return err
	}
	// What the indexes confirm comes first, what nothing led to last.
	var unsure, strays []placedRow
	for _, r := range rows {
		p, known := byRow[r.rowID]
		switch {
		case known && p == r.place:
			j.place(r)
		case r.chunk.stray:
			strays = append(strays, r)
		default:
			if truly, listed := byPlace[r.place]; known && (!listed || seen[truly]) {
				j.note("a chunk says that it is chunk %d of column %d, and the index that it is chunk %d of column %d, which was believed",
					r.place.number, r.place.column, p.number, p.column)
				r.place = p
			}
			unsure = append(unsure, r)
		}
	}
	for _, r := range append(unsure, strays...) {
		j.place(r)
	}
	return j.findRests(seen)
}

// place puts a chunk where it belongs, if there is none.
func (j *job) place(r placedRow) {
	column := j.chunks[r.place.column]
	if column == nil {
		column = map[int64]*chunk{}
		j.chunks[r.place.column] = column
	}
	if column[r.place.number] != nil {
		if !r.chunk.stray {
			j.note("there are two chunks %d of column %d; one of them was taken", r.place.number, r.place.column)
		}
		return
	}
	r.chunk.number = r.place.number
	column[r.place.number] = r.chunk
}

// maxText is the longest name or dtype, in bytes, that is read.
const maxText = 1 << 20

// intOr is an integer in a row, or another if it cannot be read.
func intOr(r *sqlitefile.Row, k int, otherwise int64) int64 {
	if v, ok := r.Int(k); ok {
		return v
	}
	return otherwise
}

// pieceBytes is what is read of a chunk at once.
const pieceBytes = 1 << 20

// piece is a run of elements of one size: their bytes, or why they cannot be
// read.
type piece struct {
	from, to int64
	data     []byte
	reason   string
}

// elements goes over the elements of a catalog row from the first to the one
// before end, in pieces without gaps. The bytes are valid until visit returns.
func (j *job) elements(ctx context.Context, row store.Row, chunks map[int64]*chunk, end int64, visit func(piece) error) error {
	size := row.ElemSize
	per := row.MaxChunk / size // elements in each chunk but the last
	at := int64(0)
	lose := func(to int64, reason string) error {
		if to <= at {
			return nil
		}
		err := visit(piece{from: at, to: to, reason: reason})
		at = to
		return err
	}
	for _, number := range slices.Sorted(maps.Keys(chunks)) {
		if number < 0 || number > (end-1)/per {
			continue
		}
		first := number * per
		if err := lose(first, missingChunks(at/per, number)); err != nil {
			return err
		}
		last := min(first+per, end, first+chunks[number].data.Size/size)
		if err := j.span(ctx, chunks[number], size, first, at, last, visit); err != nil {
			return err
		}
		at = max(at, last)
		if err := lose(min(first+per, end), fmt.Sprintf("chunk %d is shorter than it should be", number)); err != nil {
			return err
		}
	}
	return lose(end, missingChunks(at/per, (end-1)/per+1))
}

func missingChunks(from, to int64) string {
	if to-from == 1 {
		return fmt.Sprintf("chunk %d is missing", from)
	}
	return fmt.Sprintf("chunks %d to %d are missing", from, to-1)
}

// span goes over the elements from at up to last of a chunk that begins with first.
func (j *job) span(ctx context.Context, c *chunk, size, first, at, last int64, visit func(piece) error) error {
	for at < last {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := at + min(last-at, max(1, pieceBytes/size))
		if err := j.pieces(c, size, first, at, to, visit); err != nil {
			return err
		}
		at = to
	}
	return nil
}

// pieces reads the elements from at up to to, of a chunk that begins with first.
func (j *job) pieces(c *chunk, size, first, at, to int64, visit func(piece) error) error {
	data := j.buffer(size * (to - at))
	offset := (at - first) * size
	holes := c.data.ReadAt(data, offset)
	j.advance(int64(len(data)))
	for _, h := range holes {
		from := max(at, first+h.From/size)
		until := min(to, first+(h.To-1)/size+1)
		if from > at {
			if err := visit(piece{from: at, to: from, data: data[:(from-at)*size]}); err != nil {
				return err
			}
			data = data[(from-at)*size:]
		}
		if until > from {
			if err := visit(piece{from: from, to: until, reason: reasonOf(c, h)}); err != nil {
				return err
			}
			data = data[(until-from)*size:]
			at = until
		}
	}
	if at == to {
		return nil
	}
	return visit(piece{from: at, to: to, data: data})
}

// reasonOf says why bytes of a chunk cannot be read.
func reasonOf(c *chunk, h sqlitefile.Hole) string {
	switch {
	case c.headless && h.Page == c.head:
		return fmt.Sprintf("chunk %d has lost its row, and with it its first bytes", c.number)
	case h.Page == 0:
		return fmt.Sprintf("the chain of pages of chunk %d is broken before them", c.number)
	}
	return fmt.Sprintf("page %d, a part of chunk %d, cannot be read", h.Page, c.number)
}

package salvage

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/column/native"
	"columnvault/internal/sqlitefile"
	"columnvault/internal/store"
)

// nativeRun is a run of a native column: its row, and its bytes, which another
// table has.
type nativeRun struct {
	chunk
	native.Run
	row     store.Chunk
	bytesID int64
	// stored says that its bytes were found, described that what is known of them
	// can be true.
	stored, described bool
}

// saveNative saves native columns as such, element by element.
func (j *job) saveNative(ctx context.Context) error {
	rows := map[int64]store.Row{}
	bad, err := j.survey.of(roleNativeColumns, func(r *sqlitefile.Row, _ bool) error {
		row := store.Row{ID: store.ColumnID(r.RowID), ElemSize: intOr(r, 3, -1), Length: intOr(r, 4, -1), MaxChunk: intOr(r, 6, 0), Layout: store.LayoutNative}
		var named, typed bool
		row.Name, named = r.Text(1, maxText)
		row.DType, typed = r.Text(2, maxText)
		if !named || !typed {
			j.note("the name or the dtype of native column %d cannot be read", r.RowID)
			return ctx.Err()
		}
		row.Attrs = attrsOf(r, 7, row.DType)
		if _, twice := rows[r.RowID]; !twice {
			rows[r.RowID] = row
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	j.damaged("rows of native columns", bad)
	columns, rest, err := j.readRuns(ctx)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		row := rows[id]
		if err := j.saveRuns(ctx, Column{Name: row.Name, DType: row.DType, Missing: []Range{}}, row, columns[id]); err != nil {
			return err
		}
		delete(columns, id)
	}
	for _, id := range slices.Sorted(maps.Keys(columns)) {
		c := Column{Name: fmt.Sprintf("recovered/native/%d", id), Remark: "the row of the native column is lost; each element is the bytes of a run, without the elements beside the last"}
		if err := j.saveWhole(ctx, c, id, bytesOf(columns[id])); err != nil {
			return err
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return j.saveWhole(ctx, Column{Name: "recovered/runs", Remark: "the rows of runs of native columns are lost; each element is the bytes of one"}, 0, rest)
}

// readRuns finds the runs of all native columns, in their order, and the bytes
// that are of none of them.
func (j *job) readRuns(ctx context.Context) (columns map[int64][]*nativeRun, rest map[int64]*chunk, err error) {
	rest = map[int64]*chunk{}
	bad, err := j.survey.of(roleNativeBytes, func(r *sqlitefile.Row, stray bool) error {
		if v, ok := r.Value(1); ok {
			r.Follow() // before another row can take a page of the chain
			if rest[r.RowID] == nil {
				rest[r.RowID] = &chunk{number: r.RowID, data: v, used: -1, stray: stray}
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, nil, err
	}
	j.damaged("bytes of runs", bad)
	found := map[place]*nativeRun{}
	bad, err = j.survey.of(roleNativeRuns, func(r *sqlitefile.Row, _ bool) error {
		column, ok1 := r.Int(0)
		number, ok2 := r.Int(1)
		used, ok3 := r.Int(3)
		if !ok1 || !ok2 || !ok3 || used < 0 {
			j.note("a row of a run in page %d cannot be made out", r.Page)
			return ctx.Err()
		}
		if at := (place{column, number}); found[at] == nil {
			x := &nativeRun{chunk: chunk{number: number}, bytesID: intOr(r, 4, -1)}
			x.row = store.Chunk{Number: number, Capacity: intOr(r, 2, -1), Used: used}
			x.row.Meta, _ = r.Bytes(5, store.MaxMeta)
			found[at] = x
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, nil, err
	}
	j.damaged("rows of runs", bad)
	columns = map[int64][]*nativeRun{}
	for _, at := range slices.SortedFunc(maps.Keys(found), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.column, b.column), cmp.Compare(a.number, b.number))
	}) {
		x := found[at]
		if bytes := rest[x.bytesID]; bytes != nil { // of one run alone, so that no file is larger than it is
			x.data, x.stored = bytes.data, true
			delete(rest, x.bytesID)
		}
		columns[at.column] = append(columns[at.column], x)
	}
	return columns, rest, nil
}

// bytesOf is the bytes of runs, by number.
func bytesOf(runs []*nativeRun) map[int64]*chunk {
	chunks := map[int64]*chunk{}
	for _, x := range runs {
		if x.stored {
			chunks[x.number] = &x.chunk
		}
	}
	return chunks
}

// gap is a place where runs are missing that had n elements: before that run of
// those that are left, or after the last.
type gap struct {
	before int
	n      int64
}

// gapsOf finds where elements are missing of which no row of a run is left. The
// row of the column says how many elements all runs before the last have, and
// the numbers of the runs where some may be missing: those that are appended have
// numbers at equal distances. What is not certain is added to the remark.
func gapsOf(c *Column, row store.Row, runs []*nativeRun) (gaps []gap) {
	if len(runs) == 0 {
		c.remark("no run is left, and how many elements the last had is not known")
		return []gap{{0, max(0, row.Length)}}
	}
	last := len(runs) - 1
	known := int64(0)
	for _, x := range runs[:last] {
		known += x.Rows()
	}
	missing := row.Length - known
	switch {
	case row.Length < 0:
		c.remark("the length is lost")
		return nil
	case missing < 0:
		c.remark("the catalog says that %d elements are before the last run, and there are %d", row.Length, known)
		return nil
	case missing == 0:
		return nil
	}
	full := int64(0) // how many elements a run that is full has, if that is known
	if row.ElemSize > 0 {
		full = max(1, row.MaxChunk/row.ElemSize)
	}
	before, exact := int64(0), int64(0) // runs before the first have been deleted or are lost
	for k, x := range runs {
		if n := native.Between(before, x.number); n > 0 || k == 0 && x.number > 0 {
			if k == 0 {
				n++
			}
			gaps = append(gaps, gap{k, n})
			exact += n
		}
		before = x.number
	}
	switch {
	case full > 0 && exact <= missing/full && exact*full == missing && exact > 0:
		for k := range gaps {
			gaps[k].n *= full
		}
		return gaps
	case len(gaps) == 0 && missing >= runs[last].Rows() && !runs[last].IsLast():
		c.remark("the last run is missing, and how many elements it had is not known")
		return []gap{{last + 1, missing - runs[last].Rows()}}
	}
	at := last
	if len(gaps) > 0 {
		at = gaps[0].before
	}
	c.remark("runs with %d elements are missing, and nothing says for certain where: others may have had other positions", missing)
	return []gap{{at, missing}}
}

// nativeSize is the size of the elements of a native column, 0 where it varies.
// The dtype goes before what the row says.
func nativeSize(c *Column, row store.Row) (int64, bool) {
	size := row.ElemSize
	if spec, err := dtype.ParseSpec(row.DType); err == nil && size != int64(spec.ElemSize()) {
		c.remark("the catalog gives elements a size of %d bytes", size)
		size = int64(spec.ElemSize())
	}
	return size, size >= 0 && size <= column.MaxElement
}

// saveRuns saves a native column.
func (j *job) saveRuns(ctx context.Context, c Column, row store.Row, runs []*nativeRun) error {
	size, possible := nativeSize(&c, row)
	if !possible {
		c.remark("elements of %d bytes are impossible; each element is the bytes of a run", size)
		return j.saveWhole(ctx, c, int64(row.ID), bytesOf(runs))
	}
	row.ElemSize = size
	o := catalog.Options{MaxChunk: row.MaxChunk}
	for _, x := range runs {
		run, err := native.RunOf(x.row, size)
		x.Run, x.described = run, err == nil
		if err == nil && max(x.Codec(), x.Sealed()) == native.Zstd {
			o.Codec = native.Zstd
		}
	}
	gaps := gapsOf(&c, row, runs)
	s, err := j.beginWith(ctx, &c, row, o)
	if err != nil {
		return err
	}
	for k := 0; k <= len(runs) && err == nil; k++ {
		if len(gaps) > 0 && gaps[0].before == k {
			n := s.expect(gaps[0].n, claim(gaps[0].n, size))
			err = s.lose(ctx, s.at+n, "the runs that have them are missing")
			gaps = gaps[1:]
		}
		if k < len(runs) && err == nil {
			err = s.run(ctx, runs[k], size)
		}
	}
	return s.finish(ctx, err)
}

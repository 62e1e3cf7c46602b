package salvage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"columnvault/internal/column"
	"columnvault/internal/sqlitefile"
	"columnvault/internal/store"
)

// A page with the rows of chunks that is lost has the first bytes of each, and
// where the pages of the rest begin. The rest has no name: it can be told by its
// length, and by the capacity and the count of used bytes that end the row. Both
// are in an index of the vault, or follow from the catalog. If exactly one of the
// rows that are lost can end so, and in no other chain, it is that row. Otherwise
// nothing says which is which.

// lostRow is a row of col_chunks of which only the indexes speak.
type lostRow struct {
	place
	// known are the fields of the row, none if its capacity is not known.
	known []sqlitefile.Known
	pages int
}

// rest is a chain of pages of which the row is lost, and the rows that it can be
// of.
type rest struct {
	chain sqlitefile.Headless
	rows  []*lostRow
}

// lostRows are the rows that an index names and that were not seen, by rowid, if
// one of the indexes is whole: otherwise there may be more of them.
func (j *job) lostRows(seen map[int64]bool) (map[int64]*lostRow, error) {
	lost, whole := map[int64]*lostRow{}, false
	for _, o := range j.survey.objects {
		if o.role != rolePlaces {
			continue
		}
		unclear := 0
		bad, err := j.survey.rows(o, func(r *sqlitefile.Row, _ bool) error {
			column, ok1 := r.Int(0)
			number, ok2 := r.Int(1)
			rowID, ok3 := r.Int(len(r.Fields) - 1)
			if !ok1 || !ok2 || !ok3 {
				unclear++
			} else if !seen[rowID] {
				row := lost[rowID]
				if row == nil {
					row = &lostRow{place: place{column, number}}
					lost[rowID] = row
				}
				if capacity, ok := r.Int(2); ok && len(r.Fields) == 5 {
					row.setSize(capacity, intOr(r, 3, -1))
				}
				if row.place != (place{column, number}) {
					unclear++
				}
			}
			return j.ctx.Err()
		})
		if err != nil {
			return nil, err
		}
		whole = whole || bad+unclear == 0 && !o.lost()
	}
	if !whole {
		return nil, nil
	}
	for _, row := range lost {
		// All chunks of a run but the last are as large as they can be.
		of, known := j.rows[store.ColumnID(row.column)]
		if known && len(row.known) == 0 && of.ElemSize > 0 && of.MaxChunk >= of.ElemSize && of.Length > 0 {
			per := of.MaxChunk / of.ElemSize
			if row.number >= 0 && row.number < (of.Length-1)/per {
				row.setSize(per*of.ElemSize, 0)
			}
		}
	}
	return lost, nil
}

// setSize says what the row has in its fields.
func (r *lostRow) setSize(capacity, used int64) {
	if capacity < 1 || capacity > 1<<31 || used < 0 {
		return
	}
	integer := func(v int64) sqlitefile.Known { return sqlitefile.Known{Kind: sqlitefile.Integer, Value: v} }
	r.known = []sqlitefile.Known{integer(r.column), integer(r.number), {Kind: sqlitefile.Blob, Value: capacity},
		integer(capacity), integer(used), integer(0), integer(0), integer(0)}
}

// findRests looks for what is left of chunks whose rows are lost. Those that can
// be told are placed; the others are kept in rests.
func (j *job) findRests(seen map[int64]bool) error {
	lost, err := j.lostRows(seen)
	if err != nil || len(lost) == 0 {
		return err
	}
	f := j.survey.f
	for _, row := range lost {
		if len(row.known) > 0 {
			row.pages = f.ChainPages(row.known)
		}
	}
	if !f.Mapped() && !j.survey.onlyChunksLost() {
		return nil // what is lost of other tables looks the same
	}
	rests := j.restsOf(f.Headless(), lost)
	claims := map[*lostRow]int{}
	for _, r := range rests {
		for _, row := range r.rows {
			claims[row]++
		}
	}
	for _, r := range rests {
		r.chain.Take()
		if len(r.rows) == 1 && claims[r.rows[0]] == 1 {
			row := r.rows[0]
			if found, certain, ok := r.chain.Row(row.known); ok && certain {
				data, _ := found.Value(2)
				j.place(placedRow{found.RowID, row.place, &chunk{data: data, used: row.known[4].Value, headless: true, head: r.chain.Page}})
				continue
			}
		}
		j.rests = append(j.rests, r)
	}
	return nil
}

// mostPairs bounds the rows and chains of one page that are compared.
const mostPairs = 1 << 20

// restsOf finds the rows that each chain can be of. Those that can be of none
// are not chunks.
func (j *job) restsOf(chains []sqlitefile.Headless, lost map[int64]*lostRow) (rests []rest) {
	ids := make([]int64, 0, len(lost))
	for id := range lost {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	perGap := map[sqlitefile.Gap]int{}
	for _, chain := range chains {
		gap, ok := j.survey.gapOf(chain.Page)
		if !ok {
			continue
		}
		from, _ := slices.BinarySearch(ids, gap.From)
		for from < len(ids) && ids[from] == gap.From && gap.From != gap.To {
			from++
		}
		to, found := slices.BinarySearch(ids, gap.To)
		if found {
			to++
		}
		if perGap[gap] += max(0, to-from); perGap[gap] > mostPairs {
			continue
		}
		r := rest{chain: chain}
		for _, id := range ids[min(from, to):to] {
			row := lost[id]
			_, _, fits := chain.Row(row.known)
			if fits || len(row.known) == 0 {
				r.rows = append(r.rows, row)
			}
		}
		if len(r.rows) > 0 {
			rests = append(rests, r)
		}
	}
	return rests
}

// saveRests saves what is left of chunks and cannot be told apart, so that
// people can.
func (j *job) saveRests(ctx context.Context) error {
	if len(j.rests) == 0 {
		return nil
	}
	c := Column{Name: "recovered/chains", DType: "bytes", Missing: []Range{},
		Remark: "what is left of chunks whose rows are lost, where nothing says of which: each element is the end of one, and has some bytes more behind it"}
	s, err := j.begin(ctx, &c, store.Row{})
	if err != nil {
		return err
	}
	for _, r := range j.rests {
		if err = ctx.Err(); err != nil {
			break
		}
		v := r.chain.Rest()
		if v.Size > column.MaxElement || !j.spend(v.Size) {
			j.note("%d pages from page %d on are the end of %s, and too many to be saved", r.chain.Pages(), r.chain.First(), candidates(r.rows))
			continue
		}
		data := j.buffer(v.Size)
		v.ReadAt(data, 0)
		j.advance(v.Size)
		j.note("element %d of %s is the end of %s", c.Expected, cmp.Or(c.Saved, c.Name), candidates(r.rows))
		c.Expected++
		c.Read++
		if err = s.w.addValue(ctx, data); err != nil {
			break
		}
	}
	return s.finish(ctx, err)
}

// mostNamed is how many chunks a note names.
const mostNamed = 20

// candidates names the chunks that a rest can be of.
func candidates(rows []*lostRow) string {
	var names []string
	for k, row := range rows {
		if k == mostNamed {
			names = append(names, fmt.Sprintf("%d others", len(rows)-k))
			break
		}
		names = append(names, fmt.Sprintf("chunk %d of column %d", row.number, row.column))
	}
	if len(names) == 1 {
		return names[0]
	}
	return "one of " + strings.Join(names, ", ")
}

// gapOf finds the pages of the chunks' tables among which a page is that had a
// row: a gap with the rowids in it, or all of a table. Without a map, no page is
// known.
func (s *survey) gapOf(page uint32) (sqlitefile.Gap, bool) {
	above := append([]uint32{page}, s.f.Above(page)...)
	for _, o := range s.objects {
		if o.role != roleChunks {
			continue
		}
		for _, t := range o.trees {
			for _, g := range t.Gaps {
				if slices.Contains(above, g.Page) {
					return g, true
				}
			}
			if page == 0 || slices.Contains(above, t.Root) {
				return sqlitefile.Everything, true
			}
		}
	}
	return sqlitefile.Gap{}, false
}

// onlyChunksLost tells whether the table of chunks is all that pages are missing
// of, and follows all others.
func (s *survey) onlyChunksLost() bool {
	if s.torn {
		return false
	}
	for _, o := range s.objects {
		if o.role == roleChunks || o.root == 0 {
			continue
		}
		read := o.read
		bad, _ := s.rows(o, func(r *sqlitefile.Row, _ bool) error { r.Follow(); return nil })
		o.read = read
		if bad > 0 || o.lost() {
			return false
		}
	}
	return true
}

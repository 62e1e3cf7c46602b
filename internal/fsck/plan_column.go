package fsck

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// columnPlan decides what to do about one column.
type columnPlan struct {
	*planner
	// before is the column as it is, now as the steps so far make it.
	before, now catalog.Entry
	col         column.Column
	// hopeless says that nothing certain is known of the column.
	hopeless bool
	// endless is that of the checker, after the last look.
	endless bool
	// kinds are the findings in the column as it is now.
	kinds map[Kind]bool
	// strays and counts are chunks in which no element lies, and such whose
	// count of used bytes must be 0.
	strays, counts map[store.ColumnID][]int64
	// miscounted says that chunks count their used bytes wrongly that have some.
	miscounted bool
	// rebuilt says that all is written anew, replaced that it is with empty
	// elements in place of lost ones.
	rebuilt, replaced bool
}

// rows are the catalog rows of the column as it is now. The last one has the
// length.
func (m *columnPlan) rows() []*store.Row {
	if m.now.Kind == catalog.VarSize {
		return []*store.Row{&m.now.Data, &m.now.Index}
	}
	return []*store.Row{&m.now.Data}
}

func (m *columnPlan) open() (err error) {
	m.col, err = m.now.Open(m.caps)
	return err
}

// correct makes the catalog say something possible.
func (m *columnPlan) correct(ctx context.Context) error {
	if m.now.Kind == catalog.Native {
		return m.count(ctx)
	}
	spec, known := specOf(m.now)
	if known && m.now.Kind == catalog.Fixed {
		// Elements that vary in size need an index.
		m.hopeless = spec.ElemSize() == 0
		m.now.Data.ElemSize = int64(spec.ElemSize())
	}
	if m.hopeless {
		return nil
	}
	impossible := m.open() != nil
	if impossible {
		for _, row := range m.rows() {
			if err := m.bounds(ctx, row); err != nil {
				return err
			}
		}
		rows := m.rows()
		last := rows[len(rows)-1]
		if last.Length < 0 || last.ElemSize > 0 && last.Length > maxLength/last.ElemSize {
			last.Length = maxLength / max(1, last.ElemSize) // and then cut
		}
		if m.open() != nil {
			m.hopeless = true
			return nil
		}
		extent, err := m.col.Extent(ctx, m.r)
		if errors.Is(err, store.ErrCorrupt) {
			m.hopeless = true
			return nil
		}
		if err != nil {
			return err
		}
		last.Length = min(last.Length, extent)
		if err := m.open(); err != nil {
			return err
		}
	}
	if m.changed() {
		m.setRows("say in the catalog what is possible")
	}
	return nil
}

// count makes the catalog say how many elements the runs of a native column have:
// those of a run that is missing are lost, and nobody knows where they were.
func (m *columnPlan) count(ctx context.Context) error {
	now, changed, err := catalog.Counted(ctx, m.r, m.now, m.caps)
	if m.hopeless = errors.Is(err, store.ErrCorrupt); m.hopeless {
		return nil
	}
	if err != nil {
		return err
	}
	before := m.now.Len()
	if m.now = now; changed {
		s := Step{Action: Cut, Column: now.Name, From: now.Len(), To: max(before, now.Len()),
			Text: fmt.Sprintf("say in the catalog that there are %d elements of %d bytes, not %d of %d", now.Len(), now.Size(), before, m.before.Size())}
		if before > now.Len() {
			s.Loss = fmt.Sprintf("%d elements, somewhere in the column, which are not in the file", before-now.Len())
		}
		s.mend = func(ctx context.Context, m *mender) error { return catalog.SetCount(ctx, m.tx, now) }
		m.step(s)
	}
	err = m.open()
	if m.hopeless = errors.Is(err, store.ErrCorrupt); m.hopeless {
		err = nil
	}
	return err
}

// maxLength is below the bytes that a column can have in any layout.
const maxLength = 1<<62 - 1

func (m *columnPlan) changed() bool {
	return m.before.Data != m.now.Data || m.before.Index != m.now.Index
}

// setRows is the step that writes the rows as they are now.
func (m *columnPlan) setRows(text string) {
	rows := m.rows()
	last := *rows[len(rows)-1]
	all := []store.Row{*rows[0], last}[:len(rows)]
	text = fmt.Sprintf("%s: elements of %d bytes, %d of them, in chunks of %d to %d bytes", text, last.ElemSize, last.Length, last.MinChunk, last.MaxChunk)
	if len(rows) == 2 {
		text += fmt.Sprintf(" for the index and of %d to %d for the data", all[0].MinChunk, all[0].MaxChunk)
	}
	m.step(Step{Action: Correct, Column: m.now.Name, Text: text, mend: func(ctx context.Context, m *mender) error {
		for _, row := range all {
			if err := m.tx.SetColumn(ctx, row); err != nil {
				return err
			}
		}
		return nil
	}})
}

// bounds corrects the bounds of a row. The maximum is what positions are
// divided by: all chunks but the last have it.
func (m *columnPlan) bounds(ctx context.Context, row *store.Row) error {
	size := max(1, row.ElemSize)
	if row.MaxChunk/size < 1 {
		var first store.Chunk
		n := 0
		for chunk, err := range m.r.Chunks(ctx, row.ID, 0, math.MaxInt64) {
			if err != nil {
				return err
			}
			if n++; n == 1 {
				first = chunk
			}
			if n == 2 {
				break
			}
		}
		row.MaxChunk = first.Capacity / size * size
		if n < 2 {
			row.MaxChunk = max(row.MaxChunk, m.caps.ChunkSize/size*size, size)
		}
	}
	if least := (max(row.MinChunk, 1)-1)/size*size + size; row.MinChunk < 1 || row.MinChunk > row.MaxChunk || least > row.MaxChunk {
		row.MinChunk = max(size, min(m.caps.MinChunk, row.MaxChunk)/size*size)
	}
	return nil
}

// cut makes the column end where its bytes do.
func (m *columnPlan) cut(ctx context.Context) error {
	extent, err := m.col.Extent(ctx, m.r)
	if errors.Is(err, store.ErrCorrupt) {
		return nil
	}
	if err != nil || extent >= m.col.Len() {
		return err
	}
	from, to := extent, m.col.Len()
	rows := m.rows()
	last := rows[len(rows)-1]
	last.Length = from
	id := last.ID
	s := Step{Action: Cut, Column: m.now.Name, From: from, To: to,
		Text: fmt.Sprintf("cut the length from %d to %d elements: there are no bytes for more", to, from),
		Loss: fmt.Sprintf("elements %d to %d, which are not in the file", from, to-1)}
	if len(rows) == 2 {
		s.Loss = fmt.Sprintf("where elements %d to %d lie in the data", from, to-1)
	}
	s.mend = func(ctx context.Context, m *mender) error { return m.tx.SetLength(ctx, id, from) }
	m.step(s)
	return m.open()
}

// inspect looks again at the column, as it is now.
func (m *columnPlan) inspect(ctx context.Context) error {
	m.kinds, m.endless = map[Kind]bool{}, m.c.endless
	m.strays, m.counts = map[store.ColumnID][]int64{}, map[store.ColumnID][]int64{}
	if m.changed() {
		// What was hidden before shows now, and what has been mended does not.
		m.found = slices.DeleteFunc(m.found, func(f Finding) bool { return f.Kind != Catalog })
		again := newChecker(m.r, m.caps, Options{Full: true, Window: m.o.Check.Window}, m.c.found)
		if err := again.column(ctx, m.now); err != nil {
			return err
		}
		if err := again.settle(); err != nil {
			return err
		}
		m.endless = again.endless
	}
	for _, f := range m.found {
		m.kinds[f.Kind] = true
	}
	return ignore(m.col.Check(ctx, m.r, func(p column.Problem) {
		id := m.now.Data.ID
		if p.Index {
			id = m.now.Index.ID
		}
		switch {
		case p.Kind == column.ProblemStray:
			m.strays[id] = append(m.strays[id], p.Chunk)
		case p.Kind == column.ProblemUsed && (p.Index || m.now.Kind == catalog.Fixed):
			m.counts[id] = append(m.counts[id], p.Chunk)
		case p.Kind == column.ProblemUsed:
			m.miscounted = true
		}
	}), store.ErrCorrupt)
}

// decide chooses the steps for what has been found.
func (m *columnPlan) decide(ctx context.Context) error {
	needed := m.kinds[Size] || m.kinds[Order] || m.kinds[Entry] || m.kinds[Short] || m.kinds[Missing] || m.kinds[Unreadable] || m.kinds[Outside]
	needed = needed || m.miscounted
	if m.kinds[Bounds] && !needed {
		fits, err := m.sameBounds(ctx)
		if err != nil {
			return err
		}
		needed = !fits
	}
	needed = needed || m.kinds[Element] && m.o.Replace
	possible := !m.endless
	if possible && (m.kinds[Unreadable] || m.kinds[Element] && m.o.Replace) {
		fits, err := m.replaceable(ctx)
		if err != nil {
			return err
		}
		possible = m.o.Replace && fits
		m.replaced = possible
	}
	m.rebuilt = needed && possible
	if err := m.keepChunks(ctx); err != nil {
		return err
	}
	if len(m.counts) > 0 && !m.rebuilt {
		counts := m.counts
		m.step(Step{Action: Recount, Column: m.now.Name, Text: "count no used bytes in chunks that do not count them", mend: func(ctx context.Context, m *mender) error {
			return m.recount(ctx, counts)
		}})
	}
	if m.rebuilt {
		m.rebuild()
	}
	return nil
}

// sameBounds gives the data of a variable-size column the maximum of its index,
// if its chunks are within it.
func (m *columnPlan) sameBounds(ctx context.Context) (fits bool, err error) {
	most := m.now.Index.MaxChunk / catalog.EntrySize * catalog.EntrySize
	for chunk, err := range m.r.Chunks(ctx, m.now.Data.ID, minNumber, maxNumber) {
		if err != nil || chunk.Capacity > most {
			return false, err
		}
	}
	m.now.Data.MaxChunk = most
	m.now.Data.MinChunk = min(m.now.Data.MinChunk, most)
	m.setRows("give both parts chunks of the same maximum")
	return true, nil
}

// replaceable tells whether what stands for lost elements is not more than the
// file: a hole may be as large as a number can say.
func (m *columnPlan) replaceable(ctx context.Context) (bool, error) {
	lost := int64(0)
	size := max(int64(m.col.Size()), catalog.EntrySize)
	most := max(m.o.Check.Size, 1<<30) / size
	err := m.col.Walk(ctx, m.r, m.o.Check.Window, func(int64, *column.Elements) error { return nil }, func(i, j int64, _ error) error {
		if lost += min(j-i, most+1); lost > most {
			return errOverlap
		}
		return nil
	})
	return err == nil, ignore(err, errOverlap)
}

// keepChunks puts chunks aside that nothing leads to, and all data where the
// index has lost a part.
func (m *columnPlan) keepChunks(ctx context.Context) error {
	strays := m.strays
	everything := m.now.Kind == catalog.VarSize && m.rebuilt && (m.replaced || m.now.Index.Length < m.before.Index.Length)
	if everything {
		strays = map[store.ColumnID][]int64{m.now.Data.ID: nil}
		if index := m.strays[m.now.Index.ID]; len(index) > 0 {
			strays[m.now.Index.ID] = index
		}
	}
	if len(strays) == 0 {
		return nil
	}
	as, err := m.freeName(ctx, m.now.Name)
	if err != nil {
		return err
	}
	n := 0
	for _, numbers := range strays {
		n += len(numbers)
	}
	text := fmt.Sprintf("keep chunks in which no element lies as %s: %d", as, n)
	if everything {
		text = fmt.Sprintf("keep the data as it is, chunk by chunk, as %s", excerpt.Line(as, excerpt.Name))
	}
	rebuilt := m.rebuilt
	m.step(Step{Action: Keep, Column: m.now.Name, As: as, Text: text, mend: func(ctx context.Context, m *mender) error {
		for _, id := range sortedIDs(strays) {
			if err := m.keep(ctx, as, id, strays[id]); err != nil {
				return err
			}
			for _, number := range strays[id] {
				if rebuilt {
					break
				}
				if err := m.tx.DropChunks(ctx, id, number, number+1); err != nil {
					return err
				}
			}
		}
		return nil
	}})
	return nil
}

func sortedIDs(of map[store.ColumnID][]int64) []store.ColumnID {
	var ids []store.ColumnID
	for id := range of {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (m *columnPlan) rebuild() {
	s := Step{Action: Rebuild, Column: m.now.Name, To: m.now.Len(), Text: fmt.Sprintf("write all %d elements anew", m.now.Len())}
	if m.replaced {
		s.Text += ", empty ones in place of those that cannot be read or decoded"
		s.Loss = "the elements that cannot be read or decoded"
	}
	id, replace := m.now.ID(), m.replaced
	s.mend = func(ctx context.Context, m *mender) error { return m.rebuild(ctx, id, replace) }
	m.step(s)
}

// mends tells whether the steps mend a finding.
func (m *columnPlan) mends(f Finding) bool {
	switch f.Kind {
	case Stray:
		return true
	case Meaning:
		return false
	case Catalog:
		spec, known := specOf(m.now)
		return !known || m.now.Size() == int64(spec.ElemSize())
	case Bounds:
		return m.rebuilt || m.now.Data.MaxChunk != m.before.Data.MaxChunk
	case Used:
		return m.rebuilt || !m.miscounted
	case Element:
		return m.replaced || !m.kinds[Element]
	}
	return m.rebuilt || !m.kinds[f.Kind]
}

package fsck

import (
	"context"
	"encoding/binary"
	"fmt"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/store"
)

// mender carries a plan out.
type mender struct {
	tx     store.Tx
	caps   store.Caps
	window int64
	// kept are the columns that have been made for what is kept.
	kept map[string]catalog.ID
}

// Mend carries out a plan that was made in the same transaction, and looks
// afterwards whether that has mended what it was to mend. An error must undo
// the transaction.
func Mend(ctx context.Context, tx store.Tx, caps store.Caps, plan *Plan, window int64) error {
	m := &mender{tx: tx, caps: caps, window: window, kept: map[string]catalog.ID{}}
	for _, s := range plan.Steps {
		if err := s.mend(ctx, m); err != nil {
			return fmt.Errorf("to %s: %w", s.Text, err)
		}
	}
	return m.verify(ctx, plan)
}

// verify looks for what should not be there any more, and for new damage.
func (m *mender) verify(ctx context.Context, plan *Plan) error {
	type place struct {
		kind          Kind
		column, table string
	}
	left := map[place]bool{}
	for _, f := range plan.Left {
		left[place{f.Kind, f.Column, f.Table}] = true
	}
	found := func(f Finding) error {
		// Pages of an index that SQLite cannot follow go after the commit.
		if f.Severity == Note || f.Kind == Unused && plan.Again || left[place{f.Kind, f.Column, f.Table}] {
			return nil
		}
		return fmt.Errorf("%w: the repair does not mend it, and was undone; salvage saves what can be read: %s%s: %s", store.ErrCorrupt, f.Column, f.Table, f.Text)
	}
	c := newChecker(m.tx, m.caps, Options{Window: m.window}, found)
	if plan.Again {
		return c.engine(ctx)
	}
	return c.run(ctx)
}

// keepHead is what stands before the bytes of a chunk that is kept: its number
// and where in it they begin, as 64-bit little-endian numbers.
const keepHead = 16

// keep puts the bytes of chunks into a column of bytes, of all of them if no
// numbers are given.
func (m *mender) keep(ctx context.Context, as string, id store.ColumnID, numbers []int64) error {
	if err := m.makeKept(ctx, as); err != nil {
		return err
	}
	_, to, err := m.open(ctx, m.kept[as])
	if err != nil {
		return err
	}
	if numbers != nil {
		for _, number := range numbers {
			if err := m.keepChunk(ctx, to, id, number); err != nil {
				return err
			}
		}
		return nil
	}
	for chunk, err := range m.tx.Chunks(ctx, id, minNumber, maxNumber) {
		if err != nil {
			return err
		}
		if err := m.keepChunk(ctx, to, id, chunk.Number); err != nil {
			return err
		}
	}
	return nil
}

func (m *mender) makeKept(ctx context.Context, as string) error {
	if _, made := m.kept[as]; made {
		return nil
	}
	e, err := catalog.Create(ctx, m.tx, as, dtype.Spec{Kind: dtype.KindBytes}, catalog.Options{}, m.caps)
	m.kept[as] = e.ID()
	return err
}

func (m *mender) keepChunk(ctx context.Context, to column.Column, id store.ColumnID, number int64) error {
	size, err := column.Stored(ctx, m.tx, id, number, m.caps.MaxValue)
	if err != nil {
		return err
	}
	for at := int64(0); at < size; {
		n := min(size-at, max(1, m.window))
		piece := make([]byte, keepHead+n)
		binary.LittleEndian.PutUint64(piece, uint64(number))
		binary.LittleEndian.PutUint64(piece[8:], uint64(at))
		if err := m.tx.ReadAt(ctx, id, []store.Span{{Chunk: number, Offset: at, Data: piece[keepHead:]}}); err != nil {
			return err
		}
		if err := to.Append(ctx, m.tx, column.Elements{Data: piece, Ends: []int{len(piece)}}); err != nil {
			return err
		}
		at += n
	}
	return nil
}

// recount makes chunks count no used bytes.
func (m *mender) recount(ctx context.Context, chunks map[store.ColumnID][]int64) error {
	for _, id := range sortedIDs(chunks) {
		for _, number := range chunks[id] {
			if err := ignore(m.tx.SetChunk(ctx, id, store.Chunk{Number: number}), store.ErrCorrupt); err != nil {
				return err // one that is not there any more is as good
			}
		}
	}
	return nil
}

// rebuild writes all elements of a column anew: into a twin first, because the
// column keeps its rows and with them its place in the catalog.
func (m *mender) rebuild(ctx context.Context, id catalog.ID, replace bool) error {
	e, old, err := m.open(ctx, id)
	if err != nil {
		return err
	}
	name, err := catalog.FreeName(ctx, m.tx, "columnvault/repair", func(string) bool { return false })
	if err != nil {
		return err
	}
	twin, err := catalog.Twin(ctx, m.tx, e, name, m.caps)
	if err != nil {
		return err
	}
	copied, err := twin.Open(m.caps)
	if err != nil {
		return err
	}
	var zero []byte
	if replace {
		zero = zeroOf(e)
	}
	if err := m.copy(ctx, old, copied, e, zero); err != nil {
		return err
	}
	if err := m.empty(ctx, e); err != nil {
		return err
	}
	e, anew, err := m.open(ctx, id)
	if err != nil {
		return err
	}
	if err := m.copy(ctx, copied, anew, e, nil); err != nil {
		return err
	}
	return catalog.Drop(ctx, m.tx, twin)
}

// empty removes the chunks of a column, and makes the parts of a pair agree.
func (m *mender) empty(ctx context.Context, e catalog.Entry) error {
	if e.Kind == catalog.Native {
		return catalog.Empty(ctx, m.tx, e)
	}
	rows := []store.Row{e.Data}
	if e.Kind == catalog.VarSize {
		most := e.Index.MaxChunk / catalog.EntrySize * catalog.EntrySize
		rows[0].MaxChunk, rows[0].MinChunk = most, min(rows[0].MinChunk, most)
		rows = append(rows, e.Index)
	}
	for _, row := range rows {
		if err := m.tx.DropChunks(ctx, row.ID, minNumber, maxNumber); err != nil {
			return err
		}
		row.Length = 0
		if err := m.tx.SetColumn(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

// zeroOf is the element that stands for a lost one.
func zeroOf(e catalog.Entry) []byte {
	if spec, known := specOf(e); known && int64(spec.ElemSize()) == e.Size() {
		return e.Attrs().Meaning(spec).Zero(spec)
	}
	return make([]byte, e.Size())
}

// copy appends the elements of one column to another. With a zero, it stands in
// for those that cannot be read or decoded; without, the first that cannot be
// read is an error.
func (m *mender) copy(ctx context.Context, from, to column.Column, e catalog.Entry, zero []byte) error {
	spec, known := specOf(e)
	meaning := e.Attrs().Meaning(spec)
	replacing := zero != nil
	found := func(i int64, b *column.Elements) error {
		if replacing && known {
			var bad []int
			undecodable(spec, meaning, from.Size(), 0, b, func(k int64, _ error) { bad = append(bad, int(k)) })
			if len(bad) > 0 {
				b = replaced(from.Size(), b, bad, zero)
			}
		}
		return to.Append(ctx, m.tx, *b)
	}
	lost := func(i, j int64, why error) error {
		if !replacing {
			return why
		}
		return m.repeat(ctx, to, zero, j-i)
	}
	return from.Walk(ctx, m.tx, m.window, found, lost)
}

// repeat appends an element n times.
func (m *mender) repeat(ctx context.Context, to column.Column, element []byte, n int64) error {
	var some column.Elements
	for step := max(1, m.window/max(1, int64(len(element)))); n > 0; n -= step {
		some.Reset()
		some.Repeat(to.Size(), element, int(min(step, n)))
		if err := to.Append(ctx, m.tx, some); err != nil {
			return err
		}
	}
	return nil
}

// replaced is the elements with another in the places that are given.
func replaced(size int, b *column.Elements, places []int, element []byte) *column.Elements {
	out := &column.Elements{}
	for k := range b.Count(size) {
		part := b.At(size, k)
		if len(places) > 0 && places[0] == k {
			part, places = element, places[1:]
		}
		out.Data = append(out.Data, part...)
		if size == 0 {
			out.Ends = append(out.Ends, len(out.Data))
		}
	}
	return out
}

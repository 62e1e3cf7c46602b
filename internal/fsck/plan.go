package fsck

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/store"
)

// Plan is what a repair does.
type Plan struct {
	Steps []Step
	// Left is what the check finds and the steps do not mend.
	Left []Finding
	// Again says that what columns lack can be seen only after these steps.
	Again bool
}

// Step is a part of a repair.
type Step struct {
	Action Action
	// Column is what is mended, Index for an index of the file.
	Column, Index string
	// As is the name of the column that gets what is kept.
	As string
	// From and To are the range of the elements at stake.
	From, To int64
	// Text says what is done, and Loss what is lost by it.
	Text, Loss string

	mend func(ctx context.Context, m *mender) error
}

// Action is what a step does.
type Action string

// The actions, in the order in which they are done to a column.
const (
	// Reindex makes an index of the file anew.
	Reindex Action = "reindex"
	// Keep puts chunks that nothing leads to into a column of bytes.
	Keep Action = "keep"
	// Complete makes a whole column of half a pair, or removes the half that
	// says nothing.
	Complete Action = "complete"
	// Correct changes what the catalog says of a column.
	Correct Action = "correct"
	// Cut makes a column end where its bytes do.
	Cut Action = "cut"
	// Recount corrects the count of used bytes.
	Recount Action = "recount"
	// Rebuild writes all elements of a column anew.
	Rebuild Action = "rebuild"
	// Shorten moves the elements at the end of a column to one of their own.
	Shorten Action = "shorten"
	// Fill adds missing or empty elements to a column.
	Fill Action = "fill"
)

// PlanOptions are what a repair may do.
type PlanOptions struct {
	// Replace puts empty elements in the place of those that cannot be read or
	// decoded, and where Fill needs elements that cannot be missing.
	Replace bool
	// Cut and Fill name tables whose columns are made as short as the shortest,
	// or as long as the longest.
	Cut, Fill []string
	// Check are the options of the check: Full is implied.
	Check Options
}

// MakePlan looks for what is wrong and decides what to do about it.
func MakePlan(ctx context.Context, r store.Reader, caps store.Caps, o PlanOptions) (*Plan, error) {
	o.Check.Full = true
	p := &planner{r: r, caps: caps, o: o, plan: &Plan{}, names: map[string]bool{}}
	p.c = newChecker(r, caps, o.Check, func(f Finding) error {
		if f.Severity > Note {
			p.found = append(p.found, f)
		}
		return nil
	})
	if err := p.run(ctx); err != nil {
		return nil, err
	}
	p.c.done = p.c.total()
	p.c.advance(0)
	return p.plan, nil
}

type planner struct {
	r     store.Reader
	caps  store.Caps
	o     PlanOptions
	c     *checker
	plan  *Plan
	names map[string]bool // that steps give
	// found is what the check has found of the part that it looks at.
	found []Finding
}

func (p *planner) run(ctx context.Context) error {
	if err := p.c.engine(ctx); err != nil {
		return err
	}
	p.c.advance(p.o.Check.Size)
	switch {
	case p.c.structure:
		// What is missing may only be hidden: the whole check tells, and
		// nothing is touched.
		if _, err := p.c.columns(ctx); err != nil {
			return err
		}
		err := p.c.tables(ctx)
		p.leave(nil)
		return err
	case p.c.index:
		return p.indexes()
	}
	for _, f := range p.c.below {
		if f.Kind == store.FoundOrphan && f.Column != 0 {
			if err := p.orphan(ctx, f); err != nil {
				return err
			}
		}
	}
	if len(p.plan.Steps) >= 2*most {
		// Nobody reports them without end.
		p.plan.Left = append(p.plan.Left, Finding{Kind: Orphan, Severity: Hazard, Chunk: -1, Text: "there may be more chunks of no column, which another repair keeps"})
	}
	p.leave(func(f Finding) bool { return f.Kind == Orphan })
	if err := p.columns(ctx); err != nil || p.plan.Again {
		return err
	}
	err := p.c.tables(ctx)
	p.leave(nil)
	return err
}

// leave keeps what was found and is not mended, and forgets the rest. It tells
// whether that means that elements may be lost, or lie elsewhere.
func (p *planner) leave(mended func(f Finding) bool) (lost bool) {
	for _, f := range p.found {
		if mended == nil || !mended(f) {
			p.plan.Left = append(p.plan.Left, f)
			lost = lost || f.Kind != Element && f.Kind != Meaning
		}
	}
	p.found = nil
	return lost
}

func (p *planner) step(s Step) { p.plan.Steps = append(p.plan.Steps, s) }

// indexes makes damaged indexes anew. Until then nobody knows what is missing.
func (p *planner) indexes() error {
	p.plan.Again = true
	var names []string
	for _, f := range p.c.below {
		if f.Kind == store.FoundIndex && f.Index != "" && !slices.Contains(names, f.Index) {
			names = append(names, f.Index)
			p.step(Step{Action: Reindex, Index: f.Index, Text: fmt.Sprintf("make the index %s of the table %s anew", f.Index, f.Table),
				mend: func(ctx context.Context, m *mender) error { return m.tx.Reindex(ctx, f.Index) }})
		}
	}
	p.leave(func(f Finding) bool { return f.Kind == Index })
	return nil
}

// index makes an index be one again.
func (p *planner) index(e catalog.Entry, size int64) {
	p.plan.Again = true
	row := e.Data
	row.ElemSize = size
	p.step(Step{Action: Correct, Column: e.Name, Text: fmt.Sprintf("say in the catalog that index entries have %d bytes", size),
		mend: func(ctx context.Context, m *mender) error { return m.tx.SetColumn(ctx, row) }})
}

// freeName is a name that nothing has and no step gives.
func (p *planner) freeName(ctx context.Context, name string) (string, error) {
	name, err := catalog.FreeName(ctx, p.r, recovered+name, func(name string) bool { return p.names[name] })
	p.names[name] = true
	return name, err
}

// orphan keeps the chunks of a column that does not exist.
func (p *planner) orphan(ctx context.Context, f store.Finding) error {
	as, err := p.freeName(ctx, fmt.Sprint(f.Number))
	if err != nil {
		return err
	}
	p.step(Step{Action: Keep, As: as, Text: fmt.Sprintf("keep the chunks of no column with the number %d as %s", f.Number, as),
		mend: func(ctx context.Context, m *mender) error {
			if err := m.keep(ctx, as, f.Column, nil); err != nil {
				return err
			}
			return m.tx.DropColumn(ctx, f.Column)
		}})
	return nil
}

func (p *planner) columns(ctx context.Context) error {
	entries, err := catalog.List(ctx, p.r)
	if err != nil {
		return err // the check of the engine has read the catalog
	}
	for _, e := range entries {
		if size, ok := catalog.StrayIndex(e); ok {
			p.index(e, size)
		}
	}
	if p.plan.Again {
		return nil
	}
	var all groups
	for _, e := range entries {
		if err := p.c.column(ctx, e); err != nil {
			return err
		}
		if err := p.c.settle(); err != nil {
			return err
		}
		if e.Refused() != nil {
			p.leave(nil)
			continue
		}
		m := member{Entry: e, length: e.Len(), doubtful: e.Kind == catalog.Half}
		if len(p.found) > 0 {
			now, mended, err := p.column(ctx, e)
			if err != nil {
				return err
			}
			m.length = now.Len()
			m.doubtful = p.leave(mended) || m.doubtful
		}
		all.add(m)
	}
	return p.level(ctx, &all)
}

// column decides what to do about a column in which something was found. It
// returns what the column will be, and which of the findings that mends.
func (p *planner) column(ctx context.Context, e catalog.Entry) (now catalog.Entry, mended func(Finding) bool, err error) {
	if e.Kind == catalog.Half {
		mended, err = p.half(ctx, e)
		return e, mended, err
	}
	m := &columnPlan{planner: p, before: e, now: e}
	if err := m.correct(ctx); err != nil {
		return e, nil, err
	}
	if m.hopeless {
		return e, nil, nil
	}
	if err := m.cut(ctx); err != nil {
		return e, nil, err
	}
	if err := m.inspect(ctx); err != nil {
		return e, nil, err
	}
	if err := m.decide(ctx); err != nil {
		return e, nil, err
	}
	return m.now, m.mends, nil
}

// half completes a variable-size column of which only one part exists. What
// chunks the part has are kept: nothing says where elements begin and end in
// the data, and what an index without data says is of no use.
func (p *planner) half(ctx context.Context, e catalog.Entry) (func(Finding) bool, error) {
	part, spec := e.Data, dtype.Spec{}
	if e.Data.ID == 0 {
		part = e.Index
	} else {
		names := catalog.NamesOf(e.Name)
		others, err := p.r.Lookup(ctx, names.Plain, names.Index)
		if err != nil || len(others) > 0 {
			return nil, err // something has a name that is needed
		}
		spec, _ = specOf(e)
	}
	used := false
	for _, err := range p.r.Chunks(ctx, part.ID, minNumber, maxNumber) {
		if err != nil {
			return nil, err
		}
		used = true
		break
	}
	if used {
		as, err := p.freeName(ctx, e.Name)
		if err != nil {
			return nil, err
		}
		p.step(Step{Action: Keep, Column: e.Name, As: as, Text: fmt.Sprintf("keep the chunks of %s as %s", part.Name, as),
			mend: func(ctx context.Context, m *mender) error { return m.keep(ctx, as, part.ID, nil) }})
	}
	s := Step{Action: Complete, Column: e.Name}
	chunks := catalog.Options{MinChunk: part.MinChunk, MaxChunk: part.MaxChunk}
	if part.MinChunk < 1 || part.MinChunk > part.MaxChunk || part.MaxChunk < catalog.EntrySize || part.MaxChunk > 1<<30 {
		chunks = catalog.Options{}
	}
	chunks.Home = part.Home
	if e.Data.ID != 0 {
		s.Text = "make an empty column of the half that there is"
		s.mend = func(ctx context.Context, m *mender) error {
			if err := m.tx.DropChunks(ctx, part.ID, minNumber, maxNumber); err != nil {
				return err
			}
			_, err := catalog.Create(ctx, m.tx, e.Name, spec, chunks, m.caps)
			return err
		}
	} else {
		s.Text = "remove the half that there is, the index of nothing"
		s.mend = func(ctx context.Context, m *mender) error { return catalog.Drop(ctx, m.tx, e) }
	}
	p.step(s)
	return func(Finding) bool { return true }, nil
}

// ignore is err, unless it is of that kind.
func ignore(err, kind error) error {
	if errors.Is(err, kind) {
		return nil
	}
	return err
}

package fsck

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// group is the columns whose names are the same up to their last dot. They may
// be the rows of a table, but nothing in the file says so. So columns of unequal
// length are nothing wrong, and they are made equal only for who names the
// table.
type group struct {
	name    string
	columns []member
}

// member is a column of a group.
type member struct {
	catalog.Entry
	// length is the number of elements, as it will be when all else is mended.
	length int64
	// doubtful says that elements of it may be lost, and it is not mended.
	doubtful bool
}

// groups are all of them, in the order in which they were created.
type groups struct {
	all    []*group
	byName map[string]*group
}

// recovered begins the names of columns with what a repair has kept.
const recovered = "recovered/"

func (g *groups) add(m member) {
	at := strings.LastIndexByte(m.Name, '.')
	if at < 1 || strings.HasPrefix(m.Name, recovered) || m.length < 0 {
		return
	}
	of := g.byName[m.Name[:at]]
	if of == nil {
		if g.byName == nil {
			g.byName = map[string]*group{}
		}
		of = &group{name: m.Name[:at]}
		g.byName[of.name] = of
		g.all = append(g.all, of)
	}
	of.columns = append(of.columns, m)
}

// ends are the shortest and the longest column.
func (g *group) ends() (shortest, longest member) {
	byLength := func(a, b member) int { return int(min(1, max(-1, a.length-b.length))) }
	return slices.MinFunc(g.columns, byLength), slices.MaxFunc(g.columns, byLength)
}

// finding is about unequal lengths. There is none if they are equal.
func (g *group) finding() (f Finding, uneven bool) {
	shortest, longest := g.ends()
	name := func(m member) string { return excerpt.Line(m.Name, excerpt.Name) }
	return Finding{Kind: Uneven, Table: g.name, Chunk: -1, From: shortest.length, To: longest.length,
		Text: fmt.Sprintf("columns that begin with %s have unequal lengths, from %d (%s) to %d (%s); if they are a table, no rows can be written until a repair that is given its name cuts or fills it",
			excerpt.Quote(g.name+".", excerpt.Name), shortest.length, name(shortest), longest.length, name(longest))}, shortest.length < longest.length
}

// uneven notes the groups whose columns have unequal lengths.
func (c *checker) uneven(entries []catalog.Entry) error {
	if c.structure {
		return nil // columns may be hidden
	}
	var g groups
	for _, e := range entries {
		if e.Kind == catalog.Fixed || e.Kind == catalog.VarSize || e.Kind == catalog.Native {
			g.add(member{Entry: e, length: e.Len()})
		}
	}
	for _, of := range g.all {
		if f, uneven := of.finding(); uneven {
			c.emit(f)
		}
	}
	return c.settle()
}

// level makes the columns of tables equal in length, where that is asked for.
func (p *planner) level(ctx context.Context, g *groups) error {
	for _, name := range slices.Concat(p.o.Cut, p.o.Fill) {
		switch {
		case g.byName[name] == nil:
			return fmt.Errorf("%w: no column has a name that begins with %s", store.ErrNotFound, excerpt.Quote(name+".", excerpt.Name))
		case slices.Contains(p.o.Cut, name) && slices.Contains(p.o.Fill, name):
			return fmt.Errorf("%w: the table %s is to be cut, and to be filled", store.ErrInvalidArgument, excerpt.Quote(name, excerpt.Name))
		}
	}
	for _, of := range g.all {
		f, uneven := of.finding()
		if !uneven {
			continue
		}
		var why string
		var err error
		switch {
		case slices.Contains(p.o.Cut, of.name):
			why, err = p.cutTable(ctx, of)
		case slices.Contains(p.o.Fill, of.name):
			why = p.fillTable(of)
		default:
			p.plan.Left = append(p.plan.Left, f)
		}
		if err != nil {
			return err
		}
		if why != "" {
			f.Severity, f.Text = Hazard, why
			p.plan.Left = append(p.plan.Left, f)
		}
	}
	return nil
}

// doubt says why a table is left alone: a column of it is not what it was.
func (g *group) doubt() string {
	for _, m := range g.columns {
		if m.doubtful {
			return fmt.Sprintf("the columns have unequal lengths, and what is wrong with %s has to be mended first", excerpt.Line(m.Name, excerpt.Name))
		}
	}
	return ""
}

// cutTable makes all columns as short as the shortest, and keeps what it cuts
// off.
func (p *planner) cutTable(ctx context.Context, g *group) (why string, err error) {
	if why = g.doubt(); why != "" {
		return why, nil
	}
	shortest, _ := g.ends()
	n := shortest.length
	for _, c := range g.columns {
		if c.length == n {
			continue
		}
		as, err := p.freeName(ctx, c.Name)
		if err != nil {
			return "", err
		}
		id, to := c.ID(), c.length
		p.step(Step{Action: Shorten, Column: c.Name, As: as, From: n, To: to,
			Text: fmt.Sprintf("cut %s off, and keep that as %s", rangeText(n, to), excerpt.Line(as, excerpt.Name)),
			mend: func(ctx context.Context, m *mender) error { return m.shorten(ctx, id, as, n, to) }})
	}
	return "", nil
}

// fillTable makes all columns as long as the longest: with missing elements, or
// with empty ones if these may take the place of others.
func (p *planner) fillTable(g *group) (why string) {
	if why = g.doubt(); why != "" {
		return why
	}
	_, longest := g.ends()
	var steps []Step
	for _, c := range g.columns {
		if c.length == longest.length {
			continue
		}
		spec, known := specOf(c.Entry)
		missing := known && c.Attrs().Meaning(spec).Null
		if !known || !missing && !p.o.Replace {
			return fmt.Sprintf("the columns have unequal lengths, and %s cannot be filled, because its elements cannot be missing: empty ones can be put there if that is asked for, or the table can be cut",
				excerpt.Line(c.Name, excerpt.Name))
		}
		id, n := c.ID(), longest.length-c.length
		what := "an empty one"
		if missing {
			what = "a missing one"
		}
		steps = append(steps, Step{Action: Fill, Column: c.Name, From: c.length, To: longest.length,
			Text: fmt.Sprintf("add %s, each of them %s", rangeText(c.length, longest.length), what),
			mend: func(ctx context.Context, m *mender) error { return m.fill(ctx, id, n) }})
	}
	p.plan.Steps = append(p.plan.Steps, steps...)
	return ""
}

// shorten moves the elements from i up to j, with which the column ends, to a
// column of their own.
func (m *mender) shorten(ctx context.Context, id catalog.ID, as string, i, j int64) error {
	e, from, err := m.open(ctx, id)
	if err != nil {
		return err
	}
	kept, err := catalog.Twin(ctx, m.tx, e, as, m.caps)
	if err != nil {
		return err
	}
	to, err := kept.Open(m.caps)
	if err != nil {
		return err
	}
	var part column.Elements
	for at := i; at < j; {
		part.Reset()
		if at, err = from.Read(ctx, m.tx, &part, at, j, m.window); err != nil {
			return err
		}
		if err := to.Append(ctx, m.tx, part); err != nil {
			return err
		}
	}
	return from.Delete(ctx, m.tx, i, j)
}

// fill adds n elements that are missing, or empty, to the column.
func (m *mender) fill(ctx context.Context, id catalog.ID, n int64) error {
	e, c, err := m.open(ctx, id)
	if err != nil {
		return err
	}
	return m.repeat(ctx, c, zeroOf(e), n)
}

func (m *mender) open(ctx context.Context, id catalog.ID) (catalog.Entry, column.Column, error) {
	e, err := catalog.FindID(ctx, m.tx, id)
	if err != nil {
		return e, nil, err
	}
	c, err := e.Open(m.caps)
	return e, c, err
}

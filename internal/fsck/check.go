package fsck

import (
	"context"
	"errors"
	"fmt"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// Options are what a check does.
type Options struct {
	// Full reads and decodes everything.
	Full bool
	// Digest adds a digest of every column and table, and implies Full.
	Digest bool
	// Progress is called with the bytes that have been looked at.
	Progress func(done, total int64)
	// Size is the size of the file in bytes, for Progress.
	Size int64
	// Window is the number of bytes that are read at once.
	Window int64
}

// most is how many findings of a kind are reported of a column: one damaged
// chunk may show in a million elements.
const most = 50

// Check looks for what is wrong and calls found with it. It ends with the first
// error of found, or one of the storage as a whole.
func Check(ctx context.Context, r store.Reader, caps store.Caps, o Options, found func(Finding) error) error {
	return newChecker(r, caps, o, found).run(ctx)
}

type checker struct {
	r     store.Reader
	caps  store.Caps
	o     Options
	found func(Finding) error
	// seen counts the findings of each kind, of the column or table that is
	// looked at.
	seen map[Kind]*seenKind
	// err is the first error of found.
	err error
	// structure says that the storage itself is damaged, so that nothing that
	// is missing is missing for certain; index says so of its indexes.
	structure, index bool
	// below is what the storage engine has found.
	below []store.Finding
	// endless says that the elements of the last column could not all be read,
	// because they have more bytes than there are.
	endless bool
	// fixed says that the column that is looked at cannot be changed.
	fixed bool
	done  int64
	// beside is the engine's own check, if it goes on beside. held are findings
	// that come after its.
	beside *beside
	held   []heldFinding
}

// seenKind is how often a kind was seen, and the last of it.
type seenKind struct {
	n    int
	last Finding
}

func newChecker(r store.Reader, caps store.Caps, o Options, found func(Finding) error) *checker {
	o.Full = o.Full || o.Digest
	return &checker{r: r, caps: caps, o: o, found: found, seen: map[Kind]*seenKind{}}
}

func (c *checker) run(ctx context.Context) error {
	c.advance(0)
	if err := c.startBeside(ctx); err != nil {
		return err
	}
	defer c.endBeside()
	if c.beside == nil {
		if err := c.engine(ctx); err != nil {
			return err
		}
	}
	c.advance(c.o.Size)
	unread, err := c.columns(ctx)
	if err != nil {
		return err
	}
	if err := c.tables(ctx); err != nil {
		return err
	}
	if err := c.joinBeside(); err != nil {
		return err
	}
	c.done = c.total()
	c.advance(0)
	c.notes(unread)
	return c.err
}

// total is what Progress counts to: the file once for the engine's own check,
// and again for what is decoded.
func (c *checker) total() int64 {
	if c.o.Full {
		return 2 * c.o.Size
	}
	return c.o.Size
}

func (c *checker) advance(n int64) {
	if c.o.Progress != nil {
		c.done = min(c.done+n, c.total())
		c.o.Progress(c.done, c.total())
	}
}

// emit reports a finding, unless there have been many of its kind.
func (c *checker) emit(f Finding) {
	s := c.seen[f.Kind]
	if s == nil {
		s = &seenKind{}
		c.seen[f.Kind] = s
	}
	if s.n++; s.n > most {
		s.last = f
		return
	}
	c.send(f)
}

func (c *checker) send(f Finding) {
	if c.beside != nil {
		if c.held = append(c.held, heldFinding{f, c.fixed}); len(c.held) >= maxHeld && c.err == nil {
			c.err = c.joinBeside()
		}
		return
	}
	if f.Severity > Note || f.Kind == Uneven {
		f.Repairable, f.Loss = f.Kind.mends()
		if c.fixed || c.structure && f.Kind != Index {
			f.Repairable, f.Loss = false, ""
		}
	}
	if c.err == nil {
		c.err = c.found(f)
	}
}

// settle reports what was too much, and begins to count anew: for another
// column or table.
func (c *checker) settle() error {
	for kind, s := range c.seen {
		if more := s.n - most; more > 0 {
			c.send(Finding{Kind: kind, Severity: s.last.Severity, Column: s.last.Column, Table: s.last.Table, Chunk: -1,
				Text: fmt.Sprintf("and %d more of this kind", more)})
		}
	}
	clear(c.seen)
	c.fixed = false
	return c.err
}

func severityOf(damage bool) Severity {
	if damage {
		return Damage
	}
	return Hazard
}

// engine lets the storage engine check, and reports what it finds.
func (c *checker) engine(ctx context.Context) error {
	below, err := c.r.Verify(ctx, c.o.Full)
	if err != nil {
		return err
	}
	return c.report(below)
}

// report reports what the storage engine has found.
func (c *checker) report(below []store.Finding) error {
	c.below = below
	for _, f := range below {
		c.structure = c.structure || f.Kind == store.FoundStructure
		c.index = c.index || f.Kind == store.FoundIndex
	}
	for _, f := range below {
		if f.Kind == store.FoundOrphan && f.Column == 0 {
			f.Kind = store.FoundRow // no ID leads to them
		}
		c.send(Finding{Kind: Kind(f.Kind), Severity: severityOf(f.Damage), Table: f.Table, Chunk: -1, Bytes: f.Bytes, Text: f.Text})
	}
	return c.err
}

// columns looks at every column, and returns how many it cannot read.
func (c *checker) columns(ctx context.Context) (unread int, err error) {
	entries, err := catalog.List(ctx, c.r)
	if errors.Is(err, store.ErrCorrupt) {
		c.send(Finding{Kind: Structure, Severity: Damage, Chunk: -1, Text: "the catalog cannot be read: " + err.Error()})
		return 0, c.err
	}
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if err := c.column(ctx, e); err != nil {
			return 0, err
		}
		if err := c.settle(); err != nil {
			return 0, err
		}
	}
	return unread, c.uneven(entries)
}

// column looks at one column. Only an error of the storage as a whole ends the
// check.
func (c *checker) column(ctx context.Context, e catalog.Entry) error {
	c.endless, c.fixed = false, e.Refused() != nil
	if e.Kind == catalog.Half {
		c.emit(Finding{Kind: Half, Severity: Hazard, Column: e.Name, Chunk: -1,
			Text: "only half of a variable-size column exists: 0.8.6 can neither open nor create it"})
		return nil
	}
	if size, ok := catalog.StrayIndex(e); ok {
		c.damaged(e, Catalog, fmt.Sprintf("the catalog gives the entries of an index %d bytes, and they have %d: its column cannot be found", e.Size(), size))
		return nil
	}
	spec, known := specOf(e)
	if known {
		if want := int64(spec.ElemSize()); e.Size() != want {
			known = false
			c.damaged(e, Catalog, fmt.Sprintf("the catalog gives elements of %s a size of %d bytes, and they have %d",
				excerpt.Line(e.DType, excerpt.Name), e.Size(), want))
		}
	}
	if err := e.Attrs().Check(spec); known && err != nil {
		c.emit(Finding{Kind: Meaning, Severity: Hazard, Column: e.Name, Chunk: -1,
			Text: fmt.Sprintf("what elements mean is not said clearly, and so they are plain %s: %v", excerpt.Line(e.DType, excerpt.Name), err)})
	}
	col, err := e.Open(c.caps)
	if errors.Is(err, store.ErrCorrupt) {
		c.damaged(e, Catalog, err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	err = col.Check(ctx, c.r, func(p column.Problem) { c.emit(findingOf(e, p)) })
	if errors.Is(err, store.ErrCorrupt) {
		c.damaged(e, Unreadable, err.Error())
		err = nil
	}
	if errors.Is(err, errors.ErrUnsupported) {
		c.emit(Finding{Kind: Unread, Column: e.Name, Chunk: -1, Text: fmt.Sprintf("the column was not looked at: %v", err)})
		return nil
	}
	if err == nil && c.o.Full {
		err = c.elements(ctx, e, col, spec, known)
	}
	return err
}

// specOf parses the dtype of a column. One that is not known is of another
// version, for all we know.
func specOf(e catalog.Entry) (dtype.Spec, bool) {
	spec, err := dtype.ParseSpec(e.DType)
	return spec, err == nil
}

func (c *checker) damaged(e catalog.Entry, kind Kind, text string) {
	c.emit(Finding{Kind: kind, Severity: Damage, Column: e.Name, Chunk: -1, Text: text})
}

func findingOf(e catalog.Entry, p column.Problem) Finding {
	f := Finding{Kind: Kind(p.Kind), Severity: severityOf(p.Damage), Column: e.Name, Chunk: -1, From: p.From, To: p.To, Bytes: p.Bytes, Text: p.Text}
	if p.Kind.Chunked() {
		f.Chunk = p.Chunk
	}
	return f
}

// notes say what has not been looked at.
func (c *checker) notes(unread int) {
	if !c.o.Full {
		c.send(Finding{Kind: Unread, Chunk: -1, Text: "the elements of columns and the values of key-value tables were not decoded: bytes that have changed in them are not found"})
	}
	if unread > 0 {
		c.send(Finding{Kind: Unread, Chunk: -1, Text: fmt.Sprintf("columns in layouts that this version does not read: %d", unread)})
	}
}

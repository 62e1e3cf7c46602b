package columnvault

import (
	"context"
	"errors"
	"iter"

	"columnvault/internal/catalog"
	"columnvault/internal/column"
)

// Stat is what a column takes in the file, in elements and bytes.
type Stat struct {
	Elements int
	// Live is the size of all elements; Dead is what lies unused between and
	// after them in the chunks; Capacity is the size of the chunks.
	Live, Dead, Capacity int64
	Chunks               int
	// Smallest, Largest and Mean are sizes of elements; 0 in an empty column.
	Smallest, Largest int64
	Mean              float64
}

// Stat measures the column. Of a variable-size column it reads the index, 12
// bytes an element.
func (c *Column[T]) Stat(ctx context.Context) (s Stat, err error) {
	err = c.read(ctx, "stat", func(o *opened) error {
		m, err := o.Stat(ctx, o.tx.r)
		s = Stat{Elements: int(m.Elements), Live: m.LiveBytes, Dead: m.DeadBytes, Capacity: m.Capacity,
			Chunks: int(m.Chunks), Smallest: m.Smallest, Largest: m.Largest}
		if s.Elements > 0 {
			s.Mean = float64(s.Live) / float64(s.Elements)
		}
		return err
	})
	return s, err
}

// Problem is a rule of the format that the vault breaks.
type Problem struct {
	// Column is the name of the column, empty for the vault as a whole.
	Column string
	// Damage says that elements cannot be read, or not for certain as what
	// they were. Otherwise everything can be read, but KohakuVault 0.8.6 may
	// fail or do damage when it goes on writing, or space is wasted.
	Damage bool
	Text   string
}

// Check looks for damage, and whether the vault keeps every rule of the format,
// and yields what it finds. SQLite's own check reads every page of the file and
// compares its indexes with its tables; of the columns Check reads the indexes
// of variable-size ones and a little of every chunk, all in one snapshot. It
// does not decode the values of columns and of key-value tables: bytes that
// have changed in them are not found. An error ends it.
func (s *scope) Check(ctx context.Context) iter.Seq2[Problem, error] {
	return func(yield func(Problem, error) bool) {
		err := s.view(ctx, "check", "", func(tx *Tx) error { return tx.check(ctx, yield) })
		if err != nil && !errors.Is(err, errStop) {
			yield(Problem{}, err)
		}
	}
}

func (tx *Tx) check(ctx context.Context, yield func(Problem, error) bool) error {
	below, err := tx.r.Verify(ctx)
	if err != nil {
		return err
	}
	for _, f := range below {
		if !yield(Problem{Damage: f.Damage, Text: f.Text}, nil) {
			return errStop
		}
	}
	entries, err := catalog.List(ctx, tx.r)
	if errors.Is(err, ErrCorrupt) && !yield(Problem{Damage: true, Text: "the catalog cannot be read: " + err.Error()}, nil) {
		return errStop
	}
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return err
	}
	for _, e := range entries {
		found, err := catalog.Check(ctx, tx.r, e, tx.v.store.Caps())
		if errors.Is(err, ErrCorrupt) {
			found, err = append(found, column.Problem{Damage: true, Text: err.Error()}), nil
		}
		if err != nil {
			return err
		}
		for _, p := range found {
			if !yield(Problem{Column: e.Name, Damage: p.Damage, Text: p.Text}, nil) {
				return errStop
			}
		}
	}
	return nil
}

package columnvault

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"columnvault/internal/catalog"
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

// Check looks whether the vault keeps every rule of the format, and yields what
// breaks one. It reads the indexes of variable-size columns and a little of
// every chunk, in one snapshot. An error ends it.
func (s *scope) Check(ctx context.Context) iter.Seq2[Problem, error] {
	return func(yield func(Problem, error) bool) {
		err := s.view(ctx, "check", "", func(tx *Tx) error { return tx.check(ctx, yield) })
		if err != nil && !errors.Is(err, errStop) {
			yield(Problem{}, err)
		}
	}
}

func (tx *Tx) check(ctx context.Context, yield func(Problem, error) bool) error {
	entries, err := catalog.List(ctx, tx.r)
	if err != nil {
		return err
	}
	for _, e := range entries {
		found, err := catalog.Check(ctx, tx.r, e, tx.v.store.Caps())
		if err != nil {
			return err
		}
		for _, p := range found {
			if !yield(Problem{Column: e.Name, Damage: p.Damage, Text: p.Text}, nil) {
				return errStop
			}
		}
	}
	orphans, err := tx.r.Orphans(ctx)
	if err == nil && orphans > 0 {
		text := fmt.Sprintf("chunks that belong to no column: %d; a column created later could inherit them", orphans)
		if !yield(Problem{Text: text}, nil) {
			return errStop
		}
	}
	return err
}

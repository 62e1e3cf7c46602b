package columnvault

import "context"

// Stat is what a column takes in the file, in elements and bytes.
type Stat struct {
	Elements int
	// Live is the size of all elements; Dead is what lies unused between and
	// after them in the chunks; Capacity is the size of the chunks. Slack is the
	// part of Dead that lies after the last element of each chunk, where there
	// is room for more.
	Live, Dead, Capacity, Slack int64
	Chunks                      int
	// Smallest, Largest and Mean are sizes of elements; 0 in an empty column.
	Smallest, Largest int64
	Mean              float64
}

// Stat measures the column. Of a variable-size column it reads the index, 12
// bytes an element.
func (c *Column[T]) Stat(ctx context.Context) (s Stat, err error) {
	err = c.read(ctx, "stat", func(o *opened) error {
		m, err := o.Stat(ctx, o.tx.r)
		s = Stat{Elements: int(m.Elements), Live: m.LiveBytes, Dead: m.DeadBytes, Capacity: m.Capacity, Slack: m.Slack,
			Chunks: int(m.Chunks), Smallest: m.Smallest, Largest: m.Largest}
		if s.Elements > 0 {
			s.Mean = float64(s.Live) / float64(s.Elements)
		}
		return err
	})
	return s, err
}

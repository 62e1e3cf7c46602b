package column_test

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"columnvault/internal/column"
	"columnvault/internal/store"
	"columnvault/internal/store/storetest"
)

// scatter replaces elements that lie more or less close together, in any order,
// some of them twice.
func (m *model) scatter(rt *rapid.T) {
	var at []int64
	step := rapid.IntRange(1, 12).Draw(rt, "step")
	for i := rapid.IntRange(0, len(m.values)).Draw(rt, "first"); i < len(m.values); i += step {
		at = append(at, int64(i))
	}
	if len(at) > 0 {
		at = append(at, rapid.SliceOfN(rapid.SampledFrom(at), 0, 3).Draw(rt, "twice")...)
		at = rapid.Permutation(at).Draw(rt, "at")
	}
	values := m.fresh(rt, len(at))
	m.change(rt, func(tx store.Tx, c column.Column) error {
		return column.Scatter(m.ctx, tx, c, at, m.shape.encode(values))
	})
	for k, i := range at {
		m.values[i] = values[k]
	}
}

// TestScatterAsks: elements that lie close together are found and written with
// less than a question for each, although the chunks of this engine are small.
func TestScatterAsks(t *testing.T) {
	counter := storetest.NewCounter(storetest.NewMemory())
	for _, shape := range []shape{{size: 8, min: 104, max: 1 << 20}, {min: 16, max: 1 << 20}} {
		name := "fixed"
		if shape.size == 0 {
			name = "of varying size"
		}
		ctx := t.Context()
		if err := shape.create(ctx, counter, name); err != nil {
			t.Fatal(err)
		}
		var at []int64
		var values []string
		for i := range 2000 {
			values = append(values, "12345678")
			at = append(at, int64((i*7+1)%2000))
		}
		err := counter.Update(ctx, func(tx store.Tx) error {
			c, err := shape.open(ctx, tx, name)
			return errors.Join(err, c.Append(ctx, tx, shape.encode(values)))
		})
		if err != nil {
			t.Fatal(err)
		}
		at = slices.DeleteFunc(at, func(i int64) bool { return i%3 != 0 })
		values = values[:len(at)]
		for i := range values {
			if values[i] = "abcdefgh"; shape.size == 0 {
				values[i] += "ij"
			}
		}
		counts, err := counter.During(func() error {
			return counter.Update(ctx, func(tx store.Tx) error {
				c, err := shape.open(ctx, tx, name)
				return errors.Join(err, column.Scatter(ctx, tx, c, at, shape.encode(values)))
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := counts.Total(); n > len(at) {
			t.Errorf("%d elements %s: %v", len(at), name, counts)
		}
	}
}

// TestScatterRefuses what does not fit together, before anything is written.
func TestScatterRefuses(t *testing.T) {
	s := storetest.NewMemory()
	for name, shape := range map[string]shape{"fixed": {size: 8, min: 16, max: 512}, "varying": {min: 16, max: 512}} {
		if err := shape.create(t.Context(), s, name); err != nil {
			t.Fatal(err)
		}
		err := s.Update(t.Context(), func(tx store.Tx) error {
			c, err := shape.open(t.Context(), tx, name)
			if err != nil {
				return err
			}
			if err := c.Append(t.Context(), tx, shape.encode([]string{"12345678", "abcdefgh"})); err != nil {
				return err
			}
			for _, bad := range [][]int64{{0, 2}, {-1}, {0}, {}} {
				if err := column.Scatter(t.Context(), tx, c, bad, shape.encode([]string{"........", "........"})); !errors.Is(err, store.ErrInvalidArgument) {
					t.Errorf("%s, at %v: %v", name, bad, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

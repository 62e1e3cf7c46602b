package column

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"columnvault/internal/store"
)

const (
	// scatterGap is how many bytes may lie between two elements that are written
	// together. They share pages then. Of elements that vary in size more may:
	// to find a place for each that has grown costs more than to write them all.
	scatterGap    = 4 << 10
	scatterVarGap = 8 << 10
	// scatterBytes is about how much is written together at most.
	scatterBytes = 4 << 20
	// scatterLeast is how many elements that vary in size are written together at
	// least: what lies between them is stored anew if they do not fit, and fewer
	// find places of their own for less.
	scatterLeast = 64
)

// Scatter replaces the elements at these positions by those of e. Of elements for
// the same position the last counts. It is Overwrite for each, but that elements
// are written together that lie close together, with what is between them.
func Scatter(ctx context.Context, tx store.Tx, c Column, at []int64, e Elements) (err error) {
	for _, i := range at {
		if err := CheckRange(i, i+1, c.Len()); err != nil {
			return err
		}
	}
	if n := e.Count(c.Size()); n != len(at) {
		return fmt.Errorf("%w: %d elements for %d positions", store.ErrInvalidArgument, n, len(at))
	}
	if len(at) == 0 {
		return nil
	}
	defer AbortOn(tx, &err)
	s := scatter{c: c, at: at, e: e, least: 2, gap: scatterGap, mean: max(1, int64(len(e.Data)/len(at)))}
	if c.Size() == 0 {
		s.least, s.gap = scatterLeast, scatterVarGap
	}
	for order := s.order(); len(order) > 0; {
		n, err := s.some(ctx, tx, order)
		if err != nil {
			return err
		}
		order = order[n:]
	}
	return nil
}

type scatter struct {
	c     Column
	at    []int64
	e     Elements
	least int
	gap   int64
	mean  int64 // bytes of an element of the column, about
}

// order is the numbers of the elements by their positions, each position once.
func (s *scatter) order() []int {
	order := make([]int, len(s.at))
	for k := range order {
		order[k] = k
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(s.at[a], s.at[b]), cmp.Compare(a, b)) })
	kept := order[:0]
	for k, which := range order {
		if k+1 == len(order) || s.at[order[k+1]] != s.at[which] {
			kept = append(kept, which)
		}
	}
	return kept
}

// some writes the first elements of those that are left, and returns how many.
func (s *scatter) some(ctx context.Context, tx store.Tx, order []int) (int, error) {
	from, n := s.at[order[0]], 1
	for n < len(order) {
		i := s.at[order[n]]
		if (i-s.at[order[n-1]]-1)*s.mean > s.gap || (i-from)*s.mean > scatterBytes {
			break
		}
		n++
	}
	if n >= s.least {
		if done, err := s.together(ctx, tx, order[:n]); done > 0 || err != nil {
			return done, err
		}
	}
	for _, k := range order[:n] {
		if err := s.c.Overwrite(ctx, tx, s.at[k], s.one(k)); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// one is the element k alone.
func (s *scatter) one(k int) Elements {
	data := s.e.At(s.c.Size(), k)
	if s.c.Size() > 0 {
		return Elements{Data: data}
	}
	return Elements{Data: data, Ends: []int{len(data)}}
}

// together writes elements with what lies between them, and returns how many: 0
// where that is too much, or cannot be read, which is none of their business.
func (s *scatter) together(ctx context.Context, tx store.Tx, order []int) (int, error) {
	var old, all Elements
	from, to := s.at[order[0]], s.at[order[len(order)-1]]+1
	to, err := s.c.Read(ctx, tx, &old, from, to, scatterBytes)
	if errors.Is(err, store.ErrCorrupt) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	s.mean = max(s.mean, int64(len(old.Data))/(to-from))
	size, n := s.c.Size(), 0
	for i := from; i < to; i++ {
		data := old.At(size, int(i-from))
		if n < len(order) && s.at[order[n]] == i {
			data = s.e.At(size, order[n])
			n++
		}
		all.Data = append(all.Data, data...)
		if size == 0 {
			all.Ends = append(all.Ends, len(all.Data))
		}
	}
	if n < s.least || int64(len(old.Data)) > 2*int64(n)*s.gap {
		return 0, nil
	}
	return n, s.c.Overwrite(ctx, tx, from, all)
}

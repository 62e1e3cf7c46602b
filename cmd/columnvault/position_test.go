package main

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/spf13/cobra"
)

// pythonSlice is list(range(n))[start:stop:step] as Python's documentation
// describes it; nil is a missing part.
func pythonSlice(n int, start, stop *int, step int) (positions []int) {
	bound := func(b *int, missing int) int {
		switch {
		case b == nil:
			return missing
		case *b < 0:
			return *b + n
		}
		return *b
	}
	if step > 0 {
		from, to := max(bound(start, 0), 0), min(bound(stop, n), n)
		for i := from; i < to; i += step {
			positions = append(positions, i)
		}
		return positions
	}
	from, to := min(bound(start, n-1), n-1), max(bound(stop, -1), -1)
	for i := from; i > to; i += step {
		positions = append(positions, i)
	}
	return positions
}

func TestBounds(t *testing.T) {
	cmd := &cobra.Command{}
	parts := []*int{nil}
	for i := -6; i <= 6; i++ {
		parts = append(parts, &i)
	}
	text := func(p *int) string {
		if p == nil {
			return ""
		}
		return strconv.Itoa(*p)
	}
	for n := range 6 {
		for _, start := range parts {
			for _, stop := range parts {
				for _, step := range []int{-7, -2, -1, 1, 2, 7} {
					slice := text(start) + ":" + text(stop) + ":" + strconv.Itoa(step)
					b, err := parseBounds(cmd, slice)
					if err != nil {
						t.Fatal(err)
					}
					first, count := b.positions(n)
					want := pythonSlice(n, start, stop, step)
					var got []int
					for i := range count {
						got = append(got, first+i*step)
					}
					if !slices.Equal(got, want) {
						t.Fatalf("[%s] of %d: got %v, want %v", slice, n, got, want)
					}
					// In parts it is the same.
					for from := range count {
						to := min(from+2, count)
						first, size := b.part(first, from, to).positions(n)
						if size != to-from || first != got[from] {
							t.Fatalf("[%s] of %d from %d: got %d from %d", slice, n, from, size, first)
						}
					}
				}
			}
		}
	}
}

func TestBoundsExtremes(t *testing.T) {
	for _, b := range []bounds{
		{math.MinInt, math.MaxInt, math.MaxInt},
		{math.MaxInt, math.MinInt, math.MinInt},
		{math.MaxInt, math.MinInt, -math.MaxInt},
	} {
		first, count := b.positions(10)
		if part, size := b.part(first, 0, 1).positions(10); count != 1 || size != 1 || part != first {
			t.Errorf("%v: %d from %d, in parts %d from %d", b, count, first, size, part)
		}
	}
}

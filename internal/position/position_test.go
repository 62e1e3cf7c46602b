package position_test

import (
	"math"
	"slices"
	"testing"

	"columnvault/internal/position"
)

// missing is a bound that is not given, as in list[:j].
const missing = math.MaxInt32

// bounds are positions around a list of up to five elements.
var bounds = []int{missing, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7}

// pythonSlice is list(range(n))[start:stop:step] as Python's documentation
// describes it.
func pythonSlice(n, start, stop, step int) (positions []int64) {
	bound := func(b, ifMissing int) int {
		switch {
		case b == missing:
			return ifMissing
		case b < 0:
			return b + n
		}
		return b
	}
	if step > 0 {
		from, to := max(bound(start, 0), 0), min(bound(stop, n), n)
		for i := from; i < to; i += step {
			positions = append(positions, int64(i))
		}
		return positions
	}
	from, to := min(bound(start, n-1), n-1), max(bound(stop, -1), -1)
	for i := from; i > to; i += step {
		positions = append(positions, int64(i))
	}
	return positions
}

// sliceOf replaces missing bounds as Python does.
func sliceOf(start, stop, step int) position.Slice {
	s := position.Slice{Start: start, Stop: stop, Step: step}
	first, last := math.MinInt, math.MaxInt
	if step < 0 {
		first, last = last, first
	}
	if start == missing {
		s.Start = first
	}
	if stop == missing {
		s.Stop = last
	}
	return s
}

func TestSlicePositions(t *testing.T) {
	for n := range 6 {
		for _, start := range bounds {
			for _, stop := range bounds {
				for _, step := range []int{-7, -2, -1, 1, 2, 7} {
					checkSlice(t, n, start, stop, step)
				}
			}
		}
	}
}

// checkSlice compares a slice with Python's, as a whole and in parts.
func checkSlice(t *testing.T, n, start, stop, step int) {
	s := sliceOf(start, stop, step)
	first, count := s.Positions(int64(n))
	var got []int64
	for i := range count {
		got = append(got, first+i*int64(step))
	}
	if want := pythonSlice(n, start, stop, step); !slices.Equal(got, want) {
		t.Fatalf("%+v of %d: got %v, want %v", s, n, got, want)
	}
	for from := range count {
		to := min(from+2, count)
		first, size := s.Part(first, from, to).Positions(int64(n))
		if size != to-from || first != got[from] {
			t.Fatalf("%+v of %d from %d: got %d from %d", s, n, from, size, first)
		}
	}
}

func TestSliceExtremes(t *testing.T) {
	for _, s := range []position.Slice{
		{math.MinInt, math.MaxInt, math.MaxInt},
		{math.MaxInt, math.MinInt, math.MinInt},
		{math.MaxInt, math.MinInt, -math.MaxInt},
	} {
		first, count := s.Positions(10)
		if part, size := s.Part(first, 0, 1).Positions(10); count != 1 || size != 1 || part != first {
			t.Errorf("%v: %d from %d, in parts %d from %d", s, count, first, size, part)
		}
	}
}

func TestAt(t *testing.T) {
	for n := range int64(6) {
		for i := -7; i <= 7; i++ {
			want := int64(i)
			if i < 0 {
				want += n
			}
			at, ok := position.At(i, n)
			if ok != (want >= 0 && want < n) || ok && at != want {
				t.Errorf("%d of %d: got %d, %t", i, n, at, ok)
			}
		}
		for _, i := range []int{math.MinInt, math.MaxInt} {
			if at, ok := position.At(i, n); ok {
				t.Errorf("%d of %d: got %d", i, n, at)
			}
		}
	}
}

func TestRange(t *testing.T) {
	for n := range 6 {
		for _, i := range bounds {
			for _, j := range bounds {
				s := sliceOf(i, j, 1)
				from, to := position.Range(s.Start, s.Stop, int64(n))
				want := pythonSlice(n, i, j, 1)
				if to-from != int64(len(want)) || len(want) > 0 && from != want[0] {
					t.Fatalf("%+v of %d: got %d up to %d, want %v", s, n, from, to, want)
				}
				if from < 0 || to > int64(n) {
					t.Fatalf("%+v of %d: %d up to %d lies outside", s, n, from, to)
				}
				if from != position.Clamp(s.Start, int64(n)) {
					t.Fatalf("%+v of %d: begins at %d", s, n, from)
				}
			}
		}
	}
}

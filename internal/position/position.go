// Package position is Python's arithmetic of positions in lists: where list[i]
// is, and which elements list[i:j] and list[i:j:step] are.
package position

import "math"

// At returns where list[i] is in a list of n elements. Negative positions count
// from the end. ok tells whether there is such an element.
func At(i int, n int64) (at int64, ok bool) {
	at = fromStart(i, n)
	return at, 0 <= at && at < n
}

// Clamp returns where a bound of a slice is in a list of n elements. What lies
// outside of the list is moved to the nearest end.
func Clamp(i int, n int64) int64 { return max(0, min(fromStart(i, n), n)) }

// Range returns the part of a list of n elements that is list[i:j]. It is empty
// at from if j is less than i.
func Range(i, j int, n int64) (from, to int64) {
	from = Clamp(i, n)
	return from, max(from, Clamp(j, n))
}

// Slice is Python's slice(start, stop, step). The step is not 0. A missing
// bound is a number beyond the end of the list: [math.MinInt] or [math.MaxInt].
type Slice struct {
	Start, Stop, Step int
}

// Positions returns the first position of the slice in a list of n elements,
// and the number of its positions.
func (s Slice) Positions(n int64) (first, count int64) {
	if s.Step > 0 {
		from, to := Range(s.Start, s.Stop, n)
		if from == to {
			return from, 0
		}
		return from, (to-from-1)/int64(s.Step) + 1
	}
	// Downwards the bounds are positions themselves, from n-1 to -1.
	from, to := clampDown(s.Start, n), clampDown(s.Stop, n)
	if from <= to {
		return from, 0
	}
	down := uint64(-(int64(s.Step) + 1)) + 1 // -Step, for the smallest number too
	return from, int64(uint64(from-to-1)/down) + 1
}

// Part returns the slice of the elements number from up to to of a slice that
// begins at position first. It has at least one element.
func (s Slice) Part(first, from, to int64) Slice {
	step := int64(s.Step)
	start, last := first+from*step, first+(to-1)*step
	stop := last + 1
	if step < 0 {
		stop = last - 1
	}
	if stop < 0 { // a -1 would count from the end
		return Slice{int(start), math.MinInt, s.Step}
	}
	return Slice{int(start), int(stop), s.Step}
}

// fromStart makes a position that counts from the end one that does not.
func fromStart(i int, n int64) int64 {
	if i < 0 {
		return int64(i) + n
	}
	return int64(i)
}

func clampDown(i int, n int64) int64 { return max(-1, min(fromStart(i, n), n-1)) }

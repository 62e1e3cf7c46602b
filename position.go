package columnvault

import (
	"fmt"
	"math"
)

// Begin and End stand for the missing bounds of a slice: Slice(ctx, Begin, 10)
// is Python's [:10], and Slice(ctx, -100, End) is [-100:].
const (
	Begin = math.MinInt
	End   = math.MaxInt
)

// resolve makes a position absolute. Negative ones count from the end.
func resolve(i int, n int64) (int64, error) {
	at := int64(i)
	if at < 0 {
		at += n
	}
	if at < 0 || at >= n {
		return 0, fmt.Errorf("%w: the column has %d elements", ErrOutOfRange, n)
	}
	return at, nil
}

// clamp makes a bound of a slice absolute: negative ones count from the end,
// and what lies outside is moved to the nearest end.
func clamp(i int, n int64) int64 {
	at := int64(i)
	if at < 0 {
		at += n
	}
	return max(0, min(at, n))
}

// clampRange makes the bounds of a slice absolute, an empty one included.
func clampRange(i, j int, n int64) (from, to int64) {
	from, to = clamp(i, n), clamp(j, n)
	return from, max(from, to)
}

// stepRange is the first position and the count of those of Python's
// slice(i, j, step), for a column of n elements.
func stepRange(i, j, step int, n int64) (first, count int64) {
	if step > 0 {
		from, to := clampRange(i, j, n)
		if from == to {
			return from, 0
		}
		return from, (to-from-1)/int64(step) + 1
	}
	// Downwards the bounds are positions themselves, from n-1 to -1.
	from, to := clampDown(i, n), clampDown(j, n)
	if from <= to {
		return from, 0
	}
	down := uint64(-(int64(step) + 1)) + 1 // -step, for the smallest number too
	return from, int64(uint64(from-to-1)/down) + 1
}

func clampDown(i int, n int64) int64 {
	at := int64(i)
	if at < 0 {
		at += n
	}
	return max(-1, min(at, n-1))
}

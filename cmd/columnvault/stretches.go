package main

import (
	"math"
	"math/bits"

	"columnvault/scan"
)

// equalBounds returns the bounds of parts of a range that are equal, as far as
// whole numbers are. There are fewer parts if the range is short.
func equalBounds(from, to, parts int) []int {
	parts = min(parts, to-from)
	if parts <= 0 {
		return nil
	}
	bounds := make([]int, parts+1)
	for i := range bounds {
		bounds[i] = from + int(share(uint64(to-from), uint64(i), uint64(parts)))
	}
	return bounds
}

// share returns n*i/parts, of which i is at most parts.
func share(n, i, parts uint64) uint64 {
	if i == parts {
		return n
	}
	high, low := bits.Mul64(n, i)
	quotient, _ := bits.Div64(high, low, parts)
	return quotient
}

// meanOf is the mean of a stretch, NaN if nothing is in it.
func meanOf[T any](s scan.Stretch[T]) float64 {
	if s.Count == 0 {
		return math.NaN()
	}
	return s.Mean
}

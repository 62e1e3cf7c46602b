package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"columnvault"
)

// parseIndex reads a position.
func parseIndex(cmd *cobra.Command, text string) (int, error) {
	i, err := strconv.Atoi(text)
	if err != nil {
		return 0, usagef(cmd, "%q is not a position", text)
	}
	return i, nil
}

// bounds are those of Python's slice(start, stop, step).
type bounds struct {
	start, stop, step int
}

// parseBounds reads START:STOP:STEP, of which parts may be missing.
func parseBounds(cmd *cobra.Command, text string) (bounds, error) {
	parts := strings.Split(text, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return bounds{}, usagef(cmd, "%q is not a slice: want START:STOP or START:STOP:STEP", text)
	}
	b := bounds{step: 1}
	var err error
	if len(parts) == 3 && parts[2] != "" {
		if b.step, err = parseIndex(cmd, parts[2]); err != nil {
			return b, err
		}
		if b.step == 0 {
			return b, usagef(cmd, "the step of a slice cannot be 0")
		}
	}
	b.start, b.stop = columnvault.Begin, columnvault.End
	if b.step < 0 {
		b.start, b.stop = columnvault.End, columnvault.Begin
	}
	for i, bound := range []*int{&b.start, &b.stop} {
		if parts[i] == "" {
			continue
		}
		if *bound, err = parseIndex(cmd, parts[i]); err != nil {
			return b, err
		}
	}
	return b, nil
}

// positions returns the first position of the slice in a column of n elements,
// and their number.
func (b bounds) positions(n int) (first, count int) {
	// Backwards, a bound is a position itself, from the last down to -1.
	low, high := 0, n
	if b.step < 0 {
		low, high = -1, n-1
	}
	clamp := func(i int) int {
		if i < 0 {
			i += n
		}
		return max(low, min(i, high))
	}
	from, to := clamp(b.start), clamp(b.stop)
	distance := to - from
	if b.step < 0 {
		distance = -distance
	}
	if distance <= 0 {
		return from, 0
	}
	// The smallest number has no positive counterpart.
	step := max(b.step, -math.MaxInt)
	return from, (distance-1)/max(step, -step) + 1
}

// part returns the bounds of the elements number from up to to of a slice
// that begins at position first.
func (b bounds) part(first, from, to int) bounds {
	start := first + from*b.step
	last := first + (to-1)*b.step
	switch {
	case b.step > 0:
		return bounds{start, last + 1, b.step}
	case last == 0:
		return bounds{start, columnvault.Begin, b.step}
	default:
		return bounds{start, last - 1, b.step}
	}
}

// element returns the position at i in a column of n elements.
func element(i, n int) (int, error) {
	at := i
	if at < 0 {
		at += n
	}
	if at < 0 || at >= n {
		return 0, fmt.Errorf("%w: the column has %d elements", columnvault.ErrOutOfRange, n)
	}
	return at, nil
}

package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Summary is what all rounds say of a job of a peer.
type Summary struct {
	N                         int
	Mean, Median, P99         float64
	Least, Most               float64 // of the medians of the rounds
	LeastOfMeans, MostOfMeans float64
}

// summarize takes the values of each round.
func summarize(rounds [][]float64) (s Summary) {
	all := slices.Sorted(func(yield func(float64) bool) {
		for _, r := range rounds {
			for _, v := range r {
				if !yield(v) {
					return
				}
			}
		}
	})
	s.N, s.Mean, s.Median, s.P99 = len(all), mean(all), quantile(all, 0.5), quantile(all, 0.99)
	s.Least, s.LeastOfMeans = math.Inf(1), math.Inf(1)
	for _, r := range rounds {
		middle := quantile(slices.Sorted(slices.Values(r)), 0.5)
		s.Least, s.Most = min(s.Least, middle), max(s.Most, middle)
		s.LeastOfMeans, s.MostOfMeans = min(s.LeastOfMeans, mean(r)), max(s.MostOfMeans, mean(r))
	}
	return s
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// quantile of sorted values, of which there is at least one.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// count is a number with commas.
func count(n int) string {
	digits := fmt.Sprint(n)
	var groups []string
	for ; len(digits) > 3; digits = digits[:len(digits)-3] {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
	}
	return strings.Join(append([]string{digits}, groups...), ",")
}

// scale is how values of a size are written: divided, and with this unit.
func scale(v float64, u Unit) (divisor float64, unit string) {
	switch {
	case u == Megabytes:
		return 1, "MB"
	case u == Elements:
		return 1, ""
	case v < 1e3:
		return 1, "ns"
	case v < 1e6:
		return 1e3, "µs"
	case v < 1e9:
		return 1e6, "ms"
	}
	return 1e9, "s"
}

// digits writes a number with three digits that count.
func digits(v float64) string {
	switch {
	case v >= 99.95 || v == math.Trunc(v):
		return count(int(math.Round(v)))
	case v >= 9.995:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// cell writes a value and, if they differ, the least and the most of the rounds.
func cell(v, least, most float64, u Unit) string {
	divisor, unit := scale(v, u)
	text := strings.TrimSpace(digits(v/divisor) + " " + unit)
	if low, high := digits(least/divisor), digits(most/divisor); low != high {
		text += " (" + low + " to " + high + ")"
	}
	return text
}

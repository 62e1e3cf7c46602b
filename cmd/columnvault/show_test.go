package main

import (
	"math"
	"testing"

	"columnvault/cmd/columnvault/internal/columns"
)

func TestShowMean(t *testing.T) {
	for mean, want := range map[float64]string{
		0: "0", 16.43908: "16.4391", 1e6 + 0.25: "1000000", 1e300: "1e+300", math.Inf(-1): "-Infinity", 0.00001: "1e-05",
	} {
		if got := showMean(columns.Summary{Min: 0.0, Mean: mean, Trend: []float64{1}}); got != want {
			t.Errorf("%v: got %s, want %s", mean, got, want)
		}
	}
}

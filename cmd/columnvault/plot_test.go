package main

import "testing"

// TestPlotWidth: a plot fills a terminal, whatever its labels are, and is as
// wide as ever in pipes and in JSON.
func TestPlotWidth(t *testing.T) {
	for _, c := range []struct {
		terminal int
		asJSON   bool
		want     int
	}{{0, false, 72}, {100, false, 86}, {100, true, 72}, {10, false, 20}} {
		if got := (&app{width: c.terminal}).plotWidth(c.asJSON); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

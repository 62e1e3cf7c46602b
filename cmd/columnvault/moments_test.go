package main

import (
	"testing"
	"time"
)

func TestParseAge(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0s": 0, "90m": 90 * time.Minute, "1.5h": 90 * time.Minute, "30d": 720 * time.Hour, "2w": 336 * time.Hour,
	} {
		if got, err := parseAge(text); got != want || err != nil {
			t.Errorf("%s: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "30", "-1d", "d", "1y", "1d2h", "1e3s", "99999999999w", " 1d"} {
		if got, err := parseAge(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func TestEqualBounds(t *testing.T) {
	for n := range 50 {
		bounds := equalBounds(7, 7+n, 12)
		if n == 0 {
			if bounds != nil {
				t.Errorf("of nothing: got %v", bounds)
			}
			continue
		}
		if len(bounds) != min(n, 12)+1 || bounds[0] != 7 || bounds[len(bounds)-1] != 7+n {
			t.Fatalf("%d: got %v", n, bounds)
		}
		for i := range bounds[1:] {
			if size := bounds[i+1] - bounds[i]; size < n/12 || size > n/12+1 {
				t.Fatalf("%d: got %v", n, bounds)
			}
		}
	}
	if got := share(1<<63, 3, 4); got != 3<<61 {
		t.Errorf("a share that overflows on the way: got %d", got)
	}
}

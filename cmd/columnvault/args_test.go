package main

import (
	"math"
	"testing"

	"columnvault/internal/position"
)

func TestParseSlice(t *testing.T) {
	for text, want := range map[string]position.Slice{
		":":        {Start: math.MinInt, Stop: math.MaxInt, Step: 1},
		"::":       {Start: math.MinInt, Stop: math.MaxInt, Step: 1},
		"3:":       {Start: 3, Stop: math.MaxInt, Step: 1},
		":-3":      {Start: math.MinInt, Stop: -3, Step: 1},
		"-7:10:2":  {Start: -7, Stop: 10, Step: 2},
		"::-1":     {Start: math.MaxInt, Stop: math.MinInt, Step: -1},
		"5::-2":    {Start: 5, Stop: math.MinInt, Step: -2},
		":0:-1":    {Start: math.MaxInt, Stop: 0, Step: -1},
		"007:+8:1": {Start: 7, Stop: 8, Step: 1},
	} {
		if got, err := parseSlice(text); err != nil || got != want {
			t.Errorf("%s: got %+v (%v), want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1", "1:2:3:4", "a:", ":1.5", "::0", "::x", "9223372036854775808:"} {
		if got, err := parseSlice(text); err == nil {
			t.Errorf("%q: got %+v", text, got)
		}
	}
}

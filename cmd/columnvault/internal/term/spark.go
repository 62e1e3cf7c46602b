package term

import "math"

var bars = []rune("▁▂▃▄▅▆▇█")

// Sparkline draws values as bars, from the smallest to the largest of them, and
// NaN as a gap.
func Sparkline(values []float64) string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			low, high = min(low, v), max(high, v)
		}
	}
	line := make([]rune, len(values))
	for i, v := range values {
		switch {
		case math.IsNaN(v):
			line[i] = ' '
		case v <= low: // also if all are the same
			line[i] = bars[0]
		case v >= high:
			line[i] = bars[len(bars)-1]
		default:
			// Halves first: the difference of two floats may be infinite.
			share := (v/2 - low/2) / (high/2 - low/2)
			line[i] = bars[min(int(share*float64(len(bars))), len(bars)-1)]
		}
	}
	return string(line)
}

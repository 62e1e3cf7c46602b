package term

import "math"

// Plot draws ranges from low to high beside each other, and NaN as a gap. The
// first line is that of the largest value, the last that of the smallest, which
// it returns as well: they are NaN if there are none. Infinities are drawn on the
// edge.
func Plot(low, high []float64, height int) (lines []string, smallest, largest float64) {
	smallest, largest = math.Inf(1), math.Inf(-1)
	for i := range low {
		for _, v := range [...]float64{low[i], high[i]} {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				smallest, largest = min(smallest, v), max(largest, v)
			}
		}
	}
	if smallest > largest {
		smallest, largest = math.NaN(), math.NaN()
	}
	level := func(v float64) int {
		switch {
		case v <= smallest:
			return 0
		case v >= largest:
			return height - 1
		}
		// Halves first: the difference of two floats may be infinite.
		share := (v/2 - smallest/2) / (largest/2 - smallest/2)
		return min(int(share*float64(height)), height-1)
	}
	canvas := make([][]rune, height)
	for y := range canvas {
		canvas[y] = make([]rune, len(low))
		for x := range canvas[y] {
			canvas[y][x] = ' '
		}
	}
	for x := range low {
		if math.IsNaN(low[x]) || math.IsNaN(smallest) {
			continue
		}
		for y := level(low[x]); y <= level(high[x]); y++ {
			canvas[height-1-y][x] = '█'
		}
	}
	for _, line := range canvas {
		lines = append(lines, string(line))
	}
	return lines, smallest, largest
}

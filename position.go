package columnvault

import (
	"fmt"
	"math"

	"columnvault/internal/position"
)

// Begin and End stand for the missing bounds of a slice: Slice(ctx, Begin, 10)
// is Python's [:10], and Slice(ctx, -100, End) is [-100:].
const (
	Begin = math.MinInt
	End   = math.MaxInt
)

// resolve makes a position absolute. Negative ones count from the end.
func resolve(i int, n int64) (int64, error) {
	at, ok := position.At(i, n)
	if !ok {
		return 0, fmt.Errorf("%w: the column has %d elements", ErrOutOfRange, n)
	}
	return at, nil
}

package dtype

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Change looks at the elements of a column that is to get another meaning.
type Change struct {
	Spec     Spec
	From, To Meaning
	// Missing counts the elements that are missing under the new meaning.
	Missing int
	// Turned counts those that are a value under one of the meanings and
	// missing under the other. NaN, null and the bool 2 are no values.
	Turned int
}

// Look looks at n elements that lie in data as for [Type.DecodeAll]. One that
// does not fit the new meaning is an [ElementError]: times and dates must be of
// the years 0 to 9999.
func (c *Change) Look(data []byte, ends []int, n int) error {
	es, err := newElements(c.Spec.ElemSize(), n, data, ends)
	if err != nil {
		return err
	}
	none, nullable := noneOf(c.Spec)
	for i := range n {
		b, err := es.at(i)
		if err != nil {
			return &ElementError{i, err}
		}
		missing := nullable && none.missing(b)
		was, is := missing && c.From.Null, missing && c.To.Null
		if was != is && none.value {
			c.Turned++
		}
		if is {
			c.Missing++
			continue
		}
		if c.To.IsTime() {
			err = checkYear(c.To.Time, int64(binary.LittleEndian.Uint64(b)))
		}
		if c.Spec.Kind == KindBool && b[0] > 1 {
			err = fmt.Errorf("%w: the byte %d is no bool", ErrValue, b[0])
		}
		if err != nil {
			return &ElementError{i, err}
		}
	}
	return nil
}

// checkYear refuses a number whose year cannot be written with four digits. It
// hardly is a time in that unit.
func checkYear(u Unit, n int64) error {
	first, end := firstSecond/secondsPerDay, endSecond/secondsPerDay
	what := "days"
	if u != 0 {
		first, end = clampProduct(firstSecond, perSecond[u]), clampProduct(endSecond, perSecond[u])
		what = u.String()
	}
	if n < first || n >= end {
		return fmt.Errorf("%w: %d %s from 1970 are not in the years 0 to 9999", ErrValue, n, what)
	}
	return nil
}

// The years 0 to 9999 begin and end at these seconds.
const (
	firstSecond int64 = -62167219200
	endSecond   int64 = 253402300800
)

// clampProduct is a times b, or the end of the range that it is beyond. b is
// above 0.
func clampProduct(a, b int64) int64 {
	switch {
	case a > math.MaxInt64/b:
		return math.MaxInt64
	case a < math.MinInt64/b:
		return math.MinInt64
	}
	return a * b
}

package column

import (
	"context"
	"errors"
	"slices"

	"columnvault/internal/store"
)

// Walked is a column whose elements can be read part by part.
type Walked interface {
	Column
	// Stretch is where the elements end that are read together with element i,
	// and why none of them can be read, if that is so.
	Stretch(ctx context.Context, r store.Reader, i int64) (end int64, why, err error)
}

// Walk is the method of that name, of a column that is read part by part.
func Walk(ctx context.Context, r store.Reader, c Walked, limit int64, found func(int64, *Elements) error, lost func(int64, int64, error) error) error {
	var buf Elements
	for i := int64(0); i < c.Len(); {
		end, why, err := c.Stretch(ctx, r, i)
		if err != nil {
			return err
		}
		if why != nil {
			if err := lost(i, end, why); err != nil {
				return err
			}
			i = end
			continue
		}
		buf.Reset()
		j, err := c.Read(ctx, r, &buf, i, end, limit)
		switch {
		case err == nil:
			err = found(i, &buf)
		case errors.Is(err, store.ErrCorrupt):
			j = min(end, i+walkStep)
			err = bisect(ctx, r, c, &buf, i, j, limit, found, lost)
		}
		if err != nil {
			return err
		}
		i = j
	}
	return nil
}

// walkStep is how many elements are looked at together when some of them cannot
// be read.
const walkStep = 4 << 10

// bisect reads the elements from i up to j and narrows down those that cannot be
// read.
func bisect(ctx context.Context, r store.Reader, c Column, buf *Elements, i, j, limit int64, found func(int64, *Elements) error, lost func(int64, int64, error) error) error {
	for i < j {
		buf.Reset()
		next, err := c.Read(ctx, r, buf, i, j, limit)
		switch {
		case err == nil:
			if err := found(i, buf); err != nil {
				return err
			}
			i = next
		case !errors.Is(err, store.ErrCorrupt):
			return err
		case j == i+1:
			return lost(i, j, err)
		default:
			middle := i + (j-i)/2
			if err := bisect(ctx, r, c, buf, i, middle, limit, found, lost); err != nil {
				return err
			}
			i = middle
		}
	}
	return nil
}

// Fitting is how many of the elements between the offsets are together within
// limit. One at least is, if one has to be.
func Fitting(offs []int64, limit int64, one bool) int {
	n := len(offs) - 1
	if offs[n]-offs[0] <= limit {
		return n
	}
	k, found := slices.BinarySearch(offs, offs[0]+limit)
	for found && k+1 < len(offs) && offs[k+1] == offs[k] {
		k++ // elements without bytes
	}
	if !found {
		k--
	}
	if one {
		return max(1, k)
	}
	return max(0, k)
}

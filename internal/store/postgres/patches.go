package postgres

import "slices"

// patch is bytes at an offset.
type patch struct {
	at   int64
	data []byte
}

func (p patch) end() int64 { return p.at + int64(len(p.data)) }

// patches are in order, and no two of them touch.
type patches []patch

// add writes a copy of data over what is there.
func (ps patches) add(at int64, data []byte) patches {
	if len(data) == 0 {
		return ps
	}
	end := at + int64(len(data))
	// Those from first up to last touch it and become one with it.
	first, _ := slices.BinarySearchFunc(ps, at, func(p patch, at int64) int {
		if p.end() < at {
			return -1
		}
		return 1
	})
	last := first
	for last < len(ps) && ps[last].at <= end {
		last++
	}
	if first == last {
		return slices.Insert(ps, first, patch{at, append([]byte(nil), data...)})
	}
	if one := &ps[first]; last == first+1 && one.at <= at && at == one.end() {
		one.data = append(one.data, data...) // as appends do
		return ps
	}
	from, to := min(at, ps[first].at), max(end, ps[last-1].end())
	merged := patch{from, make([]byte, to-from)}
	for _, p := range ps[first:last] {
		copy(merged.data[p.at-from:], p.data)
	}
	copy(merged.data[at-from:], data)
	return slices.Replace(ps, first, last, merged)
}

package column

import "slices"

// Elements are encoded elements that lie back to back in Data. Ends holds the
// end of each in Data where elements vary in size, and is nil where they do
// not.
type Elements struct {
	Data []byte
	Ends []int
}

// Reset removes all elements and keeps the memory.
func (e *Elements) Reset() { e.Data, e.Ends = e.Data[:0], e.Ends[:0] }

// Extend makes Data longer by n bytes and returns these.
func (e *Elements) Extend(n int64) []byte {
	old := len(e.Data)
	e.Room(n)
	e.Data = e.Data[:old+int(n)]
	return e.Data[old:]
}

// Room takes memory for n more bytes in Data.
func (e *Elements) Room(n int64) {
	if e.Data == nil {
		e.Data = make([]byte, 0, n) // new memory is clear, and Grow would clear it again
		return
	}
	e.Data = slices.Grow(e.Data, int(n))
}

// Has tells whether there is memory for n more bytes, so that none has to be taken.
func (e *Elements) Has(n int64) bool { return int64(cap(e.Data)-len(e.Data)) >= n }

// Repeat adds an element n times; size is that of each, 0 where it varies.
func (e *Elements) Repeat(size int, element []byte, n int) {
	e.Data = slices.Grow(e.Data, n*len(element))
	for range n {
		e.Data = append(e.Data, element...)
		if size == 0 {
			e.Ends = append(e.Ends, len(e.Data))
		}
	}
}

// Count is the number of elements; size is that of each, 0 where it varies.
func (e *Elements) Count(size int) int {
	if size > 0 {
		return len(e.Data) / size
	}
	return len(e.Ends)
}

// At is the bytes of element k; size is that of each, 0 where it varies.
func (e *Elements) At(size, k int) []byte {
	if size > 0 {
		return e.Data[k*size : (k+1)*size]
	}
	return e.Data[e.Start(k):e.Ends[k]]
}

// Start is where element k, of elements that vary in size, begins in Data.
func (e *Elements) Start(k int) int {
	if k == 0 {
		return 0
	}
	return e.Ends[k-1]
}

// Size is the number of bytes of element k, of elements that vary in size.
func (e *Elements) Size(k int) int { return e.Ends[k] - e.Start(k) }

// Part is the elements from i up to j, of elements that vary in size.
func (e *Elements) Part(i, j int) Elements {
	start := e.Start(i)
	p := Elements{Data: e.Data[start:], Ends: make([]int, j-i)}
	for k := range p.Ends {
		p.Ends[k] = e.Ends[i+k] - start
	}
	if j > i {
		p.Data = p.Data[:p.Ends[j-i-1]]
	} else {
		p.Data = nil
	}
	return p
}

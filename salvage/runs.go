package salvage

import (
	"context"
	"fmt"
	"math"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/column/native"
)

// packedShare is how many times as many bytes as it takes a compressed run may have
// to be believed: a frame of zeros takes some 40 bytes.
const packedShare = 4096

// expect is so many elements that take so many bytes together, if the file can
// have held them beside all that was saved before, and none otherwise.
func (s *sink) expect(n, bytes int64) int64 {
	if !s.job.spend(bytes) {
		if !s.cut { // a remark for each run could take much memory
			s.c.remark("the file cannot have held all elements that it speaks of, so that others may have had other positions")
		}
		s.cut = true
		return 0
	}
	s.c.Expected += n
	return n
}

// claim is how many bytes so many elements take; of those that vary in size, no
// more than the ends are known.
func claim(n, size int64) int64 {
	if size == 0 {
		size = 4
	}
	if n > math.MaxInt64/size {
		return math.MaxInt64
	}
	return n * size
}

// run takes the elements of a run of a native column.
func (s *sink) run(ctx context.Context, x *nativeRun, size int64) error {
	bytes := claim(x.Rows(), size)
	if x.stored && x.Codec() == native.Zstd && bytes/packedShare <= x.data.Size {
		bytes = min(bytes, x.data.Size) // no other run has them
	}
	end := s.at + s.expect(x.Rows(), bytes)
	if !x.described {
		return s.lose(ctx, end, fmt.Sprintf("what is known of run %d is lost, or impossible", x.number))
	}
	stored := min(end, s.at+x.Stored())
	var err error
	switch {
	case s.at == stored:
	case !x.stored:
		err = s.lose(ctx, stored, fmt.Sprintf("the bytes of run %d are missing", x.number))
	case size == 0:
		err = s.varying(ctx, x, stored)
	case x.Codec() == native.Raw:
		err = s.fixed(ctx, x, size, stored)
	default:
		err = s.packed(ctx, x, size, stored)
	}
	if err != nil {
		return err
	}
	tail := x.Tail()
	for k := range min(tail.Count(int(size)), int(end-s.at)) {
		if size > 0 {
			err = s.piece(ctx, piece{from: s.at, to: s.at + 1, data: tail.At(int(size), k)})
		} else {
			err = s.value(ctx, tail.At(0, k), "")
		}
		if err != nil {
			return err
		}
	}
	return s.lose(ctx, end, fmt.Sprintf("what lies beside run %d ends before them", x.number))
}

// fixed takes the elements up to number end, all of one size, of a run that is
// not compressed.
func (s *sink) fixed(ctx context.Context, x *nativeRun, size, end int64) error {
	first := s.at - x.Skip() // where an element at the first byte would be
	last := max(s.at, min(end, first+x.data.Size/size))
	if err := s.job.span(ctx, &x.chunk, size, first, s.at, last, func(p piece) error { return s.piece(ctx, p) }); err != nil {
		return err
	}
	return s.lose(ctx, end, fmt.Sprintf("run %d is shorter than it should be", x.number))
}

// packed takes elements of a compressed run.
func (s *sink) packed(ctx context.Context, x *nativeRun, size, end int64) error {
	f, err := s.frames(x)
	if err != nil {
		return s.lose(ctx, end, frameReason(x, err))
	}
	first := s.at - x.Skip()
	per := f.Step() / size
	var data []byte
	for s.at < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		k := (s.at - first) / per
		begin := first + k*per // of the elements in the frame
		to := min(end, begin+per)
		if data, err = f.Elements(data[:0], k); err != nil {
			if err := s.lose(ctx, to, frameReason(x, err)); err != nil {
				return err
			}
			continue
		}
		if err := s.piece(ctx, piece{from: s.at, to: to, data: data[(s.at-begin)*size : (to-begin)*size]}); err != nil {
			return err
		}
	}
	return nil
}

// errLost says why bytes that a frame lies in cannot be read.
type errLost string

func (e errLost) Error() string { return string(e) }

// frames are those of a compressed run.
func (s *sink) frames(x *nativeRun) (*native.Frames, error) {
	return x.Frames(x.data.Size, func(p []byte, offset int64) error {
		if int64(len(p)) > x.data.Size-offset {
			return errLost(fmt.Sprintf("run %d is shorter than it should be", x.number))
		}
		if holes := x.data.ReadAt(p, offset); len(holes) > 0 {
			return errLost(reasonOf(&x.chunk, holes[0]))
		}
		s.job.advance(int64(len(p)))
		return nil
	})
}

func frameReason(x *nativeRun, err error) string {
	if lost, ok := err.(errLost); ok {
		return string(lost)
	}
	return fmt.Sprintf("a part of run %d cannot be decoded", x.number)
}

// varying takes the elements up to number end, which vary in size.
func (s *sink) varying(ctx context.Context, x *nativeRun, end int64) (err error) {
	r := runReader{x: x, plain: valueReader{job: s.job}, frame: -1}
	if x.Codec() == native.Zstd {
		if r.frames, err = s.frames(x); err != nil {
			return s.lose(ctx, end, frameReason(x, err))
		}
	}
	for k := range r.blocks {
		r.blocks[k].index = -1
	}
	first := s.at - x.Skip()
	for s.at < end {
		value, reason := r.value(s.at - first)
		if err := s.value(ctx, value, reason); err != nil {
			return err
		}
	}
	return nil
}

// runReader reads the elements of a run, which vary in size, in their order.
type runReader struct {
	x      *nativeRun
	plain  valueReader
	frames *native.Frames // of a compressed run
	// blocks are the ends that were read last.
	blocks [2]endsBlock
	bytes  []byte
	// taken is where the last element that was read ends. None begins before it,
	// so that no byte is read twice.
	taken int64
	// frame is that of which data has the bytes, or why says that it has none.
	frame int64
	data  []byte
	why   string
	whole []byte
}

// endsBlock is ends of elements from number index*native.EndsInFrame on, and -1
// for those that cannot be read.
type endsBlock struct {
	index  int64
	ends   []int64
	reason string
}

// end is where element k ends, -1 if that cannot be read; the one before the first
// ends at 0.
func (r *runReader) end(k int64) (end int64, reason string) {
	if k < 0 {
		return 0, ""
	}
	index := k / native.EndsInFrame
	b := &r.blocks[index%2]
	if b.index != index {
		*b = endsBlock{index: index, ends: b.ends[:0]}
		r.load(b)
	}
	if k -= index * native.EndsInFrame; k < int64(len(b.ends)) && b.ends[k] >= 0 {
		return b.ends[k], ""
	}
	return -1, b.reason
}

// load reads a block of ends.
func (r *runReader) load(b *endsBlock) {
	x := r.x
	b.reason = fmt.Sprintf("run %d is shorter than it should be", x.number)
	if r.frames != nil {
		var err error
		if r.bytes, err = r.frames.Ends(r.bytes[:0], b.index); err != nil {
			b.reason = frameReason(x, err)
			return
		}
		b.ends = x.ParseEnds(b.ends, r.bytes)
		return
	}
	i := b.index * native.EndsInFrame
	j := min(i+native.EndsInFrame, x.Skip()+x.Stored())
	from, to := x.EndsAt(i, j)
	r.bytes = slices.Grow(r.bytes[:0], int(to-from))[:to-from]
	there := max(0, min(to, x.data.Size)-from)
	holes := x.data.ReadAt(r.bytes[:there], from)
	b.ends = x.ParseEnds(b.ends, r.bytes)
	lose := func(from, to int64) { // of the bytes, in which the last end comes first
		for at := from / 4; at < (to+3)/4; at++ {
			b.ends[j-i-1-at] = -1
		}
	}
	lose(there, to-from)
	for _, h := range holes {
		b.reason = reasonOf(&x.chunk, h)
		lose(h.From-from, h.To-from)
	}
}

// sound tells whether the end of element k is between those of its neighbors, as
// far as these can be read.
func (r *runReader) sound(k int64) bool {
	end, _ := r.end(k)
	if k < 0 {
		return true
	}
	before, _ := r.end(k - 1)
	after := r.x.End()
	if k+1 < r.x.Skip()+r.x.Stored() {
		if n, _ := r.end(k + 1); n >= 0 {
			after = n
		}
	} else if r.frames == nil && end != after {
		return false // nothing lies behind the last
	}
	if r.x.HasEmpty() {
		return before <= end && end <= after
	}
	return before < end && (end < after || end == after && k+1 == r.x.Skip()+r.x.Stored())
}

// value is element k, those that do not count being counted, or why it cannot be
// read.
func (r *runReader) value(k int64) (value []byte, reason string) {
	start, why := r.end(k - 1)
	if start < 0 {
		return nil, "ends: " + why
	}
	end, why := r.end(k)
	if end < 0 {
		return nil, "ends: " + why
	}
	switch {
	case !r.sound(k-1) || !r.sound(k) || start > end || start < r.taken || end > r.x.End():
		return nil, fmt.Sprintf("its ends in run %d lead nowhere", r.x.number)
	case end-start > column.MaxElement:
		return nil, fmt.Sprintf("its ends in run %d say that it has %d bytes", r.x.number, end-start)
	}
	r.taken = end
	switch {
	case start == end:
		return nil, ""
	case r.frames != nil:
		return r.unpack(start, end)
	case end > r.x.data.Size:
		return nil, fmt.Sprintf("run %d is shorter than it should be", r.x.number)
	}
	return r.plain.bytes(&r.x.chunk, start, end)
}

// unpack is bytes of elements of a compressed run.
func (r *runReader) unpack(start, end int64) (value []byte, reason string) {
	step := r.frames.Step()
	r.whole = r.whole[:0]
	for start < end {
		k := start / step
		if r.frame != k {
			var err error
			r.frame, r.why = k, ""
			if r.data, err = r.frames.Elements(r.data[:0], k); err != nil {
				r.why = frameReason(r.x, err)
			}
		}
		if r.why != "" {
			return nil, r.why
		}
		to := min(end, (k+1)*step)
		r.whole = append(r.whole, r.data[start-k*step:to-k*step]...)
		start = to
	}
	return r.whole, ""
}

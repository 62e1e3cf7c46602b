package fsck

import (
	"context"
	"errors"
	"fmt"
	"math"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// minNumber and maxNumber bound the numbers of chunks.
const minNumber, maxNumber = math.MinInt64, math.MaxInt64

// elements reads and decodes every element of a column. Without a known dtype
// they are only read.
func (c *checker) elements(ctx context.Context, e catalog.Entry, col column.Column, spec dtype.Spec, known bool) error {
	bound, err := c.capacity(ctx, e)
	if err != nil {
		return err
	}
	var d *column.Digest
	if c.o.Digest {
		d = column.NewDigest(e.DType)
		if known {
			d = column.NewDigest(spec.String())
		}
	}
	meaning := e.Attrs().Meaning(spec)
	bad := &ranges{report: func(kind Kind, i, j int64, why error) {
		c.emit(Finding{Kind: kind, Severity: Damage, Column: e.Name, Chunk: -1, From: i, To: j, Text: elementsText(kind, i, j, why)})
	}}
	order := catalog.OrderOf(e.DType)
	found := func(i int64, b *column.Elements) error {
		if err := outside(ctx, c.r, col, order, i, b, func(k int64) { bad.add(Outside, k, k+1, nil) }); err != nil {
			return err
		}
		if known {
			undecodable(spec, meaning, col.Size(), i, b, func(i int64, why error) { bad.add(Element, i, i+1, why) })
		}
		if d != nil {
			d.Elements(col.Size(), b)
		}
		n := int64(len(b.Data))
		c.advance(n)
		if bound -= n; bound < 0 {
			return errOverlap
		}
		return c.err
	}
	lost := func(i, j int64, why error) error {
		bad.add(Unreadable, i, j, why)
		d = nil
		return c.err
	}
	err = col.Walk(ctx, c.r, c.o.Window, found, lost)
	bad.flush()
	switch {
	case errors.Is(err, errOverlap):
		c.endless = true
		c.damaged(e, Unreadable, "the elements have more bytes than the chunks in which they lie: they were not read to the end")
		return nil
	case errors.Is(err, store.ErrCorrupt):
		c.damaged(e, Unreadable, err.Error())
		return nil
	case err != nil:
		return err
	}
	if !known {
		c.emit(Finding{Kind: Unread, Column: e.Name, Chunk: -1, Text: fmt.Sprintf("the elements were read and not decoded, as %s", excerpt.Line(e.DType, excerpt.Name))})
	}
	if d != nil {
		c.emit(Finding{Kind: Digest, Column: e.Name, Chunk: -1, Digest: d.Sum(), To: col.Len(), Text: fmt.Sprintf("SHA-256 of %d elements", col.Len())})
	}
	return nil
}

var errOverlap = errors.New("more bytes than there can be")

// capacity bounds the bytes that the elements of a column can have: the entries
// of a damaged index may all lead to the same.
func (c *checker) capacity(ctx context.Context, e catalog.Entry) (n int64, err error) {
	const slack = 1 << 20
	for chunk, err := range c.r.Chunks(ctx, e.Data.ID, minNumber, maxNumber) {
		if errors.Is(err, store.ErrCorrupt) {
			return maxNumber, nil
		}
		if err != nil {
			return 0, err
		}
		n += min(max(chunk.Capacity, chunk.Used, 0), c.caps.MaxValue)
	}
	return 2*n + slack, nil
}

// undecodable calls bad for the elements from position i on that do not decode.
func undecodable(spec dtype.Spec, m dtype.Meaning, size int, i int64, b *column.Elements, bad func(i int64, why error)) {
	ends := b.Ends
	if size > 0 {
		ends = nil
	}
	for from := 0; ; {
		err := m.Verify(spec, b.Data, ends, from)
		if err == nil {
			return
		}
		var one *dtype.ElementError
		if !errors.As(err, &one) {
			bad(i, err)
			return
		}
		bad(i+int64(one.Index), one.Err)
		from = one.Index + 1
	}
}

// outside calls bad for the elements from position i on that are not within the
// bounds that the column has for them.
func outside(ctx context.Context, r store.Reader, col column.Column, order column.Order, i int64, b *column.Elements, bad func(i int64)) error {
	size := col.Size()
	for s, err := range column.BoundsOf(ctx, r, col, i, i+int64(b.Count(size))) {
		if err != nil {
			return err
		}
		if !s.Known {
			continue
		}
		var part column.Elements
		from, to := int(s.From-i), int(s.To-i)
		if size > 0 {
			part = column.Elements{Data: b.Data[from*size : to*size]}
		} else {
			part = b.Part(from, to)
		}
		if low, high, ok := order.Range(&part, size); ok && low >= s.Low && high <= s.High {
			continue
		}
		for k := range to - from {
			if key, ok := order.Key(part.At(size, k)); !ok || key < s.Low || key > s.High {
				bad(s.From + int64(k))
			}
		}
	}
	return nil
}

// ranges joins neighbors that have the same thing wrong with them.
type ranges struct {
	report func(kind Kind, i, j int64, why error)
	kind   Kind
	i, j   int64
	why    error
}

func (r *ranges) add(kind Kind, i, j int64, why error) {
	if r.i < r.j && r.kind == kind && r.j == i {
		r.j = j
		return
	}
	r.flush()
	r.kind, r.i, r.j, r.why = kind, i, j, why
}

func (r *ranges) flush() {
	if r.i < r.j {
		r.report(r.kind, r.i, r.j, r.why)
	}
	r.i, r.j = 0, 0
}

func elementsText(kind Kind, i, j int64, why error) string {
	what := "cannot be read"
	switch kind {
	case Outside:
		return fmt.Sprintf("%s: outside of the bounds that their run gives them, so that searches may pass over them", rangeText(i, j))
	case Element:
		what = "cannot be decoded"
	}
	return fmt.Sprintf("%s %s: %s", rangeText(i, j), what, excerpt.Line(why.Error(), excerpt.Path))
}

// rangeText names the elements from i up to j.
func rangeText(i, j int64) string {
	if j > i+1 {
		return fmt.Sprintf("elements %d to %d", i, j-1)
	}
	return fmt.Sprintf("element %d", i)
}

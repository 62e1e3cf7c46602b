package column

import (
	"context"

	"columnvault/internal/store"
)

// WithTail is the column followed by more elements that are still in memory. It
// can only be read.
func WithTail(c Column, tail Elements) Column {
	return &tailed{Column: c, tail: tail, stored: c.Len(), added: int64(tail.Count(c.Size()))}
}

type tailed struct {
	Column
	tail          Elements
	stored, added int64
}

func (t *tailed) Len() int64 { return t.stored + t.added }

func (t *tailed) Backed(ctx context.Context, r store.Reader, i, j int64) error {
	if err := CheckRange(i, j, t.Len()); err != nil {
		return err
	}
	return t.Column.Backed(ctx, r, min(i, t.stored), min(j, t.stored))
}

func (t *tailed) Read(ctx context.Context, r store.Reader, b *Elements, i, j, limit int64) (int64, error) {
	if err := CheckRange(i, j, t.Len()); err != nil {
		return i, err
	}
	if i < t.stored {
		return t.Column.Read(ctx, r, b, i, min(j, t.stored), limit)
	}
	return t.read(b, i, j, limit), nil
}

func (t *tailed) Ahead(i, j int64) store.ColumnSpans {
	if i >= t.stored {
		return store.ColumnSpans{}
	}
	return t.Column.Ahead(i, min(j, t.stored))
}

func (t *tailed) Spans(ctx context.Context, r store.Reader, b *Elements, i, j, limit int64) (int64, store.ColumnSpans, error) {
	if err := CheckRange(i, j, t.Len()); err != nil {
		return i, store.ColumnSpans{}, err
	}
	if i < t.stored {
		return t.Column.Spans(ctx, r, b, i, min(j, t.stored), limit)
	}
	return t.read(b, i, j, limit), store.ColumnSpans{}, nil
}

// read is Read of elements that are all in the tail.
func (t *tailed) read(b *Elements, i, j, limit int64) int64 {
	from, to := int(i-t.stored), int(j-t.stored)
	n := from
	for size := int64(0); n < to; n++ {
		if size += int64(len(t.element(n))); size > limit && n > from {
			break
		}
	}
	t.copy(b, from, n)
	return t.stored + int64(n)
}

func (t *tailed) Walk(ctx context.Context, r store.Reader, limit int64, found func(int64, *Elements) error, lost func(int64, int64, error) error) error {
	err := t.Column.Walk(ctx, r, limit, found, lost)
	if err == nil && t.added > 0 {
		err = found(t.stored, &t.tail)
	}
	return err
}

func (t *tailed) Extent(ctx context.Context, r store.Reader) (int64, error) {
	n, err := t.Column.Extent(ctx, r)
	if n == t.stored {
		n += t.added
	}
	return n, err
}

func (t *tailed) Before(ctx context.Context, r store.Reader, j, limit int64) (int64, error) {
	if err := CheckRange(j, j, t.Len()); err != nil {
		return j, err
	}
	if j <= t.stored {
		return t.Column.Before(ctx, r, j, limit)
	}
	n := int(j - t.stored)
	for size := int64(0); n > 0; n-- {
		if size += int64(len(t.element(n - 1))); size > limit && n < int(j-t.stored) {
			break
		}
	}
	return t.stored + int64(n), nil
}

func (t *tailed) Gather(ctx context.Context, r store.Reader, b *Elements, at []int64) error {
	for len(at) > 0 {
		n := 0
		for n < len(at) && at[n] < t.stored {
			n++
		}
		if n > 0 {
			if err := t.Column.Gather(ctx, r, b, at[:n]); err != nil {
				return err
			}
		}
		for ; n < len(at) && at[n] >= t.stored; n++ {
			if err := CheckRange(at[n], at[n]+1, t.Len()); err != nil {
				return err
			}
			k := int(at[n] - t.stored)
			t.copy(b, k, k+1)
		}
		at = at[n:]
	}
	return nil
}

func (t *tailed) element(k int) []byte { return t.tail.At(t.Size(), k) }

// copy appends the elements from up to, not including, to of the tail.
func (t *tailed) copy(b *Elements, from, to int) {
	if size := t.Size(); size > 0 {
		b.Data = append(b.Data, t.tail.Data[from*size:to*size]...)
		return
	}
	for k := from; k < to; k++ {
		b.Data = append(b.Data, t.element(k)...)
		b.Ends = append(b.Ends, len(b.Data))
	}
}

func (t *tailed) Stat(ctx context.Context, r store.Reader) (Stat, error) {
	s, err := t.Column.Stat(ctx, r)
	for k := range int(t.added) {
		n := int64(len(t.element(k)))
		s.LiveBytes += n
		if s.Elements == 0 && k == 0 {
			s.Smallest = n
		}
		s.Smallest, s.Largest = min(s.Smallest, n), max(s.Largest, n)
	}
	s.Elements += t.added
	return s, err
}

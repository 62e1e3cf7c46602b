package column

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"columnvault/internal/store"
)

// Find yields the positions of the elements that have one of these forms, in
// order. It reads about limit bytes at once.
func Find(ctx context.Context, r store.Reader, c Column, forms [][]byte, limit int64) iter.Seq2[int64, error] {
	return func(yield func(int64, error) bool) {
		var b Elements
		for i := int64(0); i < c.Len() && len(forms) > 0; {
			b.Reset()
			next, err := c.Read(ctx, r, &b, i, c.Len(), limit)
			if err != nil {
				yield(-1, err)
				return
			}
			for k := range b.find(c.Size(), forms) {
				if !yield(i+int64(k), nil) {
					return
				}
			}
			i = next
		}
	}
}

// find yields the elements that have one of these forms. size is
// that of the elements, 0 where it varies.
func (b *Elements) find(size int, forms [][]byte) iter.Seq[int] {
	if size > 0 && len(forms) == 1 {
		return b.findFixed(size, forms[0])
	}
	return func(yield func(int) bool) {
		for k := range b.Count(size) {
			p := b.At(size, k)
			same := func(form []byte) bool { return bytes.Equal(p, form) }
			if slices.ContainsFunc(forms, same) && !yield(k) {
				return
			}
		}
	}
}

// findFixed searches for the bytes wherever they are, which is faster than
// comparing element by element, and passes over what lies across elements.
func (b *Elements) findFixed(size int, form []byte) iter.Seq[int] {
	return func(yield func(int) bool) {
		for pos := 0; ; {
			hit := bytes.Index(b.Data[pos:], form)
			if hit < 0 {
				return
			}
			pos += hit
			if pos%size == 0 && !yield(pos/size) {
				return
			}
			pos += size - pos%size
			if pos > len(b.Data) {
				return
			}
		}
	}
}

package columnvault

import (
	"bytes"
	"context"
	"iter"

	"columnvault/internal/kvcodec"
	"columnvault/internal/store"
)

// Range selects keys. Keys are ordered by their bytes. The zero value, as nil,
// selects all.
type Range struct {
	// Prefix is what the keys begin with.
	Prefix []byte
	// From and To bound the keys: From is the first that may come, To the
	// first that may not. nil means no bound.
	From, To []byte
	// Reverse goes from the last key to the first.
	Reverse bool
	// Limit is how many pairs there are at most, 0 for all.
	Limit int
}

// Prefix selects the keys that begin with text.
func Prefix(text string) *Range { return &Range{Prefix: []byte(text)} }

// keys is the range without prefix and limit.
func (r *Range) keys() store.KeyRange {
	if r == nil {
		return store.KeyRange{}
	}
	k := store.KeyRange{From: r.From, To: r.To, Reverse: r.Reverse}
	if len(r.Prefix) == 0 {
		return k
	}
	if k.From == nil || bytes.Compare(r.Prefix, k.From) > 0 {
		k.From = r.Prefix
	}
	if end := after(r.Prefix); end != nil && (k.To == nil || bytes.Compare(end, k.To) < 0) {
		k.To = end
	}
	return k
}

// after is the first key that does not begin with the prefix and is larger
// than those that do; nil if there is none, as for FF FF.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for len(end) > 0 && end[len(end)-1] == 0xff {
		end = end[:len(end)-1]
	}
	if len(end) == 0 {
		return nil
	}
	end[len(end)-1]++
	return end
}

// Keys iterates over the keys of a range, nil for all, in one snapshot. It
// loads no values. An error ends the loop.
func (kv *KV) Keys(ctx context.Context, r *Range) iter.Seq2[[]byte, error] {
	return scan(ctx, kv, "keys", r, true, func(p store.Pair) []byte { return p.Key })
}

// Values iterates over the values of a range, nil for all, in the order of
// their keys and in one snapshot. An error ends the loop.
func (kv *KV) Values(ctx context.Context, r *Range) iter.Seq2[[]byte, error] {
	return scan(ctx, kv, "values", r, false, func(p store.Pair) []byte { return p.Value })
}

// All iterates over the pairs of a range, nil for all, in one snapshot. An
// error ends the loop.
func (kv *KV) All(ctx context.Context, r *Range) iter.Seq2[Pair, error] {
	return scan(ctx, kv, "all", r, false, func(p store.Pair) Pair { return Pair(p) })
}

func scan[Y any](ctx context.Context, kv *KV, op string, r *Range, keysOnly bool, pick func(store.Pair) Y) iter.Seq2[Y, error] {
	return func(yield func(Y, error) bool) {
		left := -1
		if r != nil && r.Limit > 0 {
			left = r.Limit
		}
		k := r.keys()
		k.KeysOnly = keysOnly
		err := kv.view(ctx, op, nil, func(t tableIn) error {
			for p, err := range t.scan(ctx, k) {
				if err != nil {
					return err
				}
				p.Value = kvcodec.DecodeRaw(p.Value)
				if left--; !yield(pick(p), nil) || left == 0 {
					break
				}
			}
			return nil
		})
		if err != nil {
			var none Y
			yield(none, err)
		}
	}
}

// scan yields the pairs of the table and those that are held for it, as one.
func (t tableIn) scan(ctx context.Context, k store.KeyRange) iter.Seq2[store.Pair, error] {
	stored := t.tx.r.Scan(ctx, t.name, k)
	if t.held.Len() == 0 {
		return stored
	}
	order := bytes.Compare
	if k.Reverse {
		order = func(a, b []byte) int { return bytes.Compare(b, a) }
	}
	return func(yield func(store.Pair, error) bool) {
		next, stop := iter.Pull(iter.Seq[store.Pair](t.held.Scan(k)))
		defer stop()
		give := func(p store.Pair) bool {
			p.Value = append([]byte{}, p.Value...) // the caller may change it
			return yield(p, nil)
		}
		held, more := next()
		for p, err := range stored {
			if err != nil {
				yield(store.Pair{}, err)
				return
			}
			for more && order(held.Key, p.Key) < 0 {
				if !give(held) {
					return
				}
				held, more = next()
			}
			if more && bytes.Equal(held.Key, p.Key) {
				if !give(held) {
					return
				}
				held, more = next()
				continue
			}
			if !yield(p, nil) {
				return
			}
		}
		for ; more; held, more = next() {
			if !give(held) {
				return
			}
		}
	}
}

package columnvault

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"

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
	return scan(ctx, kv, "keys", r, true, func(p Pair) []byte { return p.Key })
}

// Values iterates over the values of a range, nil for all, in the order of
// their keys and in one snapshot. An error ends the loop.
func (kv *KV) Values(ctx context.Context, r *Range) iter.Seq2[[]byte, error] {
	return scan(ctx, kv, "values", r, false, func(p Pair) []byte { return p.Value })
}

// All iterates over the pairs of a range, nil for all, in one snapshot. An
// error ends the loop.
func (kv *KV) All(ctx context.Context, r *Range) iter.Seq2[Pair, error] {
	return scan(ctx, kv, "all", r, false, func(p Pair) Pair { return p })
}

func scan[Y any](ctx context.Context, kv *KV, op string, r *Range, keysOnly bool, pick func(Pair) Y) iter.Seq2[Y, error] {
	return func(yield func(Y, error) bool) {
		left := -1
		if r != nil && r.Limit > 0 {
			left = r.Limit
		}
		k := r.keys()
		k.KeysOnly = keysOnly
		err := kv.view(ctx, op, nil, func(tx *Tx) error {
			for p, err := range tx.scan(ctx, kv.table, k) {
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
func (tx *Tx) scan(ctx context.Context, table string, k store.KeyRange) iter.Seq2[Pair, error] {
	stored := tx.r.Scan(ctx, table, k)
	held := tx.held.kv.pairs(table, k)
	if len(held) == 0 {
		return stored
	}
	order := bytes.Compare
	if k.Reverse {
		order = func(a, b []byte) int { return bytes.Compare(b, a) }
	}
	return func(yield func(Pair, error) bool) {
		for p, err := range stored {
			if err != nil {
				yield(Pair{}, err)
				return
			}
			for len(held) > 0 && order(held[0].Key, p.Key) < 0 {
				if !yield(held[0], nil) {
					return
				}
				held = held[1:]
			}
			if len(held) > 0 && bytes.Equal(held[0].Key, p.Key) {
				p, held = held[0], held[1:]
			}
			if !yield(p, nil) {
				return
			}
		}
		for _, p := range held {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// pairs returns what is held for a range of keys, in order.
func (h heldKV) pairs(table string, k store.KeyRange) (pairs []Pair) {
	for _, key := range slices.Sorted(maps.Keys(h.keys(table))) {
		if k.From != nil && key < string(k.From) || k.To != nil && key >= string(k.To) {
			continue
		}
		p := Pair{Key: []byte(key)}
		if !k.KeysOnly {
			value, _ := h.lookup(table, p.Key)
			p.Value = append([]byte{}, value...)
		}
		pairs = append(pairs, p)
	}
	if k.Reverse {
		slices.Reverse(pairs)
	}
	return pairs
}

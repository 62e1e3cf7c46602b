package layout0

import (
	"context"
	"fmt"

	"columnvault/internal/store"
)

// VarSize is a column whose elements vary in size. Their bytes lie in data
// chunks; an index of fixed-size entries says where.
//
// What holds of the data chunks in every state that we write, and what 0.8.6
// needs to update such a column:
//
//   - Inside a chunk, elements ascend with their position and do not overlap.
//   - Every live element ends at or before the chunk's used bytes, and these
//     lie within its capacity.
//   - A chunk is not larger than the maximum, unless one element is: then the
//     chunk holds that alone.
//   - A chunk takes no more elements where crowd of them lie before or after
//     the place, so it has less than 3*crowd, and laying it out anew costs a
//     bounded time however small they are.
//   - The elements of a chunk are a run: no element between them lies
//     elsewhere. After others have written, this may be otherwise, so nothing
//     is overwritten or dropped because of it alone (see extent.fills).
type VarSize struct {
	id store.ColumnID
	// bounds are those of the chunks that are written. The catalog may have
	// a maximum above what can be written.
	bounds  Bounds
	maximum int64
	index   *Fixed
	// window is the number of entries that are read at once where all are
	// wanted.
	window int64
	ahead  lookahead
	// spans and stretches are reused from call to call. Where there is one of them,
	// there is memory for it here.
	spans      []store.Span
	stretches  stretches
	oneSpan    [1]store.Span
	oneStretch [1]stretch
	// tail is the chunk that appends go to, once known in this transaction. Ending
	// has asked for what tells it, if asked is not nil.
	tail  *tail
	asked *ending
}

const (
	// indexStep is the number of entries read at first where their elements may
	// end the reading at any of them.
	indexStep = 4 << 10
	// crowd is the number of elements after which a chunk takes no more.
	crowd = 32 << 10
)

// OpenVarSize opens the column of these two catalog rows. Where there is much
// to read or to move, it takes window bytes at once.
func OpenVarSize(data, index store.Row, window int64) (*VarSize, error) {
	at, err := newGrid(1, Bounds{Min: data.MinChunk, Max: data.MaxChunk})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrCorrupt, err)
	}
	idx, err := OpenFixed(index, window)
	if err != nil {
		return nil, err
	}
	bounds := Bounds{Min: min(at.Min, maxCapacity), Max: min(at.Max, maxCapacity)}
	c := &VarSize{id: data.ID, bounds: bounds, maximum: at.Max, index: idx, window: max(1, window/EntrySize)}
	c.spans, c.stretches.list = c.oneSpan[:0], c.oneStretch[:0]
	return c, nil
}

func (c *VarSize) Len() int64 { return c.index.Len() }

func (c *VarSize) Size() int { return 0 }

func (c *VarSize) Backed(ctx context.Context, r store.Reader, i, j int64) error {
	return c.index.Backed(ctx, r, i, j)
}

// forget comes before every change but an append.
func (c *VarSize) forget() {
	c.tail, c.asked = nil, nil
	c.ahead.reset()
}

package layout0

import (
	"fmt"

	"columnvault/internal/store"
)

const (
	// defaultVarChunk is the largest chunk of a new variable-size column. An
	// element that grows or comes in may move half of a chunk, which at this
	// size takes two milliseconds; larger chunks gain little elsewhere.
	defaultVarChunk = 524_280
	// maxChunk is the largest bound that the chunks of a new column may have:
	// index entries hold offsets as signed 32-bit numbers, and SQLite ends a
	// row before that. Columns of others may have larger bounds.
	maxChunk = 1 << 30
)

// FixedRow is the catalog row of a new column whose elements have size bytes.
// A bound that is 0 is chosen for the engine.
func FixedRow(name, dtype string, size int64, b Bounds, caps store.Caps) (store.Row, error) {
	if b.Max == 0 {
		b.Max = max(caps.ChunkSize, b.Min, size)
	}
	return newRow(name, dtype, size, b.withMin(size, caps), caps)
}

// VarSizeRows are the catalog rows of a new column whose elements vary in
// size. Both get the same maximum, a multiple of the size of an index entry:
// 0.8.6 addresses the index by the maximum of the data.
func VarSizeRows(dataName, indexName, dtype string, b Bounds, caps store.Caps) (data, index store.Row, err error) {
	if b.Max == 0 {
		b.Max = max(min(caps.ChunkSize, defaultVarChunk), b.Min)
	}
	b = b.withMin(EntrySize, caps)
	if most := b.Max / EntrySize * EntrySize; b.Min > most && b.Min <= b.Max {
		b.Min = most // rounded up, the minimum would pass the maximum
	}
	if index, err = newRow(indexName, indexDType, EntrySize, b, caps); err != nil {
		return data, index, err
	}
	b = Bounds{Min: min(b.Min, index.MaxChunk), Max: index.MaxChunk}
	data, err = newRow(dataName, dtype, 1, b, caps)
	return data, index, err
}

// withMin chooses the minimum if there is none.
func (b Bounds) withMin(size int64, caps store.Caps) Bounds {
	if b.Min == 0 {
		b.Min = min(max(caps.MinChunk, size), b.Max/size*size)
	}
	return b
}

func newRow(name, dtype string, size int64, b Bounds, caps store.Caps) (store.Row, error) {
	if limit := min(caps.MaxChunk, maxChunk); b.Max > limit {
		return store.Row{}, fmt.Errorf("%w: a maximum of %d bytes for a chunk, and the limit is %d", store.ErrInvalidArgument, b.Max, limit)
	}
	aligned, err := b.align(size)
	if err != nil {
		return store.Row{}, fmt.Errorf("%w: %w", store.ErrInvalidArgument, err)
	}
	return store.Row{Name: name, DType: dtype, ElemSize: size, MinChunk: aligned.Min, MaxChunk: aligned.Max}, nil
}

// IsIndex tells the index row of a variable-size column from all others.
func IsIndex(row store.Row) bool { return row.DType == indexDType && row.ElemSize == EntrySize }

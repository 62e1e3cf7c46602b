package layout0

import (
	"context"
	"errors"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// trusted is the number of bytes of memory that are taken on the word of a
// length, an index entry or a capacity alone, before the chunks have been
// asked.
const trusted = 4 << 20

// reaches reports ErrCorrupt if the chunk has fewer than n bytes, whatever is
// said of it elsewhere.
func reaches(ctx context.Context, r store.Reader, id store.ColumnID, number, n int64) error {
	var last [1]byte
	return r.ReadAt(ctx, id, []store.Span{{Chunk: number, Offset: n - 1, Data: last[:]}})
}

// front returns the first n bytes of the chunk, followed by p.
func front(ctx context.Context, r store.Reader, id store.ColumnID, number, n int64, p []byte) ([]byte, error) {
	if n == 0 {
		return p, nil
	}
	if n > trusted {
		if err := reaches(ctx, r, id, number, n); err != nil {
			return nil, err
		}
	}
	data := make([]byte, n+int64(len(p)))
	copy(data[n:], p)
	return data, r.ReadAt(ctx, id, []store.Span{{Chunk: number, Data: data[:n]}})
}

// checkBytes looks whether a chunk has the bytes that its elements need, and
// those that it says it has.
func checkBytes(ctx context.Context, r store.Reader, id store.ColumnID, found column.Report, chunk store.Chunk, need int64) error {
	p := column.Problem{Kind: column.ProblemSize, Chunk: chunk.Number}
	if chunk.Capacity <= 0 {
		found.Hazard(p, "chunk %d has a capacity of %d", chunk.Number, chunk.Capacity)
	}
	for _, n := range []int64{need, chunk.Capacity} {
		if n <= 0 {
			continue
		}
		err := column.Holds(ctx, r, id, chunk.Number, n)
		switch {
		case errors.Is(err, store.ErrCorrupt) && n == need:
			p.Kind, p.Bytes = column.ProblemShort, n
			found.Damage(p, "chunk %d has fewer than the %d bytes in which elements lie", chunk.Number, n)
			return nil
		case errors.Is(err, store.ErrCorrupt):
			found.Hazard(p, "chunk %d is shorter than its capacity of %d", chunk.Number, n)
		case err != nil:
			return err
		}
	}
	return nil
}

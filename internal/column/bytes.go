package column

import (
	"context"
	"errors"

	"columnvault/internal/store"
)

// Holds reports ErrCorrupt if the chunk says that it has fewer than n bytes. It
// does not look for them, which would cost more.
func Holds(ctx context.Context, r store.Reader, id store.ColumnID, number, n int64) error {
	return r.ReadAt(ctx, id, []store.Span{{Chunk: number, Offset: n}})
}

// Stored is how many of the first most bytes of a chunk there are, whatever its
// capacity says.
func Stored(ctx context.Context, r store.Reader, id store.ColumnID, number, most int64) (int64, error) {
	have, tooMany := int64(0), most+1
	for try := most; have+1 < tooMany; try = have + (tooMany-have)/2 {
		err := Holds(ctx, r, id, number, try)
		switch {
		case err == nil:
			have = try
		case errors.Is(err, store.ErrCorrupt):
			tooMany = try
		default:
			return 0, err
		}
	}
	return have, nil
}

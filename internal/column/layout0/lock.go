package layout0

import (
	"context"
	"fmt"

	"columnvault/internal/store"
)

func (c *Fixed) Lock(ctx context.Context, tx store.Tx) error {
	length, err := tx.Lock(ctx, c.id)
	if err != nil {
		return err
	}
	if err := c.at.checkLength(length); err != nil {
		return fmt.Errorf("%w: %w", store.ErrCorrupt, err)
	}
	c.length = length
	return nil
}

// Lock locks the index: whoever changes the data changes that.
func (c *VarSize) Lock(ctx context.Context, tx store.Tx) error { return c.index.Lock(ctx, tx) }

package copying

import (
	"context"
	"fmt"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// pairsAtOnce is how many pairs are put in one transaction at most.
const pairsAtOnce = 1000

// table copies the pairs of a table.
func (c *copier) table(ctx context.Context, t store.Table) error {
	name := t.Name
	if t.Home != 0 {
		if err := c.to.Update(ctx, func(tx store.Tx) error { return tx.CreateTable(ctx, name, t.Home) }); err != nil {
			return err
		}
	}
	d := column.NewDigest("")
	var batch []store.Pair
	size, pairs := 0, int64(0)
	put := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := c.to.Update(ctx, func(tx store.Tx) error {
			for _, p := range batch {
				if err := tx.Put(ctx, name, p.Key, p.Value); err != nil {
					tx.Abort(err)
					return err
				}
			}
			return nil
		})
		batch = batch[:0]
		c.moved(int64(size))
		size = 0
		return err
	}
	for p, err := range c.from.Scan(ctx, name, store.KeyRange{MaxValue: c.window}) {
		if err != nil {
			return err
		}
		pairs++
		c.result.Bytes += int64(len(p.Key) + len(p.Value))
		if err := c.addPair(ctx, d, c.from, name, p); err != nil {
			return err
		}
		if p.Value == nil {
			if err := c.large(ctx, name, p.Key); err != nil {
				return err
			}
			continue
		}
		batch = append(batch, p)
		if size += len(p.Key) + len(p.Value); size > int(c.window) || len(batch) == pairsAtOnce {
			if err := put(); err != nil {
				return err
			}
		}
	}
	if err := put(); err != nil {
		return err
	}
	c.tables = append(c.tables, copied{name, d.Sum()})
	c.result.Tables++
	c.result.Pairs += pairs
	return c.count(ctx, name, pairs)
}

// count refuses a table of the copy that holds other pairs too.
func (c *copier) count(ctx context.Context, name string, pairs int64) error {
	snap, err := c.to.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	n, err := snap.Count(ctx, name)
	if err == nil && n != pairs {
		err = fmt.Errorf("%w: %d pairs are in the copy, and %d were copied", store.ErrExists, n, pairs)
	}
	return err
}

// large copies a large value, a window at a time.
func (c *copier) large(ctx context.Context, name string, key []byte) error {
	size, err := c.from.Size(ctx, name, key)
	if err != nil {
		return err
	}
	c.result.Bytes += size
	return c.to.Update(ctx, func(tx store.Tx) error {
		if err := tx.PutZero(ctx, name, key, size); err != nil {
			return err
		}
		err := c.stream(ctx, c.from, name, key, size, func(p []byte, at int64) error { return tx.PutAt(ctx, name, key, p, at) })
		if err != nil {
			tx.Abort(err) // a part of it is written
		}
		return err
	})
}

// stream reads a value, a window at a time.
func (c *copier) stream(ctx context.Context, r store.Reader, name string, key []byte, size int64, found func(p []byte, at int64) error) error {
	buf := make([]byte, min(size, c.window))
	for at := int64(0); at < size; at += int64(len(buf)) {
		part := buf[:min(int64(len(buf)), size-at)]
		if err := r.GetAt(ctx, name, key, part, at); err != nil {
			return err
		}
		if err := found(part, at); err != nil {
			return err
		}
		c.moved(int64(len(part)))
	}
	return nil
}

// addPair adds a pair to a digest. Its value is read if Scan has left it out.
func (c *copier) addPair(ctx context.Context, d *column.Digest, r store.Reader, name string, p store.Pair) error {
	d.Part(p.Key)
	if p.Value != nil {
		d.Part(p.Value)
		return nil
	}
	size, err := r.Size(ctx, name, p.Key)
	if err != nil {
		return err
	}
	d.Begin(int(size))
	return c.stream(ctx, r, name, p.Key, size, func(part []byte, _ int64) error { d.More(part); return nil })
}

// digestTable is that of all pairs of a table.
func (c *copier) digestTable(ctx context.Context, r store.Reader, name string) ([]byte, error) {
	d := column.NewDigest("")
	for p, err := range r.Scan(ctx, name, store.KeyRange{MaxValue: c.window}) {
		if err != nil {
			return nil, err
		}
		if err := c.addPair(ctx, d, r, name, p); err != nil {
			return nil, err
		}
		c.moved(int64(len(p.Value)))
	}
	return d.Sum(), nil
}

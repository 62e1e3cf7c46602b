package exchange

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"columnvault"
	"columnvault/internal/excerpt"
)

// The columns of a batch are read by a few goroutines, each with a transaction of
// its own that shows the same state: a lane has every second column, if there are
// two. Where no other transaction of that state can be had, there is one lane.

// maxLanes is how many there are at most.
const maxLanes = 4

// addLanes opens the readers of columns in more transactions, if there is enough to
// be read.
func (e *export) addLanes(ctx context.Context, tx *columnvault.Tx) error {
	if e.rows <= maxRows {
		return nil
	}
	for range min(maxLanes, runtime.GOMAXPROCS(0), len(e.readers)) - 1 {
		lane, err := tx.Sibling(ctx)
		if err != nil {
			return err
		}
		if lane == nil {
			break
		}
		e.lanes = append(e.lanes, lane)
	}
	for i, f := range e.fields {
		if lane := i % (len(e.lanes) + 1); lane > 0 {
			r, err := kindOf(f.Type).newReader(ctx, e.lanes[lane-1], f)
			if err != nil {
				return err
			}
			e.readers[i] = r
		}
	}
	return nil
}

// endLanes ends the transactions of addLanes.
func (e *export) endLanes() {
	for _, lane := range e.lanes {
		lane.Close()
	}
}

// readLanes has each reader read values from a position on, at most so many. It
// returns how many rows there are of all, and about what memory they take.
func (e *export) readLanes(ctx context.Context, at, most int) (size, rows int, err error) {
	if len(e.lanes) == 0 {
		return e.readLane(ctx, 0, at, most)
	}
	type result struct {
		size, rows int
		err        error
	}
	results := make([]result, len(e.lanes)+1)
	var others sync.WaitGroup
	for k := range results {
		others.Go(func() {
			r := &results[k]
			r.size, r.rows, r.err = e.readLane(ctx, k, at, most)
		})
	}
	others.Wait()
	rows = most
	for _, r := range results {
		if r.err != nil {
			return 0, 0, r.err
		}
		size += r.size
		rows = min(rows, r.rows)
	}
	return size, rows, nil
}

// readLane is readLanes of one. Where a column has long values, those that come
// after it read fewer.
func (e *export) readLane(ctx context.Context, lane, at, most int) (size, rows int, err error) {
	share := batchBytes / len(e.readers)
	for i := lane; i < len(e.readers); i += len(e.lanes) + 1 {
		n, bytes, err := e.readers[i].read(ctx, at, most)
		if err == nil && n == 0 {
			err = fmt.Errorf("%w: column %s ended early", columnvault.ErrCorrupt, excerpt.Quote(e.fields[i].Name, excerpt.Name))
		}
		if err != nil {
			return 0, 0, err
		}
		size += bytes
		if most = n; bytes > 2*share {
			most = max(1, n*share/bytes)
		}
	}
	return size, most, nil
}

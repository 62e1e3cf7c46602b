package exchange

import (
	"context"
	"sync"
)

// ahead reads a source by one batch further than its user is.
type ahead struct {
	ctx context.Context
	// ready is closed when nothing more will come, because ctx is done for
	// example.
	ready chan batchOrError
	free  chan *Batch
	end   context.CancelFunc
	ended sync.WaitGroup
	// done and total are the progress at the last batch.
	done, total int64
}

type batchOrError struct {
	batch       *Batch
	done, total int64
	err         error
}

// readAhead begins to read. stop ends it.
func readAhead(ctx context.Context, src Source, fields []Field) *ahead {
	ctx, end := context.WithCancel(ctx)
	a := &ahead{ctx: ctx, ready: make(chan batchOrError, 1), free: make(chan *Batch, 2), end: end}
	a.free <- NewBatch(fields)
	a.free <- NewBatch(fields)
	a.ended.Go(func() {
		defer close(a.ready)
		for {
			var r batchOrError
			select {
			case r.batch = <-a.free:
			case <-ctx.Done():
				return
			}
			r.batch.Reset()
			r.err = src.Next(ctx, r.batch)
			r.done, r.total = src.Progress()
			select {
			case a.ready <- r:
			case <-ctx.Done():
				return
			}
			if r.err != nil {
				return
			}
		}
	})
	return a
}

// next returns the next batch, which goes back with give. After an error there
// is no other.
func (a *ahead) next() (*Batch, error) {
	r, ok := <-a.ready
	if !ok {
		return nil, a.ctx.Err()
	}
	a.done, a.total = r.done, r.total
	return r.batch, r.err
}

// give gives a batch back.
func (a *ahead) give(b *Batch) { a.free <- b }

// stop ends the reading and waits until the source is no longer used.
func (a *ahead) stop() {
	a.end()
	a.ended.Wait()
}

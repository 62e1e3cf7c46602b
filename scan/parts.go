package scan

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"columnvault"
)

// Long columns are read by several goroutines, each in a transaction of its own that
// shows the same state ([columnvault.Tx.Sibling]): part by part, whoever comes first
// the next. What comes out of the parts is put together in their order, so that
// results do not depend on who has read what, nor on how many there were.

const (
	// partLen is how many elements a part has: far more than it takes to begin one,
	// and few enough that all have finished at about the same time.
	partLen = 1 << 18
	// maxReaders is how many goroutines read at most. Each has a connection.
	maxReaders = 4
)

// inParts calls do of each reader with the numbers of parts, from 0 up to, not
// including, n. begin makes a reader of a transaction, and done, if it is not nil, is
// called with each reader at the end, one after the other.
func inParts[R any](ctx context.Context, tx *columnvault.Tx, n int, begin func(tx *columnvault.Tx) R, do func(ctx context.Context, r R, k int) error, done func(r R)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var next atomic.Int64
	var mu sync.Mutex // for what follows, and done
	var first error   // the others fail because their ctx ends
	read := func(tx *columnvault.Tx) {
		r := begin(tx)
		var err error
		for k := next.Add(1) - 1; k < int64(n) && err == nil; k = next.Add(1) - 1 {
			err = do(ctx, r, int(k))
		}
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil && first == nil:
			first = err
			cancel()
		case err == nil && done != nil:
			done(r)
		}
	}
	var others sync.WaitGroup
	defer others.Wait()
	for range min(maxReaders, runtime.GOMAXPROCS(0), n) - 1 {
		others.Go(func() {
			if sibling, err := tx.Sibling(ctx); err == nil && sibling != nil { // else there are fewer
				defer sibling.Close()
				read(sibling)
			}
		})
	}
	read(tx)
	others.Wait()
	return first
}

// collect puts the elements of each part into an A. It is not for those whose memory
// is not known beforehand, or that a function of the caller makes: these are read in
// order by the goroutine of the caller.
func collect[A any, T any](ctx context.Context, s Source[T], add func(a *A, b block[T])) (all []A, err error) {
	err = s.reader.view(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		s := s.in(tx)
		from, to, err := s.span(ctx)
		if err != nil {
			return err
		}
		all = make([]A, (to-from+partLen-1)/partLen)
		if !isNumber[T]() || s.reader.calls() {
			return s.Slice(from, to).each(ctx, func(b block[T]) error {
				for len(b.values) > 0 {
					k := (b.start - from) / partLen
					add(&all[k], b.cut(min(len(b.values), from+(k+1)*partLen-b.start)))
				}
				return nil
			})
		}
		type own struct {
			reader reader[T]
			block  block[T]
		}
		begin := func(tx *columnvault.Tx) *own { return &own{reader: s.reader.in(tx)} }
		return inParts(ctx, tx, len(all), begin, func(ctx context.Context, r *own, k int) error {
			var a A
			at, end := from+k*partLen, min(to, from+(k+1)*partLen)
			for at < end {
				err := r.reader.read(ctx, &r.block, at, min(blockLen, end-at))
				if err != nil || len(r.block.values) == 0 {
					return err
				}
				at += len(r.block.values)
				add(&a, r.block)
			}
			all[k] = a
			return nil
		}, nil)
	})
	return all, err
}

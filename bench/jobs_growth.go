package main

import "time"

// grow appends until there are N elements, in a hundred blocks, and measures
// where there are N/100, N/10 and N.
func (b *bench[T]) grow() error {
	if err := b.open(); err != nil {
		return err
	}
	last, n := b.N, 0
	block := max(1, last/100)
	for size := block; size <= last; size *= 10 {
		b.column = b.peer.Name + ", " + count(size)
		var each []time.Duration
		for n < size {
			values := b.first(min(block, size-n))
			start := time.Now()
			if err := b.list.Append(values); err != nil {
				return err
			}
			each = append(each, time.Since(start))
			n += len(values)
		}
		b.ns("append "+count(block)+", each", each...)
		b.N = size
		b.grown(block)
		start := time.Now()
		if err := b.store.Close(); err != nil {
			return err
		}
		b.ns("close", time.Since(start))
		b.folderSize("size after that")
		b.some("open, read one, close", 10, func() error {
			if err := b.open(); err != nil {
				return err
			}
			if _, err := b.list.At(b.random.IntN(size)); err != nil {
				return err
			}
			return b.store.Close()
		})
		if err := b.open(); err != nil {
			return err
		}
		var err error
		if n, err = b.list.Len(); err != nil {
			return err
		}
	}
	b.memory("peak memory")
	return b.store.Close()
}

// grown measures what should not depend on how many elements there are, and
// what has to.
func (b *bench[T]) grown(block int) {
	b.readers()
	tenth := b.first(max(1, block/10))
	b.some("append "+count(len(tenth)), 5, func() error { return b.list.Append(tenth) })
	b.calls("append 1", b.Calls, func(i int) error { return b.list.AppendOne(b.at(i)) })
	b.calls("set 1", b.Calls, func(int) error { return b.set(b.sizes[0]) })
	near := b.N - min(b.N, 1000)
	b.calls("insert 1, 1000 before the end", 20, func(i int) error { return b.list.Insert(near, b.changed(i, b.sizes[0])) })
	b.calls("insert 1 in the middle", 3, func(i int) error { return b.list.Insert(b.N/2, b.changed(i, b.sizes[0])) })
	b.calls("delete 1 in the middle", 3, func(int) error { return b.list.Delete(b.N / 2) })
}

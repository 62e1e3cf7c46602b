package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// The phases of a set, each of which is a process of its own.
const (
	phaseWrite  = "write"
	phaseRead   = "read"
	phaseChance = "chance" // reads at places of chance
	phaseEdit   = "edit"
	phaseSync   = "sync" // commits that wait for the disk
	phaseGrow   = "growth"
	phaseKill   = "kill"
	phaseCount  = "count" // what has been left after kill
	phaseImport = "import"
	phaseExport = "export"
)

// perform does a task, in the process of a peer.
func perform(m *meter, p Peer) error {
	switch m.Phase {
	case phaseImport:
		return importCSV(m, p)
	case phaseExport:
		return exportCSV(m, p)
	}
	switch m.Kind {
	case Ints:
		return phases(m, p, ints)
	case Floats:
		return phases(m, p, floats)
	case Bytes:
		return phases(m, p, blobs)
	case Strings:
		return phases(m, p, texts)
	case Records:
		return phases(m, p, records)
	case Rows:
		return phases(m, p, rows)
	}
	return fmt.Errorf("no elements are %q", m.Kind)
}

// phases does one phase of a kind of elements. A peer that has no such lists
// does nothing.
func phases[T any](m *meter, p Peer, v values[T]) error {
	err := phase(m, p, v)
	if errors.Is(err, errDash) {
		return nil
	}
	return err
}

func phase[T any](m *meter, p Peer, v values[T]) error {
	b := &bench[T]{meter: m, values: v, peer: p, random: rand.New(rand.NewPCG(1, 2)), expect: map[int]T{}}
	switch m.Phase {
	case phaseWrite:
		return b.write()
	case phaseRead:
		return b.read()
	case phaseChance:
		return b.chance()
	case phaseEdit:
		return b.edit()
	case phaseSync:
		return b.synced()
	case phaseGrow:
		return b.grow()
	case phaseKill:
		return b.untilKilled()
	case phaseCount:
		return b.countKept()
	}
	return fmt.Errorf("there is no phase %q", m.Phase)
}

// bench does the jobs of a kind of elements.
type bench[T any] struct {
	*meter
	values[T]
	peer   Peer
	random *rand.Rand
	store  Store
	list   List[T]
	// expect is what was set, and turns counts it.
	expect map[int]T
	turns  int
}

func (b *bench[T]) open() error {
	store, err := b.peer.Open(b.Dir)
	if err != nil {
		return err
	}
	list, err := store.List(b.kind)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	b.store, b.list = store, list.(List[T])
	return nil
}

// write fills an empty list in one call.
func (b *bench[T]) write() error {
	all := b.first(b.N)
	if err := b.open(); err != nil {
		return err
	}
	start := time.Now()
	if err := b.list.Append(all); err != nil {
		return err
	}
	appended := time.Since(start)
	start = time.Now()
	if err := b.store.Close(); err != nil {
		return err
	}
	b.ns("append all", appended)
	b.ns("append all, close", appended+time.Since(start))
	b.memory("append all, peak memory")
	b.folderSize("size after that")
	return nil
}

// read opens a list that another process has filled.
func (b *bench[T]) read() error {
	b.some("open, read one, close", 20, func() error {
		if err := b.open(); err != nil {
			return err
		}
		if _, err := b.list.At(b.random.IntN(b.N)); err != nil {
			return err
		}
		return b.store.Close()
	})
	if err := b.open(); err != nil {
		return err
	}
	if err := b.readAll(); err != nil {
		return err
	}
	if s, ok := b.list.(Scanner[T]); ok && (b.kind == Ints || b.kind == Floats) {
		b.compute(s)
	}
	if a, ok := b.list.(Asker); ok && b.kind == Rows {
		b.ask(a)
	}
	return b.store.Close()
}

// chance reads at random places, where nothing has been read before.
func (b *bench[T]) chance() error {
	if err := b.open(); err != nil {
		return err
	}
	b.readers()
	b.memory("reads of chance, peak memory")
	return b.store.Close()
}

// readAll copies all elements, twice to tell the first touch of everything from
// the rest, and looks whether they are those that were written.
func (b *bench[T]) readAll() error {
	var all []T
	b.some("read all, first", 1, func() error {
		all = make([]T, b.N)
		return b.list.Read(all)
	})
	for i, got := range all {
		if !b.equal(got, b.at(i)) {
			return fmt.Errorf("element %d: %v, want %v", i, got, b.at(i))
		}
	}
	b.some("read all, again", 5, func() error {
		if all == nil {
			all = make([]T, b.N)
		}
		return b.list.Read(all)
	})
	b.memory("read all, peak memory")
	b.some("run through all", 5, func() error {
		n := 0
		if err := b.list.Runs(func(run []T) { n += len(run) }); err != nil {
			return err
		}
		return want("elements", n, b.N)
	})
	return nil
}

// compute asks what stores compute by themselves.
func (b *bench[T]) compute(s Scanner[T]) {
	b.some("sum", 5, func() error {
		_, err := s.Sum()
		return err
	})
	b.some("smallest and largest", 5, func() error {
		_, _, err := s.MinMax()
		return err
	})
	b.some("count what is at least the first", 5, func() error {
		_, err := s.CountAtLeast(b.at(0))
		return err
	})
}

// ask runs queries over records by field.
func (b *bench[T]) ask(a Asker) {
	for _, q := range []struct {
		job, text string
		rows      int
	}{
		{"SQL: sum of a field", "SELECT sum(value) FROM rows", 1},
		{"SQL: mean by name", "SELECT name, avg(value) FROM rows GROUP BY name", len(words)},
		{"SQL: the ten largest", "SELECT name, value FROM rows WHERE good ORDER BY value DESC LIMIT 10", 10},
	} {
		b.some(q.job, 5, func() error {
			n, err := a.Ask(q.text)
			if err != nil {
				return err
			}
			return want("rows", n, min(q.rows, b.N))
		})
	}
}

// readers reads in a view and outside of it.
func (b *bench[T]) readers() {
	err := b.list.View(func(r Reader[T]) error {
		b.reader(r, " in a view")
		return nil
	})
	b.failed("at in a view", err)
	b.reader(b.list, "")
}

func (b *bench[T]) reader(r Reader[T], where string) {
	at := func(int) error {
		_, err := r.At(b.random.IntN(b.N))
		return err
	}
	b.batches(fmt.Sprintf("at%s, the first %s", where, count(b.Calls/2)), b.Calls/2, 20, at)
	b.batches("at"+where, 5*b.Calls, 100, at)
	into := make([]T, min(100, b.N))
	b.batches("slice of 100"+where, 2*b.Calls, 20, func(int) error {
		return r.Slice(into, b.random.IntN(b.N-len(into)+1))
	})
}

// mostMoved is how long a list may be to insert in its middle: stores that number
// their elements renumber half of them, which takes minutes in longer ones.
const mostMoved = 2_000_000

// edit changes a list that another process has filled. At the end it looks
// whether the changes are there.
func (b *bench[T]) edit() error {
	if err := b.open(); err != nil {
		return err
	}
	n, middle := b.N, b.N/2
	if n <= mostMoved {
		n += b.calls("insert 1 in the middle", 5, func(i int) error { return b.list.Insert(middle, b.changed(i, b.sizes[0])) })
		n -= b.calls("delete 1 in the middle", 5, func(int) error { return b.list.Delete(middle) })
	}
	n += b.calls("append 1", b.Calls, func(i int) error { return b.list.AppendOne(b.at(i)) })
	for k, job := range []string{"set 1", "set 1, smaller", "set 1, larger"}[:len(b.sizes)] {
		b.calls(job, b.Calls, func(int) error { return b.set(b.sizes[k]) })
	}
	b.setMany()
	n += b.appendEach()
	start := time.Now()
	if err := b.store.Close(); err != nil {
		return err
	}
	b.ns("close after the edits", time.Since(start))
	b.memory("edits, peak memory")
	b.folderSize("size after the edits")
	return b.verify(n)
}

// next returns a place, and a value that was nowhere before.
func (b *bench[T]) next(size int) (int, T) {
	b.turns++
	return b.random.IntN(b.N), b.changed(b.turns, size)
}

// set sets one element to a value of so many bytes, if elements vary in size.
func (b *bench[T]) set(size int) error {
	i, v := b.next(size)
	err := b.list.Set(i, v)
	if err == nil {
		b.expect[i] = v
	}
	return err
}

// setMany sets many elements in one transaction, which are given as the cost of
// one.
func (b *bench[T]) setMany() {
	many := min(10_000, b.N)
	job := fmt.Sprintf("set 1 of %s in one transaction", count(many))
	if !b.wants(job) {
		return
	}
	values := make([]T, many)
	for k := range values {
		_, values[k] = b.next(b.sizes[0])
	}
	at := b.random.Perm(b.N)[:many] // each once
	start := time.Now()
	if b.failed(job, b.list.SetMany(at, values)) {
		return
	}
	b.ns(job, time.Since(start)/time.Duration(many))
	for k, i := range at {
		b.expect[i] = values[k]
	}
}

// appendEach appends by a call for each, which is given as the cost of one.
func (b *bench[T]) appendEach() (appended int) {
	const job = "append 1, held or in one transaction"
	if !b.wants(job) {
		return 0
	}
	all := b.first(min(200_000, b.N))
	each := func(d time.Duration) time.Duration { return d / time.Duration(len(all)) }
	start := time.Now()
	var held time.Duration
	if b.failed(job, b.list.AppendEach(all, func() { held = time.Since(start) })) {
		return 0
	}
	b.ns(job, each(held))
	b.ns(job+", and committed", each(time.Since(start)))
	if b.peer.Class == Rewritten { // which has written another file
		return 0
	}
	return len(all)
}

// verify opens the list again and looks for what was set.
func (b *bench[T]) verify(n int) error {
	if err := b.open(); err != nil {
		return err
	}
	got, err := b.list.Len()
	if err != nil {
		return err
	}
	if err := want("elements after the edits", got, n); err != nil {
		return err
	}
	looked := 0
	for i, v := range b.expect {
		if looked++; looked > 100 {
			break
		}
		got, err := b.list.At(i)
		if err != nil {
			return err
		}
		if !b.equal(got, v) {
			return fmt.Errorf("element %d: %v after the edits, want %v", i, got, v)
		}
	}
	return b.store.Close()
}

// synced appends and sets where every commit waits for the disk.
func (b *bench[T]) synced() error {
	if err := b.open(); err != nil {
		return err
	}
	if err := b.list.Append(b.first(b.N)); err != nil {
		return err
	}
	b.calls("append 1, fsync", b.Calls/10, func(i int) error { return b.list.AppendOne(b.at(i)) })
	b.calls("set 1, fsync", b.Calls/10, func(i int) error {
		return b.list.Set(b.random.IntN(b.N), b.changed(i, b.sizes[0]))
	})
	return b.store.Close()
}

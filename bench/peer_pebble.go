package main

import (
	"encoding/binary"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

func pebblePeers() []Peer {
	const module = "github.com/cockroachdb/pebble/v2"
	return []Peer{{
		Name: "Pebble", Class: Durable, Module: module, Synced: true,
		Durability: "survives power failure",
		Remark:     "the position is the key",
		Open:       func(dir string) (Store, error) { return openPebble(dir, pebble.Sync) },
	}, {
		Name: "Pebble, NoSync", Class: Loose, Module: module,
		Durability: "the last writes may be lost with the process; a power failure may lose more, and leaves the rest whole",
		Open:       func(dir string) (Store, error) { return openPebble(dir, pebble.NoSync) },
	}}
}

type pebbles struct {
	db   *pebble.DB
	sync *pebble.WriteOptions
}

// quiet is a logger that says nothing.
type quiet struct{ pebble.Logger }

func (quiet) Infof(string, ...any) {}

func openPebble(dir string, sync *pebble.WriteOptions) (Store, error) {
	db, err := pebble.Open(dir, &pebble.Options{Logger: quiet{pebble.DefaultLogger}})
	return pebbles{db, sync}, err
}

func (s pebbles) Close() error { return s.db.Close() }

func (s pebbles) List(kind Kind) (any, error) {
	switch kind {
	case Ints:
		return newPebbleList(s, ints)
	case Floats:
		return newPebbleList(s, floats)
	case Bytes:
		return newPebbleList(s, blobs)
	case Strings:
		return newPebbleList(s, texts)
	case Records:
		return newPebbleList(s, records)
	}
	return nil, errDash
}

type pebbleList[T any] struct {
	pebbles
	pebbleView[T]
	n int
}

func newPebbleList[T any](s pebbles, v values[T]) (*pebbleList[T], error) {
	l := &pebbleList[T]{pebbles: s, pebbleView: pebbleView[T]{s.db, v}}
	it, err := s.db.NewIter(nil)
	if err != nil {
		return nil, err
	}
	if it.Last() {
		l.n = int(binary.BigEndian.Uint64(it.Key())) + 1
	}
	return l, it.Close()
}

func (l *pebbleList[T]) Len() (int, error) { return l.n, nil }

func (l *pebbleList[T]) AppendOne(v T) error {
	err := l.db.Set(key(l.n), l.append(nil, v), l.sync)
	l.n++
	return err
}

func (l *pebbleList[T]) Append(values []T) error { return l.AppendEach(values, func() {}) }

func (l *pebbleList[T]) AppendEach(values []T, held func()) error {
	b := l.db.NewBatch()
	defer b.Close()
	var k, stored []byte
	for _, v := range values {
		k, stored = binary.BigEndian.AppendUint64(k[:0], uint64(l.n)), l.append(stored[:0], v)
		if err := b.Set(k, stored, nil); err != nil {
			return err
		}
		l.n++
	}
	held()
	return b.Commit(l.sync)
}

func (l *pebbleList[T]) Read(into []T) error { return l.Slice(into, 0) }

func (l *pebbleList[T]) View(fn func(Reader[T]) error) error {
	snapshot := l.db.NewSnapshot()
	defer snapshot.Close()
	return fn(pebbleView[T]{snapshot, l.values})
}

// pebbleView reads the database, or a snapshot of it.
type pebbleView[T any] struct {
	pebble.Reader
	values[T]
}

func (r pebbleView[T]) At(i int) (v T, err error) {
	found, closer, err := r.Get(key(i))
	if err != nil {
		return v, err
	}
	v = r.own(r.decode(found))
	return v, closer.Close()
}

func (r pebbleView[T]) Slice(into []T, at int) error {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: key(at), UpperBound: key(at + len(into))})
	if err != nil {
		return err
	}
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		into[n] = r.own(r.decode(it.Value()))
		n++
	}
	return whole(n, len(into), it.Close())
}

// Runs gives stretches of one: the memory of a value is lent until the next.
func (r pebbleView[T]) Runs(fn func([]T)) error {
	it, err := r.NewIter(nil)
	if err != nil {
		return err
	}
	var one [1]T
	for ok := it.First(); ok; ok = it.Next() {
		one[0] = r.decode(it.Value())
		fn(one[:])
	}
	return it.Close()
}

func (l *pebbleList[T]) Set(i int, v T) error { return l.db.Set(key(i), l.append(nil, v), l.sync) }

func (l *pebbleList[T]) SetMany(at []int, values []T) error {
	b := l.db.NewBatch()
	defer b.Close()
	for k, i := range at {
		if err := b.Set(key(i), l.append(nil, values[k]), nil); err != nil {
			return err
		}
	}
	return b.Commit(l.sync)
}

// move writes the elements from i on, places away.
func (l *pebbleList[T]) move(b *pebble.Batch, i, places int) error {
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: key(i)})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		if err := b.Set(key(int(binary.BigEndian.Uint64(it.Key()))+places), slices.Clone(it.Value()), nil); err != nil {
			it.Close()
			return err
		}
	}
	return it.Close()
}

func (l *pebbleList[T]) Insert(i int, v T) error {
	b := l.db.NewBatch()
	defer b.Close()
	if err := l.move(b, i, 1); err != nil {
		return err
	}
	l.n++
	if err := b.Set(key(i), l.append(nil, v), nil); err != nil {
		return err
	}
	return b.Commit(l.sync)
}

func (l *pebbleList[T]) Delete(i int) error {
	b := l.db.NewBatch()
	defer b.Close()
	if err := l.move(b, i+1, -1); err != nil {
		return err
	}
	l.n--
	if err := b.Delete(key(l.n), nil); err != nil {
		return err
	}
	return b.Commit(l.sync)
}

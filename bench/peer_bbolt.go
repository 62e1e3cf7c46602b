package main

import (
	"encoding/binary"
	"path/filepath"

	"go.etcd.io/bbolt"
)

func boltPeers() []Peer {
	const module = "go.etcd.io/bbolt"
	return []Peer{{
		Name: "bbolt", Class: Durable, Module: module, Synced: true,
		Durability: "survives power failure",
		Remark:     "the position is the key; what a view reads lies in the mapped file",
		Open:       func(dir string) (Store, error) { return openBolt(dir, false) },
	}, {
		Name: "bbolt, NoSync", Class: Loose, Module: module,
		Durability: "survives the end of the process; a power failure may break the whole file",
		Open:       func(dir string) (Store, error) { return openBolt(dir, true) },
	}}
}

type bolt struct{ db *bbolt.DB }

var boltBucket = []byte("list")

func openBolt(dir string, noSync bool) (Store, error) {
	db, err := bbolt.Open(filepath.Join(dir, "bolt.db"), 0o666, &bbolt.Options{NoSync: noSync})
	if err != nil {
		return nil, err
	}
	return bolt{db}, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(boltBucket)
		return err
	})
}

func (s bolt) Close() error { return s.db.Close() }

func (s bolt) List(kind Kind) (any, error) {
	switch kind {
	case Ints:
		return newBoltList(s.db, ints)
	case Floats:
		return newBoltList(s.db, floats)
	case Bytes:
		return newBoltList(s.db, blobs)
	case Strings:
		return newBoltList(s.db, texts)
	case Records:
		return newBoltList(s.db, records)
	}
	return nil, errDash
}

// key is a position as a key that sorts as it does.
func key(i int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(i)) }

// stretch is how many elements peers that have one at a time hand out at once.
const stretch = 1024

type boltList[T any] struct {
	db *bbolt.DB
	values[T]
	n int
}

func newBoltList[T any](db *bbolt.DB, v values[T]) (*boltList[T], error) {
	l := &boltList[T]{db: db, values: v}
	err := db.View(func(tx *bbolt.Tx) error {
		if last, _ := tx.Bucket(boltBucket).Cursor().Last(); last != nil {
			l.n = int(binary.BigEndian.Uint64(last)) + 1
		}
		return nil
	})
	return l, err
}

func (l *boltList[T]) update(fn func(b *bbolt.Bucket) error) error {
	return l.db.Update(func(tx *bbolt.Tx) error { return fn(tx.Bucket(boltBucket)) })
}

func (l *boltList[T]) Len() (int, error) { return l.n, nil }

func (l *boltList[T]) Append(values []T) error { return l.AppendEach(values, func() {}) }

func (l *boltList[T]) AppendOne(v T) error { return l.Append([]T{v}) }

func (l *boltList[T]) AppendEach(values []T, held func()) error {
	return l.update(func(b *bbolt.Bucket) error {
		b.FillPercent = 1 // keys ascend
		for _, v := range values {
			if err := b.Put(key(l.n), l.append(nil, v)); err != nil {
				return err
			}
			l.n++
		}
		held()
		return nil
	})
}

func (l *boltList[T]) Read(into []T) error {
	return l.View(func(r Reader[T]) error { return r.Slice(into, 0) })
}

func (l *boltList[T]) At(i int) (v T, err error) {
	err = l.View(func(r Reader[T]) error {
		v, err = r.At(i)
		v = l.own(v)
		return err
	})
	return v, err
}

func (l *boltList[T]) Slice(into []T, at int) error {
	return l.View(func(r Reader[T]) error { return r.Slice(into, at) })
}

func (l *boltList[T]) View(fn func(Reader[T]) error) error {
	return l.db.View(func(tx *bbolt.Tx) error { return fn(boltView[T]{l, tx.Bucket(boltBucket)}) })
}

// boltView is a transaction that reads. A value of At lies in the file.
type boltView[T any] struct {
	*boltList[T]
	b *bbolt.Bucket
}

func (r boltView[T]) At(i int) (v T, err error) {
	found := r.b.Get(key(i))
	if found == nil {
		return v, errShort
	}
	return r.decode(found), nil
}

func (r boltView[T]) Slice(into []T, at int) error {
	n, c := 0, r.b.Cursor()
	for k, v := c.Seek(key(at)); k != nil && n < len(into); k, v = c.Next() {
		into[n] = r.own(r.decode(v))
		n++
	}
	return whole(n, len(into), nil)
}

func (l *boltList[T]) Runs(fn func([]T)) error {
	return l.db.View(func(tx *bbolt.Tx) error {
		run, c := make([]T, 0, stretch), tx.Bucket(boltBucket).Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if run = append(run, l.decode(v)); len(run) == stretch {
				fn(run)
				run = run[:0]
			}
		}
		fn(run)
		return nil
	})
}

func (l *boltList[T]) Set(i int, v T) error { return l.SetMany([]int{i}, []T{v}) }

func (l *boltList[T]) SetMany(at []int, values []T) error {
	return l.update(func(b *bbolt.Bucket) error {
		for k, i := range at {
			if err := b.Put(key(i), l.append(nil, values[k])); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *boltList[T]) Insert(i int, v T) error {
	return l.update(func(b *bbolt.Bucket) error {
		next := l.append(nil, v)
		for ; i < l.n; i++ {
			moved := append([]byte(nil), b.Get(key(i))...)
			if err := b.Put(key(i), next); err != nil {
				return err
			}
			next = moved
		}
		l.n++
		return b.Put(key(i), next)
	})
}

func (l *boltList[T]) Delete(i int) error {
	return l.update(func(b *bbolt.Bucket) error {
		for ; i < l.n-1; i++ {
			if err := b.Put(key(i), append([]byte(nil), b.Get(key(i+1))...)); err != nil {
				return err
			}
		}
		l.n--
		return b.Delete(key(i))
	})
}

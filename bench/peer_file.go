package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// errShort is the error of a peer that gives less than it was given.
var errShort = errors.New("elements are missing")

// whole is the error of a read that has found n of want elements.
func whole(n, want int, err error) error {
	if err == nil && n != want {
		return fmt.Errorf("%w: %d of %d", errShort, want-n, want)
	}
	return err
}

func filePeers() []Peer {
	return slices.Concat(parquetPeers(), arrowPeers(), []Peer{{
		Name: "plain file", Class: Floor,
		Durability: "survives the end of the process; a power failure may leave anything",
		Remark:     "elements of one size behind each other, no copy of what is overwritten",
		Open:       func(dir string) (Store, error) { return openFile(dir, false) },
	}, {
		Name: "plain file, fsync", Class: Floor, Synced: true, OnlySynced: true,
		Durability: "survives power failure, perhaps in part",
		Open:       func(dir string) (Store, error) { return openFile(dir, true) },
	}, {
		Name: "memory", Class: Floor,
		Durability: "nothing",
		Remark:     "a Go slice: what copying takes; Open and Close read and write a plain file",
		Open:       func(dir string) (Store, error) { return &inMemory{dir: dir}, nil },
	}})
}

type plain struct {
	f    *os.File
	sync bool
}

func openFile(dir string, sync bool) (Store, error) {
	f, err := os.OpenFile(filepath.Join(dir, "plain"), os.O_RDWR|os.O_CREATE, 0o666)
	return plain{f, sync}, err
}

func (s plain) Close() error { return s.f.Close() }

func (s plain) List(kind Kind) (any, error) {
	switch kind {
	case Ints:
		return plainList[int64]{s, ints}, nil
	case Floats:
		return plainList[float64]{s, floats}, nil
	case Bytes:
		return plainList[[]byte]{s, blobs}, nil
	}
	return nil, errDash
}

type plainList[T any] struct {
	plain
	values[T]
}

func (l plainList[T]) offset(i int) int64 { return int64(i) * int64(l.size) }

func (l plainList[T]) Len() (int, error) {
	info, err := l.f.Stat()
	if err != nil {
		return 0, err
	}
	return int(info.Size()) / l.size, nil
}

// write writes bytes from element i on.
func (l plainList[T]) write(b []byte, i int) error {
	_, err := l.f.WriteAt(b, l.offset(i))
	if err == nil && l.sync {
		err = l.f.Sync()
	}
	return err
}

func (l plainList[T]) Append(values []T) error {
	return l.AppendEach(values, func() {})
}

func (l plainList[T]) AppendOne(v T) error {
	n, err := l.Len()
	if err != nil {
		return err
	}
	return l.write(l.append(nil, v), n)
}

func (l plainList[T]) AppendEach(values []T, held func()) error {
	if _, err := l.f.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	w, one := bufio.NewWriterSize(l.f, 1<<18), make([]byte, 0, l.size)
	for _, v := range values {
		if _, err := w.Write(l.append(one, v)); err != nil {
			return err
		}
	}
	held()
	err := w.Flush()
	if err == nil && l.sync {
		err = l.f.Sync()
	}
	return err
}

func (l plainList[T]) Read(into []T) error { return l.Slice(into, 0) }

func (l plainList[T]) Slice(into []T, at int) error {
	per := max(1, min(len(into), 1<<18/l.size))
	b := make([]byte, per*l.size)
	for len(into) > 0 {
		n := min(per, len(into))
		if _, err := l.f.ReadAt(b[:n*l.size], l.offset(at)); err != nil {
			return err
		}
		for k := range n {
			into[k] = l.own(l.decode(b[k*l.size : (k+1)*l.size]))
		}
		into, at = into[n:], at+n
	}
	return nil
}

func (l plainList[T]) Runs(fn func([]T)) error {
	n, err := l.Len()
	if err != nil {
		return err
	}
	b, run := make([]byte, 1<<18/l.size*l.size), make([]T, 0, 1<<18/l.size)
	for at := 0; at < n; at += len(run) {
		k := min(cap(run), n-at)
		if _, err := l.f.ReadAt(b[:k*l.size], l.offset(at)); err != nil {
			return err
		}
		run = run[:k]
		for i := range run {
			run[i] = l.decode(b[i*l.size : (i+1)*l.size])
		}
		fn(run)
	}
	return nil
}

func (l plainList[T]) At(i int) (v T, err error) {
	b := make([]byte, l.size)
	if _, err := l.f.ReadAt(b, l.offset(i)); err != nil {
		return v, err
	}
	return l.decode(b), nil
}

func (l plainList[T]) View(func(Reader[T]) error) error { return errDash }

func (l plainList[T]) Set(i int, v T) error {
	b := l.append(nil, v)
	if len(b) != l.size {
		return errDash
	}
	return l.write(b, i)
}

func (l plainList[T]) SetMany(at []int, values []T) error {
	for k, i := range at {
		if err := l.Set(i, values[k]); err != nil {
			return err
		}
	}
	return nil
}

// tail reads the bytes from element i on.
func (l plainList[T]) tail(i int) ([]byte, error) {
	n, err := l.Len()
	if err != nil {
		return nil, err
	}
	b := make([]byte, (n-i)*l.size)
	_, err = l.f.ReadAt(b, l.offset(i))
	return b, err
}

func (l plainList[T]) Insert(i int, v T) error {
	tail, err := l.tail(i)
	if err != nil {
		return err
	}
	return l.write(append(l.append(nil, v), tail...), i)
}

func (l plainList[T]) Delete(i int) error {
	tail, err := l.tail(i + 1)
	if err != nil {
		return err
	}
	if err := l.write(tail, i); err != nil {
		return err
	}
	return l.f.Truncate(l.offset(i) + int64(len(tail)))
}

// inMemory is a slice, which is in a file while it is closed.
type inMemory struct {
	dir  string
	save func() error
}

func (s *inMemory) Close() error {
	if s.save == nil {
		return nil
	}
	return s.save()
}

func (s *inMemory) List(kind Kind) (any, error) {
	switch kind {
	case Ints:
		return newMemoryList(s, ints)
	case Floats:
		return newMemoryList(s, floats)
	case Bytes:
		return newMemoryList(s, blobs)
	}
	return nil, errDash
}

type memoryList[T any] struct {
	values[T]
	all []T
}

func newMemoryList[T any](s *inMemory, v values[T]) (*memoryList[T], error) {
	store, err := openFile(s.dir, false)
	if err != nil {
		return nil, err
	}
	file := plainList[T]{store.(plain), v}
	n, err := file.Len()
	if err != nil {
		return nil, err
	}
	l := &memoryList[T]{values: v, all: make([]T, n)}
	s.save = func() error {
		if err := file.f.Truncate(0); err != nil {
			return err
		}
		return errors.Join(file.Append(l.all), file.Close())
	}
	return l, file.Read(l.all)
}

func (l *memoryList[T]) Len() (int, error) { return len(l.all), nil }

func (l *memoryList[T]) Append(values []T) error {
	if l.kind == Bytes {
		return l.AppendEach(values, func() {})
	}
	l.all = append(l.all, values...)
	return nil
}

func (l *memoryList[T]) AppendOne(v T) error {
	l.all = append(l.all, l.own(v))
	return nil
}

func (l *memoryList[T]) AppendEach(values []T, held func()) error {
	for _, v := range values {
		l.all = append(l.all, l.own(v))
	}
	held()
	return nil
}

func (l *memoryList[T]) Read(into []T) error { return l.Slice(into, 0) }

func (l *memoryList[T]) Slice(into []T, at int) error {
	if l.kind != Bytes {
		copy(into, l.all[at:])
		return nil
	}
	for k := range into {
		into[k] = l.own(l.all[at+k])
	}
	return nil
}

func (l *memoryList[T]) Runs(fn func([]T)) error {
	fn(l.all)
	return nil
}

func (l *memoryList[T]) At(i int) (T, error) { return l.all[i], nil }

func (l *memoryList[T]) View(fn func(Reader[T]) error) error { return fn(l) }

func (l *memoryList[T]) Set(i int, v T) error {
	if size := len(l.append(nil, v)); size != l.size {
		return errDash // Close could not save it
	}
	l.all[i] = v
	return nil
}

func (l *memoryList[T]) SetMany(at []int, values []T) error {
	for k, i := range at {
		if err := l.Set(i, values[k]); err != nil {
			return err
		}
	}
	return nil
}

func (l *memoryList[T]) Insert(i int, v T) error {
	l.all = slices.Insert(l.all, i, v)
	return nil
}

func (l *memoryList[T]) Delete(i int) error {
	l.all = slices.Delete(l.all, i, i+1)
	return nil
}

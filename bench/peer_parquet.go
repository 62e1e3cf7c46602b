package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"unsafe"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
)

func parquetPeers() []Peer {
	return []Peer{{
		Name: "parquet-go", Class: Rewritten, Module: "github.com/parquet-go/parquet-go",
		Durability: "a file is whole when it is closed, without fsync",
		Remark:     "PLAIN, not compressed; to insert or delete is to read all and write a new file; At and slices read a page",
		Open:       func(dir string) (Store, error) { return parquetStore{filepath.Join(dir, "list.parquet")}, nil },
	}}
}

type parquetStore struct{ path string }

func (parquetStore) Close() error { return nil }

func (s parquetStore) List(kind Kind) (any, error) {
	switch kind {
	case Ints:
		return &parquetList[int64, parquetRow[int64]]{path: s.path, take: func(from encoding.Values, into []int64) int {
			return copy(into, from.Int64())
		}}, nil
	case Floats:
		return &parquetList[float64, parquetRow[float64]]{path: s.path, take: func(from encoding.Values, into []float64) int {
			return copy(into, from.Double())
		}}, nil
	case Bytes:
		return &parquetList[[]byte, parquetRow[[]byte]]{path: s.path, take: func(from encoding.Values, into [][]byte) int {
			data, ends := from.ByteArray()
			n := min(len(into), len(ends)-1)
			data = slices.Clone(data[ends[0]:ends[n]])
			for i := range n {
				into[i] = data[ends[i]-ends[0] : ends[i+1]-ends[0] : ends[i+1]-ends[0]]
			}
			return n
		}}, nil
	case Strings:
		return &parquetList[string, parquetRow[string]]{path: s.path, take: func(from encoding.Values, into []string) int {
			data, ends := from.ByteArray()
			n := min(len(into), len(ends)-1)
			all := string(data[ends[0]:ends[n]])
			for i := range n {
				into[i] = all[ends[i]-ends[0] : ends[i+1]-ends[0]]
			}
			return n
		}}, nil
	case Records, Rows:
		return &parquetList[Record, Record]{path: s.path}, nil
	}
	return nil, errDash
}

// parquetRow is a row of one column. It has the memory of its element.
type parquetRow[T any] struct {
	V T `parquet:"v,plain"`
}

// parquetList is a file of rows R, whose memory is that of elements T.
type parquetList[T, R any] struct {
	dashes[T]
	path string
	// take copies elements of a page; without it rows are read whole.
	take func(from encoding.Values, into []T) int
}

func asRows[T, R any](values []T) []R {
	return unsafe.Slice((*R)(unsafe.Pointer(unsafe.SliceData(values))), len(values))
}

// open opens the file for reading.
func (l *parquetList[T, R]) open() (*os.File, *parquet.File, error) {
	f, err := os.Open(l.path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	p, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, p, nil
}

func (l *parquetList[T, R]) Len() (int, error) {
	f, p, err := l.open()
	if err != nil {
		return 0, err
	}
	return int(p.NumRows()), f.Close()
}

// write makes a new file and puts it in the place of the old one.
func (l *parquetList[T, R]) write(path string, fn func(w *parquet.GenericWriter[R]) error) error {
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	w := parquet.NewGenericWriter[R](f)
	if err := errors.Join(fn(w), w.Close(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (l *parquetList[T, R]) Append(values []T) error {
	return l.write(l.path, func(w *parquet.GenericWriter[R]) error {
		_, err := w.Write(asRows[T, R](values))
		return err
	})
}

func (l *parquetList[T, R]) AppendEach(values []T, held func()) error {
	return l.write(l.path+".each", func(w *parquet.GenericWriter[R]) error {
		for _, row := range asRows[T, R](values) {
			if _, err := w.Write([]R{row}); err != nil {
				return err
			}
		}
		held()
		return nil
	})
}

func (l *parquetList[T, R]) Read(into []T) error { return l.Slice(into, 0) }

func (l *parquetList[T, R]) Slice(into []T, at int) error {
	f, p, err := l.open()
	if err != nil {
		return err
	}
	defer f.Close()
	if l.take == nil {
		r := parquet.NewGenericReader[R](p)
		defer r.Close()
		if err := r.SeekToRow(int64(at)); err != nil {
			return err
		}
		n, err := r.Read(asRows[T, R](into))
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return whole(n, len(into), err)
	}
	for _, group := range p.RowGroups() {
		if n := int(group.NumRows()); at >= n {
			at -= n
			continue
		}
		n, err := l.group(group, into, at)
		if err != nil {
			return err
		}
		if into, at = into[n:], 0; len(into) == 0 {
			return nil
		}
	}
	return whole(0, len(into), nil)
}

// group reads from a group of rows.
func (l *parquetList[T, R]) group(group parquet.RowGroup, into []T, at int) (n int, err error) {
	pages := group.ColumnChunks()[0].Pages()
	defer pages.Close()
	if err := pages.SeekToRow(int64(at)); err != nil {
		return 0, err
	}
	for n < len(into) {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		n += l.take(page.Data(), into[n:])
		parquet.Release(page)
	}
	return n, nil
}

func (l *parquetList[T, R]) Runs(fn func([]T)) error {
	f, p, err := l.open()
	if err != nil {
		return err
	}
	defer f.Close()
	run := make([]T, stretch)
	r := parquet.NewGenericReader[R](p)
	defer r.Close()
	for l.take == nil {
		n, err := r.Read(asRows[T, R](run))
		fn(run[:n])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	for _, group := range p.RowGroups() {
		pages := group.ColumnChunks()[0].Pages()
		defer pages.Close()
		for {
			page, err := pages.ReadPage()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			run = slices.Grow(run[:0], int(page.NumValues()))[:page.NumValues()]
			fn(run[:l.take(page.Data(), run)])
			parquet.Release(page)
		}
	}
	return nil
}

func (l *parquetList[T, R]) At(i int) (T, error) {
	var one [1]T
	err := l.Slice(one[:], i)
	return one[0], err
}

func (l *parquetList[T, R]) Insert(i int, v T) error {
	return rewrite(l, func(all []T) []T { return slices.Insert(all, i, v) })
}

func (l *parquetList[T, R]) Delete(i int) error {
	return rewrite(l, func(all []T) []T { return slices.Delete(all, i, i+1) })
}

// rewrite changes a list whose Append writes it anew.
func rewrite[T any](l List[T], edit func([]T) []T) error {
	n, err := l.Len()
	if err != nil {
		return err
	}
	all := make([]T, n, n+1)
	if err := l.Read(all); err != nil {
		return err
	}
	return l.Append(edit(all))
}

package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func arrowPeers() []Peer {
	return []Peer{{
		Name: "Arrow IPC", Class: Rewritten, Module: "github.com/apache/arrow-go/v18",
		Durability: "a file is whole when it is closed, without fsync",
		Remark:     "mapped into memory, batches of 65,536; to insert or delete is to read all and write a new file; what At gives lies in the file",
		Open:       func(dir string) (Store, error) { return &arrowStore{path: filepath.Join(dir, "list.arrow")}, nil },
	}}
}

type arrowStore struct {
	path  string
	unmap func() error
}

func (s *arrowStore) Close() error {
	if s.unmap == nil {
		return nil
	}
	return s.unmap()
}

func (s *arrowStore) List(kind Kind) (any, error) {
	switch kind {
	case Ints:
		return newArrowList(s, arrowType[int64]{
			fields: arrowFields(arrow.PrimitiveTypes.Int64),
			put:    func(b *array.RecordBuilder, vs []int64) { b.Field(0).(*array.Int64Builder).AppendValues(vs, nil) },
			run:    func(b arrow.RecordBatch, _ []int64) []int64 { return b.Column(0).(*array.Int64).Int64Values() },
			own:    same[int64],
		})
	case Floats:
		return newArrowList(s, arrowType[float64]{
			fields: arrowFields(arrow.PrimitiveTypes.Float64),
			put:    func(b *array.RecordBuilder, vs []float64) { b.Field(0).(*array.Float64Builder).AppendValues(vs, nil) },
			run:    func(b arrow.RecordBatch, _ []float64) []float64 { return b.Column(0).(*array.Float64).Float64Values() },
			own:    same[float64],
		})
	case Bytes:
		return newArrowList(s, arrowType[[]byte]{
			fields: arrowFields(arrow.BinaryTypes.Binary),
			put: func(b *array.RecordBuilder, vs [][]byte) {
				for _, v := range vs { // AppendValues of one copies the batch, each time
					b.Field(0).(*array.BinaryBuilder).Append(v)
				}
			},
			run: arrowEach(func(b arrow.RecordBatch) func(i int) []byte {
				return b.Column(0).(*array.Binary).Value
			}),
			own: slices.Clone[[]byte],
		})
	case Strings:
		return newArrowList(s, arrowType[string]{
			fields: arrowFields(arrow.BinaryTypes.String),
			put: func(b *array.RecordBuilder, vs []string) {
				for _, v := range vs {
					b.Field(0).(*array.StringBuilder).Append(v)
				}
			},
			run: arrowEach(func(b arrow.RecordBatch) func(i int) string {
				return b.Column(0).(*array.String).Value
			}),
			own: strings.Clone,
		})
	case Records, Rows:
		return newArrowList(s, arrowType[Record]{
			fields: arrowFields(arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String, arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Int64, arrow.FixedWidthTypes.Boolean),
			put: func(b *array.RecordBuilder, vs []Record) {
				id, name, value := b.Field(0).(*array.Int64Builder), b.Field(1).(*array.StringBuilder), b.Field(2).(*array.Float64Builder)
				count, good := b.Field(3).(*array.Int64Builder), b.Field(4).(*array.BooleanBuilder)
				for _, v := range vs {
					id.Append(v.ID)
					name.Append(v.Name)
					value.Append(v.Value)
					count.Append(v.Count)
					good.Append(v.Good)
				}
			},
			run: arrowEach(func(b arrow.RecordBatch) func(i int) Record {
				id, name, value := b.Column(0).(*array.Int64), b.Column(1).(*array.String), b.Column(2).(*array.Float64)
				count, good := b.Column(3).(*array.Int64), b.Column(4).(*array.Boolean)
				return func(i int) Record {
					return Record{ID: id.Value(i), Name: name.Value(i), Value: value.Value(i), Count: count.Value(i), Good: good.Value(i)}
				}
			}),
			own: func(r Record) Record {
				r.Name = strings.Clone(r.Name)
				return r
			},
		})
	}
	return nil, errDash
}

func arrowFields(types ...arrow.DataType) (fields []arrow.Field) {
	for i, t := range types {
		fields = append(fields, arrow.Field{Name: string(rune('a' + i)), Type: t})
	}
	return fields
}

// arrowType is how elements lie in batches.
type arrowType[T any] struct {
	fields []arrow.Field
	put    func(b *array.RecordBuilder, vs []T)
	// run returns the elements of a batch, in memory of the file or in scratch.
	run func(b arrow.RecordBatch, scratch []T) []T
	own func(T) T
}

// arrowEach makes a run of one element at a time.
func arrowEach[T any](of func(b arrow.RecordBatch) func(i int) T) func(arrow.RecordBatch, []T) []T {
	return func(b arrow.RecordBatch, scratch []T) []T {
		at := of(b)
		scratch = scratch[:0]
		for i := range int(b.NumRows()) {
			scratch = append(scratch, at(i))
		}
		return scratch
	}
}

const arrowBatch = 1 << 16

type arrowList[T any] struct {
	dashes[T]
	arrowType[T]
	s       *arrowStore
	batches []arrow.RecordBatch
	n       int
}

func newArrowList[T any](s *arrowStore, t arrowType[T]) (*arrowList[T], error) {
	l := &arrowList[T]{arrowType: t, s: s}
	return l, l.load()
}

// load maps the file, if there is one.
func (l *arrowList[T]) load() error {
	f, err := os.Open(l.s.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return err
	}
	l.s.unmap = func() error { return syscall.Munmap(data) }
	r, err := ipc.NewMappedFileReader(data)
	if err != nil {
		return err
	}
	l.batches, l.n = nil, 0
	for i := range r.NumRecords() {
		b, err := r.RecordBatchAt(i)
		if err != nil {
			return err
		}
		l.batches = append(l.batches, b)
		l.n += int(b.NumRows())
	}
	return nil
}

func (l *arrowList[T]) Len() (int, error) { return l.n, nil }

// write makes a new file and puts it in the place of the old one.
func (l *arrowList[T]) write(path string, fn func(b *array.RecordBuilder, flush func() error) error) error {
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	schema := arrow.NewSchema(l.fields, nil)
	w, err := ipc.NewFileWriter(f, ipc.WithSchema(schema))
	if err != nil {
		return errors.Join(err, f.Close())
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	flush := func() error {
		batch := b.NewRecordBatch()
		defer batch.Release()
		return w.Write(batch)
	}
	if err := errors.Join(fn(b, flush), w.Close(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (l *arrowList[T]) Append(values []T) error {
	err := l.write(l.s.path, func(b *array.RecordBuilder, flush func() error) error {
		for part := range slices.Chunk(values, arrowBatch) {
			l.put(b, part)
			if err := flush(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := l.s.Close(); err != nil {
		return err
	}
	return l.load()
}

func (l *arrowList[T]) AppendEach(values []T, held func()) error {
	return l.write(l.s.path+".each", func(b *array.RecordBuilder, flush func() error) error {
		for i := range values {
			l.put(b, values[i:i+1])
			if i%arrowBatch == arrowBatch-1 {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		held()
		return flush()
	})
}

func (l *arrowList[T]) Runs(fn func([]T)) error {
	scratch := make([]T, 0, min(l.n, arrowBatch))
	for _, b := range l.batches {
		fn(l.run(b, scratch))
	}
	return nil
}

func (l *arrowList[T]) Read(into []T) error {
	n := 0
	err := l.Runs(func(run []T) {
		for i, v := range run {
			into[n+i] = l.own(v)
		}
		n += len(run)
	})
	return whole(n, len(into), err)
}

// slice returns a part of a batch, which ends where the batch does.
func (l *arrowList[T]) slice(at, n int) []T {
	i, j := at%arrowBatch, min(at%arrowBatch+n, arrowBatch)
	b := l.batches[at/arrowBatch].NewSlice(int64(i), int64(j))
	defer b.Release()
	return l.run(b, make([]T, 0, j-i))
}

func (l *arrowList[T]) At(i int) (T, error) { return l.slice(i, 1)[0], nil }

func (l *arrowList[T]) Slice(into []T, at int) error {
	for len(into) > 0 {
		run := l.slice(at, len(into))
		for i, v := range run {
			into[i] = l.own(v)
		}
		into, at = into[len(run):], at+len(run)
	}
	return nil
}

func (l *arrowList[T]) Insert(i int, v T) error {
	return rewrite(l, func(all []T) []T { return slices.Insert(all, i, v) })
}

func (l *arrowList[T]) Delete(i int) error {
	return rewrite(l, func(all []T) []T { return slices.Delete(all, i, i+1) })
}

package npy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
)

// Options configure a [Reader].
type Options struct {
	// Name is that of the column; "" means array.
	Name string
	// Columns are the names of those that are read: that one, or nil.
	Columns []string
}

// Reader is a .npy file as a source of rows: the first dimension counts them,
// and the others are those of vectors. NaT is a missing time.
type Reader struct{ *fit.Source }

// NewReader returns a source of the elements of a file of size bytes. It does
// not read from it before Begin.
func NewReader(r io.ReaderAt, size int64, o *Options) *Reader {
	if o == nil {
		o = &Options{}
	}
	return &Reader{fit.NewSource(&rows{r: r, size: size, name: cmp.Or(o.Name, "array"), wanted: o.Columns})}
}

// rows are the elements of a file.
type rows struct {
	r    io.ReaderAt
	size int64
	name string
	// wanted are the names of columns.
	wanted []string

	field exchange.Field
	at    int64
	left  int64
	width int64
	swap  bool
	raw   []byte
}

// Noted returns nothing: the format has no place for notes.
func (*rows) Noted() map[string]exchange.Field { return nil }

// Progress is how much of the file has been read.
func (r *rows) Progress() (done, total int64) { return r.at, r.size }

// Open goes to the first element.
func (r *rows) Open(context.Context) ([]exchange.Field, error) {
	if _, err := fit.Choose("file", []string{r.name}, r.wanted); err != nil {
		return nil, err
	}
	h, err := readHeader(io.NewSectionReader(r.r, 0, r.size))
	if err != nil {
		return nil, err
	}
	if r.field, r.left, r.width, r.swap, err = h.field(r.name); err != nil {
		return nil, err
	}
	r.at = h.size
	if have := (r.size - r.at) / r.width; have < r.left {
		return nil, fmt.Errorf("%w: it has %d of %d rows", errEarly, have, r.left)
	}
	return []exchange.Field{r.field}, nil
}

// batchBytes is how much is read at once.
const batchBytes = 2 << 20

// Next adds rows.
func (r *rows) Next(_ context.Context, b *exchange.Batch) error {
	if r.left == 0 {
		return io.EOF
	}
	n := min(r.left, max(1, batchBytes/r.width))
	r.raw = slices.Grow(r.raw[:0], int(n*r.width))[:n*r.width]
	if k, err := r.r.ReadAt(r.raw, r.at); k < len(r.raw) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if r.swap {
		size := elemSize(r.field.Type)
		for i := 0; i < len(r.raw); i += size {
			slices.Reverse(r.raw[i : i+size])
		}
	}
	if err := r.add(b.Columns[0], int(n)); err != nil {
		return fit.In(r.name, err)
	}
	b.Rows = int(n)
	r.left -= n
	r.at += n * r.width
	return nil
}

func elemSize(s dtype.Spec) int {
	if s.Kind == dtype.KindVector {
		return dtype.Spec{Kind: s.Elem}.ElemSize()
	}
	return s.ElemSize()
}

// add adds the elements that were read.
func (r *rows) add(c exchange.Column, n int) error {
	switch v := c.(type) {
	case *exchange.Vector[bool]:
		return dtype.Bool.DecodeAll(v.Extend(n), r.raw, nil)
	case *exchange.Vector[int64]:
		start := len(v.Values)
		if err := dtype.Int64.DecodeAll(v.Extend(n), r.raw, nil); err != nil || !r.field.Meaning.IsTime() {
			return err
		}
		gaps := make([]bool, n)
		any := false
		for i, x := range v.Values[start:] {
			gaps[i] = x == math.MinInt64
			any = any || gaps[i]
		}
		if any {
			v.Mark(start, gaps)
		}
		return nil
	case *exchange.Vector[float32]:
		if r.field.Type.Kind == dtype.KindFloat16 {
			return dtype.Float16.DecodeAll(v.Extend(n), r.raw, nil)
		}
		return dtype.Float32.DecodeAll(v.Extend(n), r.raw, nil)
	case *exchange.Vector[int8]:
		return dtype.Int8.DecodeAll(v.Extend(n), r.raw, nil)
	case *exchange.Vector[int16]:
		return dtype.Int16.DecodeAll(v.Extend(n), r.raw, nil)
	case *exchange.Vector[int32]:
		return dtype.Int32.DecodeAll(v.Extend(n), r.raw, nil)
	case *exchange.Vector[uint8]:
		return dtype.Uint8.DecodeAll(v.Extend(n), r.raw, nil)
	case *exchange.Vector[uint16]:
		return dtype.Uint16.DecodeAll(v.Extend(n), r.raw, nil)
	case *exchange.Vector[uint32]:
		return dtype.Uint32.DecodeAll(v.Extend(n), r.raw, nil)
	case *exchange.Vector[uint64]:
		return dtype.Uint64.DecodeAll(v.Extend(n), r.raw, nil)
	case *exchange.Vector[float64]:
		return dtype.Float64.DecodeAll(v.Extend(n), r.raw, nil)
	case *exchange.Vector[[]int8]:
		return rowsOf(v, dtype.Int8, r.raw, n)
	case *exchange.Vector[[]int16]:
		return rowsOf(v, dtype.Int16, r.raw, n)
	case *exchange.Vector[[]int32]:
		return rowsOf(v, dtype.Int32, r.raw, n)
	case *exchange.Vector[[]int64]:
		return rowsOf(v, dtype.Int64, r.raw, n)
	case *exchange.Vector[[]uint8]:
		return rowsOf(v, dtype.Uint8, r.raw, n)
	case *exchange.Vector[[]uint16]:
		return rowsOf(v, dtype.Uint16, r.raw, n)
	case *exchange.Vector[[]uint32]:
		return rowsOf(v, dtype.Uint32, r.raw, n)
	case *exchange.Vector[[]uint64]:
		return rowsOf(v, dtype.Uint64, r.raw, n)
	case *exchange.Vector[[]float32]:
		return rowsOf(v, dtype.Float32, r.raw, n)
	case *exchange.Vector[[]float64]:
		return rowsOf(v, dtype.Float64, r.raw, n)
	}
	return fmt.Errorf("%w: %T", dtype.ErrValue, c) // which field does not return
}

// rowsOf adds n vectors, which share memory.
func rowsOf[E dtype.Element](v *exchange.Vector[[]E], t dtype.Type[E], raw []byte, n int) error {
	all := make([]E, len(raw)/t.Size())
	if err := t.DecodeAll(all, raw, nil); err != nil {
		return err
	}
	size := len(all) / n
	for i, to := 0, v.Extend(n); i < n; i++ {
		to[i] = all[i*size : (i+1)*size : (i+1)*size]
	}
	return nil
}

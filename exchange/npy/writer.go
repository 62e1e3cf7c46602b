package npy

import (
	"context"
	"fmt"
	"io"
	"math"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
)

// Writer writes one column as a .npy file. A missing float is NaN and a missing
// time NaT; other missing values are an error. Time zones are lost.
type Writer struct {
	w     io.Writer
	rows  int
	field exchange.Field
	row   int64
}

// NewWriter returns a sink that writes to w. It does not close it.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// SetRows sets the number of rows, which stands in the header.
func (w *Writer) SetRows(rows int) { w.rows = rows }

// Begin writes the header.
func (w *Writer) Begin(_ context.Context, fields []exchange.Field) error {
	if len(fields) != 1 {
		return fmt.Errorf("%w: a .npy file holds one column, and there are %d", dtype.ErrValue, len(fields))
	}
	w.field = fields[0]
	h, err := newHeader(w.field, w.rows)
	if err != nil {
		return fit.In(w.field.Name, err)
	}
	_, err = w.w.Write(h)
	return err
}

// Write writes the rows of a batch.
func (w *Writer) Write(ctx context.Context, b *exchange.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p, err := w.bytes(b.Columns[0])
	if err != nil {
		return err
	}
	w.row += int64(b.Rows)
	_, err = w.w.Write(p)
	return err
}

// End tells whether as many rows have come as the header says.
func (w *Writer) End(context.Context) error {
	if w.row != int64(w.rows) {
		return fmt.Errorf("%w: %d rows have come, and SetRows said %d", dtype.ErrValue, w.row, w.rows)
	}
	return nil
}

// bytes returns elements as they lie in the file.
func (w *Writer) bytes(c exchange.Column) ([]byte, error) {
	if c.HasMissing() {
		if err := w.mark(c); err != nil {
			return nil, err
		}
	}
	switch v := c.(type) {
	case *exchange.Vector[bool]:
		p, _, err := dtype.Bool.AppendAll(nil, nil, v.Values)
		return p, err
	case *exchange.Vector[int8]:
		return fit.Stored(dtype.Int8, v.Values)
	case *exchange.Vector[int16]:
		return fit.Stored(dtype.Int16, v.Values)
	case *exchange.Vector[int32]:
		return fit.Stored(dtype.Int32, v.Values)
	case *exchange.Vector[int64]:
		return fit.Stored(dtype.Int64, v.Values)
	case *exchange.Vector[uint8]:
		return fit.Stored(dtype.Uint8, v.Values)
	case *exchange.Vector[uint16]:
		return fit.Stored(dtype.Uint16, v.Values)
	case *exchange.Vector[uint32]:
		return fit.Stored(dtype.Uint32, v.Values)
	case *exchange.Vector[uint64]:
		return fit.Stored(dtype.Uint64, v.Values)
	case *exchange.Vector[float32]:
		if w.field.Type.Kind == dtype.KindFloat16 {
			return fit.Stored(dtype.Float16, v.Values)
		}
		return fit.Stored(dtype.Float32, v.Values)
	case *exchange.Vector[float64]:
		return fit.Stored(dtype.Float64, v.Values)
	case *exchange.Vector[[]int8]:
		return flat(dtype.Int8, v.Values)
	case *exchange.Vector[[]int16]:
		return flat(dtype.Int16, v.Values)
	case *exchange.Vector[[]int32]:
		return flat(dtype.Int32, v.Values)
	case *exchange.Vector[[]int64]:
		return flat(dtype.Int64, v.Values)
	case *exchange.Vector[[]uint8]:
		return flat(dtype.Uint8, v.Values)
	case *exchange.Vector[[]uint16]:
		return flat(dtype.Uint16, v.Values)
	case *exchange.Vector[[]uint32]:
		return flat(dtype.Uint32, v.Values)
	case *exchange.Vector[[]uint64]:
		return flat(dtype.Uint64, v.Values)
	case *exchange.Vector[[]float32]:
		return flat(dtype.Float32, v.Values)
	case *exchange.Vector[[]float64]:
		return flat(dtype.Float64, v.Values)
	}
	return nil, fmt.Errorf("%w: %T", dtype.ErrValue, c) // which newHeader refuses
}

// mark puts NaN or NaT in place of what is missing.
func (w *Writer) mark(c exchange.Column) error {
	for i := range c.Len() {
		if !c.IsMissing(i) {
			continue
		}
		switch v := c.(type) {
		case *exchange.Vector[int64]:
			if w.field.Meaning.IsTime() {
				v.Values[i] = math.MinInt64 // NaT; what stands there is of the batch alone
				continue
			}
		case *exchange.Vector[float32]:
			v.Values[i] = float32(math.NaN())
			continue
		case *exchange.Vector[float64]:
			v.Values[i] = math.NaN()
			continue
		}
		return fit.At(w.row+int64(i), w.field.Name, fmt.Errorf("%w: a missing value has no form in .npy", dtype.ErrValue))
	}
	return nil
}

// flat returns vectors as they lie in the file.
func flat[E dtype.Element](t dtype.Type[E], rows [][]E) (p []byte, err error) {
	for _, row := range rows {
		part, err := fit.Stored(t, row)
		if err != nil {
			return nil, err
		}
		p = append(p, part...)
	}
	return p, nil
}

package records

import (
	"context"
	"io"
	"runtime"
	"sync"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/internal/values"
)

// Writer writes rows as text.
type Writer struct {
	// End is what ends a row.
	End []byte

	w        io.Writer
	columns  []*Printer
	memories [][]byte // of the parts of a batch
}

// Printer prints the values of a column.
type Printer struct {
	// Before is what stands before a value, and Missing in place of one.
	Before, Missing []byte
	// Text, if it is not nil, prints text.
	Text func(dst []byte, s string) []byte
	// Change, if it is not nil, changes what was printed from start on.
	Change func(dst []byte, start int) []byte

	// Bare says that times and dates are printed without quotes.
	Bare bool

	field exchange.Field
	any   values.Printer
	// In the current batch: what is missing, if anything is, and the rest.
	missing []bool
	print   func(dst []byte, row int) []byte
}

// SetFormat sets what the column holds.
func (p *Printer) SetFormat(f exchange.Field) {
	p.field, p.any = f, values.NewPrinter(f.Type, dtype.Meaning{})
}

// NewWriter returns a writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Add adds a column.
func (w *Writer) Add(p *Printer) { w.columns = append(w.columns, p) }

// WriteRaw writes what is not a row.
func (w *Writer) WriteRaw(text []byte) error {
	_, err := w.w.Write(text)
	return err
}

// partRows is how many rows are at least worth a goroutine.
const partRows = 512

// Write prints the rows of a batch, in parts side by side, and writes them.
func (w *Writer) Write(ctx context.Context, b *exchange.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, p := range w.columns {
		p.bind(b.Columns[i])
	}
	parts := max(1, min(runtime.GOMAXPROCS(0), b.Rows/partRows))
	for len(w.memories) < parts {
		w.memories = append(w.memories, nil)
	}
	var printing sync.WaitGroup
	for i := 1; i < parts; i++ {
		printing.Go(func() { w.print(i, i*b.Rows/parts, (i+1)*b.Rows/parts) })
	}
	w.print(0, 0, b.Rows/parts)
	printing.Wait()
	for _, memory := range w.memories[:parts] {
		if err := w.WriteRaw(memory); err != nil {
			return err
		}
	}
	return nil
}

// print prints rows into a part of the memory.
func (w *Writer) print(part, from, to int) {
	dst := w.memories[part][:0]
	for row := from; row < to; row++ {
		for _, p := range w.columns {
			if len(p.Before) == 1 {
				dst = append(dst, p.Before[0])
			} else {
				dst = append(dst, p.Before...)
			}
			if len(p.missing) > 0 && p.missing[row] {
				dst = append(dst, p.Missing...)
				continue
			}
			start := len(dst)
			dst = p.print(dst, row)
			if p.Change != nil {
				dst = p.Change(dst, start)
			}
		}
		dst = append(dst, w.End...)
	}
	w.memories[part] = dst
}

// bind makes p print the values of a batch.
func (p *Printer) bind(c exchange.Column) {
	switch c := c.(type) {
	case *exchange.Vector[int8]:
		bindNumbers(p, c)
	case *exchange.Vector[int16]:
		bindNumbers(p, c)
	case *exchange.Vector[int32]:
		bindNumbers(p, c)
	case *exchange.Vector[int64]:
		p.missing, p.print = c.Missing, func(dst []byte, row int) []byte { return values.AppendInt(dst, c.Values[row]) }
		if m := values.NewMoment(p.field.Meaning); m.Is() {
			p.print = p.printMoments(m, c.Values)
		}
	case *exchange.Vector[uint8]:
		bindNumbers(p, c)
	case *exchange.Vector[uint16]:
		bindNumbers(p, c)
	case *exchange.Vector[uint32]:
		bindNumbers(p, c)
	case *exchange.Vector[uint64]:
		bindNumbers(p, c)
	case *exchange.Vector[float32]:
		bindNumbers(p, c)
	case *exchange.Vector[float64]:
		bindNumbers(p, c)
	case *exchange.Vector[string]:
		text := p.Text
		if text == nil {
			text = values.AppendString
		}
		p.missing, p.print = c.Missing, func(dst []byte, row int) []byte { return text(dst, c.Values[row]) }
	default:
		p.missing = p.missing[:0]
		for i := range c.Len() {
			p.missing = append(p.missing, c.IsMissing(i))
		}
		p.print = func(dst []byte, row int) []byte { return p.any.Append(dst, c.At(row)) }
	}
}

// bindNumbers makes p print numbers.
func bindNumbers[T dtype.Element](p *Printer, c *exchange.Vector[T]) {
	_, format := values.NumbersOf[T](p.field.Type.Kind)
	p.missing, p.print = c.Missing, func(dst []byte, row int) []byte { return format(dst, c.Values[row]) }
}

// printMoments prints times or dates.
func (p *Printer) printMoments(m values.Moment, list []int64) func([]byte, int) []byte {
	if p.Bare {
		return func(dst []byte, row int) []byte { return m.AppendBare(dst, list[row]) }
	}
	return func(dst []byte, row int) []byte { return m.AppendStored(dst, list[row]) }
}

package exchange

import "slices"

// Batch is rows, side by side in columns.
type Batch struct {
	// Columns has a [*Vector] for every [Field].
	Columns []Column
	// Rows is the length of all columns.
	Rows int
	// Lines has the line of each row in a source that is text; otherwise it is
	// empty.
	Lines []int
}

// NewBatch returns an empty batch for these columns.
func NewBatch(fields []Field) *Batch {
	b := &Batch{Columns: make([]Column, len(fields))}
	for i, f := range fields {
		b.Columns[i] = kindOf(f.Type).newColumn()
	}
	return b
}

// Reset removes all rows and keeps the memory.
func (b *Batch) Reset() {
	for _, c := range b.Columns {
		c.reset()
	}
	b.Rows, b.Lines = 0, b.Lines[:0]
}

// Slice returns the rows from one position to another, in the memory of b.
func (b *Batch) Slice(from, to int) *Batch {
	s := &Batch{Columns: make([]Column, len(b.Columns)), Rows: to - from}
	for i, c := range b.Columns {
		s.Columns[i] = c.slice(from, to)
	}
	if len(b.Lines) > 0 {
		s.Lines = b.Lines[from:to]
	}
	return s
}

// keep removes all rows but those from one position to another.
func (b *Batch) keep(from, to int) {
	for _, c := range b.Columns {
		c.keep(from, to)
	}
	b.Rows = to - from
	if len(b.Lines) > 0 {
		b.Lines = append(b.Lines[:0], b.Lines[from:to]...)
	}
}

// Column is the values of one column in a batch, a [*Vector].
type Column interface {
	// Len is the number of values, missing ones included.
	Len() int
	// IsMissing tells whether there is no value in row i, and HasMissing whether
	// there is none in any.
	IsMissing(i int) bool
	HasMissing() bool
	// At returns the value in row i, or nil if it is missing. That is slower
	// than the typed values.
	At(i int) any
	// AddMissing adds a row without a value.
	AddMissing()
	// AddAny adds a value of the Go type of the column, or refuses another.
	AddAny(v any) error

	reset()
	gaps() []bool
	slice(from, to int) Column
	keep(from, to int)
}

// Vector is values of one Go type, which the dtype determines:
//
//	bool                      bool
//	i8 .. i64, u8 .. u64      int8 .. int64, uint8 .. uint64; also times, dates
//	f16 f32, f64              float32, float64
//	str                       string
//	bytes                     []byte
//	vec of fixed dimensions   []E, in C order
//	other vec                 [dtype.Tensor] of E
//	msgpack, cbor             any
type Vector[T any] struct {
	Values []T
	// Missing tells which rows have no value. It is empty if all have one, and
	// otherwise as long as Values, which holds anything in such a row.
	Missing []bool
}

// Len is the number of values, missing ones included.
func (v *Vector[T]) Len() int { return len(v.Values) }

// IsMissing tells whether there is no value in row i.
func (v *Vector[T]) IsMissing(i int) bool { return len(v.Missing) > 0 && v.Missing[i] }

// HasMissing tells whether any row has no value.
func (v *Vector[T]) HasMissing() bool { return slices.Contains(v.Missing, true) }

// At returns the value in row i, or nil if it is missing.
func (v *Vector[T]) At(i int) any {
	if v.IsMissing(i) {
		return nil
	}
	return v.Values[i]
}

// Add adds a value.
func (v *Vector[T]) Add(value T) {
	v.Values = append(v.Values, value)
	if len(v.Missing) > 0 {
		v.Missing = append(v.Missing, false)
	}
}

// AddMissing adds a row without a value.
func (v *Vector[T]) AddMissing() {
	if len(v.Missing) == 0 {
		v.Missing = append(v.Missing, make([]bool, len(v.Values))...)
	}
	var none T
	v.Values, v.Missing = append(v.Values, none), append(v.Missing, true)
}

// AddAny adds a value of the Go type of the column, or refuses another.
func (v *Vector[T]) AddAny(value any) error {
	if value == nil {
		var none T
		if _, ok := any(&none).(*any); !ok {
			return argumentf("nil is no %T", none)
		}
		v.Add(none)
		return nil
	}
	typed, ok := value.(T)
	if !ok {
		return argumentf("a %T is no %T", value, typed)
	}
	v.Add(typed)
	return nil
}

// Extend adds n rows and returns their values, which are to be set.
func (v *Vector[T]) Extend(n int) []T {
	start := len(v.Values)
	v.Values = slices.Grow(v.Values, n)[:start+n]
	if len(v.Missing) > 0 {
		v.Missing = append(v.Missing, make([]bool, n)...)
	}
	return v.Values[start:]
}

// Mark makes those rows missing of which missing is true. Its first is that of
// the row start.
func (v *Vector[T]) Mark(start int, missing []bool) {
	if len(v.Missing) == 0 {
		v.Missing = append(v.Missing, make([]bool, len(v.Values))...)
	}
	copy(v.Missing[start:], missing)
}

// setMissing makes the value of a row missing.
func (v *Vector[T]) setMissing(i int) {
	if len(v.Missing) == 0 {
		v.Missing = append(v.Missing, make([]bool, len(v.Values))...)
	}
	v.Missing[i] = true
}

// replaceMissing puts a value in place of missing ones.
func (v *Vector[T]) replaceMissing(value T) {
	for i, missing := range v.Missing {
		if missing {
			v.Values[i] = value
		}
	}
	v.Missing = v.Missing[:0]
}

// grow makes v so many rows of one value, or without one.
func (v *Vector[T]) grow(rows int, value T, missing bool) {
	for len(v.Values) < rows {
		v.Values = append(v.Values, value)
		if missing {
			v.Missing = append(v.Missing, true)
		}
	}
	v.Values, v.Missing = v.Values[:rows], v.Missing[:min(rows, len(v.Missing))]
}

// truncate removes all rows but the first n.
func (v *Vector[T]) truncate(n int) {
	clear(v.Values[n:])
	v.Values, v.Missing = v.Values[:n], v.Missing[:min(n, len(v.Missing))]
}

func (v *Vector[T]) gaps() []bool { return v.Missing }

func (v *Vector[T]) slice(from, to int) Column {
	s := &Vector[T]{Values: v.Values[from:to:to]}
	if len(v.Missing) > 0 {
		s.Missing = v.Missing[from:to:to]
	}
	return s
}

func (v *Vector[T]) keep(from, to int) {
	v.truncate(to)
	copy(v.Missing, v.Missing[min(from, len(v.Missing)):])
	v.truncate(copy(v.Values, v.Values[from:]))
}

func (v *Vector[T]) reset() {
	clear(v.Values) // text need not outlive the batch
	v.Values, v.Missing = v.Values[:0], v.Missing[:0]
}

package arrow

import (
	"encoding/binary"
	"fmt"
	"math/big"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
	"columnvault/internal/structured"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// column is what becomes of the values of a field.
type column interface {
	field() exchange.Field
	// read adds values to a column. They may lie in the memory of the array.
	read(a arrow.Array, from, to int, dst exchange.Column) error
}

// columnOf returns the column of a field. vectors says that lists of numbers are
// read as vectors.
func (d dictionaries) columnOf(f arrow.Field, vectors bool) column {
	switch t := storageType(f.Type).(type) {
	case *arrow.DictionaryType:
		return indexed{d.columnOf(valuesOf(f, t), false).field(), f, d}
	case *arrow.NullType:
		return fixed[int32]{plain(dtype.Int32.Spec()), func(arrow.Array, int, int, []int32) error { return nil }}
	case *arrow.BooleanType:
		return fixed[bool]{plain(dtype.Bool.Spec()), bools}
	case *arrow.Int8Type:
		return numbers(dtype.Int8)
	case *arrow.Int16Type:
		return numbers(dtype.Int16)
	case *arrow.Int32Type, *arrow.Time32Type:
		return numbers(dtype.Int32)
	case *arrow.Int64Type, *arrow.Time64Type, *arrow.DurationType:
		return numbers(dtype.Int64)
	case *arrow.Uint8Type:
		return numbers(dtype.Uint8)
	case *arrow.Uint16Type:
		return numbers(dtype.Uint16)
	case *arrow.Uint32Type:
		return numbers(dtype.Uint32)
	case *arrow.Uint64Type:
		return numbers(dtype.Uint64)
	case *arrow.Float16Type:
		return fixed[float32]{plain(dtype.Float16.Spec()), halves}
	case *arrow.Float32Type:
		return numbers(dtype.Float32)
	case *arrow.Float64Type:
		return numbers(dtype.Float64)
	case *arrow.TimestampType:
		m := dtype.Meaning{Time: units[t.Unit], Zone: zone(t.TimeZone)}
		return fixed[int64]{exchange.Field{Type: dtype.Int64.Spec(), Meaning: m}, copied[int64]}
	case *arrow.Date32Type:
		return dates(days)
	case *arrow.Date64Type:
		return dates(milliseconds)
	case arrow.DecimalType:
		return fixed[string]{plain(dtype.String.Spec()), decimals}
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType:
		if isJSON(f) {
			return fixed[any]{plain(dtype.MsgPack[any]().Spec()), jsonOf}
		}
		return fixed[string]{plain(dtype.String.Spec()), texts}
	case *arrow.BinaryType, *arrow.LargeBinaryType, *arrow.BinaryViewType:
		return fixed[[]byte]{plain(dtype.Bytes.Spec()), blobs}
	case *arrow.FixedSizeBinaryType:
		if t.ByteWidth > 0 && t.ByteWidth <= dtype.MaxSize {
			return fixed[[]byte]{plain(dtype.FixedBytes(t.ByteWidth).Spec()), blobs}
		}
		return fixed[[]byte]{plain(dtype.Bytes.Spec()), blobs}
	}
	if vectors {
		if c := listOf(f); c != nil {
			return c
		}
	}
	return nested{f, d}
}

// units are those of times, in the order of arrow.TimeUnit.
var units = []dtype.Unit{dtype.Second, dtype.Millisecond, dtype.Microsecond, dtype.Nanosecond}

func plain(s dtype.Spec) exchange.Field { return exchange.Field{Type: s} }

// A program that uses the library may have made it know extension types, whose
// values are those of another type.

// storageType returns the type that values are stored in.
func storageType(t arrow.DataType) arrow.DataType {
	if e, ok := t.(arrow.ExtensionType); ok {
		return e.StorageType()
	}
	return t
}

// storage returns an array as that of the values that are stored.
func storage(a arrow.Array) arrow.Array {
	if e, ok := a.(array.ExtensionArray); ok {
		return e.Storage()
	}
	return a
}

// jsonText is the name of the extension type of text that is JSON.
const jsonText = "arrow.json"

func isJSON(f arrow.Field) bool {
	if e, ok := f.Type.(arrow.ExtensionType); ok {
		return e.ExtensionName() == jsonText
	}
	name, _ := f.Metadata.GetValue(ipc.ExtensionTypeKeyName)
	return name == jsonText
}

// zone is the name of a time zone, if it is one of the IANA database; offsets are
// none.
func zone(name string) string {
	if name == "UTC" {
		return ""
	}
	if _, err := dtype.ParseMeaning("time=us zone=" + name); err != nil {
		return ""
	}
	return name
}

// fixed is a column whose values one function gets.
type fixed[T any] struct {
	f   exchange.Field
	get func(a arrow.Array, from, to int, dst []T) error
}

func (c fixed[T]) field() exchange.Field { return c.f }

func (c fixed[T]) read(a arrow.Array, from, to int, dst exchange.Column) error {
	v := dst.(*exchange.Vector[T])
	start := len(v.Values)
	if err := c.get(a, from, to, v.Extend(to-from)); err != nil {
		return err
	}
	if missing := gaps(a, from, to); missing != nil {
		v.Mark(start, missing)
	}
	return nil
}

// gaps tells which of the values are missing; it returns nil if none is.
func gaps(a arrow.Array, from, to int) []bool {
	null := a.DataType().ID() == arrow.NULL
	if a.NullN() == 0 && !null {
		return nil
	}
	list, some := make([]bool, to-from), false
	for i := range list {
		list[i] = null || a.IsNull(from+i)
		some = some || list[i]
	}
	if !some {
		return nil
	}
	return list
}

// elements returns values of one size, in the memory of the array.
func elements[E arrow.FixedWidthType](a arrow.Array, from, to int) ([]E, error) {
	if from == to {
		return nil, nil
	}
	data := a.Data()
	all := arrow.GetData[E](data.Buffers()[1].Bytes())
	from, to = from+data.Offset(), to+data.Offset()
	if from < 0 || to < from || to > len(all) {
		return nil, errDamaged
	}
	return all[from:to:to], nil
}

// numbers is the column of numbers.
func numbers[E dtype.Element](t dtype.Type[E]) column {
	return fixed[E]{plain(t.Spec()), copied[E]}
}

func copied[E dtype.Element](a arrow.Array, from, to int, dst []E) error {
	list, err := elements[E](a, from, to)
	copy(dst, list)
	return err
}

func halves(a arrow.Array, from, to int, dst []float32) error {
	list, err := elements[uint16](a, from, to)
	if err != nil {
		return err
	}
	raw := make([]byte, 0, 2*len(list))
	for _, n := range list {
		raw = binary.LittleEndian.AppendUint16(raw, n)
	}
	return dtype.Float16.DecodeAll(dst, raw, nil)
}

func bools(a arrow.Array, from, _ int, dst []bool) error {
	bits := a.(*array.Boolean)
	for i := range dst {
		dst[i] = bits.Value(from + i)
	}
	return nil
}

func dates(get func(a arrow.Array, from, to int, dst []int64) error) column {
	return fixed[int64]{exchange.Field{Type: dtype.Int64.Spec(), Meaning: dtype.Meaning{Date: true}}, get}
}

func days(a arrow.Array, from, to int, dst []int64) error {
	list, err := elements[int32](a, from, to)
	for i, n := range list {
		dst[i] = int64(n)
	}
	return err
}

func milliseconds(a arrow.Array, from, to int, dst []int64) error {
	list, err := elements[int64](a, from, to)
	for i, n := range list {
		if dst[i], err = fit.Scale(n, dtype.Meaning{Time: dtype.Millisecond}, dtype.Meaning{Date: true}); err != nil {
			return err
		}
	}
	return err
}

func decimals(a arrow.Array, from, _ int, dst []string) (err error) {
	scale := int(a.DataType().(arrow.DecimalType).GetScale())
	for i := range dst {
		var n *big.Int
		switch a := a.(type) {
		case *array.Decimal32:
			n = big.NewInt(int64(a.Value(from + i)))
		case *array.Decimal64:
			n = big.NewInt(int64(a.Value(from + i)))
		case *array.Decimal128:
			n = a.Value(from + i).BigInt()
		case *array.Decimal256:
			n = a.Value(from + i).BigInt()
		}
		if dst[i], err = fit.DecimalText(n, scale); err != nil {
			return err
		}
	}
	return nil
}

func texts(a arrow.Array, from, _ int, dst []string) error {
	list := a.(array.StringLike)
	for i := range dst {
		if a.IsValid(from + i) {
			dst[i] = list.Value(from + i)
		}
	}
	return nil
}

func blobs(a arrow.Array, from, _ int, dst [][]byte) error {
	list := a.(interface{ Value(int) []byte })
	for i := range dst {
		dst[i] = []byte{}
		if a.IsValid(from + i) {
			if b := list.Value(from + i); len(b) > 0 {
				dst[i] = b[:len(b):len(b)]
			}
		}
	}
	return nil
}

func jsonOf(a arrow.Array, from, _ int, dst []any) error {
	list := a.(array.StringLike)
	for i := range dst {
		dst[i] = nil
		if a.IsValid(from + i) {
			if err := structured.DecodeJSON([]byte(list.Value(from+i)), &dst[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// fitBytes and fitValues are how much of values that vary in size, and how many
// values of lists, are read at once.
const (
	fitBytes  = 4 << 20
	fitValues = 256 << 10
)

// fitting returns how far values are read at once: at most to, and at least one.
// Views and dictionaries can refer to the same text again and again, so that
// even values that are in memory need a bound.
func fitting(a arrow.Array, from, to int) int {
	if to-from <= 1 {
		return to
	}
	var size func(i int) int
	switch a := a.(type) {
	case array.ExtensionArray:
		return fitting(a.Storage(), from, to)
	case *array.Struct:
		for i := range a.NumField() {
			to = fitting(a.Field(i), from, to)
		}
		return to
	case array.ListLike:
		first, _ := a.ValueOffsets(from)
		_, last := a.ValueOffsets(to - 1)
		limit := int64(fitting(a.ListValues(), int(first), int(min(first+fitValues, last))))
		for i := from + 1; i < to; i++ {
			if _, end := a.ValueOffsets(i); end > limit {
				return i
			}
		}
		return to
	case *array.FixedSizeBinary:
		width := a.DataType().(*arrow.FixedSizeBinaryType).ByteWidth
		size = func(int) int { return width }
	case *array.Dictionary:
		if values, ok := storage(a.Dictionary()).(varied); ok {
			size = func(i int) int { return values.ValueLen(a.GetValueIndex(i)) }
		}
	case varied:
		size = a.ValueLen
	}
	if size == nil {
		return to
	}
	held := 0
	for i := from; i < to; i++ {
		if a.IsValid(i) {
			held += max(0, size(i))
		}
		if held > fitBytes && i > from {
			return i
		}
	}
	return to
}

// varied is an array of values that vary in size.
type varied interface{ ValueLen(i int) int }

// dictionaries are those that were read last, by the types whose values are
// positions in them.
type dictionaries map[*arrow.DictionaryType]dictionary

type dictionary struct {
	data   arrow.ArrayData
	values exchange.Column
}

// valuesOf is the field of the values of a dictionary.
func valuesOf(f arrow.Field, t *arrow.DictionaryType) arrow.Field {
	f.Type = t.ValueType
	return f
}

// values returns the values of the dictionary of an array.
func (d dictionaries) values(f arrow.Field, a *array.Dictionary) (exchange.Column, error) {
	t := a.DataType().(*arrow.DictionaryType)
	data := a.Data().Dictionary()
	if known := d[t]; known.data == data {
		return known.values, nil
	}
	values := storage(a.Dictionary())
	if values.Len() > maxEntries {
		return nil, fmt.Errorf("%w: a dictionary has more than %d values", dtype.ErrValue, maxEntries)
	}
	c := d.columnOf(valuesOf(f, t), false)
	list := exchange.NewBatch([]exchange.Field{c.field()}).Columns[0]
	if err := c.read(values, 0, values.Len(), list); err != nil {
		return nil, err
	}
	d[t] = dictionary{data, list}
	return list, nil
}

// indexed is a column of positions in a dictionary.
type indexed struct {
	of    exchange.Field
	f     arrow.Field
	known dictionaries
}

func (c indexed) field() exchange.Field { return c.of }

func (c indexed) read(a arrow.Array, from, to int, dst exchange.Column) error {
	if from == to {
		return nil
	}
	positions := a.(*array.Dictionary)
	values, err := c.known.values(c.f, positions)
	if err != nil {
		return err
	}
	switch v := values.(type) {
	case *exchange.Vector[string]:
		return gather(dst.(*exchange.Vector[string]), v, positions, from, to)
	case *exchange.Vector[int64]:
		return gather(dst.(*exchange.Vector[int64]), v, positions, from, to)
	}
	for i := from; i < to; i++ {
		p, ok, err := position(positions, i, values)
		switch {
		case err == nil && ok:
			err = dst.AddAny(values.At(p))
		case err == nil:
			dst.AddMissing()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// position returns where in a dictionary the value of a row is, if it has one.
func position(a *array.Dictionary, i int, values exchange.Column) (p int, ok bool, err error) {
	if a.IsNull(i) {
		return 0, false, nil
	}
	if p = a.GetValueIndex(i); p < 0 || p >= values.Len() {
		return 0, false, errDamaged
	}
	return p, !values.IsMissing(p), nil
}

// gather adds values of a dictionary.
func gather[T any](dst, src *exchange.Vector[T], positions *array.Dictionary, from, to int) error {
	for i := from; i < to; i++ {
		p, ok, err := position(positions, i, src)
		if err != nil {
			return err
		}
		if ok {
			dst.Add(src.Values[p])
		} else {
			dst.AddMissing()
		}
	}
	return nil
}

package arrow

import (
	"encoding/binary"
	"math/big"
	"slices"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
	"columnvault/internal/structured"
)

// column is what becomes of the values of a field.
type column interface {
	field() exchange.Field
	// read adds values to a column.
	read(a *array, from, to int64, dst exchange.Column) error
}

// columnOf returns the column of a field. vectors says that lists of numbers are
// read as vectors.
func columnOf(f *field, vectors bool) column {
	if f.index != nil {
		return &indexed{of: columnOf(f.values(), vectors), dict: f.dict}
	}
	switch f.kind {
	case kindNull:
		return fixed[int32]{plain(dtype.Int32.Spec()), func(*array, int64, int64, []int32) error { return nil }}
	case kindBool:
		return fixed[bool]{plain(dtype.Bool.Spec()), (*array).bools}
	case kindInt:
		return integers(f.bits, f.unsigned)
	case kindTime:
		return integers(f.bits, false)
	case kindDuration:
		return integers(64, false)
	case kindFloat:
		switch f.bits {
		case 16:
			return numbers(dtype.Float16)
		case 32:
			return numbers(dtype.Float32)
		}
		return numbers(dtype.Float64)
	case kindTimestamp:
		m := dtype.Meaning{Time: units[f.unit], Zone: zone(f.zone)}
		return fixed[int64]{exchange.Field{Type: dtype.Int64.Spec(), Meaning: m}, decode(dtype.Int64)}
	case kindDate:
		return fixed[int64]{exchange.Field{Type: dtype.Int64.Spec(), Meaning: dtype.Meaning{Date: true}}, days(f.unit)}
	case kindDecimal:
		return fixed[string]{plain(dtype.String.Spec()), decimals}
	case kindText, kindLargeText, kindTextView:
		if f.json {
			return varied[any]{plain(dtype.MsgPack[any]().Spec()), jsonOf}
		}
		return varied[string]{plain(dtype.String.Spec()), stringsOf}
	case kindBinary, kindLargeBinary, kindBinaryView:
		return varied[[]byte]{plain(dtype.Bytes.Spec()), bytesOf}
	case kindFixedBinary:
		if f.size > 0 {
			return fixed[[]byte]{plain(dtype.FixedBytes(f.size).Spec()), fixedBytes}
		}
		return fixed[[]byte]{plain(dtype.Bytes.Spec()), func(_ *array, _, _ int64, dst [][]byte) error {
			for i := range dst {
				dst[i] = []byte{}
			}
			return nil
		}}
	}
	if vectors {
		if c := listOf(f); c != nil {
			return c
		}
	}
	return nested{}
}

// values is the field of the values of a dictionary.
func (f *field) values() *field {
	inner := *f
	inner.index = nil
	return &inner
}

func plain(s dtype.Spec) exchange.Field { return exchange.Field{Type: s} }

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

func integers(bits int, unsigned bool) column {
	switch {
	case bits == 8 && unsigned:
		return numbers(dtype.Uint8)
	case bits == 8:
		return numbers(dtype.Int8)
	case bits == 16 && unsigned:
		return numbers(dtype.Uint16)
	case bits == 16:
		return numbers(dtype.Int16)
	case bits == 32 && unsigned:
		return numbers(dtype.Uint32)
	case bits == 32:
		return numbers(dtype.Int32)
	case unsigned:
		return numbers(dtype.Uint64)
	}
	return numbers(dtype.Int64)
}

// numbers is the column of numbers, which lie in the file as in a vault.
func numbers[T dtype.Element](t dtype.Type[T]) column {
	return fixed[T]{plain(t.Spec()), decode(t)}
}

func decode[T dtype.Element](t dtype.Type[T]) func(*array, int64, int64, []T) error {
	return func(a *array, from, to int64, dst []T) error {
		raw, err := a.raw(from, to)
		if err != nil {
			return err
		}
		return t.DecodeAll(dst, raw, nil)
	}
}

// days reads dates, which are days or milliseconds.
func days(unit int16) func(*array, int64, int64, []int64) error {
	return func(a *array, from, to int64, dst []int64) error {
		raw, err := a.raw(from, to)
		for i := range dst {
			if err != nil {
				break
			}
			if unit == unitDay {
				dst[i] = int64(int32(binary.LittleEndian.Uint32(raw[4*i:])))
			} else {
				dst[i], err = fit.Scale(int64(binary.LittleEndian.Uint64(raw[8*i:])), dtype.Meaning{Time: dtype.Millisecond}, dtype.Meaning{Date: true})
			}
		}
		return err
	}
}

func decimals(a *array, from, to int64, dst []string) error {
	raw, err := a.raw(from, to)
	w := a.width()
	for i := range dst {
		if err != nil {
			return err
		}
		b := slices.Clone(raw[i*w : (i+1)*w])
		slices.Reverse(b)
		var n *big.Int = fit.BigEndian(b)
		dst[i], err = fit.DecimalText(n, a.scale)
	}
	return err
}

func fixedBytes(a *array, from, to int64, dst [][]byte) error {
	raw, err := a.raw(from, to)
	if err != nil {
		return err
	}
	own := slices.Clone(raw)
	for i := range dst {
		dst[i] = own[i*a.size : (i+1)*a.size : (i+1)*a.size]
	}
	return nil
}

// fixed is a column of values of one size.
type fixed[T any] struct {
	f   exchange.Field
	get func(a *array, from, to int64, dst []T) error
}

func (c fixed[T]) field() exchange.Field { return c.f }

func (c fixed[T]) read(a *array, from, to int64, dst exchange.Column) error {
	v := dst.(*exchange.Vector[T])
	gaps, err := a.gaps(from, to)
	if err != nil {
		return err
	}
	start := len(v.Values)
	if err := c.get(a, from, to, v.Extend(int(to-from))); err != nil {
		return err
	}
	if gaps != nil {
		v.Mark(start, gaps)
	}
	return nil
}

// varied is a column of values that vary in size.
type varied[T any] struct {
	f    exchange.Field
	turn func(src [][]byte, dst []T) error
}

func (c varied[T]) field() exchange.Field { return c.f }

func (c varied[T]) read(a *array, from, to int64, dst exchange.Column) error {
	v := dst.(*exchange.Vector[T])
	gaps, err := a.gaps(from, to)
	if err != nil {
		return err
	}
	list, err := a.texts(from, to, gaps)
	if err != nil {
		return err
	}
	start := len(v.Values)
	if err := c.turn(list, v.Extend(len(list))); err != nil {
		return err
	}
	if gaps != nil {
		v.Mark(start, gaps)
	}
	return nil
}

// stringsOf makes strings, which share memory.
func stringsOf(src [][]byte, dst []string) error {
	all := string(slices.Concat(src...))
	at := 0
	for i, b := range src {
		dst[i] = all[at : at+len(b)]
		at += len(b)
	}
	return nil
}

func bytesOf(src [][]byte, dst [][]byte) error {
	all := slices.Concat(src...)
	at := 0
	for i, b := range src {
		if dst[i] = all[at : at+len(b) : at+len(b)]; dst[i] == nil {
			dst[i] = []byte{}
		}
		at += len(b)
	}
	return nil
}

// jsonOf reads JSON text. A missing value is nil in src.
func jsonOf(src [][]byte, dst []any) error {
	for i, b := range src {
		if b == nil {
			dst[i] = nil
		} else if err := structured.DecodeJSON(b, &dst[i]); err != nil {
			return err
		}
	}
	return nil
}

// indexed is a column of positions in a dictionary.
type indexed struct {
	of     column
	dict   int64
	values exchange.Column // of the dictionary
}

func (c *indexed) field() exchange.Field { return c.of.field() }

func (c *indexed) read(a *array, from, to int64, dst exchange.Column) error {
	positions, gaps, err := a.positions(from, to)
	if err != nil {
		return err
	}
	return gather(dst, c.values, positions, gaps)
}

// positions reads positions in a dictionary.
func (a *array) positions(from, to int64) ([]int64, []bool, error) {
	gaps, err := a.gaps(from, to)
	if err != nil {
		return nil, nil, err
	}
	raw, err := a.raw(from, to)
	if err != nil {
		return nil, nil, err
	}
	list := make([]int64, to-from)
	for i := range list {
		switch a.bits {
		case 8:
			list[i] = int64(int8(raw[i]))
			if a.unsigned {
				list[i] = int64(raw[i])
			}
		case 16:
			n := binary.LittleEndian.Uint16(raw[2*i:])
			list[i] = int64(int16(n))
			if a.unsigned {
				list[i] = int64(n)
			}
		case 32:
			n := binary.LittleEndian.Uint32(raw[4*i:])
			list[i] = int64(int32(n))
			if a.unsigned {
				list[i] = int64(n)
			}
		default:
			list[i] = int64(binary.LittleEndian.Uint64(raw[8*i:]))
		}
	}
	return list, gaps, nil
}

// gather adds values of a dictionary.
func gather(dst, src exchange.Column, positions []int64, gaps []bool) error {
	if src == nil {
		return errDamaged
	}
	switch v := src.(type) {
	case *exchange.Vector[string]:
		return gatherOf(dst.(*exchange.Vector[string]), v, positions, gaps)
	case *exchange.Vector[int64]:
		return gatherOf(dst.(*exchange.Vector[int64]), v, positions, gaps)
	}
	for i, p := range positions {
		switch {
		case gaps != nil && gaps[i]:
			dst.AddMissing()
			continue
		case p < 0 || p >= int64(src.Len()):
			return errDamaged
		case src.IsMissing(int(p)):
			dst.AddMissing()
			continue
		}
		if err := dst.AddAny(src.At(int(p))); err != nil {
			return err
		}
	}
	return nil
}

func gatherOf[T any](dst, src *exchange.Vector[T], positions []int64, gaps []bool) error {
	for i, p := range positions {
		if gaps != nil && gaps[i] {
			dst.AddMissing()
			continue
		}
		if p < 0 || p >= int64(len(src.Values)) {
			return errDamaged
		}
		if src.IsMissing(int(p)) {
			dst.AddMissing()
			continue
		}
		dst.Add(src.Values[p])
	}
	return nil
}

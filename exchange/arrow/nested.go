package arrow

import (
	"fmt"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// nested is a column of structs, lists and maps, as values that msgpack holds.
type nested struct {
	f     arrow.Field
	known dictionaries
}

func (nested) field() exchange.Field { return plain(dtype.MsgPack[any]().Spec()) }

func (c nested) read(a arrow.Array, from, to int, dst exchange.Column) error {
	list, err := c.known.anys(c.f, a, from, to)
	if err != nil {
		return err
	}
	v := dst.(*exchange.Vector[any])
	for _, value := range list {
		if value == nil {
			v.AddMissing()
		} else {
			v.Add(value)
		}
	}
	return nil
}

// maxEntries bounds the values that one row has at one depth.
const maxEntries = 16 << 20

// anys returns values of a field as those that msgpack holds.
func (d dictionaries) anys(f arrow.Field, a arrow.Array, from, to int) (list []any, err error) {
	switch {
	case to > a.Len() || from < 0 || to < from:
		return nil, errDamaged
	case to-from > maxEntries:
		return nil, fmt.Errorf("%w: a row has more than %d values in a column", dtype.ErrValue, maxEntries)
	}
	list = make([]any, to-from)
	switch a := storage(a).(type) {
	case *array.Struct:
		err = d.structs(a, from, list)
	case array.ListLike:
		err = d.lists(f, a, from, list)
	default:
		err = d.leaves(f, a, from, list)
	}
	if err != nil {
		return nil, err
	}
	for i, gap := range gaps(a, from, to) {
		if gap {
			list[i] = nil
		}
	}
	return list, nil
}

// leaves reads values that are no lists and structs.
func (d dictionaries) leaves(f arrow.Field, a arrow.Array, from int, list []any) error {
	column := d.columnOf(f, false)
	values := exchange.NewBatch([]exchange.Field{column.field()}).Columns[0]
	if err := column.read(a, from, from+len(list), values); err != nil {
		return err
	}
	for i := range list {
		list[i] = fit.Any(column.field(), values.At(i))
	}
	return nil
}

func (d dictionaries) structs(a *array.Struct, from int, list []any) error {
	groups := make([]map[string]any, len(list))
	for i := range groups {
		groups[i] = make(map[string]any, a.NumField())
		list[i] = groups[i]
	}
	for k, child := range a.DataType().(*arrow.StructType).Fields() {
		values, err := d.anys(child, a.Field(k), from, from+len(list))
		if err != nil {
			return err
		}
		for i, v := range values {
			groups[i][child.Name] = v
		}
	}
	return nil
}

func (d dictionaries) lists(f arrow.Field, a array.ListLike, from int, list []any) error {
	first, last, err := extent(a, from, from+len(list))
	if err != nil || len(list) == 0 {
		return err
	}
	if m, ok := a.(*array.Map); ok {
		return d.maps(m, from, first, last, list)
	}
	child := storageType(f.Type).(arrow.ListLikeType).ElemField()
	values, err := d.anys(child, a.ListValues(), first, last)
	if err != nil {
		return err
	}
	for i := range list {
		start, end := a.ValueOffsets(from + i)
		list[i] = values[int(start)-first : int(end)-first : int(end)-first]
	}
	return nil
}

// extent returns where the values of lists begin and end, which follow each
// other.
func extent(a array.ListLike, from, to int) (first, last int, err error) {
	if from == to {
		return 0, 0, nil
	}
	start, end := a.ValueOffsets(from)
	begin := start
	for i := from; i < to; i++ {
		next, stop := a.ValueOffsets(i)
		if i > from && next != end || stop < next {
			return 0, 0, errDamaged
		}
		end = stop
	}
	if begin < 0 || end > int64(a.ListValues().Len()) {
		return 0, 0, errDamaged
	}
	return int(begin), int(end), nil
}

// maps makes maps of pairs: with text as keys they are those of msgpack, and else
// lists of pairs.
func (d dictionaries) maps(a *array.Map, from, first, last int, list []any) error {
	t := a.DataType().(*arrow.MapType)
	keys, err := d.anys(t.KeyField(), a.Keys(), first, last)
	if err != nil {
		return err
	}
	items, err := d.anys(t.ItemField(), a.Items(), first, last)
	if err != nil {
		return err
	}
	for i := range list {
		start, end := a.ValueOffsets(from + i)
		list[i] = mapping(keys[int(start)-first:int(end)-first], items[int(start)-first:int(end)-first])
	}
	return nil
}

func mapping(keys, items []any) any {
	pairs := make([]any, len(keys))
	texts := make(map[string]any, len(keys))
	for i, key := range keys {
		pairs[i] = []any{key, items[i]}
		if k, ok := key.(string); ok {
			texts[k] = items[i]
		}
	}
	if len(texts) == len(pairs) {
		return texts
	}
	return pairs
}

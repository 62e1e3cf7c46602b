package arrow

import (
	"fmt"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
)

// nested is a column of structs, lists and maps, as values that msgpack holds.
type nested struct{ dicts map[int64]exchange.Column }

func (nested) field() exchange.Field { return plain(dtype.MsgPack[any]().Spec()) }

func (c nested) read(a *array, from, to int64, dst exchange.Column) error {
	list, err := c.anys(a, from, to)
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

// anys returns values as those that msgpack holds.
func (c nested) anys(a *array, from, to int64) ([]any, error) {
	switch {
	case to > a.length || from < 0 || to < from:
		return nil, errDamaged
	case to-from > maxEntries:
		return nil, fmt.Errorf("%w: a row has more than %d values in a column", dtype.ErrValue, maxEntries)
	}
	list := make([]any, to-from)
	gaps, err := a.gaps(from, to)
	if err != nil {
		return nil, err
	}
	switch a.kind {
	case kindStruct:
		err = c.structs(a, from, to, list)
	case kindList, kindLargeList, kindMap, kindFixedList:
		err = c.lists(a, from, to, list)
	default:
		err = c.leaves(a, from, to, list)
	}
	for i, gap := range gaps {
		if gap {
			list[i] = nil
		}
	}
	return list, err
}

// leaves reads values that are no lists and structs.
func (c nested) leaves(a *array, from, to int64, list []any) error {
	column := columnOf(a.field, false)
	values := exchange.NewBatch([]exchange.Field{column.field()}).Columns[0]
	if err := column.read(a, from, to, values); err != nil {
		return err
	}
	for i := range list {
		list[i] = fit.Any(column.field(), values.At(i))
	}
	return nil
}

func (c nested) structs(a *array, from, to int64, list []any) error {
	groups := make([]map[string]any, len(list))
	for i := range groups {
		groups[i] = make(map[string]any, len(a.children))
		list[i] = groups[i]
	}
	for k, child := range a.children {
		values, err := c.child(a.field.children[k], child, from, to)
		if err != nil {
			return err
		}
		for i, v := range values {
			groups[i][a.field.children[k].name] = v
		}
	}
	return nil
}

// child reads the values of a field within others, which may be positions in a
// dictionary.
func (c nested) child(f *field, a *array, from, to int64) ([]any, error) {
	if f.index == nil {
		return c.anys(a, from, to)
	}
	if to > a.length || from < 0 || to-from > maxEntries {
		return nil, errDamaged
	}
	positions, gaps, err := a.positions(from, to)
	if err != nil {
		return nil, err
	}
	dict := c.dicts[f.dict]
	list := make([]any, len(positions))
	for i, p := range positions {
		if gaps != nil && gaps[i] {
			continue
		}
		if dict == nil || p < 0 || p >= int64(dict.Len()) {
			return nil, errDamaged
		}
		list[i] = fit.Any(columnOf(f.values(), false).field(), dict.At(int(p)))
	}
	return list, nil
}

func (c nested) lists(a *array, from, to int64, list []any) (err error) {
	var ends []int64
	if a.kind == kindFixedList {
		ends = make([]int64, to-from+1)
		for i := range ends {
			ends[i] = (from + int64(i)) * int64(a.size)
		}
	} else if ends, err = a.offsets(from, to); err != nil {
		return err
	}
	if len(list) == 0 {
		return nil
	}
	values, err := c.child(a.field.children[0], a.children[0], ends[0], ends[len(ends)-1])
	if err != nil {
		return err
	}
	for i := range list {
		part := values[ends[i]-ends[0] : ends[i+1]-ends[0] : ends[i+1]-ends[0]]
		if a.kind == kindMap {
			list[i] = mapping(a.field.children[0], part)
		} else {
			list[i] = part
		}
	}
	return nil
}

// mapping makes a map of pairs: with text as keys it is one, and else a list of
// pairs.
func mapping(entry *field, pairs []any) any {
	key, value := entry.children[0].name, entry.children[1].name
	list := make([]any, len(pairs))
	texts := make(map[string]any, len(pairs))
	for i, p := range pairs {
		pair, _ := p.(map[string]any)
		list[i] = []any{pair[key], pair[value]}
		if k, ok := pair[key].(string); ok {
			texts[k] = pair[value]
		}
	}
	if len(texts) == len(pairs) {
		return texts
	}
	return list
}

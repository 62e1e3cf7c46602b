package feed

import (
	"fmt"
	"math"

	"github.com/apache/iceberg-go"

	"columnvault/dtype"
	"columnvault/exchange"
)

// form is what becomes of a column in the table.
type form struct {
	// field is how its values are written to data files, and ice the type that the
	// table has for that.
	field exchange.Field
	ice   iceberg.Type
	// turn makes values of the field of those of the column; nil leaves them. The
	// result is good until the next call. An error is about one row, which comes
	// with it.
	turn func(exchange.Column) (exchange.Column, int, error)
}

// formOf returns the form of a column. Iceberg has signed integers of 32 and 64
// bits, and times in microseconds; what is narrower becomes those.
func formOf(f exchange.Field, floor bool) (form, error) {
	as := func(t dtype.Spec, ice iceberg.Type, turn func(exchange.Column) (exchange.Column, int, error)) (form, error) {
		to := f
		to.Type = t
		return form{to, ice, turn}, nil
	}
	switch f.Type.Kind {
	case dtype.KindBool:
		return as(f.Type, iceberg.PrimitiveTypes.Bool, nil)
	case dtype.KindInt8:
		return as(dtype.Int32.Spec(), iceberg.PrimitiveTypes.Int32, each(wider[int8, int32]))
	case dtype.KindInt16:
		return as(dtype.Int32.Spec(), iceberg.PrimitiveTypes.Int32, each(wider[int16, int32]))
	case dtype.KindUint8:
		return as(dtype.Int32.Spec(), iceberg.PrimitiveTypes.Int32, each(wider[uint8, int32]))
	case dtype.KindUint16:
		return as(dtype.Int32.Spec(), iceberg.PrimitiveTypes.Int32, each(wider[uint16, int32]))
	case dtype.KindInt32:
		return as(f.Type, iceberg.PrimitiveTypes.Int32, nil)
	case dtype.KindUint32:
		return as(dtype.Int64.Spec(), iceberg.PrimitiveTypes.Int64, each(wider[uint32, int64]))
	case dtype.KindUint64:
		return as(dtype.Int64.Spec(), iceberg.PrimitiveTypes.Int64, each(signed))
	case dtype.KindInt64:
		return formOfInt64(f, floor)
	case dtype.KindFloat16, dtype.KindFloat32:
		return as(dtype.Float32.Spec(), iceberg.PrimitiveTypes.Float32, nil)
	case dtype.KindFloat64:
		return as(f.Type, iceberg.PrimitiveTypes.Float64, nil)
	case dtype.KindText, dtype.KindMsgPack, dtype.KindCBOR:
		return as(f.Type, iceberg.PrimitiveTypes.String, nil)
	case dtype.KindBytes:
		if f.Type.Sized && f.Type.Size > 0 && f.Type.Size <= maxFixed {
			return as(f.Type, iceberg.FixedTypeOf(f.Type.Size), nil)
		}
		return as(f.Type, iceberg.PrimitiveTypes.Binary, nil)
	case dtype.KindVector:
		return formOfVector(f)
	}
	return form{}, fmt.Errorf("%w: %v has no form in Iceberg", dtype.ErrSyntax, f.Type)
}

// maxFixed is how long bytes of a fixed size may be in Parquet.
const maxFixed = math.MaxInt16

func formOfInt64(f exchange.Field, floor bool) (form, error) {
	to := f
	if f.Meaning.Time != 0 {
		to.Meaning.Time = dtype.Microsecond
	}
	switch {
	case f.Meaning.Date:
		return form{to, iceberg.PrimitiveTypes.Date, nil}, nil
	case f.Meaning.Time == dtype.Second:
		return form{to, iceberg.PrimitiveTypes.TimestampTz, each(times(1e6))}, nil
	case f.Meaning.Time == dtype.Millisecond:
		return form{to, iceberg.PrimitiveTypes.TimestampTz, each(times(1e3))}, nil
	case f.Meaning.Time == dtype.Microsecond:
		return form{to, iceberg.PrimitiveTypes.TimestampTz, nil}, nil
	case f.Meaning.Time == dtype.Nanosecond:
		return form{to, iceberg.PrimitiveTypes.TimestampTz, each(microseconds(floor))}, nil
	}
	return form{to, iceberg.PrimitiveTypes.Int64, nil}, nil
}

// formOfVector is the form of vectors: a list, or for those that each have a
// shape of their own a struct of two. The numbers of fields are those that
// Iceberg gives.
func formOfVector(f exchange.Field) (form, error) {
	list := func(element iceberg.Type) iceberg.Type {
		return &iceberg.ListType{Element: element, ElementRequired: true}
	}
	to := f
	var element iceberg.Type
	var turn func(exchange.Column) (exchange.Column, int, error)
	sized := len(f.Type.Dims) > 0
	switch f.Type.Elem {
	case dtype.KindInt8:
		element, turn = iceberg.PrimitiveTypes.Int32, vectors(sized, wider[int8, int32])
	case dtype.KindInt16:
		element, turn = iceberg.PrimitiveTypes.Int32, vectors(sized, wider[int16, int32])
	case dtype.KindUint8:
		element, turn = iceberg.PrimitiveTypes.Int32, vectors(sized, wider[uint8, int32])
	case dtype.KindUint16:
		element, turn = iceberg.PrimitiveTypes.Int32, vectors(sized, wider[uint16, int32])
	case dtype.KindInt32:
		element = iceberg.PrimitiveTypes.Int32
	case dtype.KindUint32:
		element, turn = iceberg.PrimitiveTypes.Int64, vectors(sized, wider[uint32, int64])
	case dtype.KindUint64:
		element, turn = iceberg.PrimitiveTypes.Int64, vectors(sized, signed)
	case dtype.KindInt64:
		element = iceberg.PrimitiveTypes.Int64
	case dtype.KindFloat32:
		element = iceberg.PrimitiveTypes.Float32
	default:
		element = iceberg.PrimitiveTypes.Float64
	}
	if turn != nil {
		to.Type.Elem = dtype.KindInt32
		if element == iceberg.PrimitiveTypes.Int64 {
			to.Type.Elem = dtype.KindInt64
		}
	}
	if sized {
		return form{to, list(element), turn}, nil
	}
	return form{to, &iceberg.StructType{FieldList: []iceberg.NestedField{
		{ID: 1, Name: "shape", Type: list(iceberg.PrimitiveTypes.Int32), Required: true},
		{ID: 2, Name: "values", Type: list(element), Required: true},
	}}, turn}, nil
}

// schemaOf returns the schema of a table of these columns.
func schemaOf(fields []exchange.Field, forms []form) (s *iceberg.Schema, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p) // the library's way to refuse
		}
	}()
	next := len(fields) + 1
	list := make([]iceberg.NestedField, len(fields))
	for i, f := range fields {
		structured := f.Type.Kind == dtype.KindMsgPack || f.Type.Kind == dtype.KindCBOR
		list[i] = iceberg.NestedField{
			ID: i + 1, Name: forms[i].field.Name, Type: numbered(forms[i].ice, &next),
			Required: !f.Meaning.Null && !structured, Doc: f.String(),
		}
	}
	return iceberg.NewSchema(0, list...), nil
}

// numbered gives numbers to what lies in a type.
func numbered(t iceberg.Type, next *int) iceberg.Type {
	take := func() int { *next++; return *next - 1 }
	switch t := t.(type) {
	case *iceberg.ListType:
		return &iceberg.ListType{ElementID: take(), Element: t.Element, ElementRequired: t.ElementRequired}
	case *iceberg.StructType:
		list := make([]iceberg.NestedField, len(t.FieldList))
		for i, f := range t.FieldList {
			f.ID = take()
			list[i] = f
		}
		for i := range list {
			list[i].Type = numbered(list[i].Type, next)
		}
		return &iceberg.StructType{FieldList: list}
	}
	return t
}

// paths returns the number of each field of a schema, by its path in Parquet.
func paths(s *iceberg.Schema) map[string]int {
	known := map[string]int{}
	var walk func(path string, id int, t iceberg.Type)
	walk = func(path string, id int, t iceberg.Type) {
		known[path] = id
		switch t := t.(type) {
		case *iceberg.ListType:
			walk(path+".list.element", t.ElementID, t.Element)
		case *iceberg.StructType:
			for _, f := range t.FieldList {
				walk(path+"."+f.Name, f.ID, f.Type)
			}
		}
	}
	for _, f := range s.Fields() {
		walk(f.Name, f.ID, f.Type)
	}
	return known
}

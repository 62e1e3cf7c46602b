package parquet

import (
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

const (
	required = iota
	optional
	repeated
)

// logical is what values mean beyond their physical type.
type logical uint8

const (
	plain logical = iota
	text
	listGroup
	mapGroup
	decimal
	date
	timestamp
	integer
	jsonText
	uuid
	float16
	otherLogical
)

// element is a node of the schema.
type element struct {
	name       string
	physical   format.Type // -1 for a group
	size       int         // of values of one size
	repetition int
	children   int
	logical    logical
	// scale is that of decimals; bits and unsigned are of integers.
	scale    int
	bits     int
	unsigned bool
	// unit is that of times: 1 for ms, 2 for us, 3 for ns.
	unit int
}

// newElement takes from a node of the schema what matters here.
func newElement(s *format.SchemaElement) element {
	e := element{name: s.Name, physical: -1, size: int(s.TypeLength.V), repetition: int(s.RepetitionType.V),
		children: int(s.NumChildren.V), scale: int(s.Scale.V)}
	if s.Type.Valid {
		e.physical = s.Type.V
	}
	switch l := s.LogicalType.Value.(type) {
	case nil:
		if s.ConvertedType.Valid {
			e.convert(s.ConvertedType.V)
		}
	case *format.StringType, *format.EnumType:
		e.logical = text
	case *format.MapType:
		e.logical = mapGroup
	case *format.ListType:
		e.logical = listGroup
	case *format.DecimalType:
		e.logical, e.scale = decimal, int(l.Scale)
	case *format.DateType:
		e.logical = date
	case *format.TimestampType:
		e.logical = timestamp
		switch l.Unit.Value.(type) {
		case *format.MilliSeconds:
			e.unit = 1
		case *format.MicroSeconds:
			e.unit = 2
		case *format.NanoSeconds:
			e.unit = 3
		}
	case *format.IntType:
		e.logical, e.bits, e.unsigned = integer, int(l.BitWidth), !l.IsSigned
	case *format.JsonType:
		e.logical = jsonText
	case *format.UUIDType:
		e.logical = uuid
	case *format.Float16Type:
		e.logical = float16
	default:
		e.logical = otherLogical
	}
	return e
}

// convert takes what older writers say in place of a logical type.
func (e *element) convert(c deprecated.ConvertedType) {
	switch c {
	case deprecated.UTF8, deprecated.Enum:
		e.logical = text
	case deprecated.Map, deprecated.MapKeyValue:
		e.logical = mapGroup
	case deprecated.List:
		e.logical = listGroup
	case deprecated.Decimal:
		e.logical = decimal
	case deprecated.Date:
		e.logical = date
	case deprecated.TimestampMillis, deprecated.TimestampMicros:
		e.logical, e.unit = timestamp, int(c-deprecated.TimestampMillis)+1
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		e.logical, e.bits, e.unsigned = integer, 8<<(c-deprecated.Uint8), true
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		e.logical, e.bits = integer, 8<<(c-deprecated.Int8)
	case deprecated.Json:
		e.logical = jsonText
	default:
		e.logical = otherLogical
	}
}

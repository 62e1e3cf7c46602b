package arrow

import (
	"errors"
	"fmt"

	"columnvault/dtype"
	"columnvault/exchange/arrow/internal/flat"
)

// kind is the type of a field, by its number in the format.
type kind uint8

const (
	kindNull            kind = 1
	kindInt             kind = 2
	kindFloat           kind = 3
	kindBinary          kind = 4
	kindText            kind = 5
	kindBool            kind = 6
	kindDecimal         kind = 7
	kindDate            kind = 8
	kindTime            kind = 9
	kindTimestamp       kind = 10
	kindList            kind = 12
	kindStruct          kind = 13
	kindFixedBinary     kind = 15
	kindFixedList       kind = 16
	kindMap             kind = 17
	kindDuration        kind = 18
	kindLargeBinary     kind = 19
	kindLargeText       kind = 20
	kindLargeList       kind = 21
	kindBinaryView      kind = 23
	kindTextView        kind = 24
	maxFields                = 1 << 16
	maxDepth                 = 64
	headerSchema        byte = 1
	headerDictionary    byte = 2
	headerBatch         byte = 3
	metadataV5               = 4
	codecLZ4            byte = 0
	codecZstd           byte = 1
	unitSecond               = 0
	unitMillisecond          = 1
	unitDay                  = 0
	precisionHalf            = 0
	precisionDouble          = 2
	defaultDecimalWidth      = 128
)

var kindNames = map[kind]string{11: "intervals", 14: "unions", 22: "runs", 25: "list views", 26: "list views"}

// field is a field of the schema.
type field struct {
	name     string
	kind     kind
	nullable bool
	// bits is the size of a number, size that of bytes or a list.
	bits, size int
	unsigned   bool
	unit       int16
	scale      int
	zone       string
	children   []*field
	// dict is the number of the dictionary that values are positions in; index
	// is the type of these.
	dict  int64
	index *field
	// json says that text is JSON.
	json bool
}

// extension is the key of what values are beyond their type, and jsonText what
// it says of JSON.
const (
	extension = "ARROW:extension:name"
	jsonText  = "arrow.json"
)

var errSchema = errors.New("the schema is damaged")

// readSchema returns the fields of a schema, and what is noted in it.
func readSchema(t flat.Table) (fields []*field, notes map[string]string, err error) {
	if t.Int16(0, 0) != 0 {
		return nil, nil, errors.New("the file is big-endian, which is not supported")
	}
	count := 0
	for _, f := range t.Tables(1) {
		read, err := readField(f, 0, &count)
		if err != nil {
			return nil, nil, err
		}
		fields = append(fields, read)
	}
	notes = map[string]string{}
	for _, kv := range t.Tables(2) {
		notes[kv.String(0)] = kv.String(1)
	}
	return fields, notes, nil
}

func readField(t flat.Table, depth int, count *int) (*field, error) {
	if *count++; *count > maxFields || depth > maxDepth {
		return nil, errSchema
	}
	f := &field{name: t.String(0), nullable: t.Bool(1), kind: kind(t.Byte(2)), dict: -1}
	f.readType(t.Table(3))
	if d := t.Table(4); t.Has(4) {
		f.dict = d.Int64(0)
		f.index = &field{name: f.name, kind: kindInt, bits: 32, dict: -1}
		if index := d.Table(1); d.Has(1) {
			f.index.bits, f.index.unsigned = int(index.Int32(0, 0)), !index.Bool(1)
		}
		if err := f.index.check(); err != nil || f.dict < 0 {
			return nil, errSchema
		}
	}
	for _, kv := range t.Tables(6) {
		f.json = f.json || kv.String(0) == extension && kv.String(1) == jsonText
	}
	for _, c := range t.Tables(5) {
		child, err := readField(c, depth+1, count)
		if err != nil {
			return nil, err
		}
		f.children = append(f.children, child)
	}
	return f, f.check()
}

// readType reads what goes with the kind.
func (f *field) readType(t flat.Table) {
	switch f.kind {
	case kindInt:
		f.bits, f.unsigned = int(t.Int32(0, 0)), !t.Bool(1)
	case kindFloat:
		f.bits = 16 << t.Int16(0, precisionHalf)
	case kindDecimal:
		f.scale, f.bits = int(t.Int32(1, 0)), int(t.Int32(2, defaultDecimalWidth))
	case kindDate:
		f.unit, f.bits = t.Int16(0, unitMillisecond), 64
		if f.unit == unitDay {
			f.bits = 32
		}
	case kindTime:
		f.unit, f.bits = t.Int16(0, unitMillisecond), int(t.Int32(1, 32))
	case kindTimestamp:
		f.unit, f.zone, f.bits = t.Int16(0, unitSecond), t.String(1), 64
	case kindDuration:
		f.bits = 64
	case kindFixedBinary, kindFixedList:
		f.size = int(t.Int32(0, 0))
	}
}

// check refuses types that cannot be, or that are not supported.
func (f *field) check() error {
	ok := true
	children := 0
	switch f.kind {
	case kindInt, kindTime:
		ok = f.bits == 8 || f.bits == 16 || f.bits == 32 || f.bits == 64
	case kindFloat:
		ok = f.bits == 16 || f.bits == 32 || f.bits == 64
	case kindDecimal:
		ok = f.bits == 32 || f.bits == 64 || f.bits == 128 || f.bits == 256
	case kindTimestamp:
		ok = f.unit >= 0 && f.unit <= 3
	case kindDate:
		ok = f.unit == unitDay || f.unit == unitMillisecond
	case kindFixedBinary:
		ok = f.size >= 0 && f.size <= dtype.MaxSize
	case kindFixedList:
		ok, children = f.size >= 0 && f.size <= dtype.MaxSize, 1
	case kindList, kindLargeList:
		children = 1
	case kindMap:
		ok, children = len(f.children) == 1 && f.children[0].kind == kindStruct && len(f.children[0].children) == 2, 1
	case kindStruct:
		children = len(f.children)
	case kindNull, kindBinary, kindText, kindBool, kindDuration, kindLargeBinary, kindLargeText, kindBinaryView, kindTextView:
	default:
		name, known := kindNames[f.kind]
		if !known {
			name = fmt.Sprintf("values of type %d", f.kind)
		}
		return fmt.Errorf("field %q holds %s, which are not supported", f.name, name)
	}
	if !ok || len(f.children) != children {
		return fmt.Errorf("field %q: %w", f.name, errSchema)
	}
	return nil
}

// width is the size of a value in bytes, 0 if it is none that has one.
func (f *field) width() int {
	switch f.kind {
	case kindInt, kindFloat, kindDecimal, kindDate, kindTime, kindTimestamp, kindDuration:
		return f.bits / 8
	case kindFixedBinary:
		return f.size
	}
	return 0
}

// isView tells of values that lie in buffers of a number that varies.
func (f *field) isView() bool { return f.kind == kindBinaryView || f.kind == kindTextView }

// wide tells whether offsets have 64 bits.
func (f *field) wide() bool {
	return f.kind == kindLargeBinary || f.kind == kindLargeText || f.kind == kindLargeList
}

package parquet

import (
	"columnvault/exchange/parquet/internal/thrift"
)

// The numbers of the format, in the order of its definition.
const (
	typeBool = iota
	typeInt32
	typeInt64
	typeInt96
	typeFloat
	typeDouble
	typeBytes
	typeFixed
)

const (
	required = iota
	optional
	repeated
)

const (
	codecNone      = 0
	codecSnappy    = 1
	codecGzip      = 2
	codecLZ4Hadoop = 5
	codecZstd      = 6
	codecLZ4       = 7
)

var codecNames = map[int]string{3: "LZO", 4: "Brotli"}

const (
	encPlain       = 0
	encPlainDict   = 2
	encRLE         = 3
	encDelta       = 5
	encDeltaLength = 6
	encDeltaBytes  = 7
	encDict        = 8
	encSplit       = 9
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
	timeOfDay
	timestamp
	integer
	null
	jsonText
	uuid
	float16
	otherLogical
)

// element is a node of the schema, as it is stored.
type element struct {
	name       string
	physical   int // -1 for a group
	size       int // of values of typeFixed
	repetition int
	children   int
	logical    logical
	// scale is that of decimals; bits and unsigned are of integers.
	scale    int
	bits     int
	unsigned bool
	// unit is that of times: 1 for ms, 2 for us, 3 for ns. utc says that they
	// are instants.
	unit int
	utc  bool
}

// fileMeta is the footer of a file.
type fileMeta struct {
	schema    []element
	rows      int64
	groups    []group
	notes     map[string]string
	encrypted bool
}

type group struct {
	chunks []chunk
	rows   int64
	bytes  int64 // raw
}

// chunk is a column in a row group.
type chunk struct {
	elsewhere       bool // in another file
	physical, codec int
	values          int64
	raw, packed     int64
	dataAt, dictAt  int64
	nulls           int64 // -1 if it is not known

	// These are for writing.
	path                 []string
	min, max             []byte // if bounded
	bounded              bool
	pages                []pageInfo
	offsetAt, columnAt   int64
	offsetLen, columnLen int32
}

// pageInfo is what the indexes of a file say of a page.
type pageInfo struct {
	at       int64
	size     int32
	firstRow int64
	nulls    int64
	empty    bool // without values other than nulls
	min, max []byte
}

func readFileMeta(b []byte) (*fileMeta, error) {
	m := &fileMeta{notes: map[string]string{}}
	r := thrift.NewReader(b)
	r.Struct(func(id int, t thrift.Type) bool {
		switch {
		case id == 2 && t == thrift.List:
			r.List(func(n int) { m.schema = make([]element, n) }, func(i int) { m.schema[i] = readElement(r) })
		case id == 3 && t == thrift.I64:
			m.rows = r.Int()
		case id == 4 && t == thrift.List:
			r.List(func(n int) { m.groups = make([]group, 0, min(n, 1<<10)) }, func(int) { m.groups = append(m.groups, readGroup(r)) })
		case id == 5 && t == thrift.List:
			r.List(func(int) {}, func(int) { readNote(r, m.notes) })
		case id == 8:
			m.encrypted = true
			return false
		default:
			return false
		}
		return true
	})
	return m, r.Err()
}

func readNote(r *thrift.Reader, notes map[string]string) {
	var key, value string
	r.Struct(func(id int, t thrift.Type) bool {
		switch {
		case id == 1 && t == thrift.Binary:
			key = r.String()
		case id == 2 && t == thrift.Binary:
			value = r.String()
		default:
			return false
		}
		return true
	})
	notes[key] = value
}

func readElement(r *thrift.Reader) element {
	e := element{physical: -1}
	converted := -1
	r.Struct(func(id int, t thrift.Type) bool {
		switch {
		case id == 4 && t == thrift.Binary:
			e.name = r.String()
		case id == 10 && t == thrift.Struct:
			readLogical(r, &e)
		case t != thrift.I32:
			return false
		case id == 1:
			e.physical = int(r.Int())
		case id == 2:
			e.size = int(r.Int())
		case id == 3:
			e.repetition = int(r.Int())
		case id == 5:
			e.children = int(r.Int())
		case id == 6:
			converted = int(r.Int())
		case id == 7:
			e.scale = int(r.Int())
		default:
			return false
		}
		return true
	})
	if e.logical == plain && converted >= 0 {
		e.convert(converted)
	}
	return e
}

// convert takes what older writers say in place of a logical type.
func (e *element) convert(converted int) {
	integerOf := func(bits int, unsigned bool) { e.logical, e.bits, e.unsigned = integer, bits, unsigned }
	switch converted {
	case 0, 4:
		e.logical = text
	case 1, 2:
		e.logical = mapGroup
	case 3:
		e.logical = listGroup
	case 5:
		e.logical = decimal
	case 6:
		e.logical = date
	case 7, 8:
		e.logical, e.unit = timeOfDay, converted-6
	case 9, 10:
		e.logical, e.unit, e.utc = timestamp, converted-8, true
	case 11, 12, 13, 14:
		integerOf(8<<(converted-11), true)
	case 15, 16, 17, 18:
		integerOf(8<<(converted-15), false)
	case 19:
		e.logical = jsonText
	default:
		e.logical = otherLogical
	}
}

func readLogical(r *thrift.Reader, e *element) {
	kinds := map[int]logical{1: text, 2: mapGroup, 3: listGroup, 4: text, 5: decimal, 6: date, 7: timeOfDay,
		8: timestamp, 10: integer, 11: null, 12: jsonText, 14: uuid, 15: float16}
	r.Struct(func(id int, t thrift.Type) bool {
		kind, ok := kinds[id]
		if !ok {
			e.logical = otherLogical
			return false
		}
		e.logical = kind
		if t != thrift.Struct {
			return false
		}
		e.unsigned = kind == integer
		r.Struct(func(id int, t thrift.Type) bool {
			switch {
			case kind == decimal && id == 1 && t == thrift.I32:
				e.scale = int(r.Int())
			case kind == integer && id == 1 && t == thrift.Byte:
				e.bits = r.Byte()
			case kind == integer && id == 2:
				e.unsigned = t == thrift.False
			case (kind == timestamp || kind == timeOfDay) && id == 1:
				e.utc = t == thrift.True
			case (kind == timestamp || kind == timeOfDay) && id == 2 && t == thrift.Struct:
				r.Struct(func(id int, _ thrift.Type) bool {
					e.unit = id
					return false
				})
			default:
				return false
			}
			return true
		})
		return true
	})
}

func readGroup(r *thrift.Reader) (g group) {
	r.Struct(func(id int, t thrift.Type) bool {
		switch {
		case id == 1 && t == thrift.List:
			r.List(func(n int) { g.chunks = make([]chunk, 0, min(n, 1<<10)) }, func(int) { g.chunks = append(g.chunks, readChunk(r)) })
		case id == 2 && t == thrift.I64:
			g.bytes = r.Int()
		case id == 3 && t == thrift.I64:
			g.rows = r.Int()
		default:
			return false
		}
		return true
	})
	return g
}

func readChunk(r *thrift.Reader) chunk {
	c := chunk{physical: -1, nulls: -1}
	r.Struct(func(id int, t thrift.Type) bool {
		switch {
		case id == 1 && t == thrift.Binary:
			c.elsewhere = len(r.Bytes()) > 0
		case id == 3 && t == thrift.Struct:
			r.Struct(func(id int, t thrift.Type) bool { return c.readField(r, id, t) })
		default:
			return false
		}
		return true
	})
	return c
}

func (c *chunk) readField(r *thrift.Reader, id int, t thrift.Type) bool {
	switch {
	case id == 12 && t == thrift.Struct:
		r.Struct(func(id int, t thrift.Type) bool {
			if id != 3 || t != thrift.I64 {
				return false
			}
			c.nulls = r.Int()
			return true
		})
	case t != thrift.I32 && t != thrift.I64:
		return false
	case id == 1:
		c.physical = int(r.Int())
	case id == 4:
		c.codec = int(r.Int())
	case id == 5:
		c.values = r.Int()
	case id == 6:
		c.raw = r.Int()
	case id == 7:
		c.packed = r.Int()
	case id == 9:
		c.dataAt = r.Int()
	case id == 11:
		c.dictAt = r.Int()
	default:
		return false
	}
	return true
}

// pageHeader stands before a page.
type pageHeader struct {
	kind        int // 0 data, 1 index, 2 dictionary, 3 data of version 2
	raw, packed int
	crc         uint32
	hasCRC      bool
	values      int
	encoding    int
	// These are of version 2.
	repLen, defLen int
	stored         bool // not compressed
}

const (
	pageData   = 0
	pageDict   = 2
	pageDataV2 = 3
)

// readPageHeader returns the header that b begins with and its length.
func readPageHeader(b []byte) (h pageHeader, n int, err error) {
	r := thrift.NewReader(b)
	r.Struct(func(id int, t thrift.Type) bool {
		switch {
		case id == 1 && t == thrift.I32:
			h.kind = int(r.Int())
		case id == 2 && t == thrift.I32:
			h.raw = int(r.Int())
		case id == 3 && t == thrift.I32:
			h.packed = int(r.Int())
		case id == 4 && t == thrift.I32:
			h.crc, h.hasCRC = uint32(r.Int()), true
		case (id == 5 || id == 7) && t == thrift.Struct:
			r.Struct(func(id int, t thrift.Type) bool {
				switch {
				case id == 1 && t == thrift.I32:
					h.values = int(r.Int())
				case id == 2 && t == thrift.I32:
					h.encoding = int(r.Int())
				default:
					return false
				}
				return true
			})
		case id == 8 && t == thrift.Struct:
			r.Struct(func(id int, t thrift.Type) bool { return h.readV2(r, id, t) })
		default:
			return false
		}
		return true
	})
	return h, r.Pos(), r.Err()
}

func (h *pageHeader) readV2(r *thrift.Reader, id int, t thrift.Type) bool {
	switch {
	case id == 7:
		h.stored = t == thrift.False
		return false
	case t != thrift.I32:
		return false
	case id == 1:
		h.values = int(r.Int())
	case id == 4:
		h.encoding = int(r.Int())
	case id == 5:
		h.defLen = int(r.Int())
	case id == 6:
		h.repLen = int(r.Int())
	default:
		return false
	}
	return true
}

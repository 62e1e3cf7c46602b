package parquet

import (
	"encoding/binary"

	"columnvault/exchange/internal/note"
	"columnvault/exchange/parquet/internal/thrift"
)

// writeIndexes writes what each page holds, and where it is.
func (w *Writer) writeIndexes() error {
	for i := range w.groups {
		for k := range w.groups[i].chunks {
			c := &w.groups[i].chunks[k]
			if index := columnIndex(c); index != nil {
				c.columnAt, c.columnLen = w.out.at, int32(len(index))
				if err := w.out.write(index); err != nil {
					return err
				}
			}
		}
	}
	for i := range w.groups {
		for k := range w.groups[i].chunks {
			c := &w.groups[i].chunks[k]
			index := offsetIndex(c)
			c.offsetAt, c.offsetLen = w.out.at, int32(len(index))
			if err := w.out.write(index); err != nil {
				return err
			}
		}
	}
	return nil
}

// columnIndex returns the bounds of the pages, or nil if one has none.
func columnIndex(c *chunk) []byte {
	for _, p := range c.pages {
		if !p.empty && p.min == nil {
			return nil
		}
	}
	var w thrift.Writer
	n := len(c.pages)
	w.Struct(func() {
		w.List(1, thrift.True, n, func(i int) { w.ElementBool(c.pages[i].empty) })
		w.List(2, thrift.Binary, n, func(i int) { w.ElementBytes(c.pages[i].min) })
		w.List(3, thrift.Binary, n, func(i int) { w.ElementBytes(c.pages[i].max) })
		w.I32(4, 0) // not ordered
		w.List(5, thrift.I64, n, func(i int) { w.ElementInt(c.pages[i].nulls) })
	})
	return w.Out
}

func offsetIndex(c *chunk) []byte {
	var w thrift.Writer
	w.Struct(func() {
		w.List(1, thrift.Struct, len(c.pages), func(i int) {
			p := c.pages[i]
			w.Struct(func() {
				w.I64(1, p.at)
				w.I32(2, p.size)
				w.I64(3, p.firstRow)
			})
		})
	})
	return w.Out
}

// writeFooter writes the schema and where everything is.
func (w *Writer) writeFooter() error {
	schema := []element{{name: "schema", physical: -1, children: len(w.columns)}}
	for _, c := range w.columns {
		schema = append(schema, c.schema...)
	}
	rows := int64(0)
	for _, g := range w.groups {
		rows += g.rows
	}
	var t thrift.Writer
	t.Struct(func() {
		t.I32(1, 2)
		t.List(2, thrift.Struct, len(schema), func(i int) { writeElement(&t, schema[i], i == 0) })
		t.I64(3, rows)
		t.List(4, thrift.Struct, len(w.groups), func(i int) { w.writeGroup(&t, &w.groups[i], i) })
		t.List(5, thrift.Struct, 1, func(int) {
			t.Struct(func() {
				t.String(1, note.Key)
				t.String(2, note.Encode(w.fields))
			})
		})
		t.String(6, "columnvault version 1.0.0")
		t.List(7, thrift.Struct, len(w.leaves), func(int) { // bounds are those of the order of the type
			t.Struct(func() { t.Sub(1, func() {}) })
		})
	})
	footer := binary.LittleEndian.AppendUint32(t.Out, uint32(len(t.Out)))
	return w.out.write(append(footer, magic...))
}

func (w *Writer) writeGroup(t *thrift.Writer, g *group, number int) {
	packed := int64(0)
	for _, c := range g.chunks {
		packed += c.packed
	}
	t.Struct(func() {
		t.List(1, thrift.Struct, len(g.chunks), func(i int) { writeChunk(t, &g.chunks[i]) })
		t.I64(2, g.bytes)
		t.I64(3, g.rows)
		t.I64(5, g.chunks[0].dataAt)
		t.I64(6, packed)
		if number < 1<<15 {
			t.I16(7, int16(number))
		}
	})
}

func writeChunk(t *thrift.Writer, c *chunk) {
	t.Struct(func() {
		t.I64(2, 0)
		t.Sub(3, func() {
			t.I32(1, int32(c.physical))
			t.List(2, thrift.I32, 2, func(i int) { t.ElementInt([]int64{encPlain, encRLE}[i]) })
			t.List(3, thrift.Binary, len(c.path), func(i int) { t.ElementBytes([]byte(c.path[i])) })
			t.I32(4, int32(c.codec))
			t.I64(5, c.values)
			t.I64(6, c.raw)
			t.I64(7, c.packed)
			t.I64(9, c.dataAt)
			if c.nulls >= 0 {
				t.Sub(12, func() {
					t.I64(3, c.nulls)
					if c.bounded {
						t.Bytes(5, c.max)
						t.Bytes(6, c.min)
					}
				})
			}
		})
		t.I64(4, c.offsetAt)
		t.I32(5, c.offsetLen)
		if c.columnLen > 0 {
			t.I64(6, c.columnAt)
			t.I32(7, c.columnLen)
		}
	})
}

func writeElement(t *thrift.Writer, e element, root bool) {
	t.Struct(func() {
		if e.physical >= 0 {
			t.I32(1, int32(e.physical))
		}
		if e.physical == typeFixed {
			t.I32(2, int32(e.size))
		}
		if !root {
			t.I32(3, int32(e.repetition))
		}
		t.String(4, e.name)
		if e.physical < 0 {
			t.I32(5, int32(e.children))
		}
		if converted := e.converted(); converted >= 0 {
			t.I32(6, int32(converted))
		}
		writeLogical(t, e)
	})
}

// converted is what says to older readers what the logical type says, -1 if
// nothing does.
func (e element) converted() int {
	switch e.logical {
	case text:
		return 0
	case listGroup:
		return 3
	case date:
		return 6
	case timestamp:
		if e.unit < 3 {
			return 8 + e.unit
		}
	case jsonText:
		return 19
	case integer:
		n := map[int]int{8: 0, 16: 1, 32: 2, 64: 3}[e.bits]
		if e.unsigned {
			return 11 + n
		}
		return 15 + n
	}
	return -1
}

func writeLogical(t *thrift.Writer, e element) {
	kinds := map[logical]int{text: 1, listGroup: 3, date: 6, timestamp: 8, integer: 10, jsonText: 12, float16: 15}
	id, ok := kinds[e.logical]
	if !ok {
		return
	}
	t.Sub(10, func() {
		t.Sub(id, func() {
			switch e.logical {
			case timestamp:
				t.Bool(1, e.utc)
				t.Sub(2, func() { t.Sub(e.unit, func() {}) })
			case integer:
				t.Byte(1, int8(e.bits))
				t.Bool(2, !e.unsigned)
			}
		})
	})
}

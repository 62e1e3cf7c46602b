package parquet

import (
	"encoding/binary"
	"fmt"

	pq "github.com/parquet-go/parquet-go"

	"columnvault/dtype"
	"columnvault/exchange"
)

// The library's writers of columns take values in boxes of 24 bytes. The buffer
// behind such a writer takes numbers as they lie in memory, and text and bytes in
// the encoding PLAIN, and is made by the type of the column: so a type that stands
// around it has the buffer at hand. Those of columns with missing values, and of
// lists, take nothing but boxes, because only they know the levels.

// direct is a type whose buffer is given to the writer of the column, too.
type direct struct {
	pq.Type
	to *leafWriter
}

func (t direct) NewColumnBuffer(column, values int) pq.ColumnBuffer {
	all := t.Type.NewColumnBuffer(column, values)
	t.to.buffer = all
	if b, ok := all.(boundedBuffer); ok {
		t.to.buffer = b.ColumnBuffer
	}
	return all
}

// isDirect tells whether a column has numbers, text or bytes that are stored as
// they are.
func isDirect(f exchange.Field) bool {
	switch f.Type.Kind {
	case dtype.KindText, dtype.KindBytes:
		return true
	case dtype.KindBool, dtype.KindInt8, dtype.KindInt16, dtype.KindInt32, dtype.KindUint8, dtype.KindUint16, dtype.KindUint32, dtype.KindUint64,
		dtype.KindFloat32, dtype.KindFloat64:
		return true
	case dtype.KindInt64:
		return !f.Meaning.Date && f.Meaning.Time != dtype.Second
	}
	return false
}

// addDirect adds rows, none of which is missing, by a function that writes some of
// those that belong in one page, and returns where it has stopped.
func (l *leafWriter) addDirect(from, to int, write func(from, to int) (end int, err error)) (int, error) {
	if err := l.flush(); err != nil {
		return from, err
	}
	for from < to {
		end, err := write(from, min(to, from+pageRows-l.rows))
		if err == nil {
			err = l.written(end - from)
		}
		if err == nil && l.buffer.Size() >= pageBytes {
			l.rows, err = 0, l.out.Flush()
		}
		if err != nil {
			return from, err
		}
		from = end
	}
	return from, nil
}

// writePlain writes text or bytes, as many as are held beside the page.
func writePlain[T string | []byte](l *leafWriter, values []T, from, to int) (end int, err error) {
	fixed, isFixed := l.buffer.(pq.FixedLenByteArrayWriter)
	for end = from; end < to && len(l.arena) < heldBytes; end++ {
		if !isFixed {
			l.arena = binary.LittleEndian.AppendUint32(l.arena, uint32(len(values[end])))
		}
		l.arena = append(l.arena, values[end]...)
	}
	if isFixed {
		_, err = fixed.WriteFixedLenByteArrays(l.arena)
	} else {
		_, err = l.buffer.(pq.ByteArrayWriter).WriteByteArrays(l.arena)
	}
	l.arena = l.arena[:0]
	return end, err
}

// writeNumbers writes a slice of numbers.
func writeNumbers(b pq.ColumnBuffer, values any) (err error) {
	switch v := values.(type) {
	case []bool:
		_, err = b.(pq.BooleanWriter).WriteBooleans(v)
	case []int8:
		_, err = b.(pq.Int32Writer).WriteInt32s(widened[int32](v))
	case []int16:
		_, err = b.(pq.Int32Writer).WriteInt32s(widened[int32](v))
	case []int32:
		_, err = b.(pq.Int32Writer).WriteInt32s(v)
	case []int64:
		_, err = b.(pq.Int64Writer).WriteInt64s(v)
	case []uint8:
		_, err = b.(uint32Writer).WriteUint32s(widened[uint32](v))
	case []uint16:
		_, err = b.(uint32Writer).WriteUint32s(widened[uint32](v))
	case []uint32:
		_, err = b.(uint32Writer).WriteUint32s(v)
	case []uint64:
		_, err = b.(uint64Writer).WriteUint64s(v)
	case []float32:
		_, err = b.(pq.FloatWriter).WriteFloats(v)
	case []float64:
		_, err = b.(pq.DoubleWriter).WriteDoubles(v)
	default:
		err = fmt.Errorf("%T are no numbers", values)
	}
	return err
}

// What the buffers of unsigned integers have, and the library has no name for.
type (
	uint32Writer interface{ WriteUint32s([]uint32) (int, error) }
	uint64Writer interface{ WriteUint64s([]uint64) (int, error) }
)

func widened[W int32 | uint32, T int8 | int16 | uint8 | uint16](values []T) []W {
	wide := make([]W, len(values))
	for i, v := range values {
		wide[i] = W(v)
	}
	return wide
}

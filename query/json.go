package query

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"

	"github.com/ncruces/go-sqlite3"

	"columnvault/dtype"
)

// setJSON gives the engine a value of msgpack, CBOR or JSON, a vector, or
// whatever else a key may have: numbers are numbers, nothing is NULL, bytes are
// a BLOB, and all else is JSON text.
func (c *conn) setJSON(ctx sqlite3.Context, v any) {
	switch v := v.(type) {
	case nil:
		ctx.ResultNull()
	case int64:
		ctx.ResultInt64(v)
	case uint64:
		setUint64(ctx, v)
	case float64:
		ctx.ResultFloat(v)
	case []byte:
		c.setBytes(ctx, v)
	default:
		c.setVector(ctx, v)
	}
}

// setVector gives the engine the JSON text of a vector, or of whatever else has
// no type of its own in SQL.
func (c *conn) setVector(ctx sqlite3.Context, v any) {
	text, err := appendJSON(nil, v)
	if err != nil {
		c.cause = err
		ctx.ResultError(err)
		return
	}
	c.setText(ctx, string(text))
}

// appendJSON writes a vector, or a value of the JSON model.
func appendJSON(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case []int8:
		return appendInts(dst, nil, v), nil
	case []int16:
		return appendInts(dst, nil, v), nil
	case []int32:
		return appendInts(dst, nil, v), nil
	case []int64:
		return appendInts(dst, nil, v), nil
	case []uint8:
		return appendInts(dst, nil, v), nil
	case []uint16:
		return appendInts(dst, nil, v), nil
	case []uint32:
		return appendInts(dst, nil, v), nil
	case []uint64:
		return appendUints(dst, nil, v), nil
	case []float32:
		return appendFloats(dst, nil, v), nil
	case []float64:
		return appendFloats(dst, nil, v), nil
	case dtype.Tensor[int8]:
		return appendInts(dst, v.Shape, v.Data), nil
	case dtype.Tensor[int16]:
		return appendInts(dst, v.Shape, v.Data), nil
	case dtype.Tensor[int32]:
		return appendInts(dst, v.Shape, v.Data), nil
	case dtype.Tensor[int64]:
		return appendInts(dst, v.Shape, v.Data), nil
	case dtype.Tensor[uint8]:
		return appendInts(dst, v.Shape, v.Data), nil
	case dtype.Tensor[uint16]:
		return appendInts(dst, v.Shape, v.Data), nil
	case dtype.Tensor[uint32]:
		return appendInts(dst, v.Shape, v.Data), nil
	case dtype.Tensor[uint64]:
		return appendUints(dst, v.Shape, v.Data), nil
	case dtype.Tensor[float32]:
		return appendFloats(dst, v.Shape, v.Data), nil
	case dtype.Tensor[float64]:
		return appendFloats(dst, v.Shape, v.Data), nil
	case json.RawMessage:
		return append(dst, v...), nil
	}
	b := bytes.NewBuffer(dst)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func appendInts[E int8 | int16 | int32 | int64 | uint8 | uint16 | uint32](dst []byte, shape []int, data []E) []byte {
	return appendArray(dst, shape, data, func(dst []byte, v E) []byte { return strconv.AppendInt(dst, int64(v), 10) })
}

func appendUints(dst []byte, shape []int, data []uint64) []byte {
	return appendArray(dst, shape, data, func(dst []byte, v uint64) []byte { return strconv.AppendUint(dst, v, 10) })
}

// appendFloats writes what JSON has no number for as null.
func appendFloats[E float32 | float64](dst []byte, shape []int, data []E) []byte {
	bits := 64
	if _, ok := any(data).([]float32); ok {
		bits = 32
	}
	return appendArray(dst, shape, data, func(dst []byte, v E) []byte {
		f := float64(v)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return append(dst, "null"...)
		}
		return strconv.AppendFloat(dst, f, 'g', -1, bits)
	})
}

// appendArray writes numbers as lists in lists, by the dimensions of their
// shape. Without a shape they are one list.
func appendArray[E any](dst []byte, shape []int, data []E, number func([]byte, E) []byte) []byte {
	if shape == nil {
		shape = []int{len(data)}
	}
	dst, _ = appendNested(dst, shape, data, number)
	return dst
}

// appendNested writes the numbers that the shape takes, and returns the others.
func appendNested[E any](dst []byte, shape []int, data []E, number func([]byte, E) []byte) ([]byte, []E) {
	if len(shape) == 0 {
		if len(data) == 0 {
			return append(dst, "null"...), nil
		}
		return number(dst, data[0]), data[1:]
	}
	dst = append(dst, '[')
	for i := range shape[0] {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst, data = appendNested(dst, shape[1:], data, number)
	}
	return append(dst, ']'), data
}

package parquet

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"

	"github.com/parquet-go/parquet-go/format"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
	"columnvault/internal/structured"
)

// kind is what becomes of the values of a leaf.
type kind interface {
	// field has the type of a column of them.
	field() exchange.Field
	// flat is a column of them, and list one of lists of numbers, all of so many
	// or, with 0, of any length. list returns nil if they are no numbers.
	flat() column
	list(length int) column
	// anys appends m values as those that msgpack holds.
	anys(p *pages, m int, dst []any) ([]any, error)
}

// kindOf returns the kind of a leaf.
func kindOf(n *node, decimals Decimals) (kind, error) {
	switch n.physical {
	case format.Boolean:
		return bools{}, nil
	case format.Int32:
		return kindOfInt32(n, decimals), nil
	case format.Int64:
		return kindOfInt64(n, decimals), nil
	case format.Int96:
		return numbers[int64]{f: moment(dtype.Meaning{Time: dtype.Nanosecond}), get: getInt96}, nil
	case format.Float:
		return numbers[float32]{f: plainField(dtype.Float32.Spec()), get: func(raw []byte, dst []float32) error {
			for i := range dst {
				dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
			}
			return nil
		}}, nil
	case format.Double:
		return numbers[float64]{f: plainField(dtype.Float64.Spec()), get: func(raw []byte, dst []float64) error {
			for i := range dst {
				dst[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
			}
			return nil
		}}, nil
	case format.ByteArray:
		return kindOfBytes(n, decimals), nil
	}
	return kindOfFixed(n, decimals), nil
}

func plainField(s dtype.Spec) exchange.Field { return exchange.Field{Type: s} }

func moment(m dtype.Meaning) exchange.Field {
	return exchange.Field{Type: dtype.Int64.Spec(), Meaning: m}
}

var units = map[int]dtype.Unit{1: dtype.Millisecond, 2: dtype.Microsecond, 3: dtype.Nanosecond}

// integers is the kind of numbers that are cut out of wider ones.
func integers[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](t dtype.Type[T], size int) kind {
	get := func(raw []byte, dst []T) error {
		for i := range dst {
			v := int32(binary.LittleEndian.Uint32(raw[4*i:]))
			if dst[i] = T(v); int32(dst[i]) != v {
				return fmt.Errorf("%w: %d is out of range for %s", dtype.ErrValue, v, t)
			}
		}
		return nil
	}
	if size == 8 {
		get = func(raw []byte, dst []T) error {
			for i := range dst {
				dst[i] = T(binary.LittleEndian.Uint64(raw[8*i:]))
			}
			return nil
		}
	}
	return numbers[T]{f: plainField(t.Spec()), get: get}
}

func kindOfInt32(n *node, decimals Decimals) kind {
	switch {
	case n.logical == date:
		return numbers[int64]{f: moment(dtype.Meaning{Date: true}), get: func(raw []byte, dst []int64) error {
			for i := range dst {
				dst[i] = int64(int32(binary.LittleEndian.Uint32(raw[4*i:])))
			}
			return nil
		}}
	case n.logical == decimal:
		return decimals.kind(n.scale, func(raw []byte) *big.Int {
			return big.NewInt(int64(int32(binary.LittleEndian.Uint32(raw))))
		})
	case n.logical != integer:
		return integers(dtype.Int32, 4)
	}
	switch {
	case n.bits == 8 && n.unsigned:
		return integers(dtype.Uint8, 4)
	case n.bits == 8:
		return integers(dtype.Int8, 4)
	case n.bits == 16 && n.unsigned:
		return integers(dtype.Uint16, 4)
	case n.bits == 16:
		return integers(dtype.Int16, 4)
	case n.unsigned:
		return integers(dtype.Uint32, 4)
	}
	return integers(dtype.Int32, 4)
}

func kindOfInt64(n *node, decimals Decimals) kind {
	get := func(raw []byte, dst []int64) error {
		for i := range dst {
			dst[i] = int64(binary.LittleEndian.Uint64(raw[8*i:]))
		}
		return nil
	}
	switch {
	case n.logical == timestamp && units[n.unit] != 0:
		return numbers[int64]{f: moment(dtype.Meaning{Time: units[n.unit]}), get: get}
	case n.logical == decimal:
		return decimals.kind(n.scale, func(raw []byte) *big.Int {
			return big.NewInt(int64(binary.LittleEndian.Uint64(raw)))
		})
	case n.logical == integer && n.unsigned:
		return integers(dtype.Uint64, 8)
	}
	return numbers[int64]{f: plainField(dtype.Int64.Spec()), get: get}
}

// getInt96 reads times as older programs wrote them: nanoseconds of a day, and
// the Julian day.
func getInt96(raw []byte, dst []int64) error {
	const epoch = 2440588
	for i := range dst {
		b := raw[12*i:]
		nanos := int64(binary.LittleEndian.Uint64(b))
		days := int64(int32(binary.LittleEndian.Uint32(b[8:]))) - epoch
		start, err := fit.Multiply(days, 86400e9)
		if err != nil {
			return err
		}
		if dst[i] = start + nanos; (dst[i] < start) != (nanos < 0) {
			return fmt.Errorf("%w: a time is out of range in nanoseconds", dtype.ErrValue)
		}
	}
	return nil
}

func kindOfBytes(n *node, decimals Decimals) kind {
	switch n.logical {
	case text:
		return varied[string]{f: plainField(dtype.String.Spec()), turn: textOf}
	case jsonText:
		return varied[any]{f: plainField(dtype.MsgPack[any]().Spec()), turn: jsonOf}
	case decimal:
		return decimals.ofBytes(n.scale)
	}
	return varied[[]byte]{f: plainField(dtype.Bytes.Spec()), turn: bytesOf}
}

func kindOfFixed(n *node, decimals Decimals) kind {
	switch {
	case n.logical == float16 && n.size == 2:
		return numbers[float32]{f: plainField(dtype.Float16.Spec()), get: func(raw []byte, dst []float32) error {
			return dtype.Float16.DecodeAll(dst, raw, nil)
		}}
	case n.logical == uuid && n.size == 16:
		return singles[string]{f: plainField(dtype.String.Spec()), get: uuidText}
	case n.logical == decimal:
		return decimals.kind(n.scale, fit.BigEndian)
	}
	size := n.size
	return bytesKind{numbers[[]byte]{f: plainField(dtype.FixedBytes(size).Spec()), get: func(raw []byte, dst [][]byte) error {
		own := append(make([]byte, 0, len(dst)*size), raw[:len(dst)*size]...)
		for i := range dst {
			dst[i] = own[i*size : (i+1)*size : (i+1)*size]
		}
		return nil
	}}}
}

func uuidText(b []byte) (string, error) {
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
}

// kind is that of decimals which lie in values of one size.
func (d Decimals) kind(scale int, read func([]byte) *big.Int) kind {
	if d == DecimalsFloat {
		return singles[float64]{f: plainField(dtype.Float64.Spec()), get: func(b []byte) (float64, error) {
			return fit.DecimalFloat(read(b), scale)
		}}
	}
	return singles[string]{f: plainField(dtype.String.Spec()), get: func(b []byte) (string, error) {
		return fit.DecimalText(read(b), scale)
	}}
}

func (d Decimals) ofBytes(scale int) kind {
	if d == DecimalsFloat {
		return varied[float64]{f: plainField(dtype.Float64.Spec()), turn: eachOf(func(b []byte) (float64, error) {
			return fit.DecimalFloat(fit.BigEndian(b), scale)
		})}
	}
	return varied[string]{f: plainField(dtype.String.Spec()), turn: eachOf(func(b []byte) (string, error) {
		return fit.DecimalText(fit.BigEndian(b), scale)
	})}
}

// textOf makes strings of values, which share memory.
func textOf(src [][]byte, dst []string) error {
	size := 0
	for _, b := range src {
		size += len(b)
	}
	all := make([]byte, 0, size)
	for _, b := range src {
		all = append(all, b...)
	}
	shared := string(all)
	at := 0
	for i, b := range src {
		dst[i] = shared[at : at+len(b)]
		at += len(b)
	}
	return nil
}

func bytesOf(src [][]byte, dst [][]byte) error {
	copy(dst, src)
	for i, b := range dst {
		if b == nil {
			dst[i] = []byte{}
		}
	}
	return nil
}

// jsonOf reads JSON text. A missing value is nil in src.
func jsonOf(src [][]byte, dst []any) error {
	for i, b := range src {
		if b == nil {
			dst[i] = nil
			continue
		}
		if err := structured.DecodeJSON(b, &dst[i]); err != nil {
			return &rowError{i, err}
		}
	}
	return nil
}

// eachOf turns values one by one.
func eachOf[T any](turn func([]byte) (T, error)) func([][]byte, []T) error {
	return func(src [][]byte, dst []T) (err error) {
		for i, b := range src {
			if b == nil {
				continue
			}
			if dst[i], err = turn(b); err != nil {
				return &rowError{i, err}
			}
		}
		return nil
	}
}

// rowError is about one of several values.
type rowError struct {
	row int
	err error
}

func (e *rowError) Error() string { return e.err.Error() }

func (e *rowError) Unwrap() error { return e.err }

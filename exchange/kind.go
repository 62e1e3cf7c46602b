package exchange

import (
	"context"
	"database/sql"

	"columnvault"
	"columnvault/dtype"
)

// kind is what depends on the Go type of a column.
type kind interface {
	newColumn() Column
	newTarget(ctx context.Context, tx *columnvault.Tx, p *plan, c *part) (target, error)
	newReader(ctx context.Context, tx *columnvault.Tx, f Field) (reader, error)
}

// kindFor is the kind of a dtype.
type kindFor[T any] struct {
	t dtype.Type[T]
	// size is about how many bytes of memory a value takes, if they differ.
	size func(T) int
}

func (kindFor[T]) newColumn() Column { return &Vector[T]{} }

// nullKind is the kind of a dtype with elements that may be missing. N is given
// too, because a compiler that finds it inside of what is generic in T compiles
// everything for it twice.
type nullKind[T any, N sql.Null[T]] struct {
	kindFor[T]
	null dtype.Type[N]
}

// kindOf returns the kind of a valid dtype.
func kindOf(s dtype.Spec) kind {
	switch s.Kind {
	case dtype.KindText:
		if s.Sized {
			return kindFor[string]{dtype.FixedText(s.Size, s.Encoding), textSize}
		}
		return nullKindOf(dtype.Text(s.Encoding), dtype.Nullable(dtype.Text(s.Encoding)), textSize)
	case dtype.KindBytes:
		if s.Sized {
			return kindFor[[]byte]{dtype.FixedBytes(s.Size), bytesSize}
		}
		return kindFor[[]byte]{dtype.Bytes, bytesSize}
	case dtype.KindVector:
		if len(s.Dims) == 0 {
			return tensorKinds[s.Elem]
		}
		return vectorKind(s)
	}
	if k, ok := scalarKinds[s.Kind]; ok {
		return k
	}
	return nullKindOf(s.Type(), dtype.Nullable(s.Type()), anySize)
}

var scalarKinds = map[dtype.Kind]kind{
	dtype.KindBool:    nullKindOf(dtype.Bool, dtype.Nullable(dtype.Bool), nil),
	dtype.KindInt8:    nullKindOf(dtype.Int8, dtype.Nullable(dtype.Int8), nil),
	dtype.KindInt16:   nullKindOf(dtype.Int16, dtype.Nullable(dtype.Int16), nil),
	dtype.KindInt32:   nullKindOf(dtype.Int32, dtype.Nullable(dtype.Int32), nil),
	dtype.KindInt64:   nullKindOf(dtype.Int64, dtype.Nullable(dtype.Int64), nil),
	dtype.KindUint8:   nullKindOf(dtype.Uint8, dtype.Nullable(dtype.Uint8), nil),
	dtype.KindUint16:  nullKindOf(dtype.Uint16, dtype.Nullable(dtype.Uint16), nil),
	dtype.KindUint32:  nullKindOf(dtype.Uint32, dtype.Nullable(dtype.Uint32), nil),
	dtype.KindUint64:  nullKindOf(dtype.Uint64, dtype.Nullable(dtype.Uint64), nil),
	dtype.KindFloat16: nullKindOf(dtype.Float16, dtype.Nullable(dtype.Float16), nil),
	dtype.KindFloat32: nullKindOf(dtype.Float32, dtype.Nullable(dtype.Float32), nil),
	dtype.KindFloat64: nullKindOf(dtype.Float64, dtype.Nullable(dtype.Float64), nil),
}

// vectorKind is the kind of vectors with dimensions, and tensorKinds are those of
// vectors without, by their elements. They are spelled out, because a function
// that is generic in the elements would have everything compiled twice.
func vectorKind(s dtype.Spec) kind {
	switch s.Elem {
	case dtype.KindInt8:
		return kindFor[[]int8]{t: dtype.Vector[int8](s.Dims...)}
	case dtype.KindInt16:
		return kindFor[[]int16]{t: dtype.Vector[int16](s.Dims...)}
	case dtype.KindInt32:
		return kindFor[[]int32]{t: dtype.Vector[int32](s.Dims...)}
	case dtype.KindInt64:
		return kindFor[[]int64]{t: dtype.Vector[int64](s.Dims...)}
	case dtype.KindUint8:
		return kindFor[[]uint8]{t: dtype.Vector[uint8](s.Dims...)}
	case dtype.KindUint16:
		return kindFor[[]uint16]{t: dtype.Vector[uint16](s.Dims...)}
	case dtype.KindUint32:
		return kindFor[[]uint32]{t: dtype.Vector[uint32](s.Dims...)}
	case dtype.KindUint64:
		return kindFor[[]uint64]{t: dtype.Vector[uint64](s.Dims...)}
	case dtype.KindFloat32:
		return kindFor[[]float32]{t: dtype.Vector[float32](s.Dims...)}
	}
	return kindFor[[]float64]{t: dtype.Vector[float64](s.Dims...)}
}

var tensorKinds = map[dtype.Kind]kind{
	dtype.KindInt8:    kindFor[dtype.Tensor[int8]]{dtype.Tensors[int8](), tensorSize[int8]},
	dtype.KindInt16:   kindFor[dtype.Tensor[int16]]{dtype.Tensors[int16](), tensorSize[int16]},
	dtype.KindInt32:   kindFor[dtype.Tensor[int32]]{dtype.Tensors[int32](), tensorSize[int32]},
	dtype.KindInt64:   kindFor[dtype.Tensor[int64]]{dtype.Tensors[int64](), tensorSize[int64]},
	dtype.KindUint8:   kindFor[dtype.Tensor[uint8]]{dtype.Tensors[uint8](), tensorSize[uint8]},
	dtype.KindUint16:  kindFor[dtype.Tensor[uint16]]{dtype.Tensors[uint16](), tensorSize[uint16]},
	dtype.KindUint32:  kindFor[dtype.Tensor[uint32]]{dtype.Tensors[uint32](), tensorSize[uint32]},
	dtype.KindUint64:  kindFor[dtype.Tensor[uint64]]{dtype.Tensors[uint64](), tensorSize[uint64]},
	dtype.KindFloat32: kindFor[dtype.Tensor[float32]]{dtype.Tensors[float32](), tensorSize[float32]},
	dtype.KindFloat64: kindFor[dtype.Tensor[float64]]{dtype.Tensors[float64](), tensorSize[float64]},
}

func nullKindOf[T any, N sql.Null[T]](t dtype.Type[T], null dtype.Type[N], size func(T) int) kind {
	return nullKind[T, N]{kindFor[T]{t, size}, null}
}

// weigh returns about how many bytes of memory values take.
func (k kindFor[T]) weigh(list []T) (n int) {
	if k.size == nil {
		return len(list) * max(k.t.Size(), 8)
	}
	for _, v := range list {
		n += k.size(v)
	}
	return n
}

func textSize(s string) int { return 16 + len(s) }

func bytesSize(b []byte) int { return 24 + len(b) }

func tensorSize[E dtype.Element](v dtype.Tensor[E]) int { return 48 + 8*len(v.Shape) + 8*len(v.Data) }

// anySize is the size of a value of the JSON model.
func anySize(v any) int {
	const word = 16
	n := word
	switch v := v.(type) {
	case string:
		n += word + len(v)
	case []any:
		n += 24
		for _, inner := range v {
			n += anySize(inner)
		}
	case map[string]any:
		n += 3 * word
		for key, inner := range v {
			n += word + len(key) + anySize(inner)
		}
	default:
		n += 8
	}
	return n
}

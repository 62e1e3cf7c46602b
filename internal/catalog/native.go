package catalog

import (
	"context"
	"errors"
	"fmt"

	"columnvault/dtype"
	"columnvault/internal/column"
	"columnvault/internal/column/native"
	"columnvault/internal/store"
)

// Directories keeps what is known of native columns from transaction to
// transaction. The zero value is ready, and safe for concurrent use.
type Directories = native.Cache

// Codec is how native columns store what is full.
type Codec = native.Codec

// The codecs.
const (
	Raw  = native.Raw
	Zstd = native.Zstd
)

// orders are those of elements, by their kinds.
var orders = map[dtype.Kind]column.Order{
	dtype.KindBool: column.Unsigned, dtype.KindInt8: column.Signed, dtype.KindInt16: column.Signed,
	dtype.KindInt32: column.Signed, dtype.KindInt64: column.Signed, dtype.KindUint8: column.Unsigned,
	dtype.KindUint16: column.Unsigned, dtype.KindUint32: column.Unsigned, dtype.KindUint64: column.Unsigned,
	dtype.KindFloat32: column.Float, dtype.KindFloat64: column.Float, dtype.KindBytes: column.Bytes,
}

// commonOrders are those of the commonest dtypes, by their texts: to parse one
// takes memory in each transaction.
var commonOrders = func() map[string]column.Order {
	common := map[string]column.Order{dtype.String.String(): column.Bytes}
	for kind, order := range orders {
		common[dtype.Spec{Kind: kind}.String()] = order
	}
	return common
}()

// OrderOf is the order of the elements of a dtype.
func OrderOf(text string) column.Order {
	if order, ok := commonOrders[text]; ok {
		return order
	}
	spec, err := dtype.ParseSpec(text)
	switch {
	case err != nil:
		return column.Unordered
	case spec.Kind == dtype.KindText && (spec.Encoding == dtype.UTF8 || spec.Encoding == dtype.ASCII || spec.Encoding == dtype.Latin1):
		return column.Bytes
	}
	return orders[spec.Kind]
}

// entryNative is the entry of a native row. Its length is known with its last
// run.
func entryNative(ctx context.Context, r store.Reader, row store.Row) (Entry, error) {
	e := Entry{Kind: Native, Name: row.Name, DType: row.DType, Data: row}
	last, err := r.LastChunk(ctx, row.ID)
	switch {
	case err == nil:
		e.last = &last
	case !errors.Is(err, store.ErrNotFound):
		return Entry{}, err
	}
	return e, nil
}

// openNative opens the column.
func (e Entry) openNative(caps store.Caps) (*native.Column, error) {
	return native.Open(e.Data, e.last, native.Options{Window: caps.Window, Order: OrderOf(e.DType), Cache: e.Directories})
}

// nativeRow is the entry of a native column that is to be created.
func nativeRow(name, text string, size int64, o Options, caps store.Caps) (Entry, error) {
	row, err := native.Row(name, text, size, o.MaxChunk, caps)
	return Entry{Kind: Native, Name: name, DType: text, Data: row, seal: o.Codec}, err
}

// Codec is how a native column stores what is full.
func (e *Entry) Codec() Codec {
	if e.last == nil {
		return e.seal
	}
	return native.CodecOf(*e.last)
}

// Counted makes the row of a native column say what its runs and its dtype say,
// and tells whether it was something else.
func Counted(ctx context.Context, r store.Reader, e Entry, caps store.Caps) (now Entry, changed bool, err error) {
	now = e
	if spec, err := dtype.ParseSpec(e.DType); err == nil {
		now.Data.ElemSize = int64(spec.ElemSize())
	}
	if now.Data.MaxChunk < native.LeastRun || now.Data.MaxChunk > caps.ChunkSize {
		now.Data.MaxChunk = caps.RunBytes
	}
	now.Data.Length, err = native.Counted(ctx, r, e.Data.ID, e.last)
	return now, now.Data != e.Data, err
}

// SetCount writes the length of a native column that Counted has found.
func SetCount(ctx context.Context, tx store.Tx, e Entry) error {
	return native.SetLength(ctx, tx, e.Data)
}

// Empty removes all elements of a native column, whatever state it is in.
func Empty(ctx context.Context, tx store.Tx, e Entry) error {
	if e.Kind != Native {
		return fmt.Errorf("%w: %s is not a native column", store.ErrInvalidArgument, quote(e.Name))
	}
	return native.Clear(ctx, tx, e.Data, e.Codec())
}

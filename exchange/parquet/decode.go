package parquet

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"
)

// decodeLevels decodes the levels of n values into the memory of dst.
func decodeLevels(dst, src []byte, n, highest int) ([]byte, error) {
	if highest == 0 {
		return dst, nil
	}
	width := bits.Len(uint(highest))
	levels, err := decodeOctets(dst, src, width, n)
	if err == nil && n > 0 && highest < 1<<width-1 && int(slices.Max(levels)) > highest {
		err = errDamaged
	}
	return levels, err
}

// decodeOctets decodes runs of n numbers of at most 8 bits.
func decodeOctets(dst, src []byte, width, n int) ([]byte, error) {
	if n == 0 {
		return dst[:0], nil
	}
	src, err := checkRuns(src, width, n)
	if err != nil {
		return dst, err
	}
	list, err := (&rle.Encoding{BitWidth: width}).DecodeLevels(dst[:0], src)
	if err != nil || len(list) < n {
		return dst, errDamaged
	}
	return list[:n], nil
}

// decode decodes n values of a column. They may lie in src afterwards.
func (leaf *node) decode(e format.Encoding, src []byte, n int) (v values, err error) {
	if n == 0 {
		return values{offsets: make([]uint32, 1)}, nil
	}
	size := leaf.width()
	switch {
	case leaf.physical == format.Boolean && e == format.Plain:
		v.bytes, err = decodeBits(src, n)
	case leaf.physical == format.Boolean && e == format.RLE && len(src) >= 4:
		v.bytes, err = decodeOctets(nil, src[4:], 1, n)
	case leaf.physical == format.Boolean:
		err = errEncoding(e, leaf)
	case leaf.physical == format.ByteArray:
		v, err = decodeText(e, src, n)
	case e == format.Plain:
		v.bytes = src
	case e == format.ByteStreamSplit:
		v.bytes, err = pq.ByteStreamSplit.DecodeFixedLenByteArray(make([]byte, len(src)), src, size)
	case e == format.DeltaBinaryPacked && (leaf.physical == format.Int32 || leaf.physical == format.Int64):
		v.bytes, err = decodeDelta(src, n, size)
	case e == format.DeltaByteArray && leaf.physical == format.FixedLenByteArray:
		if err = checkText(e, src, n); err == nil {
			v.bytes, err = pq.DeltaByteArray.DecodeFixedLenByteArray(nil, src, size)
		}
	default:
		err = errEncoding(e, leaf)
	}
	if err == nil && (size > 0 && len(v.bytes)/size < n || size == 0 && len(v.offsets) <= n) {
		err = errDamaged
	}
	return v, err
}

func errEncoding(e format.Encoding, leaf *node) error {
	return fmt.Errorf("the encoding %v is not supported for a %s", e, leaf.describe())
}

// decodeBits makes a byte of each of n bits.
func decodeBits(src []byte, n int) ([]byte, error) {
	if len(src) < (n+7)/8 {
		return nil, errDamaged
	}
	list := make([]byte, n)
	for i := range list {
		list[i] = src[i/8] >> (i % 8) & 1
	}
	return list, nil
}

// decodeDelta decodes differences of integers of 4 or 8 bytes.
func decodeDelta(src []byte, n, size int) ([]byte, error) {
	if _, err := checkDelta(src, n); err != nil {
		return nil, err
	}
	out := make([]byte, 0, n*size)
	if size == 4 {
		list, err := pq.DeltaBinaryPacked.DecodeInt32(nil, src)
		for _, v := range list {
			out = binary.LittleEndian.AppendUint32(out, uint32(v))
		}
		return out, err
	}
	list, err := pq.DeltaBinaryPacked.DecodeInt64(nil, src)
	for _, v := range list {
		out = binary.LittleEndian.AppendUint64(out, uint64(v))
	}
	return out, err
}

// decodeText decodes values that vary in size.
func decodeText(e format.Encoding, src []byte, n int) (v values, err error) {
	switch e {
	case format.Plain:
		v = values{make([]byte, 0, len(src)), make([]uint32, 0, n+1)}
	case format.DeltaLengthByteArray, format.DeltaByteArray:
		if err := checkText(e, src, n); err != nil {
			return v, err
		}
	default:
		return v, fmt.Errorf("the encoding %v is not supported for text or bytes", e)
	}
	v.bytes, v.offsets, err = pq.LookupEncoding(e).DecodeByteArray(v.bytes, src, v.offsets)
	if err != nil {
		return v, fmt.Errorf("%w: %v", errDamaged, err)
	}
	if len(v.offsets) == 0 || !slices.IsSorted(v.offsets) || uint64(v.offsets[len(v.offsets)-1]) > uint64(len(v.bytes)) {
		return v, errDamaged
	}
	return v, nil
}

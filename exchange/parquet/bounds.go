package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"columnvault/exchange/internal/block"
)

// The decoders of the library take memory as the bytes claim it. What stands
// here looks at the claims before the bytes are given to them.

var errDamaged = errors.New("the bytes are not what they should be")

// maxStructs bounds the structs in lists of a footer, which take up to a
// kilobyte each, and maxThrift how deep they lie in each other.
const (
	maxStructs = 1 << 20
	maxThrift  = 32
)

// decodeThrift decodes a struct of the format that b begins with, and returns
// its length.
func decodeThrift(b []byte, v any) (int, error) {
	w := walker{rest: b}
	if err := w.structure(0); err != nil {
		return 0, err
	}
	r := new(thrift.CompactProtocol).NewReaderFromBytes(b)
	if err := thrift.NewDecoder(r).Decode(v); err != nil {
		return 0, fmt.Errorf("%w: %v", errDamaged, err)
	}
	return r.BytesRead(), nil
}

// walker goes over a struct in the compact protocol.
type walker struct {
	rest    []byte
	structs int
}

// skip goes past n bytes.
func (w *walker) skip(n uint64) error {
	if n > uint64(len(w.rest)) {
		return errDamaged
	}
	w.rest = w.rest[n:]
	return nil
}

func (w *walker) number() (uint64, error) {
	v, n := binary.Uvarint(w.rest)
	if n <= 0 {
		return 0, errDamaged
	}
	w.rest = w.rest[n:]
	return v, nil
}

func (w *walker) octet() (byte, error) {
	if len(w.rest) == 0 {
		return 0, errDamaged
	}
	b := w.rest[0]
	w.rest = w.rest[1:]
	return b, nil
}

func (w *walker) structure(depth int) error {
	if depth > maxThrift {
		return errDamaged
	}
	for {
		head, err := w.octet()
		if err != nil || head == 0 {
			return err
		}
		if head>>4 == 0 {
			if _, err := w.number(); err != nil {
				return err
			}
		}
		if t := thrift.Type(head & 15); t != thrift.TRUE && t != thrift.FALSE {
			if err := w.value(t, depth); err != nil {
				return err
			}
		}
	}
}

// value goes past a value. Lists of booleans, sets and maps are not in what this
// package decodes.
func (w *walker) value(t thrift.Type, depth int) error {
	switch t {
	case thrift.I8:
		return w.skip(1)
	case thrift.I16, thrift.I32, thrift.I64:
		_, err := w.number()
		return err
	case thrift.DOUBLE:
		return w.skip(8)
	case thrift.BINARY:
		n, err := w.number()
		if err != nil {
			return err
		}
		return w.skip(n)
	case thrift.STRUCT:
		return w.structure(depth + 1)
	case thrift.LIST:
		return w.list(depth + 1)
	}
	return errDamaged
}

func (w *walker) list(depth int) error {
	head, err := w.octet()
	if err != nil {
		return err
	}
	n := uint64(head >> 4)
	if n == 15 {
		if n, err = w.number(); err != nil {
			return err
		}
	}
	if n > uint64(len(w.rest)) || depth > maxThrift {
		return errDamaged
	}
	t := thrift.Type(head & 15)
	if t == thrift.STRUCT {
		if w.structs += int(n); w.structs > maxStructs {
			return fmt.Errorf("there are more than %d columns in row groups", maxStructs)
		}
	}
	for range n {
		if err := w.value(t, depth); err != nil {
			return err
		}
	}
	return nil
}

// checkRuns returns the runs of numbers of so many bits that hold n numbers, and
// not many more: the last run may be padded. What follows is left out, as the
// library would go on and decode it.
func checkRuns(src []byte, bits, n int) ([]byte, error) {
	const padding = 1 << 10
	all, count := src, uint64(0)
	for len(src) > 0 && count < uint64(n) {
		head, used := binary.Uvarint(src)
		if used <= 0 {
			return nil, errDamaged
		}
		src = src[used:]
		run, size := head>>1, uint64(bits+7)/8
		if head&1 == 1 {
			if run > uint64(len(src)) && bits > 0 {
				return nil, errDamaged
			}
			size = run * uint64(bits)
			run *= 8
		}
		if size > uint64(len(src)) || run > uint64(n)+padding {
			return nil, errDamaged
		}
		src = src[size:]
		count += run
	}
	if count < uint64(n) {
		return nil, errDamaged
	}
	return all[:len(all)-len(src)], nil
}

// checkDelta checks that src begins with n differences of numbers, and returns
// what follows.
func checkDelta(src []byte, n int) ([]byte, error) {
	var head [4]uint64 // the size of a block, its parts, the numbers, the first of them
	for i := range head {
		v, used := binary.Uvarint(src)
		if used <= 0 {
			return nil, errDamaged
		}
		head[i], src = v, src[used:]
	}
	size, parts, left := head[0], head[1], head[2]
	if left != uint64(n) || size > 1<<20 || parts == 0 || parts > size {
		return nil, errDamaged
	}
	part := size / parts
	if left > 0 {
		left--
	}
	for left > 0 {
		_, used := binary.Uvarint(src) // the least difference
		if used <= 0 || uint64(len(src)-used) < parts {
			return nil, errDamaged
		}
		widths := src[used : used+int(parts)]
		src = src[used+int(parts):]
		for _, bits := range widths {
			if left == 0 {
				break
			}
			bytes := min(part*uint64(bits)/8, uint64(len(src))) // the last part may be cut off
			src = src[bytes:]
			left -= min(left, part)
		}
	}
	return src, nil
}

// checkText checks text that has the lengths of its values, all together or as
// differences, before it.
func checkText(e format.Encoding, src []byte, n int) error {
	rest, err := checkDelta(src, n)
	if err != nil || e == format.DeltaLengthByteArray {
		return err
	}
	if _, err := checkDelta(rest, n); err != nil {
		return err
	}
	if pq.DeltaByteArray.EstimateDecodeByteArraySize(src) > block.MaxSize {
		return fmt.Errorf("its values take more than %d MiB", block.MaxSize>>20)
	}
	return nil
}

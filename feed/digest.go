package feed

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/internal/structured"
)

// blockRows is how many rows of a column make a block. The digest of a block has
// that of the one before in it, so one digest speaks for all rows up to a place.
const blockRows = 64 << 10

// sum is a digest in the properties of a table, as hexadecimal digits.
type sum [sha256.Size]byte

func (s sum) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

func (s *sum) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != len(s) {
		return fmt.Errorf("a digest of %d digits", len(text))
	}
	_, err := hex.Decode(s[:], text)
	return err
}

// digest is that of the values of one column, from a certain row on. It does not
// depend on how the rows are divided among batches.
type digest struct {
	values, gaps hash.Hash
	// start is the digest before the block in which the last row lies, and rows how
	// many rows of that block have been added.
	start  sum
	rows   int
	buffer []byte
}

// newDigest returns a digest that goes on from the start of a block.
func newDigest(start sum) *digest {
	d := &digest{values: sha256.New(), gaps: sha256.New()}
	d.begin(start)
	return d
}

func (d *digest) begin(start sum) {
	d.start, d.rows = start, 0
	d.values.Reset()
	d.gaps.Reset()
}

// sum is the digest of all rows so far.
func (d *digest) sum() sum {
	if d.rows == 0 {
		return d.start
	}
	all := append(d.start[:len(d.start):len(d.start)], d.values.Sum(nil)...)
	return sha256.Sum256(d.gaps.Sum(all))
}

// add adds the rows of a batch from one position to another.
func (d *digest) add(c exchange.Column, from, to int) error {
	for from < to {
		if d.rows == blockRows {
			d.begin(d.sum())
		}
		n := min(to-from, blockRows-d.rows)
		if err := d.addPart(c, from, from+n); err != nil {
			return err
		}
		d.rows += n
		from += n
	}
	return nil
}

// addPart adds rows of one block. Which values are missing goes to a digest of
// its own, so that the others can be added as they lie in memory.
func (d *digest) addPart(c exchange.Column, from, to int) (err error) {
	b := d.buffer[:0]
	for i := from; i < to; i++ {
		b = append(b, 0)
		if c.IsMissing(i) {
			b[len(b)-1] = 1
		}
	}
	d.gaps.Write(b)
	d.buffer = b[:0]
	switch v := c.(type) {
	case *exchange.Vector[bool]:
		err = addNumbers(d, v, from, to)
	case *exchange.Vector[int32]:
		err = addNumbers(d, v, from, to)
	case *exchange.Vector[int64]:
		err = addNumbers(d, v, from, to)
	case *exchange.Vector[float32]:
		err = addNumbers(d, v, from, to)
	case *exchange.Vector[float64]:
		err = addNumbers(d, v, from, to)
	case *exchange.Vector[string]:
		err = addEach(d, v, from, to, func(b []byte, text string) ([]byte, error) {
			return append(binary.AppendUvarint(b, uint64(len(text))), text...), nil
		})
	case *exchange.Vector[[]byte]:
		err = addEach(d, v, from, to, func(b, raw []byte) ([]byte, error) {
			return append(binary.AppendUvarint(b, uint64(len(raw))), raw...), nil
		})
	case *exchange.Vector[any]:
		var text []byte
		err = addEach(d, v, from, to, func(b []byte, value any) (_ []byte, err error) {
			text, err = structured.AppendJSON(text[:0], value)
			return append(binary.AppendUvarint(b, uint64(len(text))), text...), err
		})
	case *exchange.Vector[[]int32]:
		err = addEach(d, v, from, to, appendList)
	case *exchange.Vector[[]int64]:
		err = addEach(d, v, from, to, appendList)
	case *exchange.Vector[[]float32]:
		err = addEach(d, v, from, to, appendList)
	case *exchange.Vector[[]float64]:
		err = addEach(d, v, from, to, appendList)
	case *exchange.Vector[dtype.Tensor[int32]]:
		err = addEach(d, v, from, to, appendTensor)
	case *exchange.Vector[dtype.Tensor[int64]]:
		err = addEach(d, v, from, to, appendTensor)
	case *exchange.Vector[dtype.Tensor[float32]]:
		err = addEach(d, v, from, to, appendTensor)
	case *exchange.Vector[dtype.Tensor[float64]]:
		err = addEach(d, v, from, to, appendTensor)
	default:
		err = fmt.Errorf("no digest of %T", c)
	}
	return err
}

// addNumbers adds numbers. A missing one counts as 0.
func addNumbers[T comparable](d *digest, v *exchange.Vector[T], from, to int) (err error) {
	var none T
	for i := from; i < min(to, len(v.Missing)); i++ {
		if v.Missing[i] {
			v.Values[i] = none
		}
	}
	d.buffer, err = binary.Append(d.buffer, binary.LittleEndian, v.Values[from:to])
	d.values.Write(d.buffer)
	return err
}

// heldBytes is how much of values of different sizes is added at once.
const heldBytes = 64 << 10

// addEach adds the values that are not missing, each with its length.
func addEach[T any](d *digest, v *exchange.Vector[T], from, to int, appendValue func([]byte, T) ([]byte, error)) (err error) {
	b := d.buffer
	for i := from; i < to; i++ {
		if v.IsMissing(i) {
			continue
		}
		if b, err = appendValue(b, v.Values[i]); err != nil {
			return err
		}
		if len(b) >= heldBytes {
			d.values.Write(b)
			b = b[:0]
		}
	}
	d.values.Write(b)
	d.buffer = b
	return nil
}

func appendList[E dtype.Element](b []byte, list []E) ([]byte, error) {
	return binary.Append(binary.AppendUvarint(b, uint64(len(list))), binary.LittleEndian, list)
}

func appendTensor[E dtype.Element](b []byte, t dtype.Tensor[E]) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(len(t.Shape)))
	for _, n := range t.Shape {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return appendList(b, t.Data)
}

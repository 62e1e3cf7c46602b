package fit

import (
	"fmt"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/internal/values"
)

// turn makes values of one type those of another.
type turn struct {
	from, to exchange.Field
	moment   values.Moment // of from, if that has times
	target   values.Moment // of to
	parser   *values.Parser
	codec    dtype.Type[any]
	memory   []byte
}

func newTurn(from, to exchange.Field) *turn {
	return &turn{from: from, to: to, moment: values.NewMoment(from.Meaning), target: values.NewMoment(to.Meaning),
		parser: values.NewParser(to.Type, dtype.Meaning{}), codec: to.Type.Type()}
}

// add adds the values of a column to another. An error is about the value of
// the row that is returned.
func (t *turn) add(dst, src exchange.Column) (row int, err error) {
	for i := range src.Len() {
		if src.IsMissing(i) {
			dst.AddMissing()
			continue
		}
		v, err := t.value(src.At(i))
		if err == nil {
			err = dst.AddAny(v)
		}
		if err != nil {
			return i, err
		}
	}
	return 0, nil
}

// value returns a value in the other type.
func (t *turn) value(v any) (any, error) {
	n, number := v.(int64)
	switch {
	case number && t.moment.Is() && t.target.Is():
		return Scale(n, t.from.Meaning, t.to.Meaning)
	case number && t.target.Is():
		return n, nil
	case number && t.moment.Is() && t.to.Type.Kind != dtype.KindInt64:
		v = string(t.moment.AppendBare(nil, n))
	}
	text, isText := v.(string)
	switch {
	case isText && t.target.Is():
		return t.target.ParseStored([]byte(text))
	case isText && t.to.Type.Kind != dtype.KindText && t.to.Type.Kind != dtype.KindMsgPack && t.to.Type.Kind != dtype.KindCBOR:
		parsed, err := t.parser.Parse([]byte(text))
		if err != nil {
			return nil, err
		}
		v = parsed
	}
	stored, err := t.codec.Append(t.memory[:0], v)
	if err != nil {
		return nil, err
	}
	t.memory = nil // the value may lie in it
	return t.codec.Decode(stored)
}

// perDay and perSecond are how many units there are.
const perDay = 86400

var perSecond = map[dtype.Unit]int64{dtype.Second: 1, dtype.Millisecond: 1e3, dtype.Microsecond: 1e6, dtype.Nanosecond: 1e9}

// Scale turns a stored time or date of one meaning into that of another. What is
// finer is cut off, toward the past.
func Scale(n int64, from, to dtype.Meaning) (int64, error) {
	switch {
	case from.Date && to.Date:
		return n, nil
	case from.Date:
		return Multiply(n, perDay*perSecond[to.Time])
	case to.Date:
		return floor(n, perDay*perSecond[from.Time]), nil
	case perSecond[to.Time] >= perSecond[from.Time]:
		return Multiply(n, perSecond[to.Time]/perSecond[from.Time])
	}
	return floor(n, perSecond[from.Time]/perSecond[to.Time]), nil
}

// Multiply returns the product, or an error if it is too large.
func Multiply(n, by int64) (int64, error) {
	product := n * by
	if n != 0 && (product/n != by || product/by != n) {
		return 0, fmt.Errorf("%w: the time %d is out of range in a finer unit", dtype.ErrValue, n)
	}
	return product, nil
}

func floor(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}

package records

import (
	"strconv"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/internal/values"
)

// Shape is what cells of a column were seen to hold.
type Shape uint16

// The shapes.
const (
	Integer   Shape = 1 << iota // an integer that i64 holds
	Wide                        // an integer that i64 holds and f64 would round
	Float                       // another number
	FloatWord                   // NaN or an infinity; in JSON, as export writes it
	FloatName                   // the same in JSON in another spelling
	Text
	Bytes // base64 in JSON
	Other // what only msgpack holds
	Day   // a date
	Time  // a time without an offset
	Zoned // a time with one
	Nanos // a time with more than six digits after the point
	Far   // a time that nanoseconds do not reach
)

// IntegerShape is the shape of digits after an optional minus, other if i64 does
// not hold them.
func IntegerShape(text []byte, other Shape) Shape {
	if len(text) <= 15 {
		if text[0] == '-' && text[1] == '0' {
			return Float // i64 has no -0
		}
		return Integer
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return other
	}
	return shapeOfInt(n)
}

// shapeOfInt tells integers that f64 would round.
func shapeOfInt(n int64) Shape {
	if int64(float64(n)) != n || n == 1<<63-1 {
		return Wide
	}
	return Integer
}

// Moments are the shapes of dates and times.
const Moments = Day | Time | Zoned | Nanos | Far

// TimeShape is the shape of a date or a time.
func TimeShape(text []byte) (s Shape, ok bool) {
	if len(text) < 10 || text[4] != '-' {
		return 0, false
	}
	t, ok := values.ParseISO(text)
	return shapeOfTime(t), ok
}

func shapeOfTime(t values.ISO) (s Shape) {
	switch {
	case t.Date:
		return Day
	case t.Zoned:
		s = Zoned
	default:
		s = Time
	}
	if t.Digits > 6 {
		s |= Nanos
	}
	if _, ok := t.Stored(dtype.Meaning{Time: dtype.Nanosecond}); !ok {
		s |= Far
	}
	return s
}

// HasTime tells whether there are dates or times among the shapes, and what all
// of them are if there is nothing else and they go together.
func (s Shape) HasTime() (f exchange.Field, together, any bool) {
	f.Type = dtype.Int64.Spec()
	switch {
	case s&Moments == 0:
		return exchange.Field{}, false, false
	case s&^Moments != 0, s&Time != 0 && s&Zoned != 0, s&Day != 0 && s != Day, s&Nanos != 0 && s&Far != 0:
		return exchange.Field{}, false, true
	case s == Day:
		f.Meaning.Date = true
	case s&Nanos != 0:
		f.Meaning.Time = dtype.Nanosecond
	default:
		f.Meaning.Time = dtype.Microsecond
	}
	return f, true, true
}

// The types that are found, beside times and dates.
var (
	Int64   = exchange.Field{Type: dtype.Int64.Spec()}
	Float64 = exchange.Field{Type: dtype.Float64.Spec()}
	String  = exchange.Field{Type: dtype.String.Spec()}
	Blob    = exchange.Field{Type: dtype.Bytes.Spec()}
	MsgPack = exchange.Field{Type: dtype.MsgPack[any]().Spec()}
)

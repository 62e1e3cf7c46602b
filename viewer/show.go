package viewer

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"columnvault/dtype"
	"columnvault/internal/values"
)

// shown is a value as the page shows it.
type shown struct {
	// Kind is missing, number, time, bool, text, json, bytes or vector.
	Kind string `json:"kind"`
	// Text is the value: JSON of json and vectors, and hexadecimal digits of
	// bytes.
	Text string `json:"text"`
	// Size is the number of bytes of text and bytes, and of elements of vectors.
	Size int `json:"size,omitempty"`
	// Cut says that there is more than is shown.
	Cut bool `json:"cut,omitempty"`
	// Vector are the elements of a vector, or means of neighbors if there are
	// many.
	Vector floats `json:"vector,omitempty"`
	Shape  []int  `json:"shape,omitempty"`
}

// room is how much of a value is shown, in bytes of text and numbers of a vector.
type room struct{ text, numbers int }

var (
	cellRoom  = room{160, 32}
	valueRoom = room{1 << 20, 1024}
)

// show puts an element of a column into the form of the page.
func show(spec dtype.Spec, m dtype.Meaning, v any, most room) shown {
	switch v := v.(type) {
	case nil:
		return shown{Kind: "missing"}
	case time.Time:
		return shown{Kind: "time", Text: strings.Trim(string(values.NewPrinter(spec, m).Append(nil, v)), `"`)}
	case string:
		if spec.Kind == dtype.KindText {
			return cut(shown{Kind: "text", Text: v, Size: len(v)}, most)
		}
	case []byte:
		if spec.Kind == dtype.KindBytes {
			return showBytes(v, most)
		}
	}
	text := values.NewPrinter(spec, m).Append(nil, v)
	switch spec.Kind {
	case dtype.KindBool:
		return shown{Kind: "bool", Text: string(text)}
	case dtype.KindVector:
		return showVector(v, text, spec.Dims, most)
	case dtype.KindMsgPack, dtype.KindCBOR:
		return cut(shown{Kind: "json", Text: string(text), Size: len(text)}, most)
	}
	return shown{Kind: "number", Text: strings.Trim(string(text), `"`)}
}

// showStored puts a value of a key into the form of the page.
func showStored(v any, most room) shown {
	switch v := v.(type) {
	case nil:
		return cut(shown{Kind: "json", Text: "null", Size: 4}, most)
	case []byte:
		return showBytes(v, most)
	case string:
		return cut(shown{Kind: "text", Text: v, Size: len(v)}, most)
	case int64, uint64, float64:
		return shown{Kind: "number", Text: strings.Trim(string(values.AppendStored(nil, v)), `"`)}
	case bool:
		return shown{Kind: "bool", Text: strconv.FormatBool(v)}
	case []any, map[string]any:
		text := values.AppendStored(nil, v)
		return cut(shown{Kind: "json", Text: string(text), Size: len(text)}, most)
	}
	return showVector(v, values.AppendStored(nil, v), nil, most)
}

func showBytes(b []byte, most room) shown {
	n := min(len(b), most.text/2)
	return shown{Kind: "bytes", Text: hex.EncodeToString(b[:n]), Size: len(b), Cut: n < len(b)}
}

// cut shortens the text of a value, between characters.
func cut(s shown, most room) shown {
	if len(s.Text) > most.text {
		n := most.text
		for n > most.text-utf8.UTFMax && !utf8.RuneStart(s.Text[n]) {
			n--
		}
		s.Text, s.Cut = strings.Clone(s.Text[:n]), true
	}
	return s
}

// showVector shows a slice of numbers, or a tensor of them.
func showVector(v any, text []byte, shape []int, most room) shown {
	s := shown{Kind: "vector", Text: string(text), Shape: shape}
	list := reflect.ValueOf(v)
	if list.Kind() == reflect.Struct {
		s.Shape, _ = list.FieldByName("Shape").Interface().([]int)
		list = list.FieldByName("Data")
	}
	if list.Kind() != reflect.Slice {
		return shown{Kind: "json", Text: string(text), Size: len(text)}
	}
	s.Size = list.Len()
	n := min(s.Size, most.numbers)
	s.Vector = make(floats, n)
	for i := range n {
		from, to := i*s.Size/n, (i+1)*s.Size/n
		for k := from; k < to; k++ {
			s.Vector[i] += number(list.Index(k)) / float64(to-from)
		}
	}
	return cut(s, most)
}

// number is a number of any type.
func number(v reflect.Value) float64 {
	switch {
	case v.CanInt():
		return float64(v.Int())
	case v.CanUint():
		return float64(v.Uint())
	case v.CanFloat():
		return v.Float()
	}
	return math.NaN()
}

// cell is a value in a table: null, a text, or an object where a text alone
// would not do.
func (s shown) cell() any {
	switch s.Kind {
	case "missing":
		return nil
	case "number", "time", "bool":
		return s.Text
	case "vector":
		s.Text, s.Cut = "", false
	case "text":
		if !s.Cut {
			return s.Text
		}
	}
	return s
}

// floats are numbers in JSON, with null for what JSON lacks.
type floats []float64

// MarshalJSON implements [json.Marshaler].
func (f floats) MarshalJSON() ([]byte, error) {
	text := append(make([]byte, 0, 2+12*len(f)), '[')
	for i, v := range f {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendNumber(text, v)
	}
	return append(text, ']'), nil
}

// float is a number in JSON, or null.
type float float64

// MarshalJSON implements [json.Marshaler].
func (f float) MarshalJSON() ([]byte, error) { return appendNumber(nil, float64(f)), nil }

func appendNumber(dst []byte, v float64) []byte {
	if v-v != 0 {
		return append(dst, "null"...)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

var _, _ json.Marshaler = floats{}, float(0)

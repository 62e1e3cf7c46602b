package dtype

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pyArray is what parsePython makes of np.array([...], dtype='...').
type pyArray struct {
	elem string // float32
	list any    // nested []any
}

// parsePython reads the repr of a Python value into the Go value that stands
// for it in the golden cases: tuples, sets and ranges become []any, integers
// that fit no int64 json.Number, and things that Go has no word for a channel.
func parsePython(t testing.TB, repr string) any {
	t.Helper()
	p := pyParser{rest: repr}
	v := p.value()
	if p.rest != "" {
		t.Fatalf("cannot read %s: at %q", repr, p.rest)
	}
	return v
}

type pyParser struct{ rest string }

func (p *pyParser) accept(prefix string) bool {
	rest, ok := strings.CutPrefix(p.rest, prefix)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *pyParser) expect(s string) {
	if !p.accept(s) {
		panic(fmt.Sprintf("want %q at %q", s, p.rest))
	}
}

func (p *pyParser) value() any {
	switch {
	case p.accept("None"):
		return nil
	case p.accept("True"):
		return true
	case p.accept("False"):
		return false
	case p.accept("<class 'object'>"):
		return make(chan int)
	case p.accept("np.array("):
		a := pyArray{list: p.value()}
		p.expect(", dtype=")
		a.elem = p.value().(string)
		p.expect(")")
		return a
	case p.accept("range(0, "):
		n := p.value().(int64)
		p.expect(")")
		list := []any{}
		for i := range n {
			list = append(list, i)
		}
		return list
	case p.accept("np.int32("):
		return int32(p.call().(int64))
	case p.accept("np.float32("):
		return float32(p.call().(float64))
	case p.accept("np.int64("), p.accept("np.float64("), p.accept("frozenset("), p.accept("bytearray("), p.accept("memoryview("):
		return p.call()
	case p.accept("(1+2j)"):
		return 1 + 2i
	case p.accept("["):
		return p.list("]")
	case p.accept("("):
		return p.list(")")
	case p.accept("{}"):
		return map[string]any{}
	case p.accept("{"):
		return p.braces()
	case p.accept("b'"):
		return p.quoted(true)
	case p.accept("'"):
		return string(p.quoted(false))
	}
	return p.number()
}

// call reads the rest of f(x) and returns x.
func (p *pyParser) call() any {
	v := p.value()
	p.expect(")")
	return v
}

func (p *pyParser) list(end string) any {
	list := []any{}
	for !p.accept(end) {
		list = append(list, p.value())
		p.accept(",")
		p.accept(" ")
	}
	return list
}

// braces reads a dict or a set. The keys of a dict that are not all strings
// make it a map[any]any.
func (p *pyParser) braces() any {
	var keys, values []any
	isSet := false
	for !p.accept("}") {
		keys = append(keys, p.value())
		if p.accept(": ") {
			values = append(values, p.value())
		} else {
			isSet = true
		}
		p.accept(", ")
	}
	if isSet {
		return keys
	}
	text := make(map[string]any)
	other := make(map[any]any)
	for i, key := range keys {
		if s, ok := key.(string); ok {
			text[s] = values[i]
			continue
		}
		if key != nil && !reflect.TypeOf(key).Comparable() {
			key = fmt.Sprint(key)
		}
		other[key] = values[i]
	}
	if len(other) > 0 {
		return other
	}
	return text
}

// quoted reads the rest of a string or bytes literal. A lone surrogate gets the
// three bytes that UTF-8 would have for it.
func (p *pyParser) quoted(raw bool) []byte {
	b := []byte{}
	for !p.accept("'") {
		if !p.accept(`\`) {
			b = append(b, p.rest[0])
			p.rest = p.rest[1:]
			continue
		}
		digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[p.rest[0]]
		if digits == 0 {
			panic("unknown escape at " + p.rest)
		}
		n, err := strconv.ParseUint(p.rest[1:1+digits], 16, 32)
		if err != nil {
			panic(err)
		}
		switch {
		case raw:
			b = append(b, byte(n))
		case n >= 0xd800 && n <= 0xdfff:
			b = append(b, 0xe0|byte(n>>12), 0x80|byte(n>>6)&0x3f, 0x80|byte(n)&0x3f)
		default:
			b = append(b, string(rune(n))...)
		}
		p.rest = p.rest[1+digits:]
	}
	return b
}

func (p *pyParser) number() any {
	end := strings.IndexAny(p.rest, ",:]})")
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	if n, err := strconv.ParseInt(word, 10, 64); err == nil {
		return n
	}
	if strings.Trim(word, "-0123456789") == "" {
		return json.Number(word)
	}
	if word == "nan" {
		return math.Float64frombits(0x7ff8 << 48) // Python's; Go's differs
	}
	f, err := strconv.ParseFloat(word, 64)
	if err != nil {
		panic(err)
	}
	return f
}

// fromJSON turns the json_value of a golden case into what parsePython makes of
// the repr.
func fromJSON(v any) any {
	switch v := v.(type) {
	case json.Number:
		p := pyParser{rest: string(v)}
		return p.number()
	case []any:
		for i := range v {
			v[i] = fromJSON(v[i])
		}
	}
	return v
}

// slice returns the array as typed Go slices: [][]int32.
func (a pyArray) slice() any {
	elem := map[string]reflect.Type{
		"int8": reflect.TypeFor[int8](), "int16": reflect.TypeFor[int16](), "int32": reflect.TypeFor[int32](), "int64": reflect.TypeFor[int64](),
		"uint8": reflect.TypeFor[uint8](), "uint16": reflect.TypeFor[uint16](), "uint32": reflect.TypeFor[uint32](), "uint64": reflect.TypeFor[uint64](),
		"float32": reflect.TypeFor[float32](), "float64": reflect.TypeFor[float64](),
	}[a.elem]
	var build func(v any, depth int) reflect.Value
	build = func(v any, depth int) reflect.Value {
		list, ok := v.([]any)
		if !ok {
			if n, ok := v.(json.Number); ok { // above the range of int64
				u, err := strconv.ParseUint(string(n), 10, 64)
				if err != nil {
					panic(err)
				}
				v = u
			}
			return reflect.ValueOf(v).Convert(elem)
		}
		t := elem
		for range depth {
			t = reflect.SliceOf(t)
		}
		s := reflect.MakeSlice(t, 0, len(list))
		for _, x := range list {
			s = reflect.Append(s, build(x, depth-1))
		}
		return s
	}
	return build(a.list, len(shapeOf(a.list))).Interface()
}

// flat returns the shape and the elements as a typed slice.
func (a pyArray) flat() (shape []int, data any) {
	shape = shapeOf(a.list)
	list := []any{a.list}
	for range shape {
		var next []any
		for _, x := range list {
			next = slices.Concat(next, x.([]any))
		}
		list = next
	}
	return shape, pyArray{a.elem, append([]any{}, list...)}.slice()
}

func shapeOf(v any) (shape []int) {
	for {
		list, ok := v.([]any)
		if !ok {
			return shape
		}
		shape = append(shape, len(list))
		if len(list) == 0 {
			return shape
		}
		v = list[0]
	}
}

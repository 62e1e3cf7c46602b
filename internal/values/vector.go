package values

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"columnvault/dtype"
)

// maxDims is the largest number of dimensions of a vector.
const maxDims = 255

// parseVector reads nested lists: JSON, but that NaN and the infinities may
// stand without quotes.
func (n number[T]) parseVector(text []byte) (any, error) {
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '{' {
		shape, err := parseShape(trimmed)
		if err != nil {
			return nil, fmt.Errorf("%s is not a vector: %w", Excerpt(text), err)
		}
		return dtype.Tensor[T]{Shape: shape, Data: []T{}}, nil
	}
	p := vectorParser[T]{rest: text, read: n.read}
	err := p.value(0)
	if err == nil && p.peek() != 0 {
		err = errors.New("there is text after its end")
	}
	if err != nil {
		return nil, fmt.Errorf("%s is not a vector: %w", Excerpt(text), err)
	}
	return dtype.Tensor[T]{Shape: p.shape, Data: p.data}, nil
}

type vectorParser[T dtype.Element] struct {
	rest []byte
	read func(text []byte) (T, error)
	data []T
	// shape is that of the first elements, and known when the innermost list
	// is reached. The length of a list is -1 until its end.
	shape []int
	known bool
}

var errRagged = errors.New("its lists differ in length or depth")

// peek skips space and returns the next character, or 0 at the end.
func (p *vectorParser[T]) peek() byte {
	if p.rest = bytes.TrimLeft(p.rest, " \t\r\n"); len(p.rest) == 0 {
		return 0
	}
	return p.rest[0]
}

// value reads a number, or a list inside of depth others.
func (p *vectorParser[T]) value(depth int) error {
	if p.peek() == '[' {
		return p.list(depth)
	}
	p.known = true
	if depth != len(p.shape) {
		return errRagged
	}
	end := bytes.IndexAny(p.rest, ",[] \t\r\n")
	if end < 0 {
		end = len(p.rest)
	}
	v, err := p.read(p.rest[:end])
	p.data, p.rest = append(p.data, v), p.rest[end:]
	return err
}

func (p *vectorParser[T]) list(depth int) error {
	if depth == len(p.shape) {
		if p.known {
			return errRagged
		}
		if depth == maxDims {
			return fmt.Errorf("it has more than %d dimensions", maxDims)
		}
		p.shape = append(p.shape, -1)
	}
	p.rest = p.rest[1:]
	length := 0
	for p.peek() != ']' || length > 0 {
		if err := p.value(depth + 1); err != nil {
			return err
		}
		length++
		c := p.peek()
		if c == ']' {
			break
		}
		if c != ',' {
			return errors.New("a comma or a bracket is missing")
		}
		p.rest = p.rest[1:]
	}
	p.rest = p.rest[1:]
	p.known = true
	if p.shape[depth] < 0 {
		p.shape[depth] = length
	}
	if p.shape[depth] != length {
		return errRagged
	}
	return nil
}

func (n number[T]) isTensor(v any) bool {
	_, ok := v.(dtype.Tensor[T])
	return ok
}

func (n number[T]) flat(v any) any { return v.(dtype.Tensor[T]).Data }

func (n number[T]) appendVector(dst []byte, v any, dims []int) []byte {
	switch v := v.(type) {
	case []T:
		return n.appendNested(dst, dims, v)
	case dtype.Tensor[T]:
		if len(v.Data) == 0 && !listsShow(v.Shape) {
			shape := strings.ReplaceAll(fmt.Sprint(v.Shape), " ", ",")
			return fmt.Appendf(dst, `{"shape":%s}`, shape)
		}
		return n.appendNested(dst, v.Shape, v.Data)
	}
	panic(fmt.Sprintf("a vector of %v in the Go type %T", n.t, v))
}

// maxLists is how many lists of an array without elements are printed. A few
// bytes of a file can stand for any number of them.
const maxLists = 1 << 16

// listsShow tells whether the lists of an array without elements are printed and
// not its shape: they are not too many, and no dimension follows the one that is
// 0, of which no list would tell.
func listsShow(shape []int) bool {
	lists, level := 0, 1
	for i, d := range shape {
		if lists += level; lists > maxLists {
			return false
		}
		if d == 0 {
			return i == len(shape)-1
		}
		level *= d
	}
	return true
}

// parseShape reads the shape of an array without elements, in JSON.
func parseShape(text []byte) ([]int, error) {
	var object struct {
		Shape []int `json:"shape"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if !json.Valid(text) || d.Decode(&object) != nil || !slices.Contains(object.Shape, 0) {
		return nil, errors.New(`an array without elements is written as lists, or as {"shape":[0,3]}`)
	}
	return object.Shape, nil
}

// appendNested prints an array in C order as nested lists.
func (n number[T]) appendNested(dst []byte, shape []int, data []T) []byte {
	if len(shape) == 0 {
		return n.format(dst, data[0])
	}
	dst = append(dst, '[')
	for i := range shape[0] {
		if i > 0 {
			dst = append(dst, ',')
		}
		step := len(data) / shape[0]
		dst = n.appendNested(dst, shape[1:], data[i*step:(i+1)*step])
	}
	return append(dst, ']')
}

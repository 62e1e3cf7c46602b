package values

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"columnvault/dtype"
)

// Parser turns text into values of one dtype: what the dynamic form of the
// dtype takes, checked so far that the column cannot refuse it.
type Parser struct {
	spec   dtype.Spec
	t      dtype.Type[any]
	number numeric // nil if the dtype is not one of numbers
	buf    []byte
}

// NewParser returns the parser for a dtype.
func NewParser(spec dtype.Spec) *Parser {
	return &Parser{spec: spec, t: spec.Type(), number: numbers[spec.Kind]}
}

// Parse reads a value as JSON, or as text if it is a word that is not JSON.
func (p *Parser) Parse(text []byte) (any, error) {
	if p.number != nil {
		return p.number.parse(bytes.TrimSpace(text))
	}
	var v any
	var err error
	switch p.spec.Kind {
	case dtype.KindBool:
		v, err = parseBool(bytes.TrimSpace(text))
	case dtype.KindText:
		v, err = ParseText(text)
	case dtype.KindBytes:
		v, err = ParseBytes(text)
	case dtype.KindVector:
		v, err = numbers[p.spec.Elem].parseVector(text)
	default:
		v, err = parseAny(text)
	}
	if err != nil {
		return nil, err
	}
	return v, p.Check(v)
}

// Check returns the error that appending v would give.
func (p *Parser) Check(v any) (err error) {
	if p.buf, err = p.t.Append(p.buf[:0], v); err != nil {
		return errors.New(Reason(err))
	}
	return nil
}

// Reason is what an error of package dtype says, without the name of its kind.
func Reason(err error) string {
	text := err.Error()
	for _, kind := range []error{dtype.ErrValue, dtype.ErrSyntax} {
		text = strings.TrimPrefix(text, kind.Error()+": ")
	}
	return text
}

func parseBool(text []byte) (bool, error) {
	b, err := strconv.ParseBool(string(text))
	if err != nil {
		return false, fmt.Errorf("%s is neither true nor false, as bool needs", Excerpt(text))
	}
	return b, nil
}

// parseAny reads a value of the JSON model. Numbers stay as they are written,
// so that integers and floats keep what they are.
func parseAny(text []byte) (any, error) {
	word, err := isWord(text)
	switch {
	case err != nil:
		return nil, err
	case word:
		return string(text), nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	err = d.Decode(&v)
	return v, err
}

// ParseAll reads the values of a command line.
func ParseAll(spec dtype.Spec, words []string) ([]any, error) {
	p := NewParser(spec)
	list := make([]any, len(words))
	for i, word := range words {
		var err error
		if list[i], err = p.Parse([]byte(word)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

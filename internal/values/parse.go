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

// Parser turns text into values of one dtype and meaning: what their dynamic
// form takes, checked so far that the column cannot refuse it.
type Parser struct {
	spec    dtype.Spec
	meaning dtype.Meaning
	t       dtype.Type[any]
	number  numeric // nil if the dtype is not one of numbers
	moment  Moment
	buf     []byte
}

// NewParser returns the parser for a dtype and a meaning.
func NewParser(spec dtype.Spec, m dtype.Meaning) *Parser {
	return &Parser{spec: spec, meaning: m, t: m.Type(spec), number: numbers[spec.Kind], moment: NewMoment(m)}
}

// Spec is the dtype.
func (p *Parser) Spec() dtype.Spec { return p.spec }

// Value turns what Parse returns into the Go type of the dtype: what is a
// dtype.Tensor becomes a slice if all vectors have one shape.
func (p *Parser) Value(v any) any {
	if p.spec.Kind == dtype.KindVector && len(p.spec.Dims) > 0 {
		return numbers[p.spec.Elem].flat(v)
	}
	return v
}

// Parse reads a value as JSON, or as text if it is a word that is not JSON.
// null is a missing value where there may be one.
func (p *Parser) Parse(text []byte) (any, error) {
	v, err := p.parse(text)
	if err != nil {
		return nil, err
	}
	if p.number != nil && p.meaning == (dtype.Meaning{}) {
		return v, nil // every number of the Go type fits
	}
	return v, p.Check(v)
}

func (p *Parser) parse(text []byte) (v any, err error) {
	switch trimmed := bytes.TrimSpace(text); {
	case p.meaning.Null && string(trimmed) == "null":
		return nil, nil
	case p.moment.Is():
		return p.moment.parse(trimmed)
	case p.number != nil:
		return p.number.parse(trimmed)
	}
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
	return v, err
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
func ParseAll(spec dtype.Spec, m dtype.Meaning, words []string) ([]any, error) {
	p := NewParser(spec, m)
	list := make([]any, len(words))
	for i, word := range words {
		var err error
		if list[i], err = p.Parse([]byte(word)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

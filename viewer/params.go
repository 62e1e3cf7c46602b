package viewer

import (
	"encoding/base64"
	"math"
	"net/url"
	"strconv"
	"unicode/utf8"
)

// The limits of parameters.
const (
	maxQuery   = 64 << 10 // bytes of a query
	maxName    = 4 << 10  // bytes of the address of a name: other programs give longer ones than this
	maxColumns = 64       // columns of an answer
	maxText    = 16 << 10 // bytes of a text that is looked for, or of SQL
)

// params are the parameters of a request. The first that is wrong is kept as
// err, and what is read after it means nothing.
type params struct {
	values url.Values
	err    error
}

func newParams(query string) (*params, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, badRequest("the query cannot be read")
	}
	return &params{values: values}, nil
}

func (p *params) refuse(format string, args ...any) {
	if p.err == nil {
		p.err = badRequest(format, args...)
	}
}

// text is a parameter of at most so many bytes, empty if it is not there.
func (p *params) text(name string, longest int) string {
	switch list := p.values[name]; {
	case len(list) == 0:
		return ""
	case len(list) > 1:
		p.refuse("there is more than one parameter %s", name)
	case len(list[0]) > longest:
		p.refuse("the parameter %s has more than %d bytes", name, longest)
	case !utf8.ValidString(list[0]):
		p.refuse("the parameter %s is not UTF-8", name)
	default:
		return list[0]
	}
	return ""
}

// name is the name of a column or table.
func (p *params) name(name string) string {
	text := p.text(name, maxName)
	if text == "" {
		p.refuse("the parameter %s is missing", name)
		return ""
	}
	found, ok := named(text)
	if !ok {
		p.refuse("the parameter %s is not a name", name)
	}
	return found
}

// optional is a name that may not be there.
func (p *params) optional(name string) []string {
	if p.text(name, maxName) == "" {
		return nil
	}
	return []string{p.name(name)}
}

// names are those of columns, at least one.
func (p *params) names(name string) []string {
	list := p.values[name]
	if len(list) == 0 || len(list) > maxColumns {
		p.refuse("there must be 1 to %d parameters %s", maxColumns, name)
		return nil
	}
	found := make([]string, len(list))
	for i, text := range list {
		var ok bool
		if found[i], ok = named(text); !ok || len(text) > maxName {
			p.refuse("a parameter %s is not a name", name)
		}
	}
	return found
}

// count is a number of things.
func (p *params) count(name string, otherwise, low, high int) int {
	text := p.text(name, 20)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		p.refuse("the parameter %s is not an integer from %d to %d", name, low, high)
		return otherwise
	}
	return n
}

// position is one in a column, counted from the start.
func (p *params) position(name string, otherwise int) int {
	return p.count(name, otherwise, 0, math.MaxInt)
}

// float is a number, NaN if it is not there.
func (p *params) float(name string) float64 {
	text := p.text(name, 40)
	if text == "" {
		return math.NaN()
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f-f != 0 {
		p.refuse("the parameter %s is not a number", name)
	}
	return f
}

func (p *params) flag(name string) bool {
	switch p.text(name, 1) {
	case "1":
		return true
	case "", "0":
	default:
		p.refuse("the parameter %s is not 0 or 1", name)
	}
	return false
}

// longestKey is that of a key in a parameter, in bytes.
const longestKey = 24 << 10

// key is a key in base64, as the page got it.
func (p *params) key(name string) []byte {
	key, err := base64.RawURLEncoding.DecodeString(p.text(name, base64.RawURLEncoding.EncodedLen(longestKey)))
	if err != nil {
		p.refuse("the parameter %s is not a key", name)
	}
	return key
}

package structured

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// parseJSON turns text into an item.
func parseJSON(text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("%w: it is not UTF-8", ErrJSON)
	}
	p := jsonParser{src: text}
	if err := p.value(0); err != nil {
		return nil, err
	}
	if p.peek(); p.at < len(p.src) {
		return nil, p.bad("something follows the value")
	}
	return p.item, nil
}

// jsonParser reads the text src[at:], which is UTF-8, and appends what it says
// to item.
type jsonParser struct {
	src  []byte
	at   int
	item []byte
	text []byte // scratch for text with escapes
}

// bad makes the error of what is at p.at.
func (p *jsonParser) bad(what string) error {
	return fmt.Errorf("%w: %s at byte %d", ErrJSON, what, p.at)
}

// beyond makes the error of the n bytes at p.at.
func (p *jsonParser) beyond(n int, what string) error {
	return fmt.Errorf("%w: at byte %d, %.40s %s", ErrJSONRange, p.at, p.src[p.at:p.at+n], what)
}

// peek skips space and returns the next byte, or 0 at the end.
func (p *jsonParser) peek() byte {
	for ; p.at < len(p.src); p.at++ {
		switch c := p.src[p.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// word skips a word if it is the next.
func (p *jsonParser) word(w string) bool {
	if !hasPrefix(p.src[p.at:], w) {
		return false
	}
	p.at += len(w)
	return true
}

func (p *jsonParser) value(depth int) error {
	switch c := p.peek(); {
	case c == '"':
		return p.string()
	case c == '[':
		return p.elements(0xdd, ']', depth)
	case c == '{':
		return p.elements(0xdf, '}', depth)
	case '0' <= c && c <= '9':
		return p.number()
	}
	w := jsonWire{}
	switch {
	case p.word("null"):
		p.item = w.appendNil(p.item)
	case p.word("true"):
		p.item = w.appendBool(p.item, true)
	case p.word("false"):
		p.item = w.appendBool(p.item, false)
	case p.word("NaN"):
		p.item = w.appendFloat(p.item, math.NaN())
	case p.word("Infinity"):
		p.item = w.appendFloat(p.item, math.Inf(1))
	case p.word("-Infinity"):
		p.item = w.appendFloat(p.item, math.Inf(-1))
	case p.peek() == '-':
		return p.number()
	default:
		return p.bad("a value is missing")
	}
	return nil
}

// elements reads an array or an object up to its closing bracket. The item
// begins with the byte first and a length of 32 bits, known only at the end.
func (p *jsonParser) elements(first, closing byte, depth int) error {
	if depth >= (jsonWire{}).maxDepth() {
		return fmt.Errorf("%w: %w", ErrJSONRange, errDepth(jsonWire{}))
	}
	start := len(p.item)
	p.item = append(p.item, first, 0, 0, 0, 0)
	p.at++
	n := 0
	for c := p.peek(); c != closing; n++ {
		if n > 0 {
			if c != ',' {
				return p.bad("a comma or a closing bracket is missing")
			}
			p.at++
		}
		if closing == '}' {
			if err := p.key(); err != nil {
				return err
			}
		}
		if err := p.value(depth + 1); err != nil {
			return err
		}
		c = p.peek()
	}
	p.at++
	if n > maxLen {
		return fmt.Errorf("%w: %w", ErrJSONRange, errLen)
	}
	binary.BigEndian.PutUint32(p.item[start+1:], uint32(n))
	return nil
}

// key reads the key of a pair, and the colon.
func (p *jsonParser) key() error {
	if p.peek() != '"' {
		return p.bad("a key in quotes is missing")
	}
	if err := p.string(); err != nil {
		return err
	}
	if p.peek() != ':' {
		return p.bad("a colon is missing")
	}
	p.at++
	return nil
}

// string reads text in quotes.
func (p *jsonParser) string() error {
	p.at++
	text := p.text[:0]
	plain := p.at // where the part begins that stands for itself
	for ; p.at < len(p.src); p.at++ {
		c := p.src[p.at]
		if c == '"' {
			break
		}
		if c < ' ' {
			return p.bad("a control character in text")
		}
		if c == '\\' {
			text = append(text, p.src[plain:p.at]...)
			r, n, err := p.escape()
			if err != nil {
				return err
			}
			text = utf8.AppendRune(text, r)
			plain = p.at + n
			p.at = plain - 1
		}
	}
	if p.at >= len(p.src) {
		return p.bad("text without a closing quote")
	}
	whole := p.src[plain:p.at]
	if len(text) > 0 {
		text = append(text, whole...)
		whole, p.text = text, text
	}
	p.at++
	if len(whole) > maxLen {
		return fmt.Errorf("%w: %w", ErrJSONRange, errLen)
	}
	p.item = append(jsonWire{}.appendText(p.item, len(whole)), whole...)
	return nil
}

// escape returns the character that the n bytes at p.at stand for.
func (p *jsonParser) escape() (r rune, n int, err error) {
	rest := p.src[p.at:]
	if len(rest) < 2 {
		return 0, 0, p.bad("text without a closing quote")
	}
	switch c := rest[1]; c {
	case '"', '\\', '/':
		return rune(c), 2, nil
	case 'b':
		return '\b', 2, nil
	case 'f':
		return '\f', 2, nil
	case 'n':
		return '\n', 2, nil
	case 'r':
		return '\r', 2, nil
	case 't':
		return '\t', 2, nil
	}
	r, ok := codeUnit(rest)
	if !ok {
		return 0, 0, p.bad("an escape that has no meaning")
	}
	if !utf16.IsSurrogate(r) {
		return r, 6, nil
	}
	low, _ := codeUnit(rest[6:])
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError { // no pair stands for U+FFFD
		return 0, 0, p.beyond(6, "is half of a surrogate pair")
	}
	return r, 12, nil
}

// codeUnit returns the UTF-16 code unit that an escape at the beginning of src
// stands for.
func codeUnit(src []byte) (rune, bool) {
	if len(src) < 6 || src[0] != '\\' || src[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range src[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// number reads an integer, or a float if it has a fraction or an exponent.
func (p *jsonParser) number() error {
	n, float, ok := numberLen(p.src[p.at:])
	if !ok {
		return p.bad("a broken number")
	}
	text := string(p.src[p.at : p.at+n])
	if float {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return p.beyond(n, "is beyond a float64")
		}
		p.item = jsonWire{}.appendFloat(p.item, f)
	} else if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		p.item = jsonWire{}.appendInt(p.item, i)
	} else if u, err := strconv.ParseUint(text, 10, 64); err == nil {
		p.item = jsonWire{}.appendUint(p.item, u)
	} else {
		return p.beyond(n, "takes more than 64 bits")
	}
	p.at += n
	return nil
}

// numberLen returns the length of the number at the beginning of src and whether
// it is a float. ok is false if there is none, or it breaks off.
func numberLen(src []byte) (n int, float, ok bool) {
	digits := func() bool {
		start := n
		for n < len(src) && '0' <= src[n] && src[n] <= '9' {
			n++
		}
		return n > start
	}
	if n < len(src) && src[n] == '-' {
		n++
	}
	if n < len(src) && src[n] == '0' {
		n++ // a zero in front of other digits is a number of its own
	} else if !digits() {
		return n, false, false
	}
	if n < len(src) && src[n] == '.' {
		n++
		if float = true; !digits() {
			return n, float, false
		}
	}
	if n < len(src) && (src[n] == 'e' || src[n] == 'E') {
		n++
		if n < len(src) && (src[n] == '+' || src[n] == '-') {
			n++
		}
		if float = true; !digits() {
			return n, float, false
		}
	}
	return n, float, true
}

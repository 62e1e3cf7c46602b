package records

import (
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"columnvault/dtype"
)

// decoder turns text of another encoding into UTF-8.
type decoder struct {
	r        io.Reader
	encoding dtype.Encoding
	in       []byte // bytes that are not decoded yet
	out      []byte // text that is not read yet
	memory   []byte // of out
	err      error
}

var errSurrogate = errors.New("the text is not UTF-16: half of a surrogate pair")

func (d *decoder) Read(p []byte) (int, error) {
	for len(d.out) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		d.fill()
	}
	n := copy(p, d.out)
	d.out = d.out[n:]
	return n, nil
}

// fill decodes some more. What is left of the input is less than a character.
func (d *decoder) fill() {
	const piece = 32 << 10
	rest := len(d.in)
	d.in = append(d.in, make([]byte, piece)...)
	n, err := d.r.Read(d.in[rest:])
	d.in = d.in[:rest+n]
	d.memory = d.memory[:0]
	used := d.decode(errors.Is(err, io.EOF))
	d.in = append(d.in[:0], d.in[used:]...)
	d.out = d.memory
	if d.err == nil {
		d.err = err
	}
}

// decode decodes all whole characters and returns how many bytes they took.
func (d *decoder) decode(last bool) (used int) {
	if d.encoding == dtype.Latin1 {
		for _, c := range d.in {
			d.memory = utf8.AppendRune(d.memory, rune(c))
		}
		return len(d.in)
	}
	unit := func(at int) rune {
		if d.encoding == dtype.UTF16LE {
			return rune(d.in[at]) | rune(d.in[at+1])<<8
		}
		return rune(d.in[at])<<8 | rune(d.in[at+1])
	}
	for ; used+2 <= len(d.in); used += 2 {
		r := unit(used)
		if utf16.IsSurrogate(r) {
			if used+4 > len(d.in) {
				break
			}
			if r = utf16.DecodeRune(r, unit(used+2)); r == utf8.RuneError {
				d.err = errSurrogate
				return used
			}
			used += 2
		}
		d.memory = utf8.AppendRune(d.memory, r)
	}
	if last && used < len(d.in) {
		d.err = errors.New("the text is not UTF-16: it ends within a character")
	}
	return used
}

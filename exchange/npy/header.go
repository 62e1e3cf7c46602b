// Package npy reads and writes the arrays of NumPy in .npy files: a column of
// numbers, booleans, times or vectors with dimensions, an element after the other
// as in memory, so that others can map the file.
package npy

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/internal/excerpt"
)

const magic = "\x93NUMPY"

// maxHeader bounds the header in bytes.
const maxHeader = 1 << 20

// header is what stands before the elements.
type header struct {
	descr   string
	fortran bool
	shape   []int64
	size    int64 // of the header
}

// readHeader reads the header of a file.
func readHeader(r io.Reader) (header, error) {
	var start [12]byte
	if _, err := io.ReadFull(r, start[:10]); err != nil || string(start[:6]) != magic {
		return header{}, errors.New("the file is no .npy file")
	}
	n, used := int64(start[8])|int64(start[9])<<8, int64(10)
	if start[6] >= 2 {
		if _, err := io.ReadFull(r, start[10:]); err != nil {
			return header{}, errEarly
		}
		n, used = n|int64(start[10])<<16|int64(start[11])<<24, 12
	}
	if start[6] < 1 || start[6] > 3 || n > maxHeader {
		return header{}, fmt.Errorf("the header of version %d and %d bytes is not supported", start[6], n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return header{}, errEarly
	}
	h, err := parseHeader(string(text))
	h.size = used + n
	return h, err
}

var errEarly = errors.New("the file ends early")

// parseHeader reads a Python dictionary such as
// {'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }.
func parseHeader(text string) (h header, err error) {
	rest := strings.TrimSpace(text)
	bad := func() (header, error) {
		return header{}, fmt.Errorf("the header %s is not understood", excerpt.Quote(text, excerpt.Value))
	}
	var ok bool
	if rest, ok = strings.CutPrefix(rest, "{"); !ok {
		return bad()
	}
	for seen := 0; ; seen++ {
		rest = strings.TrimLeft(rest, " ,\n")
		if rest == "}" && seen == 3 {
			return h, nil
		}
		var key string
		if key, rest, ok = quoted(rest); !ok {
			return bad()
		}
		if rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " "), ":"); !ok {
			return bad()
		}
		rest = strings.TrimLeft(rest, " ")
		switch key {
		case "descr":
			if strings.HasPrefix(rest, "[") {
				return h, errors.New("the array has fields, which is not supported")
			}
			h.descr, rest, ok = quoted(rest)
		case "fortran_order":
			if rest, ok = strings.CutPrefix(rest, "True"); ok {
				h.fortran = true
			} else {
				rest, ok = strings.CutPrefix(rest, "False")
			}
		case "shape":
			h.shape, rest, ok = tuple(rest)
		default:
			ok = false
		}
		if !ok {
			return bad()
		}
	}
}

func quoted(s string) (inner, rest string, ok bool) {
	if s == "" || s[0] != '\'' && s[0] != '"' {
		return "", s, false
	}
	return strings.Cut(s[1:], s[:1])
}

// tuple reads the dimensions.
func tuple(s string) (dims []int64, rest string, ok bool) {
	if s, ok = strings.CutPrefix(s, "("); !ok {
		return nil, s, false
	}
	inner, rest, ok := strings.Cut(s, ")")
	if !ok {
		return nil, s, false
	}
	for part := range strings.SplitSeq(inner, ",") {
		part = strings.TrimSuffix(strings.TrimSpace(part), "L")
		if part == "" {
			continue
		}
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil || n < 0 || len(dims) == 32 {
			return nil, s, false
		}
		dims = append(dims, n)
	}
	return dims, rest, true
}

// types are the dtypes of elements by NumPy's names, without the order of bytes.
var types = map[string]dtype.Spec{
	"b1": dtype.Bool.Spec(), "i1": dtype.Int8.Spec(), "i2": dtype.Int16.Spec(), "i4": dtype.Int32.Spec(), "i8": dtype.Int64.Spec(),
	"u1": dtype.Uint8.Spec(), "u2": dtype.Uint16.Spec(), "u4": dtype.Uint32.Spec(), "u8": dtype.Uint64.Spec(),
	"f2": dtype.Float16.Spec(), "f4": dtype.Float32.Spec(), "f8": dtype.Float64.Spec(),
}

// units are those of times by NumPy's names.
var units = map[string]dtype.Meaning{
	"M8[s]": {Time: dtype.Second}, "M8[ms]": {Time: dtype.Millisecond}, "M8[us]": {Time: dtype.Microsecond},
	"M8[ns]": {Time: dtype.Nanosecond}, "M8[D]": {Date: true},
}

// field returns the column, how many rows it has and of how many bytes each is,
// and whether the bytes of numbers are in the other order.
func (h *header) field(name string) (f exchange.Field, rows, width int64, swap bool, err error) {
	unsupported := func() error {
		return fmt.Errorf("an array of %s and the shape %v is not supported", excerpt.Quote(h.descr, excerpt.Name), h.shape)
	}
	if len(h.descr) < 3 {
		return f, 0, 0, false, unsupported()
	}
	f.Name = name
	order, kind := h.descr[0], h.descr[1:]
	spec, ok := types[kind]
	if m, timed := units[kind]; timed {
		spec, ok, f.Meaning = dtype.Int64.Spec(), true, m
	}
	if !ok || !strings.ContainsRune("<>|=", rune(order)) {
		return f, 0, 0, false, unsupported()
	}
	f.Type = spec
	rows, width = 1, int64(spec.ElemSize())
	if len(h.shape) > 0 {
		rows = h.shape[0]
	}
	if len(h.shape) > 1 {
		if h.fortran || f.Meaning.IsTime() || spec.Kind == dtype.KindBool || spec.Kind == dtype.KindFloat16 {
			return f, 0, 0, false, unsupported()
		}
		f.Type = dtype.Spec{Kind: dtype.KindVector, Elem: spec.Kind}
		for _, d := range h.shape[1:] {
			if d <= 0 || d > dtype.MaxSize || width > dtype.MaxSize/d {
				return f, 0, 0, false, unsupported()
			}
			width *= d
			f.Type.Dims = append(f.Type.Dims, int(d))
		}
	}
	if rows > math.MaxInt64/width {
		return f, 0, 0, false, unsupported()
	}
	return f, rows, width, order == '>' && spec.ElemSize() > 1, nil
}

// newHeader returns the bytes before the elements of a column.
func newHeader(f exchange.Field, rows int) ([]byte, error) {
	spec := f.Type
	if spec.Kind == dtype.KindVector {
		spec = dtype.Spec{Kind: spec.Elem}
	}
	descr := ""
	for name, s := range types {
		if s.Kind == spec.Kind {
			descr = "<" + name
		}
	}
	if spec.ElemSize() == 1 {
		descr = "|" + strings.TrimPrefix(descr, "<")
	}
	if f.Meaning.IsTime() {
		for name, m := range units {
			if m.Time == f.Meaning.Time && m.Date == f.Meaning.Date {
				descr = "<" + name
			}
		}
	}
	if descr == "" || f.Type.Kind == dtype.KindVector && len(f.Type.Dims) == 0 {
		return nil, fmt.Errorf("%w: a column of %v has no form in .npy, which holds numbers and vectors with dimensions", dtype.ErrSyntax, f)
	}
	shape := strconv.Itoa(rows) + ","
	for i, d := range f.Type.Dims {
		if i > 0 {
			shape += ","
		}
		shape += " " + strconv.Itoa(d)
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	const align = 64
	pad := align - (10+len(text)+1)%align
	text += strings.Repeat(" ", pad%align) + "\n"
	return append([]byte{magic[0], 'N', 'U', 'M', 'P', 'Y', 1, 0, byte(len(text)), byte(len(text) >> 8)}, text...), nil
}

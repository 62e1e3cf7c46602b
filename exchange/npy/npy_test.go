package npy_test

import (
	"bytes"
	"strings"
	"testing"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/npy"
	"columnvault/internal/formattest"
)

// TestRoundTrip checks that columns of numbers come back as they were.
func TestRoundTrip(t *testing.T) {
	columns := formattest.Only(func(s dtype.Spec, m dtype.Meaning) bool {
		text := s.Kind == dtype.KindText || s.Kind == dtype.KindBytes || s.Kind == dtype.KindMsgPack || s.Kind == dtype.KindCBOR
		free := s.Kind == dtype.KindVector && len(s.Dims) == 0
		return !text && !free && m.Zone == "" && (!m.Null || m.IsTime())
	})
	if len(columns) < 15 {
		t.Fatalf("there are %d columns", len(columns))
	}
	for _, rows := range []int{0, 1, 3000} {
		v := formattest.Specimen(t, columns, rows)
		for _, c := range columns {
			var b bytes.Buffer
			if _, err := exchange.Export(t.Context(), v, []string{c.Name}, npy.NewWriter(&b), nil); err != nil {
				t.Fatal(err)
			}
			r := npy.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()), &npy.Options{Name: c.Name})
			formattest.WantSame(t, formattest.Import(t, r, nil), formattest.Specimen(t, []formattest.Column{c}, rows))
		}
	}
}

// TestBadFiles checks that files which cannot be read say why.
func TestBadFiles(t *testing.T) {
	file := func(descr, order, shape string) string {
		text := "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }\n"
		return "\x93NUMPY\x01\x00" + string([]byte{byte(len(text)), 0}) + text + strings.Repeat("x", 16)
	}
	good := file("'<f8'", "False", "(2,)")
	for name, c := range map[string]struct{ file, want string }{
		"empty":     {"", "no .npy"},
		"short":     {good[:len(good)-1], "1 of 2 rows"},
		"header":    {good[:40], "ends early"},
		"version":   {strings.Replace(good, "\x01\x00", "\x09\x00", 1), "version"},
		"text":      {file("'<U8'", "False", "(2,)"), "not supported"},
		"no shape":  {file("'<f8'", "False", "[2,]"), "not understood"},
		"enormous":  {file("'<f8'", "False", "(2, 9999999999999)"), "not supported"},
		"long":      {file("'<f8'", "False", "(9999999999999,)"), "2 of 9999999999999 rows"},
		"negative":  {file("'<f8'", "False", "(-2,)"), "not understood"},
		"fortran":   {file("'<f8'", "True", "(1, 2)"), "not supported"},
		"structure": {file("[('a', '<f8')]", "False", "(2,)"), "fields"},
	} {
		r := npy.NewReader(strings.NewReader(c.file), int64(len(c.file)), nil)
		if _, err := exchange.Detect(t.Context(), r, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := exchange.Detect(t.Context(), npy.NewReader(strings.NewReader(good), int64(len(good)), nil), nil); err != nil {
		t.Error(err)
	}
}

// FuzzReader reads any bytes.
func FuzzReader(f *testing.F) {
	f.Add([]byte("\x93NUMPY\x01\x00\x46\x00{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }             \n0123456789abcdef"))
	f.Add([]byte("\x93NUMPY\x02\x00\x46\x00\x00\x00{'descr': '>i2', 'fortran_order': False, 'shape': (2, 4), }           \n0123456789abcdef"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := npy.NewReader(bytes.NewReader(b), int64(len(b)), nil)
		_, _ = exchange.Detect(t.Context(), r, nil)
	})
}

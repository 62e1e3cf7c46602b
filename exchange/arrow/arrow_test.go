package arrow_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"columnvault"
	"columnvault/exchange"
	"columnvault/exchange/arrow"
	"columnvault/internal/formattest"
)

func export(t testing.TB, v *columnvault.Vault, o *arrow.WriterOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := exchange.Export(t.Context(), v, nil, arrow.NewWriter(&b, o), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func reader(b []byte) *arrow.Reader { return arrow.NewReader(bytes.NewReader(b), int64(len(b)), nil) }

// TestRoundTrip checks that all dtypes come back as they were, as a file and as
// a stream.
func TestRoundTrip(t *testing.T) {
	for _, rows := range []int{0, 1, 20, 3000} {
		v := formattest.Specimen(t, formattest.Columns(), rows)
		for _, o := range []*arrow.WriterOptions{nil, {Stream: true}} {
			formattest.WantSame(t, formattest.Import(t, reader(export(t, v, o)), nil), v)
		}
	}
}

// files are those that other programs have written.
func files(t testing.TB) (paths []string) {
	t.Helper()
	for _, pattern := range []string{"*.arrow", "*.arrows"} {
		found, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	if len(paths) < 4 {
		t.Fatalf("there are %d files", len(paths))
	}
	return paths
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFilesOfOthers reads files that other programs have written.
func TestFilesOfOthers(t *testing.T) {
	for _, path := range files(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			formattest.WantRows(t, reader(readFile(t, path)), path+".jsonl")
		})
	}
}

// TestDamagedFiles reads files that are cut off, and have wrong bytes.
func TestDamagedFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	open := func(b []byte) exchange.Source { return reader(b) }
	v := formattest.Specimen(t, formattest.Columns(), 9)
	formattest.Torment(t, export(t, v, nil), false, open)
	for _, path := range files(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			formattest.Torment(t, readFile(t, path), filepath.Ext(path) == ".arrows", open)
		})
	}
}

// FuzzReader reads any bytes.
func FuzzReader(f *testing.F) {
	for _, path := range files(f) {
		f.Add(readFile(f, path))
	}
	f.Add(export(f, formattest.Specimen(f, formattest.Columns(), 3), nil))
	f.Fuzz(func(t *testing.T, b []byte) { _ = formattest.Read(t.Context(), reader(b)) })
}

package arrow_test

import (
	"bytes"
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

package parquet_test

import (
	"bytes"
	"testing"

	"columnvault"
	"columnvault/exchange"
	"columnvault/exchange/parquet"
	"columnvault/internal/formattest"
)

func export(t testing.TB, v *columnvault.Vault, o *parquet.WriterOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := exchange.Export(t.Context(), v, nil, parquet.NewWriter(&b, o), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func reader(b []byte) *parquet.Reader {
	return parquet.NewReader(bytes.NewReader(b), int64(len(b)), nil)
}

// TestRoundTrip checks that all dtypes come back as they were, in one row group
// and in many, with and without compression.
func TestRoundTrip(t *testing.T) {
	for _, rows := range []int{0, 1, 20, 3000} {
		v := formattest.Specimen(t, formattest.Columns(), rows)
		for _, o := range []*parquet.WriterOptions{nil, {Plain: true, GroupRows: 7}} {
			formattest.WantSame(t, formattest.Import(t, reader(export(t, v, o)), nil), v)
		}
	}
}

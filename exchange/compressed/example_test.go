package compressed_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"columnvault"
	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/compressed"
	"columnvault/exchange/csv"
)

// A file that is compressed is imported like any other.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	check(err)
	defer os.RemoveAll(dir)
	ctx := context.Background()
	v, err := columnvault.Open(ctx, filepath.Join(dir, "weather.db"), nil)
	check(err)
	defer v.Close()

	file, err := os.Open("../../testdata/nyc-weather.csv.gz")
	check(err)
	defer file.Close()
	text, err := compressed.NewReader(file, file.Name())
	check(err)
	defer text.Close()
	result, err := exchange.Import(ctx, v, csv.NewReader(text, nil), nil)
	check(err)
	temps, err := columnvault.Lookup(ctx, v, "temp", dtype.Nullable(dtype.Float64))
	check(err)
	last, err := temps.At(ctx, -1)
	check(err)
	fmt.Println(result.Rows, "rows, the last of", last.V, "degrees")
	// Output:
	// 26115 rows, the last of 28.94 degrees
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

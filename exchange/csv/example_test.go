package csv_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"columnvault"
	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/csv"
)

// A file with gaps and dates goes into columns and out again.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	v, err := columnvault.Open(ctx, filepath.Join(dir, "weather.db"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()

	file := strings.NewReader("day;station;temp\n2024-01-31;Tempelhof;-1.5\n2024-02-01;Dahlem;\n")
	result, err := exchange.Import(ctx, v, csv.NewReader(file, nil), nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range result.Columns {
		fmt.Printf("%s: %v, %d missing\n", c.Name, c.Field, c.Missing)
	}
	temps, err := columnvault.Lookup(ctx, v, "temp", dtype.Nullable(dtype.Float64))
	if err != nil {
		log.Fatal(err)
	}
	last, err := temps.At(ctx, -1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the last is there:", last.Valid)
	if _, err := exchange.Export(ctx, v, []string{"temp", "day"}, csv.NewWriter(os.Stdout, nil), nil); err != nil {
		log.Fatal(err)
	}
	// Output:
	// day: i64 date, 0 missing
	// station: str:utf8, 0 missing
	// temp: f64 null, 1 missing
	// the last is there: false
	// temp,day
	// -1.5,2024-01-31
	// ,2024-02-01
}

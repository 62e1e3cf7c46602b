package exchange_test

import (
	"bytes"
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
	"columnvault/exchange/jsonl"
)

// Import makes columns of a file, and adds the rows of another to them.
func ExampleImport() {
	v, done := exampleVault()
	defer done()
	ctx := context.Background()

	file := strings.NewReader("zip,opened,sales\n98101,2024-01-31,17.5\n60601,2024-02-01,NA\n")
	result, err := exchange.Import(ctx, v, csv.NewReader(file, nil), &exchange.ImportOptions{
		Prefix: "shops.",
		Types:  map[string]exchange.Field{"zip": {Type: dtype.String.Spec()}}, // not numbers
	})
	check(err)
	more := strings.NewReader("zip,opened,sales\n10001,2024-03-15,8\n")
	_, err = exchange.Import(ctx, v, csv.NewReader(more, nil), &exchange.ImportOptions{Prefix: "shops.", Append: true})
	check(err)

	for _, c := range result.Columns {
		fmt.Printf("%s: %v\n", c.Name, c.Field)
	}
	sales, err := columnvault.Lookup(ctx, v, "shops.sales", dtype.Nullable(dtype.Float64))
	check(err)
	list, err := sales.Slice(ctx, columnvault.Begin, columnvault.End)
	check(err)
	fmt.Println(list)
	// Output:
	// shops.zip: str:utf8
	// shops.opened: i64 date
	// shops.sales: f64 null
	// [{17.5 true} {0 false} {8 true}]
}

// Export writes columns side by side, in whatever format the sink has.
func ExampleExport() {
	v, done := exampleVault()
	defer done()
	ctx := context.Background()
	city, err := columnvault.Create(ctx, v, "city", dtype.String, nil)
	check(err)
	check(city.Append(ctx, "Oslo", "Rome, Italy"))
	temp, err := columnvault.Create(ctx, v, "temp", dtype.Float64, nil)
	check(err)
	check(temp.Append(ctx, -3.5, 14))

	var out bytes.Buffer
	rows, err := exchange.Export(ctx, v, []string{"temp", "city"}, csv.NewWriter(&out, &csv.WriterOptions{Delimiter: ';'}), nil)
	check(err)
	fmt.Print(rows, " rows\n", out.String())
	_, err = exchange.Export(ctx, v, nil, jsonl.NewWriter(os.Stdout), nil)
	check(err)
	// Output:
	// 2 rows
	// temp;city
	// -3.5;Oslo
	// 14.0;"Rome, Italy"
	// {"city":"Oslo","temp":-3.5}
	// {"city":"Rome, Italy","temp":14.0}
}

// Detect tells what an import would make of a file.
func ExampleDetect() {
	file := strings.NewReader("id;when\n1;2026-07-31T12:00:00+02:00\n2;2026-08-01T12:00:00+02:00\n")
	result, err := exchange.Detect(context.Background(), csv.NewReader(file, nil), nil)
	check(err)
	for _, c := range result.Columns {
		fmt.Printf("%s: %v\n", c.Name, c.Field)
	}
	// Output:
	// id: i64
	// when: i64 time=us
}

func exampleVault() (v *columnvault.Vault, done func()) {
	dir, err := os.MkdirTemp("", "example")
	check(err)
	v, err = columnvault.Open(context.Background(), filepath.Join(dir, "x.db"), nil)
	check(err)
	return v, func() {
		v.Close()
		os.RemoveAll(dir)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// NewParts divides rows among files. Each should get its name when it is whole.
func ExampleNewParts() {
	v, done := exampleVault()
	defer done()
	ctx := context.Background()
	n, err := columnvault.Create(ctx, v, "n", dtype.Int64, nil)
	check(err)
	check(n.Append(ctx, 1, 2, 3, 4, 5))

	var parts []*bytes.Buffer
	_, err = exchange.Export(ctx, v, nil, exchange.NewParts(2, func(part int) (exchange.Sink, func() error, error) {
		file := &bytes.Buffer{}
		whole := func() error { parts = append(parts, file); return nil }
		return csv.NewWriter(file, nil), whole, nil
	}), nil)
	check(err)
	for _, file := range parts {
		fmt.Printf("%q\n", file)
	}
	// Output:
	// "n\n1\n2\n"
	// "n\n3\n4\n"
	// "n\n5\n"
}

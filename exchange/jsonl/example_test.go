package jsonl_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"columnvault"
	"columnvault/exchange"
	"columnvault/exchange/jsonl"
)

// Lines whose keys differ become columns with missing values, and lines again.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	check(err)
	defer os.RemoveAll(dir)
	ctx := context.Background()
	v, err := columnvault.Open(ctx, filepath.Join(dir, "events.db"), nil)
	check(err)
	defer v.Close()

	file := strings.NewReader(`{"at":"2026-07-31T12:00:00Z","kind":"start"}
{"at":"2026-07-31T12:00:02.5Z","kind":"load","bytes":1048576,"tags":["big"]}
`)
	result, err := exchange.Import(ctx, v, jsonl.NewReader(file, nil), nil)
	check(err)
	for _, c := range result.Columns {
		fmt.Printf("%s: %v, %d missing\n", c.Name, c.Field, c.Missing)
	}
	_, err = exchange.Export(ctx, v, []string{"kind", "bytes", "at"}, jsonl.NewWriter(os.Stdout), nil)
	check(err)
	// Output:
	// at: i64 time=us, 0 missing
	// kind: str:utf8, 0 missing
	// bytes: i64 null, 1 missing
	// tags: msgpack, 1 missing
	// {"kind":"start","bytes":null,"at":"2026-07-31T12:00:00Z"}
	// {"kind":"load","bytes":1048576,"at":"2026-07-31T12:00:02.5Z"}
}

// Lines of any kind become the values of one column.
func ExampleOptions_into() {
	dir, err := os.MkdirTemp("", "example")
	check(err)
	defer os.RemoveAll(dir)
	ctx := context.Background()
	v, err := columnvault.Open(ctx, filepath.Join(dir, "events.db"), nil)
	check(err)
	defer v.Close()

	file := strings.NewReader("{\"id\":1}\n[2,3]\n\"four\"\n")
	_, err = exchange.Import(ctx, v, jsonl.NewReader(file, &jsonl.Options{Into: "events"}), nil)
	check(err)
	events, err := v.Column(ctx, "events")
	check(err)
	all, err := events.Slice(ctx, columnvault.Begin, columnvault.End)
	check(err)
	fmt.Println(all...)
	// Output:
	// map[id:1] [2 3] four
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

package sqlrows_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"columnvault"
	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/sqlrows"
)

// Columns become a table of a SQLite file, and a table becomes columns.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	v, err := columnvault.Open(context.Background(), filepath.Join(dir, "shop.db"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	item, err := columnvault.Create(ctx, v, "item", dtype.String, nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := item.Append(ctx, "lamp", "chair"); err != nil {
		log.Fatal(err)
	}

	other := filepath.Join(dir, "other.db")
	w := sqlrows.NewWriter(other, "orders")
	if _, err := exchange.Export(ctx, v, nil, w, nil); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	r := sqlrows.NewReader(other, "orders", nil)
	defer r.Close()
	result, err := exchange.Import(ctx, v, r, &exchange.ImportOptions{Prefix: "again."})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range result.Columns {
		fmt.Println(c.Name, c.Field, c.Len)
	}
	// Output:
	// again.item str:utf8 2
}

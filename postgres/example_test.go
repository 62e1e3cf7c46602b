package postgres_test

import (
	"context"
	"fmt"
	"log"

	"columnvault"
	"columnvault/dtype"
	_ "columnvault/postgres"
)

// A program changes its address, and nothing else.
func Example() {
	ctx := context.Background()
	v, err := columnvault.Open(context.Background(), "postgres://lab@db.example/lab?search_path=weather", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	temp, err := columnvault.Ensure(ctx, v, "temp", dtype.Float64, nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := temp.Append(ctx, 12.8, 10.6); err != nil {
		log.Fatal(err)
	}
	fmt.Println(temp.Len(ctx))
}

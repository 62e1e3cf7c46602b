package feed_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"columnvault"
	"columnvault/dtype"
	"columnvault/feed"
)

// A first run makes the table, the next one adds what is new, and what was edited
// is refused or replaces the table.
func ExampleIceberg() {
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
	temp, err := columnvault.Create(ctx, v, "temp", dtype.Float64, nil)
	if err != nil {
		log.Fatal(err)
	}
	table := filepath.Join(dir, "weather")
	feedIt := func(o *feed.Options) {
		r, err := feed.Iceberg(ctx, v, []string{"temp"}, table, o)
		if errors.Is(err, feed.ErrEdited) {
			fmt.Println("edited")
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.Rows, "rows,", r.Added, "of them added, overwritten:", r.Overwritten)
	}

	if err := temp.Append(ctx, 21.5, 22, 19.25); err != nil {
		log.Fatal(err)
	}
	feedIt(nil)
	if err := temp.Append(ctx, 18); err != nil {
		log.Fatal(err)
	}
	feedIt(nil)
	if err := temp.Set(ctx, 0, 21.75); err != nil {
		log.Fatal(err)
	}
	feedIt(nil)
	feedIt(&feed.Options{Overwrite: true})
	// Output:
	// 3 rows, 3 of them added, overwritten: false
	// 4 rows, 1 of them added, overwritten: false
	// edited
	// 4 rows, 4 of them added, overwritten: true
}

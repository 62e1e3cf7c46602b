package query_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"columnvault"
	"columnvault/dtype"
	"columnvault/query"
)

// Columns that have a prefix in common are a table.
func Example() {
	dir, err := os.MkdirTemp("", "columnvault-")
	must(err)
	defer os.RemoveAll(dir)
	v, err := columnvault.Open(context.Background(), filepath.Join(dir, "trips.db"), nil)
	must(err)
	defer v.Close()
	ctx := context.Background()
	city, err := columnvault.Create(ctx, v, "trips.city", dtype.String, nil)
	must(err)
	must(city.Append(ctx, "Bergen", "Oslo", "Bergen"))
	km, err := columnvault.Create(ctx, v, "trips.km", dtype.Float64, nil)
	must(err)
	must(km.Append(ctx, 3.5, 12, 4.5))

	db, err := query.Open(ctx, v, nil)
	must(err)
	defer db.Close()
	rows, err := db.QueryContext(ctx, `SELECT city, count(*), avg(km) FROM trips WHERE km > ? GROUP BY city`, 1)
	must(err)
	defer rows.Close()
	for rows.Next() {
		var name string
		var count int
		var mean float64
		must(rows.Scan(&name, &count, &mean))
		fmt.Println(name, count, mean)
	}
	must(rows.Err())
	// Output:
	// Bergen 2 4
	// Oslo 1 12
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// A statement of which nobody knows what it gives is read field by field.
func ExampleFields() {
	dir, err := os.MkdirTemp("", "columnvault-")
	must(err)
	defer os.RemoveAll(dir)
	v, err := columnvault.Open(context.Background(), filepath.Join(dir, "any.db"), nil)
	must(err)
	defer v.Close()
	ctx := context.Background()
	db, err := query.Open(ctx, v, nil)
	must(err)
	defer db.Close()
	rows, err := db.QueryContext(ctx, `VALUES (1, 'one', 1.5), (2, NULL, x'0203')`)
	must(err)
	for fields, err := range query.Fields(rows) {
		must(err)
		fmt.Println(fields...)
	}
	// Output:
	// 1 one 1.5
	// 2 <nil> [2 3]
}

package npy_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"columnvault"
	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/npy"
)

// A column goes into a .npy file, and comes back.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	v, err := columnvault.Open(ctx, filepath.Join(dir, "points.db"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	points, err := columnvault.Create(ctx, v, "point", dtype.Vector[float32](2), nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := points.Append(ctx, []float32{1, 2}, []float32{3, 4}); err != nil {
		log.Fatal(err)
	}

	var file bytes.Buffer
	if _, err := exchange.Export(ctx, v, nil, npy.NewWriter(&file), nil); err != nil {
		log.Fatal(err)
	}
	src := npy.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()), &npy.Options{Name: "point"})
	result, err := exchange.Import(ctx, v, src, &exchange.ImportOptions{Prefix: "again."})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range result.Columns {
		fmt.Println(c.Name, c.Field, c.Len)
	}
	// Output:
	// again.point vec:f32:2 2
}

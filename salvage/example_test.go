package salvage_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"columnvault"
	"columnvault/dtype"
	"columnvault/salvage"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "columnvault-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	damaged := filepath.Join(dir, "damaged.db")
	if err := damage(ctx, damaged); err != nil {
		log.Fatal(err)
	}
	_, err = columnvault.Open(ctx, damaged, nil)
	fmt.Println("can be opened:", err == nil)

	saved := filepath.Join(dir, "saved.db")
	report, err := salvage.File(ctx, damaged, saved, salvage.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("complete:", report.Complete())
	for _, c := range report.Columns {
		fmt.Printf("%s: %d of %d elements\n", c.Name, c.Read, c.Expected)
		for _, missing := range c.Missing {
			fmt.Printf("  from %d to %d: %s\n", missing.From, missing.To, missing.Reason)
		}
	}

	v, err := columnvault.Open(ctx, saved, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	c, err := columnvault.Lookup(ctx, v, "squares", dtype.Int64)
	if err != nil {
		log.Fatal(err)
	}
	last, err := c.At(ctx, -1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the last element:", last)
	// Output:
	// can be opened: false
	// complete: false
	// squares: 8976 of 10000 elements
	//   from 2171 to 3195: page 13, a part of chunk 0, cannot be read
	// the last element: 99980001
}

// damage makes a vault whose header and one of whose pages are lost.
func damage(ctx context.Context, path string) error {
	v, err := columnvault.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	defer v.Close()
	c, err := columnvault.Create(ctx, v, "squares", dtype.Int64, nil)
	if err != nil {
		return err
	}
	squares := make([]int64, 10_000)
	for i := range squares {
		squares[i] = int64(i * i)
	}
	if err := c.Append(ctx, squares...); err != nil {
		return err
	}
	if err := v.Close(); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt(make([]byte, 100), 0); err != nil {
		return err
	}
	_, err = f.WriteAt(make([]byte, 8192), 12*8192)
	return err
}

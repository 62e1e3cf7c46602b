package columnvault_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"columnvault"
	"columnvault/dtype"
)

// A backup is a vault of its own. Others read and write while it is made.
func ExampleVault_Backup() {
	ctx := context.Background()
	v, done := openTemp()
	defer done()
	rain, err := columnvault.Create(ctx, v, "rain", dtype.Int64, nil)
	check(err)
	check(rain.Append(ctx, 0, 12, 3))

	path := filepath.Join(filepath.Dir(v.Path()), "monday.db")
	check(v.Backup(ctx, path, columnvault.BackupOptions{}))
	check(rain.Append(ctx, 7))

	monday, err := columnvault.Open(path, &columnvault.Options{ReadOnly: true})
	check(err)
	defer monday.Close()
	rain, err = columnvault.Lookup(ctx, monday, "rain", dtype.Int64)
	check(err)
	n, err := rain.Len(ctx)
	check(err)
	fmt.Println(n, "days in the backup")
	// Output: 3 days in the backup
}

// What has been deleted makes room for what comes. Compact gives it back to the
// file system instead.
func ExampleVault_Compact() {
	ctx := context.Background()
	v, done := openTemp()
	defer done()
	words, err := columnvault.Create(ctx, v, "words", dtype.String, nil)
	check(err)
	check(words.Append(ctx, slices.Repeat([]string{"a long and well-known text"}, 100_000)...))
	check(words.Delete(ctx, 10, columnvault.End))

	r, err := v.Compact(ctx, columnvault.CompactOptions{})
	check(err)
	fmt.Println("smaller by more than a megabyte:", r.Before.Main-r.After.Main > 1<<20)
	fmt.Println("bytes that nothing takes:", r.After.Free)
	// Output:
	// smaller by more than a megabyte: true
	// bytes that nothing takes: 0
}

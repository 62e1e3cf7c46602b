package columnvault_test

import (
	"context"
	"fmt"
	"path/filepath"

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

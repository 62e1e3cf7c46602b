package columnvault_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"expvar"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"columnvault"
	"columnvault/dtype"
)

// Check looks for damage and says what it has not looked at. CheckOptions.Full
// leaves nothing out.
func ExampleVault_Check() {
	v, done := openTemp()
	defer done()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "c", dtype.String, nil)
	check(err)
	check(c.Append(ctx, "one", "two"))

	sound := true
	for f, err := range v.Check(ctx, columnvault.CheckOptions{Full: true, Digest: true}) {
		check(err)
		if f.Severity == columnvault.SeverityDamage {
			sound = false
		}
		fmt.Printf("%v: %s %x... %s\n", f.Severity, f.Column, f.Digest[:4], f.Text)
	}
	fmt.Println("sound:", sound)
	// Output:
	// note: c bdee2e0a... SHA-256 of 2 elements
	// sound: true
}

// A plan says what a repair would do. Here there is nothing to do; otherwise
// Repair makes a copy of the vault, and then carries the plan out.
func ExampleVault_Repair() {
	dir, err := os.MkdirTemp("", "columnvault-")
	check(err)
	defer os.RemoveAll(dir)
	v, err := columnvault.Open(context.Background(), filepath.Join(dir, "metrics.db"), nil)
	check(err)
	defer v.Close()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "loss", dtype.Float32, nil)
	check(err)
	check(c.Append(ctx, 0.5, 0.25))

	plan, err := v.PlanRepair(ctx, columnvault.RepairOptions{Replace: true})
	check(err)
	fmt.Print(plan)
	for _, step := range plan.Steps {
		fmt.Println(step.Action, step.Column, step.Loss)
	}
	check(v.Repair(ctx, plan))
	// Output: there is nothing to do
}

// Another program has appended to one column of a table alone, so that no rows
// can be written any more. Fill makes all columns as long as the longest, Cut as
// long as the shortest, and keeps what it cuts off.
func ExampleRepairOptions() {
	ctx := context.Background()
	v, done := openTemp()
	defer done()
	for _, table := range []string{"rain", "wind"} {
		hours, err := columnvault.Create(ctx, v, table+".hour", dtype.Int64, nil)
		check(err)
		check(hours.Append(ctx, 7, 8, 9))
		values, err := columnvault.Create(ctx, v, table+".value", dtype.Nullable(dtype.Float64), nil)
		check(err)
		check(values.Append(ctx, sql.Null[float64]{V: 0.5, Valid: true}))
	}
	o := columnvault.RepairOptions{Fill: []string{"rain"}, Cut: []string{"wind"}, NoBackup: true}
	plan, err := v.PlanRepair(ctx, o)
	check(err)
	for _, step := range plan.Steps {
		fmt.Println(step.Action, step.Column, step.From, "to", step.To)
	}
	check(v.Repair(ctx, plan))
	for _, table := range []string{"rain", "wind"} {
		t, err := v.Table(ctx, table)
		check(err)
		n, err := t.Len(ctx)
		check(err)
		fmt.Println(table, "has", n, "rows")
	}
	// Output:
	// fill rain.value 1 to 3
	// shorten wind.hour 1 to 3
	// rain has 3 rows
	// wind has 1 rows
}

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

	monday, err := columnvault.Open(ctx, path, &columnvault.Options{ReadOnly: true})
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

// The counts of a vault at /debug/vars, where expvar serves them. For
// Prometheus, each field is a counter or a gauge.
func ExampleVault_Stats() {
	ctx := context.Background()
	v, done := openTemp()
	defer done()
	expvar.Publish("columnvault", expvar.Func(func() any { return v.Stats() }))

	temperatures, err := columnvault.Create(ctx, v, "temperatures", dtype.Float64, nil)
	check(err)
	check(temperatures.Append(ctx, 20.5, 21, 21.5))

	var stats columnvault.Stats
	check(json.Unmarshal([]byte(expvar.Get("columnvault").String()), &stats))
	fmt.Println(stats.Commits, "commits wrote", stats.ElementsWritten, "elements")
	// Output: 2 commits wrote 3 elements
}

// A logger is told what nobody else would hear of. Here a flush has failed
// because another program has dropped the column.
func ExampleOptions_logger() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "columnvault")
	check(err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "example.db")
	short := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "path" || a.Key == "error" {
			return slog.Attr{}
		}
		return a
	}
	v, err := columnvault.Open(ctx, path, &columnvault.Options{
		Logger: slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: short})),
	})
	check(err)
	defer v.Close()
	events, err := columnvault.Create(ctx, v, "events", dtype.String, nil)
	check(err)
	check(events.EnableCache(ctx, nil))
	check(events.Append(ctx, "start"))

	other, err := columnvault.Open(ctx, path, nil)
	check(err)
	check(other.Drop(ctx, "events"))
	check(other.Close())

	_, err = v.Flush(ctx)
	fmt.Println(err != nil, v.DiscardPending())
	// Output:
	// level=ERROR msg="flush failed" names=[events] held=1
	// true 1
}

package columnvault_test

import (
	"context"
	"encoding/json"
	"expvar"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"columnvault"
	"columnvault/dtype"
)

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
	v, err := columnvault.Open(path, &columnvault.Options{
		Logger: slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: short})),
	})
	check(err)
	defer v.Close()
	events, err := columnvault.Create(ctx, v, "events", dtype.String, nil)
	check(err)
	check(events.EnableCache(ctx, nil))
	check(events.Append(ctx, "start"))

	other, err := columnvault.Open(path, nil)
	check(err)
	check(other.Drop(ctx, "events"))
	check(other.Close())

	_, err = v.Flush(ctx)
	fmt.Println(err != nil, v.DiscardPending())
	// Output:
	// level=ERROR msg="flush failed" names=[events] held=1
	// true 1
}

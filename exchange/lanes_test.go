package exchange_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/internal/vaulttest"
)

// lanesRows is more than what one goroutine reads alone.
const lanesRows = 70_001

// TestLanes: it makes no difference how many goroutines read the columns of an
// export, nor that some values are so long that a batch has few of them.
func TestLanes(t *testing.T) {
	ctx, v := t.Context(), open(t)
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	vaulttest.Create(t, v, "a", dtype.Int64, vaulttest.Sequence(lanesRows, func(i int) int64 { return int64(i) * 7919 })...)
	vaulttest.Create(t, v, "b", dtype.Text(dtype.UTF8), vaulttest.Sequence(lanesRows, func(i int) string {
		if i%20_000 == 500 {
			return strings.Repeat("long ", 1<<18)
		}
		return fmt.Sprint("text ", i)
	})...)
	vaulttest.Create(t, v, "c", dtype.Nullable(dtype.Float64), vaulttest.Sequence(lanesRows, func(i int) sql.Null[float64] {
		return sql.Null[float64]{V: float64(i) / 3, Valid: i%5 > 0}
	})...)
	vaulttest.Create(t, v, "d", dtype.Text(dtype.UTF8), vaulttest.Sequence(lanesRows, func(i int) string { return strings.Repeat("d", i%50) })...)
	vaulttest.Create(t, v, "e", dtype.Bool, vaulttest.Sequence(lanesRows, func(i int) bool { return i%3 == 0 })...)
	alone := export(t, v, asCSV)
	if n := strings.Count(alone, "\n"); n != lanesRows+1 {
		t.Fatalf("%d lines", n)
	}
	for _, processors := range []int{2, 8} {
		runtime.GOMAXPROCS(processors)
		if together := export(t, v, asCSV); together != alone {
			t.Errorf("with %d processors the export is another", processors)
		}
	}

	// In a state that others have left behind one reads alone, and an end of the ctx
	// ends all of them.
	runtime.GOMAXPROCS(8)
	var late bytes.Buffer
	rows, err := exchange.Export(ctx, v, nil, &writes{Sink: asCSV(&late), before: func() {
		vaulttest.Must(t, vaulttest.Lookup(t, v, "e", dtype.Bool).Append(ctx, true))
	}}, nil)
	if err != nil || rows != lanesRows || late.String() != alone {
		t.Errorf("beside a writer: %d rows: %v", rows, err)
	}
	vaulttest.Must(t, vaulttest.Lookup(t, v, "e", dtype.Bool).Truncate(ctx, lanesRows))
	ended, end := context.WithCancel(ctx)
	_, err = exchange.Export(ended, v, nil, &writes{Sink: asCSV(&late), before: end}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an export whose ctx has ended: %v", err)
	}
}

// writes calls a function before it begins.
type writes struct {
	exchange.Sink
	before func()
}

func (w *writes) Begin(ctx context.Context, fields []exchange.Field) error {
	w.before()
	return w.Sink.Begin(ctx, fields)
}

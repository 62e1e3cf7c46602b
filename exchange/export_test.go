package exchange_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/exchange"
)

// meter is a sink that measures batches.
type meter struct {
	batches, rows, largest int
	live                   uint64 // the most bytes in use while a batch was written
}

func (m *meter) Begin(context.Context, []exchange.Field) error { return nil }

func (m *meter) Write(_ context.Context, b *exchange.Batch) error {
	size := 0
	for _, c := range b.Columns {
		for _, s := range c.(*exchange.Vector[string]).Values {
			size += len(s)
		}
	}
	m.batches++
	m.rows += b.Rows
	m.largest = max(m.largest, size)
	m.live = max(m.live, inUse())
	return nil
}

func (m *meter) End(context.Context) error { return nil }

// inUse is the memory that is in use, in bytes.
func inUse() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// TestExportMemory: however many columns of text are exported, and however
// suddenly the text grows, an export holds a bounded part of them.
func TestExportMemory(t *testing.T) {
	ctx := context.Background()
	const columns, short, long = 200, 1500, 16
	v := open(t)
	list := make([]string, short+long)
	for i := range list {
		list[i] = "short"
		if i >= short {
			list[i] = strings.Repeat("x", 32<<10) // 100 MiB in all columns
		}
	}
	err := v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		for i := range columns {
			col, err := columnvault.Create(ctx, tx, fmt.Sprintf("c%03d", i), dtype.String, nil)
			if err == nil {
				err = col.Append(ctx, list...)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var m meter
	before := inUse()
	if rows, err := exchange.Export(ctx, v, nil, &m, nil); err != nil || rows != len(list) || m.rows != rows {
		t.Fatalf("%d and %d rows, %v", rows, m.rows, err)
	}
	if m.largest > 32<<20 || m.live > before+48<<20 {
		t.Errorf("a batch has %d MiB, and %d MiB are held", m.largest>>20, (m.live-before)>>20)
	}
	if m.batches > 20 {
		t.Errorf("%d batches", m.batches)
	}
}

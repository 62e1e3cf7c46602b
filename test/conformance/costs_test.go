package conformance_test

import (
	"context"
	"fmt"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/store/storetest"
	"columnvault/internal/vaulttest"
)

// TestPagesOfSmallWrites bounds the pages that the smallest commits write, which
// is most of what they cost.
func TestPagesOfSmallWrites(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	numbers := vaulttest.Create(t, v, "numbers", dtype.Int64)
	texts := vaulttest.Create(t, v, "texts", dtype.String)
	vaulttest.Must(t, numbers.Append(ctx, make([]int64, 100_000)...))
	many := vaulttest.Sequence(10_000, func(i int) string { return fmt.Sprintf("%0100d", i) })
	vaulttest.Must(t, texts.Append(ctx, many...))
	next := 0
	for _, test := range []struct {
		name string
		most float64
		do   func() error
	}{
		// The bytes and the length. A page more whenever one is full.
		{"Append", 2.05, func() error { return numbers.Append(ctx, int64(next)) }},
		{"Set", 1, func() error { return numbers.Set(ctx, 997*next, int64(next)) }},
		// The bytes, the index entry and two lengths, which share a page.
		{"Append of text", 3.1, func() error { return texts.Append(ctx, "text") }},
		{"Set of text", 1, func() error { return texts.Set(ctx, 97*next, fmt.Sprintf("%0100d", 1_000_000+next)) }},
		// A chunk of its own is some pages of trees besides.
		{"Set of text, longer", 6.5, func() error { return texts.Set(ctx, 97*next+50, fmt.Sprintf("%0130d", next)) }},
	} {
		const times = 100
		before := v.Stats()
		for next = 1; next <= times; next++ {
			vaulttest.Must(t, test.do())
		}
		st := v.Stats()
		if pages := float64(st.LogPages-before.LogPages) / times; pages > test.most {
			t.Errorf("%s writes %.2f pages, want at most %.2f", test.name, pages, test.most)
		}
		if st.Checkpoints != before.Checkpoints {
			t.Errorf("%s: %d checkpoints in a log of %d bytes", test.name, st.Checkpoints-before.Checkpoints, st.LogSize)
		}
	}
}

// TestBytesOfSmallReads bounds what single reads fetch, and what changes of many
// elements at once ask for.
func TestBytesOfSmallReads(t *testing.T) {
	ctx := t.Context()
	counter := storetest.NewCounter(storetest.NewMemory())
	v, err := vaulttest.OpenOver(func(context.Context, string, sqlite.Options) (store.Store, error) { return counter, nil }, "memory", nil)
	vaulttest.Must(t, err)
	numbers := vaulttest.Create(t, v, "numbers", dtype.Int64)
	texts := vaulttest.Create(t, v, "texts", dtype.String)
	vaulttest.Must(t, numbers.Append(ctx, make([]int64, 10_000)...))
	vaulttest.Must(t, texts.Append(ctx, vaulttest.Sequence(10_000, func(i int) string { return fmt.Sprintf("%0100d", i) })...))
	positions := vaulttest.Sequence(5000, func(i int) int { return 2 * i })
	for _, test := range []struct {
		name  string
		bytes int64
		calls int
		do    func() error
	}{
		{"At", 8, 3, func() error { return vaulttest.ErrOf(numbers.At(ctx, 5000)) }},
		{"Slice", 800, 3, func() error { return vaulttest.ErrOf(numbers.Slice(ctx, 5000, 5100)) }},
		{"At of text", 112, 4, func() error { return vaulttest.ErrOf(texts.At(ctx, 5000)) }},
		{"Slice of text", 11_200, 4, func() error { return vaulttest.ErrOf(texts.Slice(ctx, 5000, 5100)) }},
		{"SetEach", 8 * 10_000, 4, func() error { return numbers.SetEach(ctx, positions, make([]int64, 5000)) }},
	} {
		count, err := counter.During(test.do)
		vaulttest.Must(t, err)
		if count.BytesRead > test.bytes || count.Total() > test.calls {
			t.Errorf("%s: %v, want at most %d bytes read and %d calls", test.name, count, test.bytes, test.calls)
		}
	}
	vaulttest.Must(t, v.Close())
}

// TestAllocationsOfRecords bounds what reading records allocates: for a call, and
// nothing for each.
func TestAllocationsOfRecords(t *testing.T) {
	if testing.Short() {
		t.Skip("counts allocations, and the race detector empties pools at random")
	}
	type record struct {
		ID   int64
		Name string
		Good bool
	}
	ctx := t.Context()
	v := vaulttest.Open(t)
	records := vaulttest.Create(t, v, "records", dtype.MsgPack[record]())
	vaulttest.Must(t, records.Append(ctx, vaulttest.Sequence(1000, func(i int) record { return record{int64(i), fmt.Sprint("name ", i), true} })...))
	into := make([]record, 500)
	if n := testing.AllocsPerRun(20, func() { vaulttest.Must(t, vaulttest.ErrOf(records.Read(ctx, into, 100))) }); n > 12 {
		t.Errorf("Read of 500 records makes %v allocations", n)
	}
	numbers := vaulttest.Create(t, v, "numbers", dtype.Int64)
	vaulttest.Must(t, numbers.EnableCache(ctx, &columnvault.CacheOptions{CapBytes: 1 << 30}))
	if n := testing.AllocsPerRun(1000, func() { vaulttest.Must(t, numbers.Append(ctx, 1)) }); n > 1 {
		t.Errorf("an append to a cache makes %v allocations", n)
	}
}

// TestMemoryOfText bounds the memory that reading text takes: its bytes and where
// each ends, once, over however many runs they are.
func TestMemoryOfText(t *testing.T) {
	if testing.Short() {
		t.Skip("counts memory, and the race detector empties pools at random")
	}
	ctx := t.Context()
	v := vaulttest.Open(t)
	texts, err := columnvault.Create(ctx, v, "texts", dtype.String, &columnvault.ColumnOptions{Layout: columnvault.Native, MaxChunk: 8 << 10})
	vaulttest.Must(t, err)
	const n, size = 40_000, 16
	vaulttest.Must(t, texts.Append(ctx, vaulttest.Sequence(n, func(i int) string { return fmt.Sprintf("%0*d", size, i) })...))
	into := make([]string, n)
	taken := memoryOf(func() { vaulttest.Must(t, vaulttest.ErrOf(texts.Read(ctx, into, 0))) })
	if most := uint64(n * (size + 8) * 3 / 2); taken > most {
		t.Errorf("reading %d bytes of text takes %d bytes of memory, want at most %d", n*size, taken, most)
	}
}

// TestDirectoryIsKept counts how often changes read the runs of a native column:
// once, for who has not made them.
func TestDirectoryIsKept(t *testing.T) {
	ctx := t.Context()
	counter := storetest.NewCounter(storetest.NewMemory())
	over := func(context.Context, string, sqlite.Options) (store.Store, error) { return counter, nil }
	v, err := vaulttest.OpenOver(over, "memory", nil)
	vaulttest.Must(t, err)
	numbers, err := columnvault.Create(ctx, v, "numbers", dtype.Int64, &columnvault.ColumnOptions{Layout: columnvault.Native, MaxChunk: 1 << 10})
	vaulttest.Must(t, err)
	vaulttest.Must(t, numbers.Append(ctx, make([]int64, 10_000)...))
	other, err := vaulttest.OpenOver(over, "memory", nil)
	vaulttest.Must(t, err)
	if numbers, err = columnvault.Lookup(ctx, other, "numbers", dtype.Int64); err != nil {
		t.Fatal(err)
	}
	for k, want := range []int{1, 0, 0} {
		count, err := counter.During(func() error { return numbers.Set(ctx, 1000*k, 0) })
		vaulttest.Must(t, err)
		if count.Calls["Chunks"] != want {
			t.Errorf("change %d: %v, want %d calls of Chunks", k, count, want)
		}
	}
	vaulttest.Must(t, v.Close())
}

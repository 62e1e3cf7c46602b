package conformance_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestMigrateGolden brings every column of every file of both KohakuVaults to the
// other layout, and back.
func TestMigrateGolden(t *testing.T) {
	for from, folder := range []string{"v0", "v1"} {
		for name, file := range vaulttest.ReadGolden(t, folder) {
			t.Run(folder+"/"+name, func(t *testing.T) {
				ctx := t.Context()
				v := vaulttest.OpenAt(t, vaulttest.CopyGolden(t, folder, name), nil)
				for _, to := range []int{1 - from, from} {
					var done, total int64
					names, err := v.Migrate(ctx, columnvault.MigrateOptions{To: to, Transcode: true, Progress: func(d, n int64) { done, total = d, n }})
					vaulttest.Must(t, err)
					if len(names) != len(file.Columns) || done != total {
						t.Errorf("to layout %d: %d columns of %d, %d bytes of %d", to, len(names), len(file.Columns), done, total)
					}
					infos, err := v.Columns(ctx)
					vaulttest.Must(t, err)
					for _, info := range infos {
						spec, err := dtype.ParseSpec(info.DType)
						vaulttest.Must(t, err)
						if info.Layout != to || info.DType != spec.String() || info.Stored != "" || info.Hidden {
							t.Errorf("listed after migration to layout %d: %+v", to, info)
						}
						wantElements(t, info.Name, readDynamic(t, v, info.Name), file.Columns[info.Name])
					}
					for _, f := range vaulttest.Found(t, v, columnvault.CheckOptions{Full: true}) {
						if f.Severity > columnvault.SeverityNote && f.Column != "" {
							t.Errorf("found %+v", f)
						}
					}
				}
				names, err := v.Migrate(ctx, columnvault.MigrateOptions{To: from})
				if len(names) > 0 || err != nil {
					t.Errorf("again: %q, %v", names, err)
				}
			})
		}
	}
}

// TestMigrateCarriesMeanings: what elements mean, empty columns, large elements
// and several windows arrive, and digests stay.
func TestMigrateCarriesMeanings(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	vaulttest.Create(t, v, "at", dtype.Timestamp(dtype.Microsecond, ""), time.UnixMicro(5).UTC(), time.UnixMicro(-7).UTC())
	vaulttest.Create(t, v, "empty", dtype.String)
	vaulttest.Create(t, v, "none", dtype.Vector[float32](3))
	large := []string{strings.Repeat("x", 3<<20), "", strings.Repeat("é", 100), "end"}
	vaulttest.Create(t, v, "large", dtype.String, large...)
	numbers := make([]int64, 300_000)
	for i := range numbers {
		numbers[i] = int64(i * i)
	}
	vaulttest.Create(t, v, "numbers", dtype.Int64, numbers...)
	vaulttest.Create(t, v, "rows.a", dtype.Int32, 1, 2)
	vaulttest.Create(t, v, "rows.b", dtype.Bool, true, false)
	before := digests(t, v)
	infos, err := v.Columns(ctx)
	vaulttest.Must(t, err)
	for _, to := range []int{1, 0} {
		_, err := v.Migrate(ctx, columnvault.MigrateOptions{To: to})
		vaulttest.Must(t, err)
		vaulttest.WantValues(t, "digests", []map[string]string{digests(t, v)}, []map[string]string{before})
		now, err := v.Columns(ctx)
		vaulttest.Must(t, err)
		for i := range now {
			now[i].Layout = 0
		}
		byName := func(a, b columnvault.ColumnInfo) int { return cmp.Compare(a.Name, b.Name) }
		slices.SortFunc(now, byName)
		slices.SortFunc(infos, byName)
		vaulttest.WantValues(t, "columns", now, infos)
	}
	vaulttest.WantSound(t, v)
}

// TestMigrateNative moves columns of every kind from each layout to each, native
// ones among them: each keeps its name and its elements.
func TestMigrateNative(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	vaulttest.Create(t, v, "n", dtype.Int64, vaulttest.Span(0, 5000)...)
	vaulttest.Create(t, v, "at", dtype.Timestamp(dtype.Microsecond, ""), time.UnixMicro(5).UTC(), time.UnixMicro(-7).UTC())
	vaulttest.Create(t, v, "s", dtype.Nullable(dtype.String), sql.Null[string]{V: "one", Valid: true}, sql.Null[string]{}, sql.Null[string]{V: strings.Repeat("x", 9000), Valid: true})
	vaulttest.Create(t, v, "b", dtype.Bytes, []byte{}, []byte{0, 255})
	vaulttest.Create(t, v, "tree", dtype.MsgPack[any](), any([]any{int64(1), "x"}), nil)
	vaulttest.Create(t, v, "rows.v", dtype.Vector[float32](3), []float32{1, 2, 3})
	vaulttest.Create(t, v, "rows.s", dtype.String, "a")
	vaulttest.Create(t, v, "none", dtype.String)
	before := digests(t, v)
	for i, to := range []int{columnvault.Native, 0, 1, columnvault.Native, 1, 0} {
		o := columnvault.MigrateOptions{To: to}
		if to == columnvault.Native && i > 0 {
			o.Compression = columnvault.Zstd
		}
		names, err := v.Migrate(ctx, o)
		vaulttest.Must(t, err)
		if len(names) != len(before) {
			t.Errorf("to layout %d go %q", to, names)
		}
		vaulttest.WantValues(t, "digests", []map[string]string{digests(t, v)}, []map[string]string{before})
		vaulttest.WantSound(t, v)
	}
}

// TestMigrateBesideReaders moves a column from layout to layout while goroutines
// read it, in Views and outside, through a handle that is older than all moves.
func TestMigrateBesideReaders(t *testing.T) {
	ctx := vaulttest.Soon(t)
	v := vaulttest.Open(t)
	want := vaulttest.Texts(400)
	old := vaulttest.CreateWith(t, v, "s", dtype.String, vaulttest.Chunks(512, 4096), want...)
	done := make(chan struct{})
	read := func() error {
		for {
			select {
			case <-done:
				return nil
			default:
			}
			err := v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				for _, c := range []*columnvault.Column[string]{vaulttest.Lookup(t, tx, "s", dtype.String), old.In(tx)} {
					got, err := c.Slice(ctx, columnvault.Begin, columnvault.End)
					if err != nil || !slices.Equal(got, want) {
						return fmt.Errorf("in a View, %d texts: %w", len(got), err)
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			i := 0
			for got, err := range old.Values(ctx) {
				if err != nil || got != want[i] {
					return fmt.Errorf("text %d is %q: %w", i, got, err)
				}
				i++
			}
			if got, err := old.At(ctx, -1); err != nil || i != len(want) || got != want[i-1] {
				return fmt.Errorf("%d texts, the last is %q: %w", i, got, err)
			}
		}
	}
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			if err := read(); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range 24 {
		_, err := v.Migrate(ctx, columnvault.MigrateOptions{To: []int{1, columnvault.Native, 0}[i%3]})
		vaulttest.Must(t, err)
	}
	close(done)
	readers.Wait()
}

// TestMigrateRefuses: what does not fit is refused before anything is written,
// and one name in both layouts needs a decision.
func TestMigrateRefuses(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.OpenAt(t, vaulttest.CopyGolden(t, "v1", "tensors.db"), nil)
	before := digests(t, v)
	refused := func(what string, want error, o columnvault.MigrateOptions) {
		t.Helper()
		names, err := v.Migrate(ctx, o)
		vaulttest.WantErr(t, what, err, want)
		if len(names) > 0 {
			t.Errorf("%s: migrated %q", what, names)
		}
		vaulttest.WantValues(t, what, []map[string]string{digests(t, v)}, []map[string]string{before})
	}
	refused("elements of layout 1 alone", columnvault.ErrTranscode, columnvault.MigrateOptions{})
	refused("a column that is not there", columnvault.ErrNotFound, columnvault.MigrateOptions{Columns: []string{"v i8", "none"}})
	refused("a column that is there already", nil, columnvault.MigrateOptions{Columns: []string{"v i8"}, To: 1})
	refused("an unknown layout", columnvault.ErrInvalidArgument, columnvault.MigrateOptions{To: 2})

	// Kept, the name is that of two columns.
	names, err := v.Migrate(ctx, columnvault.MigrateOptions{Columns: []string{"v i16", "v i8", "v i16"}, Keep: true})
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "migrated", names, []string{"v i16", "v i8"})
	before = digests(t, v)
	infos, err := v.Columns(ctx)
	vaulttest.Must(t, err)
	var listed []string
	for _, info := range infos {
		if strings.HasPrefix(info.Name, "v i8") || strings.HasPrefix(info.Name, "v i16") {
			listed = append(listed, info.Name+map[bool]string{true: " hidden"}[info.Hidden])
		}
	}
	slices.Sort(listed)
	vaulttest.WantValues(t, "listed", listed, []string{"v i16", "v i16 hidden", "v i8", "v i8 hidden"})
	col := vaulttest.Lookup(t, v, "v i8", dtype.Vector[int8](3))
	vaulttest.Must(t, col.Append(ctx, []int8{7, 8, 9})) // to the one in layout 0
	before = digests(t, v)
	refused("a name that is taken", columnvault.ErrExists, columnvault.MigrateOptions{Columns: []string{"m", "v i8"}})
	refused("a name that is taken in layout 1", columnvault.ErrExists, columnvault.MigrateOptions{Columns: []string{"v i8"}, To: 1})
	_, err = v.Migrate(ctx, columnvault.MigrateOptions{Columns: []string{"v i8"}, To: 1, Replace: true})
	vaulttest.Must(t, err)
	vaulttest.WantErr(t, "an append", col.Append(ctx, []int8{1, 2, 3}), columnvault.ErrLayout)
	if n, err := col.Len(ctx); n != 4 || err != nil {
		t.Errorf("%d elements, %v, want the 4 that took the place of 3", n, err)
	}
	_, err = v.Migrate(ctx, columnvault.MigrateOptions{Columns: []string{"v i16"}, Replace: true})
	vaulttest.Must(t, err)
	vaulttest.WantSound(t, v)
	infos, err = v.Columns(ctx)
	vaulttest.Must(t, err)
	if len(infos) != 14 {
		t.Errorf("%d columns, want those 14 that there were", len(infos))
	}
}

// TestMigrateEndsCaches: what a cache holds is migrated too, and what is appended
// later goes where the name leads.
func TestMigrateEndsCaches(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	col := vaulttest.Create(t, v, "a", dtype.Int64, 1)
	vaulttest.Must(t, col.EnableCache(ctx, nil))
	vaulttest.Must(t, col.Append(ctx, 2))
	_, err := v.Migrate(ctx, columnvault.MigrateOptions{To: 1})
	vaulttest.Must(t, err)
	vaulttest.WantColumn(t, col, 1, 2)
	vaulttest.WantErr(t, "Append", col.Append(ctx, 3), columnvault.ErrReadOnly)
	_, err = v.Migrate(ctx, columnvault.MigrateOptions{To: 0})
	vaulttest.Must(t, err)
	vaulttest.Must(t, col.Append(ctx, 4))
	vaulttest.WantColumn(t, col, 1, 2, 4)
	_, err = v.Flush(ctx)
	vaulttest.Must(t, err)
	vaulttest.WantColumn(t, col, 1, 2, 4)
}

// TestMigrateATableAtOnce: columns with a prefix in common are migrated together
// or not at all.
func TestMigrateATableAtOnce(t *testing.T) {
	v := vaulttest.Open(t)
	for _, name := range []string{"rows.a", "single", "rows.b", "rows.c"} {
		vaulttest.Create(t, v, name, dtype.Int64, 1, 2, 3)
	}
	ctx, cancel := context.WithCancel(t.Context())
	steps := 0
	_, err := v.Migrate(ctx, columnvault.MigrateOptions{To: 1, Progress: func(done, total int64) {
		if steps++; steps == 5 { // of two a column
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Migrate: %v", err)
	}
	infos, err := v.Columns(t.Context())
	vaulttest.Must(t, err)
	for _, info := range infos {
		if info.Layout != 0 {
			t.Errorf("migrated by half: %+v", info)
		}
	}
}

// TestMigrateText brings columns whose elements vary in size, which are two rows in
// layout 0, to the native layout and back.
func TestMigrateText(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	c := vaulttest.CreateWith(t, v, "words", dtype.String, nil, "a", "", "more")
	for _, o := range []columnvault.MigrateOptions{
		{To: columnvault.Native, Compression: columnvault.Zstd}, {To: 1}, {To: columnvault.Native}, {To: 0},
	} {
		names, err := v.Migrate(ctx, o)
		if len(names) != 1 || err != nil {
			t.Fatalf("to layout %d: %v, %v", o.To, names, err)
		}
		vaulttest.WantColumn(t, c, "a", "", "more")
		if found := vaulttest.Found(t, v, columnvault.CheckOptions{Full: true}); len(found) > 0 {
			t.Errorf("in layout %d Check finds %+v", o.To, found)
		}
	}
}

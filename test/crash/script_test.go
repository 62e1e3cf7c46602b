package crash

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/csv"
	"columnvault/internal/vaulttest"
	"columnvault/query"
	"columnvault/scan"
)

// operation is one thing that can be done with a vault: a transaction, or
// nothing that changes what the vault holds. It works on what stage has made,
// and can be done again and again. Path is that of the vault, for what writes
// files beside it.
type operation struct {
	name string
	do   func(ctx context.Context, v *columnvault.Vault, path string) error
	// pageSize is that of the file on which every call fails, 512 if it is 0. The
	// larger the pages, the fewer the calls.
	pageSize int
}

// on makes an operation of a function that needs no path.
func on(name string, do func(ctx context.Context, v *columnvault.Vault) error) operation {
	return operation{name: name, do: func(ctx context.Context, v *columnvault.Vault, _ string) error { return do(ctx, v) }}
}

// onNums makes an operation on the column of numbers.
func onNums(name string, do func(ctx context.Context, c *columnvault.Column[int64]) error) operation {
	return on(name, func(ctx context.Context, v *columnvault.Vault) error {
		return in(ctx, v, do, dtype.Int64, "nums")
	})
}

// onTexts makes an operation on the column of texts, which has two names in
// turn.
func onTexts(name string, do func(ctx context.Context, c *columnvault.Column[string]) error) operation {
	return on(name, func(ctx context.Context, v *columnvault.Vault) error {
		return in(ctx, v, do, dtype.String, "texts", "words")
	})
}

// row is a row of the table that operations work on.
type row struct {
	N int64
	S string
}

// onRows makes an operation on the table of rows, whose numbers may be times.
func onRows(name string, do func(ctx context.Context, t *columnvault.Table[row]) error) operation {
	return on(name, func(ctx context.Context, v *columnvault.Vault) error {
		t, err := columnvault.EnsureTable[row](ctx, v, "rows", nil)
		if err != nil {
			return err
		}
		return do(ctx, t)
	})
}

// makeRows makes that table.
func makeRows(ctx context.Context, tx *columnvault.Tx) error {
	t, err := columnvault.EnsureTable[row](ctx, tx, "rows", &columnvault.TableOptions{Columns: *smallChunks})
	if err != nil {
		return err
	}
	return t.Append(ctx, vaulttest.Sequence(200, func(i int) row { return row{int64(i), strings.Repeat("r", i%50)} })...)
}

// moments is the type of a column of times of which some are missing, and moment
// one of them.
var moments = dtype.Nullable(dtype.Timestamp(dtype.Millisecond, "Europe/Berlin"))

func moment(i int) sql.Null[time.Time] {
	if i%3 == 0 {
		return sql.Null[time.Time]{}
	}
	return sql.Null[time.Time]{V: time.UnixMilli(int64(i) * 1e6), Valid: true}
}

// in calls do with the first of the names that is a column.
func in[T any](ctx context.Context, scope columnvault.Scope, do func(ctx context.Context, c *columnvault.Column[T]) error, typ dtype.Type[T], names ...string) error {
	c, err := columnvault.Lookup(ctx, scope, names[0], typ)
	if errors.Is(err, columnvault.ErrNotFound) && len(names) > 1 {
		return in(ctx, scope, do, typ, names[1:]...)
	}
	if err != nil {
		return err
	}
	if tx, ok := scope.(*columnvault.Tx); ok {
		c = c.In(tx)
	}
	return do(ctx, c)
}

const (
	// cutsLog is the operation after which nothing is in the log alone.
	cutsLog = "checkpoint that cuts the log"
	backUp  = "back up"
	compact = "compact"
)

// operations are what is tried.
var operations = []operation{
	onNums("append", func(ctx context.Context, c *columnvault.Column[int64]) error {
		return c.Append(ctx, vaulttest.Span(0, 1500)...)
	}),
	onNums("append one", func(ctx context.Context, c *columnvault.Column[int64]) error { return c.Append(ctx, 42) }),
	onNums("append a sequence", func(ctx context.Context, c *columnvault.Column[int64]) error {
		return c.AppendSeq(ctx, slices.Values(vaulttest.Span(7, 300)))
	}),
	onNums("set", func(ctx context.Context, c *columnvault.Column[int64]) error {
		n, err := c.Len(ctx)
		if err != nil {
			return err
		}
		return c.Set(ctx, 100, int64(-n))
	}),
	onNums("set a slice", func(ctx context.Context, c *columnvault.Column[int64]) error {
		n, err := c.Len(ctx)
		if err != nil {
			return err
		}
		return c.SetSlice(ctx, 40, 640, vaulttest.Span(n, n+600))
	}),
	onNums("insert", func(ctx context.Context, c *columnvault.Column[int64]) error {
		return c.Insert(ctx, 3, vaulttest.Span(0, 700)...)
	}),
	onNums("delete", func(ctx context.Context, c *columnvault.Column[int64]) error { return c.Delete(ctx, 3, 1200) }),
	onNums("pop", func(ctx context.Context, c *columnvault.Column[int64]) error {
		_, err := c.Pop(ctx, 0)
		return err
	}),
	onNums("reverse", func(ctx context.Context, c *columnvault.Column[int64]) error { return c.Reverse(ctx) }),
	onNums("truncate", func(ctx context.Context, c *columnvault.Column[int64]) error {
		n, err := c.Len(ctx)
		if err != nil {
			return err
		}
		return c.Truncate(ctx, n/2)
	}),
	onTexts("append texts", func(ctx context.Context, c *columnvault.Column[string]) error {
		return c.Append(ctx, slices.Repeat([]string{"new"}, 900)...)
	}),
	onTexts("grow a text", func(ctx context.Context, c *columnvault.Column[string]) error {
		n, err := c.Len(ctx)
		if err != nil {
			return err
		}
		return c.Set(ctx, 100, strings.Repeat(fmt.Sprint(n), 700))
	}),
	onTexts("overwrite texts", func(ctx context.Context, c *columnvault.Column[string]) error {
		n, err := c.Len(ctx)
		if err != nil {
			return err
		}
		return c.SetSlice(ctx, 50, 250, slices.Repeat([]string{fmt.Sprintf("%040d", n)}, 200))
	}),
	onTexts("insert texts", func(ctx context.Context, c *columnvault.Column[string]) error {
		return c.Insert(ctx, 250, slices.Repeat([]string{"put in between"}, 400)...)
	}),
	onTexts("delete texts", func(ctx context.Context, c *columnvault.Column[string]) error { return c.Delete(ctx, 20, 220) }),
	onTexts("reverse texts", func(ctx context.Context, c *columnvault.Column[string]) error { return c.Reverse(ctx) }),
	on("append vectors", func(ctx context.Context, v *columnvault.Vault) error {
		return in(ctx, v, func(ctx context.Context, c *columnvault.Column[[]float32]) error {
			return columnvault.AppendFlat(ctx, c, make([]float32, 3*200))
		}, vectors, "vectors")
	}),
	on("append documents", func(ctx context.Context, v *columnvault.Vault) error {
		return in(ctx, v, func(ctx context.Context, c *columnvault.Column[any]) error {
			return c.Append(ctx, map[string]any{"a": int64(1), "b": []any{"x", 2.5, nil}}, "text", int64(7))
		}, dtype.MsgPack[any](), "documents")
	}),
	on("append times of which some are missing", func(ctx context.Context, v *columnvault.Vault) error {
		return in(ctx, v, func(ctx context.Context, c *columnvault.Column[sql.Null[time.Time]]) error {
			n, err := c.Len(ctx)
			if err != nil {
				return err
			}
			return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				return errors.Join(c.In(tx).Append(ctx, vaulttest.Sequence(300, moment)...), c.In(tx).Set(ctx, n/2, sql.Null[time.Time]{}))
			})
		}, moments, "moments")
	}),
	on("grow texts of which some are missing", func(ctx context.Context, v *columnvault.Vault) error {
		return in(ctx, v, func(ctx context.Context, c *columnvault.Column[sql.Null[string]]) error {
			n, err := c.Len(ctx)
			if err != nil {
				return err
			}
			return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				return errors.Join(c.In(tx).Append(ctx, sql.Null[string]{}, sql.Null[string]{V: "last", Valid: true}),
					c.In(tx).SetSlice(ctx, 0, 2, []sql.Null[string]{{V: strings.Repeat("g", 100+n), Valid: true}, {}}))
			})
		}, dtype.Nullable(dtype.String), "remarks")
	}),
	onRows("append rows", func(ctx context.Context, t *columnvault.Table[row]) error {
		return t.Append(ctx, slices.Repeat([]row{{7, "seven"}}, 300)...)
	}),
	onRows("insert rows", func(ctx context.Context, t *columnvault.Table[row]) error {
		return t.Insert(ctx, 20, slices.Repeat([]row{{8, "in between"}}, 200)...)
	}),
	onRows("delete rows", func(ctx context.Context, t *columnvault.Table[row]) error { return t.Delete(ctx, 5, 150) }),
	onRows("set rows", func(ctx context.Context, t *columnvault.Table[row]) error {
		n, err := t.Len(ctx)
		if err != nil {
			return err
		}
		return t.SetSlice(ctx, 2, 12, slices.Repeat([]row{{int64(n), strings.Repeat("s", n%90)}}, 10))
	}),
	on("add a field, or drop it", func(ctx context.Context, v *columnvault.Vault) error {
		err := v.Drop(ctx, "rows.More")
		if errors.Is(err, columnvault.ErrNotFound) {
			type rowMore struct {
				row
				More sql.Null[string]
			}
			_, err = columnvault.EnsureTable[rowMore](ctx, v, "rows", &columnvault.TableOptions{Columns: *smallChunks})
		}
		return err
	}),
	// The columns have equal lengths in turn.
	on("append to one column, or cut all", func(ctx context.Context, v *columnvault.Vault) error {
		return in(ctx, v, func(ctx context.Context, c *columnvault.Column[int64]) error {
			n, err := c.Len(ctx)
			if err != nil {
				return err
			}
			if n == 0 {
				return c.Append(ctx, vaulttest.Span(0, 700)...)
			}
			plan, err := v.PlanRepair(ctx, columnvault.RepairOptions{Cut: []string{"uneven"}, NoBackup: true})
			if err != nil {
				return err
			}
			return v.Repair(ctx, plan)
		}, dtype.Int64, "uneven.long")
	}),
	on("retype", func(ctx context.Context, v *columnvault.Vault) error {
		c, err := v.Column(ctx, "rows.N")
		if err != nil {
			return err
		}
		unit := dtype.Second
		if c.Meaning().Time == unit {
			unit = 0
		}
		_, err = v.Retype(ctx, "rows.N", dtype.Meaning{Time: unit}, nil)
		return err
	}),
	on("create", func(ctx context.Context, v *columnvault.Vault) error {
		infos, err := v.Columns(ctx)
		if err != nil {
			return err
		}
		more := 0
		for _, info := range infos {
			if strings.HasPrefix(info.Name, "more ") {
				more++
			}
		}
		_, err = columnvault.Create(ctx, v, fmt.Sprint("more ", more), dtype.CBOR[any](), nil)
		return err
	}),
	on("rename", func(ctx context.Context, v *columnvault.Vault) error {
		err := v.Rename(ctx, "texts", "words")
		if errors.Is(err, columnvault.ErrNotFound) {
			err = v.Rename(ctx, "words", "texts")
		}
		return err
	}),
	on("drop, or make again", func(ctx context.Context, v *columnvault.Vault) error {
		err := v.Drop(ctx, "spare")
		if errors.Is(err, columnvault.ErrNotFound) {
			err = v.Update(ctx, makeSpare)
		}
		return err
	}),
	on("put a pair", func(ctx context.Context, v *columnvault.Vault) error {
		n, err := v.KV().Len(ctx)
		if err != nil {
			return err
		}
		return v.KV().Put(ctx, vaulttest.Key(n), vaulttest.Bytes(n, 900))
	}),
	on("put a value", func(ctx context.Context, v *columnvault.Vault) error {
		n, err := v.KV().Len(ctx)
		if err != nil {
			return err
		}
		return v.KV().PutValue(ctx, vaulttest.Key(n), map[string]any{"n": int64(n)})
	}),
	on("put many pairs", func(ctx context.Context, v *columnvault.Vault) error {
		n, err := v.KV().Len(ctx)
		if err != nil {
			return err
		}
		return v.KV().PutMany(ctx, vaulttest.Sequence(40, func(i int) columnvault.Pair {
			return columnvault.Pair{Key: vaulttest.Key(n + i/2), Value: vaulttest.Bytes(i, 10*i)}
		})...)
	}),
	on("stream a value", func(ctx context.Context, v *columnvault.Vault) error {
		n, err := v.KVTable("files").Len(ctx)
		if err != nil {
			return err
		}
		value := vaulttest.Bytes(n, 30_000)
		return v.KVTable("files").PutFrom(ctx, vaulttest.Key(n%5), int64(len(value)), bytes.NewReader(value))
	}),
	on("delete a pair", func(ctx context.Context, v *columnvault.Vault) error {
		for key, err := range v.KV().Keys(ctx, nil) {
			if err != nil {
				return err
			}
			_, err = v.KV().Delete(ctx, key)
			return err
		}
		return v.KV().Put(ctx, vaulttest.Key(1), nil)
	}),
	on("put pairs in a new table, or clear it", func(ctx context.Context, v *columnvault.Vault) error {
		table := v.KVTable("fresh")
		n, err := table.Len(ctx)
		if err != nil {
			return err
		}
		if n > 0 {
			return table.Clear(ctx)
		}
		return table.PutMany(ctx, vaulttest.PairsOf("a", "1", "b", strings.Repeat("2", 2000))...)
	}),
	on("batch", func(ctx context.Context, v *columnvault.Vault) error {
		return inBoth(ctx, v, func(ctx context.Context, nums *columnvault.Column[int64], texts *columnvault.Column[string]) error {
			return v.Batch(ctx, func(b *columnvault.Batch) error {
				return errors.Join(nums.AppendTo(b, vaulttest.Span(0, 90)...), texts.AppendTo(b, vaulttest.Texts(90)...),
					v.KV().PutTo(b, []byte("batch"), vaulttest.Bytes(1, 600)))
			})
		})
	}),
	on("update of all", func(ctx context.Context, v *columnvault.Vault) error {
		return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			return inBoth(ctx, tx, func(ctx context.Context, nums *columnvault.Column[int64], texts *columnvault.Column[string]) error {
				n, err := nums.Len(ctx)
				return errors.Join(err, nums.Append(ctx, 1, 2, 3), texts.Delete(ctx, 0, 50), texts.Append(ctx, "last"),
					v.KV().In(tx).Put(ctx, []byte("length"), fmt.Append(nil, n)))
			})
		})
	}),
	// Whatever fails in a function that does not care must still undo all.
	on("update that ignores errors", func(ctx context.Context, v *columnvault.Vault) error {
		return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			inBoth(ctx, tx, func(ctx context.Context, nums *columnvault.Column[int64], texts *columnvault.Column[string]) error {
				texts.Insert(ctx, 1, strings.Repeat("z", 3000))
				nums.Insert(ctx, 0, vaulttest.Span(0, 900)...)
				return nil
			})
			return nil
		})
	}),
	on("flush", func(ctx context.Context, v *columnvault.Vault) error {
		return inBoth(ctx, v, func(ctx context.Context, nums *columnvault.Column[int64], texts *columnvault.Column[string]) error {
			defer v.DisableCache(ctx)
			defer v.DiscardPending() // what is held is seen otherwise, as it should be
			if err := v.EnableCache(ctx, nil); err != nil {
				return err
			}
			if err := errors.Join(nums.Append(ctx, vaulttest.Span(0, 900)...), texts.Append(ctx, vaulttest.Texts(30)...),
				v.KV().Put(ctx, []byte("cached"), vaulttest.Bytes(2, 3000))); err != nil {
				return err
			}
			_, err := v.Flush(ctx)
			return err
		})
	}),
	// A block of layout 1 is half a MiB, whatever is in it.
	{name: "migrate", pageSize: 32 << 10, do: func(ctx context.Context, v *columnvault.Vault, _ string) error {
		infos, err := v.Columns(ctx)
		at := slices.IndexFunc(infos, func(info columnvault.ColumnInfo) bool { return info.Name == "moved.n" })
		if err != nil {
			return err
		}
		if at < 0 {
			return fmt.Errorf("columns: %v", infos)
		}
		// Both are of one table, and so are moved in one transaction.
		_, err = v.Migrate(ctx, columnvault.MigrateOptions{Columns: []string{"moved.n", "moved.s"}, To: 1 - infos[at].Layout})
		return err
	}},
	// It makes the columns, and adds to them when they are there.
	on("import CSV", func(ctx context.Context, v *columnvault.Vault) error {
		_, err := v.Column(ctx, "csv.n")
		there := err == nil
		if err != nil && !errors.Is(err, columnvault.ErrNotFound) {
			return err
		}
		file := strings.NewReader("n,s,at\n" + strings.Repeat("1,one,2026-07-31T12:00\n2,,\n,\"a longer text, of which some are missing\",2026-08-01T12:00\n", 200))
		_, err = exchange.Import(ctx, v, csv.NewReader(file, nil), &exchange.ImportOptions{Prefix: "csv.", Append: there, Columns: *smallChunks})
		return err
	}),
	on("export CSV", func(ctx context.Context, v *columnvault.Vault) error {
		var file bytes.Buffer
		n, err := exchange.Export(ctx, v, []string{"moved.n"}, csv.NewWriter(&file, nil), nil)
		if lines := bytes.Count(file.Bytes(), []byte("\n")); err == nil && lines != n+1 {
			err = fmt.Errorf("%d lines for %d rows", lines, n)
		}
		return err
	}),
	on("checkpoint", func(ctx context.Context, v *columnvault.Vault) error {
		_, err := v.Checkpoint(ctx, columnvault.CheckpointPassive)
		return err
	}),
	on(cutsLog, func(ctx context.Context, v *columnvault.Vault) error {
		_, err := v.Checkpoint(ctx, columnvault.CheckpointTruncate)
		return err
	}),
	on(compact, func(ctx context.Context, v *columnvault.Vault) error {
		_, err := v.Compact(ctx, columnvault.CompactOptions{})
		return err
	}),
	{name: backUp, do: func(ctx context.Context, v *columnvault.Vault, path string) error {
		return v.Backup(ctx, path+".copy", columnvault.BackupOptions{Replace: true})
	}},
	on("read", func(ctx context.Context, v *columnvault.Vault) error {
		_, err := contents(ctx, v)
		return err
	}),
	onNums("scan", func(ctx context.Context, c *columnvault.Column[int64]) error {
		_, err := scan.Describe(ctx, scan.Of(c))
		return err
	}),
	on("ask in SQL", func(ctx context.Context, v *columnvault.Vault) error {
		db, err := query.Open(ctx, v, nil)
		if err != nil {
			return err
		}
		defer db.Close()
		var n, bytes int64
		return db.QueryRowContext(ctx, "SELECT count(*), coalesce(sum(length(S)), 0) FROM rows WHERE S != 'x'").Scan(&n, &bytes)
	}),
	on("check", func(ctx context.Context, v *columnvault.Vault) error {
		_, err := vaulttest.Findings(ctx, v, columnvault.CheckOptions{Full: true})
		return err
	}),
}

// inBoth calls do with the columns of numbers and of texts.
func inBoth(ctx context.Context, scope columnvault.Scope, do func(ctx context.Context, nums *columnvault.Column[int64], texts *columnvault.Column[string]) error) error {
	return in(ctx, scope, func(ctx context.Context, nums *columnvault.Column[int64]) error {
		return in(ctx, scope, func(ctx context.Context, texts *columnvault.Column[string]) error {
			return do(ctx, nums, texts)
		}, dtype.String, "texts", "words")
	}, dtype.Int64, "nums")
}

var (
	vectors = dtype.Vector[float32](3)
	// smallChunks make edits cross the borders of chunks.
	smallChunks = vaulttest.Chunks(512, 4080)
)

// stage makes what the operations work on: a fixed column, one of vectors, two
// of elements that vary in size, two of which some are missing, one that may go,
// and pairs.
func stage(ctx context.Context, v *columnvault.Vault) error {
	return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		texts := vaulttest.Sequence(500, func(i int) string { return strings.Repeat("x", i%60) })
		return errors.Join(
			create(ctx, tx, "nums", dtype.Int64, vaulttest.Span(0, 2000)...),
			create(ctx, tx, "texts", dtype.String, texts...),
			create(ctx, tx, "vectors", vectors, []float32{1, 2, 3}),
			create(ctx, tx, "documents", dtype.MsgPack[any](), any("first")),
			makeSpare(ctx, tx),
			makeRows(ctx, tx),
			create(ctx, tx, "moments", moments, vaulttest.Sequence(100, moment)...),
			create(ctx, tx, "remarks", dtype.Nullable(dtype.String), sql.Null[string]{}, sql.Null[string]{V: "a remark", Valid: true}),
			create(ctx, tx, "uneven.long", dtype.Int64, vaulttest.Span(0, 300)...),
			create[string](ctx, tx, "uneven.short", dtype.String),
			create(ctx, tx, "moved.n", dtype.Int64, vaulttest.Span(0, 700)...),
			create(ctx, tx, "moved.s", dtype.String, texts[:200]...),
			v.KV().In(tx).PutMany(ctx, vaulttest.Sequence(60, func(i int) columnvault.Pair {
				return columnvault.Pair{Key: vaulttest.Key(i), Value: vaulttest.Bytes(i, 20*i)}
			})...))
	})
}

func makeSpare(ctx context.Context, tx *columnvault.Tx) error {
	return create(ctx, tx, "spare", dtype.Bytes, vaulttest.Blobs(90, 70)...)
}

func create[T any](ctx context.Context, tx *columnvault.Tx, name string, typ dtype.Type[T], values ...T) error {
	o := *smallChunks
	switch name { // columns of both layouts take part
	case "texts", "uneven.long":
		o.Layout = columnvault.Native
	case "documents", "spare":
		o.Layout, o.Compression = columnvault.Native, columnvault.Zstd
	}
	c, err := columnvault.Create(ctx, tx, name, typ, &o)
	if err != nil {
		return err
	}
	return c.In(tx).Append(ctx, values...)
}

// tables are the key-value tables that the operations work on.
var tables = []string{"kv", "files", "fresh"}

// contents is what a vault holds that the operations have worked on.
func contents(ctx context.Context, v *columnvault.Vault) (string, error) {
	return vaulttest.Contents(ctx, v, tables...)
}

// wantContents is contents of a vault in which Check finds nothing.
func wantContents(t *testing.T, v *columnvault.Vault) string {
	t.Helper()
	vaulttest.WantSound(t, v)
	got, err := contents(t.Context(), v)
	vaulttest.Must(t, err)
	return got
}

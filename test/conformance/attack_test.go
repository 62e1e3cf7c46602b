package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	. "columnvault/internal/vaulttest"
)

// lies are what a file can say about itself that is not true, one at a time.
var lies = map[string][]string{
	"lengths of 2^40":               {`UPDATE col_meta SET length = 1 << 40`},
	"lengths of 2^62":               {`UPDATE col_meta SET length = 1 << 62`},
	"the highest lengths":           {`UPDATE col_meta SET length = 9223372036854775807`},
	"negative lengths":              {`UPDATE col_meta SET length = -1`},
	"lengths that are text":         {`UPDATE col_meta SET length = 'many'`},
	"lengths somewhat too high":     {`UPDATE col_meta SET length = length + 1000 WHERE length > 0`},
	"elements without bytes":        {`UPDATE col_meta SET elem_size = 0`},
	"elements of negative size":     {`UPDATE col_meta SET elem_size = -8`},
	"elements of a terabyte":        {`UPDATE col_meta SET elem_size = 1 << 40`},
	"elements of a byte":            {`UPDATE col_meta SET elem_size = 1`},
	"entries of a byte":             {`UPDATE col_meta SET elem_size = 1 WHERE dtype = 'adaptive_idx'`},
	"a least chunk of a terabyte":   {`UPDATE col_meta SET min_chunk_bytes = 1 << 40, max_chunk_bytes = 1 << 50`},
	"a least chunk of nothing":      {`UPDATE col_meta SET min_chunk_bytes = 0`},
	"a greatest chunk of nothing":   {`UPDATE col_meta SET max_chunk_bytes = 0`},
	"a greatest chunk of a byte":    {`UPDATE col_meta SET min_chunk_bytes = 1, max_chunk_bytes = 12`},
	"chunks without end":            {`UPDATE col_meta SET max_chunk_bytes = 9223372036854775807`},
	"bounds that are NULL":          {`UPDATE col_meta SET min_chunk_bytes = NULL, max_chunk_bytes = NULL`},
	"dtypes of a megabyte":          {`UPDATE col_meta SET dtype = hex(zeroblob(500000)) WHERE dtype <> 'adaptive_idx'`},
	"a vector larger than any":      {`UPDATE col_meta SET dtype = 'vec:i64:1000000:1000000' WHERE dtype = 'i64'`},
	"elements of 128 MiB":           {`UPDATE col_meta SET dtype = 'bytes:134217728', elem_size = 134217728, max_chunk_bytes = 1 << 40`},
	"names of a megabyte":           {`UPDATE col_meta SET name = hex(zeroblob(500000)) || col_id`},
	"names with zeros":              {`UPDATE col_meta SET name = name || char(0) || 'x'`},
	"names that are no text":        {`UPDATE col_meta SET name = CAST(x'fffe' || name AS TEXT)`},
	"names that are bytes":          {`UPDATE col_meta SET name = CAST(name AS BLOB)`},
	"capacities of a terabyte":      {`UPDATE col_chunks SET actual_size = 1 << 40`},
	"capacities of 300 MB":          {`UPDATE col_chunks SET actual_size = 300000000`},
	"negative capacities":           {`UPDATE col_chunks SET actual_size = -1`},
	"capacities that are text":      {`UPDATE col_chunks SET actual_size = 'large'`},
	"a terabyte is used":            {`UPDATE col_chunks SET bytes_used = 1 << 40`},
	"less than nothing is used":     {`UPDATE col_chunks SET bytes_used = -5`},
	"the highest number of a chunk": {`UPDATE col_chunks SET chunk_idx = 9223372036854775807 WHERE chunk_idx = (SELECT max(chunk_idx) FROM col_chunks c WHERE c.col_id = col_chunks.col_id)`},
	"negative numbers of chunks":    {`UPDATE col_chunks SET chunk_idx = -1 - chunk_idx`},
	"chunks of numbers":             {`UPDATE col_chunks SET data = 5`},
	"chunks of text":                {`UPDATE col_chunks SET data = 'text'`},
	"chunks of nothing":             {`UPDATE col_chunks SET data = x''`},
	"no chunks":                     {`DELETE FROM col_chunks`},
	"entries of ones":               {indexOf(`zeroblob(4096)`, `ffffffffffffffffffffffff`)},
	"entries that end at 2^31":      {indexOf(`zeroblob(4096)`, `0000000000000000ffffff7f`)},
	"entries in a far chunk":        {indexOf(`zeroblob(4096)`, `ffffff7f0000000008000000`)},
	"entries that end too early":    {indexOf(`zeroblob(4096)`, `00000000ff00000001000000`)},
	"chunks of no column": {`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)
		INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size) SELECT 99, i, x'00', 1 FROM n`},
	"chunks of a column to come": {`INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size) SELECT max(col_id) + 1, 7, x'00', 1 << 40 FROM col_meta`},
	"20,000 columns": {`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)
		INSERT INTO col_meta (name, dtype, elem_size, length, chunk_bytes) SELECT 'c' || i, 'i64', 8, 1 << 50, 64 FROM n`},
	"keys and values of other types": {`INSERT OR REPLACE INTO kv VALUES (1, 2), ('text', 'text'), (1.5, 1.5)`},
	"headers that lie":               {`UPDATE kv SET value = x'894b01030000000000564b' || x'ff'`, `INSERT OR REPLACE INTO kv VALUES ('m', x'894b0104000000000056' || x'4bdfffffffff')`},
	"a number that is used up":       {`INSERT OR REPLACE INTO kohakuvault_meta VALUES ('columnvault_last_col_id', 9223372036854775807)`},
	"another version":                {`INSERT OR REPLACE INTO kohakuvault_meta VALUES ('schema_version', hex(zeroblob(500000)))`},

	// Tables of another make under the names of a vault's.
	"a catalog in another order": rebuilt("col_meta", `max_chunk_bytes, min_chunk_bytes, chunk_bytes, length, elem_size, dtype, name TEXT UNIQUE, col_id INTEGER PRIMARY KEY`,
		`max_chunk_bytes, min_chunk_bytes, chunk_bytes, length, elem_size, dtype, name, col_id`),
	"a catalog with fewer columns":    rebuilt("col_meta", `col_id INTEGER PRIMARY KEY, name, dtype`, `col_id, name, dtype`),
	"a catalog without rowids":        rebuilt("col_meta", `col_id INTEGER PRIMARY KEY, name UNIQUE, dtype, elem_size, length, chunk_bytes, min_chunk_bytes, max_chunk_bytes) WITHOUT ROWID; CREATE TABLE rest (x`, `*`),
	"a catalog of names without case": rebuilt("col_meta", `col_id INTEGER PRIMARY KEY, name TEXT UNIQUE COLLATE NOCASE, dtype, elem_size, length, chunk_bytes, min_chunk_bytes, max_chunk_bytes`, `*`),
	"a catalog that computes": rebuilt("col_meta", `col_id INTEGER PRIMARY KEY, name, dtype, elem_size, l, chunk_bytes, min_chunk_bytes, max_chunk_bytes, length AS (instr(name, 'x'))`,
		`col_id, name, dtype, elem_size, chunk_bytes, min_chunk_bytes, max_chunk_bytes`),
	"a catalog without unique names": append(rebuilt("col_meta", `col_id INTEGER PRIMARY KEY, name, dtype, elem_size, length, chunk_bytes, min_chunk_bytes, max_chunk_bytes`, `*`),
		`INSERT INTO col_meta SELECT col_id + 10, name, dtype, elem_size, length, chunk_bytes, min_chunk_bytes, max_chunk_bytes FROM col_meta`),
	"chunks with a constraint": rebuilt("col_chunks", `col_id, chunk_idx, data CHECK (instr(data, x'01') >= 0), actual_size, bytes_used, has_deleted, start_elem_idx, end_elem_idx, PRIMARY KEY (col_id, chunk_idx)`, `*`),
	"an index that computes":   {`CREATE INDEX slow ON col_chunks(instr(zeroblob(10), x'01'), data)`},
	"an index over a part":     {`CREATE INDEX part ON col_meta(name) WHERE length > 5`},
}

// indexOf replaces the index of every column by one entry that is repeated.
func indexOf(_, entry string) string {
	return fmt.Sprintf(`UPDATE col_chunks SET data = CAST(replace(hex(zeroblob(340)), '00', x'%s') AS BLOB), actual_size = 4080
		WHERE col_id IN (SELECT col_id FROM col_meta WHERE dtype = 'adaptive_idx')`, entry)
}

// rebuilt makes a table anew from other columns.
func rebuilt(table, columns, copied string) []string {
	names := copied
	if names == "*" {
		names = ""
	} else {
		names = "(" + names + ")"
	}
	return []string{
		`ALTER TABLE ` + table + ` RENAME TO old`,
		`CREATE TABLE ` + table + ` (` + columns + `)`,
		`INSERT OR IGNORE INTO ` + table + names + ` SELECT ` + copied + ` FROM old`,
		`DROP TABLE old`,
	}
}

// attacks are what a program does with a vault. Their errors are checked
// elsewhere; here they must come.
var attacks = []struct {
	name string
	do   func(ctx context.Context, v *columnvault.Vault) error
}{
	{"columns", func(ctx context.Context, v *columnvault.Vault) error { return ErrOf(v.Columns(ctx)) }},
	{"check", func(ctx context.Context, v *columnvault.Vault) error {
		return LoopErr(v.Check(ctx, columnvault.CheckOptions{Full: true}))
	}},
	{"read", onColumns(func(ctx context.Context, c *columnvault.Column[any]) error {
		_, one := c.At(ctx, 0)
		_, last := c.At(ctx, -1)
		_, far := c.At(ctx, 1<<39)
		_, all := c.Slice(ctx, columnvault.Begin, columnvault.End)
		return errors.Join(one, last, far, all)
	})},
	{"loop", onColumns(func(ctx context.Context, c *columnvault.Column[any]) error {
		n := 0
		for _, err := range c.Values(ctx) {
			if n++; err != nil || n > 5000 {
				return err
			}
		}
		return nil
	})},
	{"stat", onColumns(func(ctx context.Context, c *columnvault.Column[any]) error { return ErrOf(c.Stat(ctx)) })},
	{"append", onColumns(func(ctx context.Context, c *columnvault.Column[any]) error { return c.Append(ctx, valueFor(c)) })},
	{"insert", onColumns(func(ctx context.Context, c *columnvault.Column[any]) error { return c.Insert(ctx, 1, valueFor(c)) })},
	{"set", onColumns(func(ctx context.Context, c *columnvault.Column[any]) error { return c.Set(ctx, 0, valueFor(c)) })},
	{"delete", onColumns(func(ctx context.Context, c *columnvault.Column[any]) error { return c.Delete(ctx, 1, 3) })},
	{"create", func(ctx context.Context, v *columnvault.Vault) error {
		c, err := columnvault.Create(ctx, v, "new", dtype.String, nil)
		if err != nil {
			return err
		}
		return errors.Join(c.Append(ctx, "a"), v.Rename(ctx, "new", "newer"), v.Drop(ctx, "newer"))
	}},
	{"pairs", func(ctx context.Context, v *columnvault.Vault) error {
		kv := v.KV()
		read := LoopErr(kv.All(ctx, nil))
		_, value := columnvault.GetValue[any](ctx, kv, []byte("m"))
		_, count := kv.Len(ctx)
		_, info := kv.Stat(ctx, []byte("m"))
		return errors.Join(read, value, count, info, kv.Put(ctx, []byte("k"), []byte("v")), ErrOf(kv.Delete(ctx, []byte("k"))))
	}},
	{"drop", func(ctx context.Context, v *columnvault.Vault) error {
		return errors.Join(v.Drop(ctx, "numbers"), v.Drop(ctx, "texts"))
	}},
}

func onColumns(do func(context.Context, *columnvault.Column[any]) error) func(context.Context, *columnvault.Vault) error {
	return func(ctx context.Context, v *columnvault.Vault) (all error) {
		for _, name := range []string{"numbers", "texts", "values"} {
			c, err := v.Column(ctx, name)
			if err == nil {
				err = do(ctx, c)
			}
			all = errors.Join(all, err)
		}
		return all
	}
}

func valueFor(c *columnvault.Column[any]) any {
	if strings.HasPrefix(c.DType(), "str") {
		return "a text that is longer than the others"
	}
	return int64(7)
}

// steps is a ctx that counts how often it is asked whether it is done, and is
// done after some of them.
type steps struct {
	context.Context
	taken atomic.Int64
	most  int64
}

func (s *steps) Err() error {
	if s.taken.Add(1) > s.most {
		return context.DeadlineExceeded
	}
	return nil
}

func (s *steps) Done() <-chan struct{} { return make(chan struct{}) }

// TestLies does everything with files that lie, and measures what it takes:
// memory in proportion to the file, and a number of steps that is bounded too.
// With a ctx that is done, nothing goes on.
func TestLies(t *testing.T) {
	if testing.Short() {
		t.Skip("measures memory, of which the race detector takes much, and minutes with it")
	}
	master := filepath.Join(t.TempDir(), "master.db")
	v := OpenAt(t, master, nil)
	CreateWith(t, v, "numbers", dtype.Int64, Chunks(64, 1024), Span(0, 300)...)
	CreateWith(t, v, "texts", dtype.String, Chunks(64, 1024), Texts(300)...)
	CreateWith(t, v, "values", dtype.MsgPack[any](), Chunks(64, 1024), Sequence(300, func(i int) any { return int64(i) })...)
	Must(t, v.KV().Put(t.Context(), []byte("k"), []byte("value")))
	Must(t, v.KV().PutValue(t.Context(), []byte("m"), map[string]any{"a": int64(1)}))
	Must(t, v.Close())
	whole, err := os.ReadFile(master)
	Must(t, err)
	for lie, sql := range lies {
		t.Run(lie, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "vault.db")
			Must(t, os.WriteFile(path, whole, 0o600))
			ExecSQL(t, path, append([]string{`PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON`}, sql...)...)
			info, err := os.Stat(path)
			Must(t, err)
			for _, attack := range attacks {
				v, err := columnvault.Open(t.Context(), path, &columnvault.Options{BusyTimeout: time.Minute})
				if err != nil {
					wantOneOf(t, "open", err, columnvault.ErrCorrupt, columnvault.ErrNotVault)
					return
				}
				ctx := &steps{Context: t.Context(), most: 1 << 40}
				took := memoryOf(func() { err = attack.do(ctx, v) })
				if most := 128<<20 + 20*uint64(info.Size()); took > most {
					t.Errorf("%s took %d MiB of memory, the file has %d KiB (%v)", attack.name, took>>20, info.Size()>>10, err)
				}
				if n := ctx.taken.Load(); n > 200_000 {
					t.Errorf("%s took %d steps (%v)", attack.name, n, err)
				}
				// Once more, but done after a few steps: it ends at once.
				tired := &steps{Context: t.Context(), most: 3}
				attack.do(tired, v)
				if n := tired.taken.Load(); n > 100 {
					t.Errorf("%s went on for %d steps after its ctx was done", attack.name, n)
				}
				Must(t, v.Close())
			}
		})
	}
}

// wantOneOf reports an error that is of none of the kinds.
func wantOneOf(t *testing.T, what string, err error, kinds ...error) {
	t.Helper()
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return
		}
	}
	t.Errorf("%s: %v", what, err)
}

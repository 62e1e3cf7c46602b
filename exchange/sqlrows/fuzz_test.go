package sqlrows_test

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/sqlrows"
	"columnvault/internal/formattest"
	"columnvault/internal/vaulttest"
)

// fuzzMemory bounds what one import may allocate, in bytes, given back or not.
// The files are below 64 KiB.
const fuzzMemory = 1 << 30

// FuzzReader imports a table of a file of any bytes: no panic, bounded memory, and
// a vault that is as it was if the import fails.
func FuzzReader(f *testing.F) {
	for _, file := range seeds(f) {
		f.Add(file, "t")
	}
	dir := f.TempDir()
	var v *columnvault.Vault // of this process, opened by its first execution
	f.Cleanup(func() {
		if v != nil {
			v.Close()
		}
	})
	f.Fuzz(func(t *testing.T, file []byte, table string) {
		if len(file) > 64<<10 {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // SQL of a schema may ask for any time
		defer cancel()
		if v == nil {
			var err error
			v, err = columnvault.Open(context.Background(), filepath.Join(dir, strconv.Itoa(os.Getpid())+".vault"), nil)
			vaulttest.Must(t, err)
			_, err = exchange.Import(ctx, v, formattest.Source(formattest.Columns()[:3], 5), nil)
			vaulttest.Must(t, err)
		}
		path := filepath.Join(dir, strconv.Itoa(os.Getpid())+".db")
		for _, suffix := range []string{"-wal", "-shm", "-journal"} {
			os.Remove(path + suffix)
		}
		vaulttest.Must(t, os.WriteFile(path, file, 0o666))
		before := formattest.Values(t, v)

		var start, end runtime.MemStats
		runtime.ReadMemStats(&start)
		r := sqlrows.NewReader(path, table, nil)
		result, err := exchange.Import(ctx, v, r, &exchange.ImportOptions{Prefix: "new."})
		r.Close()
		runtime.ReadMemStats(&end)
		if n := end.TotalAlloc - start.TotalAlloc; n > fuzzMemory {
			t.Fatalf("%d bytes of memory for a file of %d (%v)", n, len(file), err)
		}
		if err == nil {
			for _, c := range result.Columns {
				vaulttest.Must(t, v.Drop(t.Context(), c.Name))
			}
		}
		if after := formattest.Values(t, v); !reflect.DeepEqual(after, before) {
			t.Fatalf("the vault has %v after the import (%v), and had %v", after, err, before)
		}
	})
}

// seeds are files of SQLite and of our own writer, also ones that are damaged and
// ones whose schema computes.
func seeds(f *testing.F) (files [][]byte) {
	f.Helper()
	dir := f.TempDir()
	add := func(path string) {
		file, err := os.ReadFile(path)
		vaulttest.Must(f, err)
		files = append(files, file)
	}
	for i, sql := range []string{
		`PRAGMA page_size=512; CREATE TABLE t (i INTEGER, f REAL, s TEXT, b BLOB, any, flag BOOLEAN, at TIMESTAMP, day DATE, doc JSON);
INSERT INTO t VALUES (1, 1.5, 'x', x'00ff', 1, 1, '2024-02-29 12:30:01', '2024-02-29', '{"a":[1]}'), (NULL, 2, printf('%02000d', 7), zeroblob(700), 'two', 0, '2024-02-29T12:30:01.5Z', '1969-12-31', 'null')`,
		`PRAGMA page_size=512; CREATE TABLE t (k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO t WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT 'key ' || i, i FROM n`,
		`PRAGMA page_size=512; CREATE TABLE t (a INTEGER, b AS (a * 2), c AS (hex(a)) STORED, CHECK (a > 0)); INSERT INTO t VALUES (1), (2)`,
		`PRAGMA page_size=512; PRAGMA encoding='UTF-16le'; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('Größe'), (NULL)`,
	} {
		path := filepath.Join(dir, strconv.Itoa(i)+".db")
		exec(f, path, sql)
		add(path)
	}
	path := filepath.Join(dir, "own.db")
	w := sqlrows.NewWriter(path, "t")
	fits := formattest.Only(func(s dtype.Spec, m dtype.Meaning) bool { return s.Kind != dtype.KindUint64 })
	_, err := exchange.Export(f.Context(), formattest.Specimen(f, fits, 3), nil, w, nil)
	vaulttest.Must(f, err)
	vaulttest.Must(f, w.Close())
	add(path)

	damaged := append([]byte{}, files[0]...)
	damaged[512+3]++ // the cells of the second page
	return append(files, damaged, files[0][:700], nil)
}

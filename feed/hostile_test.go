package feed_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/feed"
	"columnvault/internal/vaulttest"
)

// TestStrangeDirectories feeds directories that hold something else. They are
// left as they are.
func TestStrangeDirectories(t *testing.T) {
	for name, put := range map[string]string{
		"a file":                      "notes.txt",
		"data of others":              "data/part-0.parquet",
		"metadata of others":          "metadata/other.txt",
		"the table of a catalog":      "metadata/00000-5b4c1d34-6b8c-4c8e-9d4b-0c6a5f0f3b1e.metadata.json",
		"a version that is no JSON":   "metadata/v1.metadata.json",
		"a version that is too large": "metadata/v99999999999999999999.metadata.json",
	} {
		dir := filepath.Join(t.TempDir(), "table")
		path := filepath.Join(dir, put)
		vaulttest.Must(t, os.MkdirAll(filepath.Dir(path), 0o777))
		vaulttest.Must(t, os.WriteFile(path, []byte("x"), 0o666))
		_, err := feed.Iceberg(t.Context(), numbers(t, 3), nil, dir, &feed.Options{Overwrite: true})
		if err == nil || !strings.Contains(err.Error(), "table") {
			t.Errorf("%s: the error is %v", name, err)
		}
		if left := tree(t, dir); left != put {
			t.Errorf("%s: the directory has %s", name, left)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	vaulttest.Must(t, os.WriteFile(file, nil, 0o666))
	if _, err := feed.Iceberg(t.Context(), numbers(t, 3), nil, file, nil); err == nil {
		t.Error("a file was taken for a directory")
	}
	for _, name := range []string{"a table", "50%20", "x#y", "x?y", "Größe"} {
		odd := filepath.Join(t.TempDir(), name)
		if _, err := feed.Iceberg(t.Context(), numbers(t, 3), nil, odd, nil); err == nil || !strings.Contains(err.Error(), "escaped") || tree(t, odd) != "" {
			t.Errorf("the path %s gives %v", odd, err)
		}
	}
}

// TestForeignVersions has a version in the table that another program has written,
// so that ours is not the last any more.
func TestForeignVersions(t *testing.T) {
	for _, name := range []string{"v3.gz.metadata.json", "00003-5b4c1d34-6b8c-4c8e-9d4b-0c6a5f0f3b1e.metadata.json"} {
		v, dir := numbers(t, 3), filepath.Join(t.TempDir(), "table")
		run(t, v, nil, dir, nil)
		vaulttest.Must(t, os.WriteFile(filepath.Join(dir, "metadata", name), []byte("{}"), 0o666))
		if _, err := feed.Iceberg(t.Context(), v, nil, dir, &feed.Options{Overwrite: true}); !errors.Is(err, feed.ErrNotFed) {
			t.Errorf("with %s the error is %v", name, err)
		}
	}
}

// tree has the names of the files in a directory.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			path, err = filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

// TestDamagedMetadata damages the last version of a table. It is an error, and
// not a table that begins anew.
func TestDamagedMetadata(t *testing.T) {
	v, dir := numbers(t, 10), filepath.Join(t.TempDir(), "table")
	run(t, v, nil, dir, nil)
	name := filepath.Join(dir, "metadata", "v2.metadata.json")
	whole, err := os.ReadFile(name)
	vaulttest.Must(t, err)
	for _, text := range []string{
		"", "{}", "[]", string(whole[:len(whole)/2]),
		strings.ReplaceAll(string(whole), "columnvault.rows", "columnvault.r0ws"),
		strings.ReplaceAll(string(whole), `"columnvault.rows":"10"`, `"columnvault.rows":"-1"`),
		strings.ReplaceAll(string(whole), `"columnvault.rows":"10"`, `"columnvault.rows":"11"`),
		strings.ReplaceAll(string(whole), `\"all\":\"`, `\"all\":\"00`),
		strings.ReplaceAll(string(whole), `"columnvault.digests":"[`, `"columnvault.digests":"[[`),
		strings.ReplaceAll(string(whole), `"columnvault.columns":"[`, `"columnvault.columns":"[[`),
	} {
		vaulttest.Must(t, os.WriteFile(name, []byte(text), 0o666))
		if _, err := feed.Iceberg(t.Context(), v, nil, dir, nil); err == nil {
			t.Errorf("the metadata %.80s... was taken", text)
		}
	}
	vaulttest.Must(t, os.WriteFile(name, whole, 0o666))
	run(t, v, nil, dir, nil)
}

// TestOtherColumns feeds a table other columns than it has.
func TestOtherColumns(t *testing.T) {
	v, dir := numbers(t, 10), filepath.Join(t.TempDir(), "table")
	run(t, v, []string{"n", "s"}, dir, nil)
	for _, names := range [][]string{{"n"}, {"s", "n"}, {"s"}} {
		if _, err := feed.Iceberg(t.Context(), v, names, dir, &feed.Options{Overwrite: true}); !errors.Is(err, feed.ErrColumns) {
			t.Errorf("the columns %q give %v", names, err)
		}
	}
	vaulttest.Create(t, v, "more", dtype.Int64, 1)
	_, err := feed.Iceberg(t.Context(), v, []string{"n", "s", "more"}, dir, nil)
	if !errors.Is(err, columnvault.ErrInvalidArgument) || !strings.Contains(err.Error(), "differ in length") {
		t.Errorf("columns of different length give %v", err)
	}
	_, err = feed.Iceberg(t.Context(), v, []string{"n", "none"}, dir, nil)
	if !errors.Is(err, columnvault.ErrNotFound) {
		t.Errorf("a column that is not there gives %v", err)
	}
	wantNumbers(t, dir, 10)
}

// TestNamesThatCollide has columns that are one name in the table.
func TestNamesThatCollide(t *testing.T) {
	v, dir := vaulttest.Open(t), filepath.Join(t.TempDir(), "table")
	vaulttest.Create(t, v, "x", dtype.Tensors[float64]())
	vaulttest.Create(t, v, "x.shape", dtype.Int64)
	if _, err := feed.Iceberg(t.Context(), v, nil, dir, nil); err == nil || tree(t, dir) != "" {
		t.Errorf("the error is %v", err)
	}
	w := vaulttest.Open(t)
	vaulttest.Create(t, w, "n", dtype.Int64)
	vaulttest.Create(t, w, "a.n", dtype.Int64)
	if _, err := feed.Iceberg(t.Context(), w, nil, dir, &feed.Options{Prefix: "a."}); err == nil || tree(t, dir) != "" {
		t.Errorf("two columns n give %v", err)
	}
}

// TestMovedTable moves a table away.
func TestMovedTable(t *testing.T) {
	v, dir := numbers(t, 10), filepath.Join(t.TempDir(), "table")
	run(t, v, nil, dir, nil)
	moved := dir + "2"
	vaulttest.Must(t, os.Rename(dir, moved))
	if _, err := feed.Iceberg(t.Context(), v, nil, moved, nil); err == nil || !strings.Contains(hintOf(err), "move it back") {
		t.Errorf("the moved table gives %v", err)
	}
	vaulttest.Must(t, os.Symlink(moved, dir)) // its path is good again
	run(t, v, nil, moved, nil)
}

// TestOtherWriters has somebody else change the table.
func TestOtherWriters(t *testing.T) {
	v, dir := numbers(t, 10), filepath.Join(t.TempDir(), "table")
	run(t, v, nil, dir, nil)
	name := filepath.Join(dir, "metadata", "v2.metadata.json")
	whole, err := os.ReadFile(name)
	vaulttest.Must(t, err)
	more := strings.ReplaceAll(string(whole), `"total-records":"10"`, `"total-records":"12"`)
	if more == string(whole) {
		t.Fatal("the snapshot does not count rows")
	}
	vaulttest.Must(t, os.WriteFile(name, []byte(more), 0o666))
	count(t, v, 20)
	if _, err := feed.Iceberg(t.Context(), v, nil, dir, nil); !errors.Is(err, feed.ErrEdited) {
		t.Errorf("a table with more rows gives %v", err)
	}
	run(t, v, nil, dir, &feed.Options{Overwrite: true})
	wantNumbers(t, dir, 20)
}

// TestTwoRuns has a second run commit while the first reads. The first gets an
// error, and its rows are not there twice.
func TestTwoRuns(t *testing.T) {
	v, dir := numbers(t, 10), filepath.Join(t.TempDir(), "table")
	run(t, v, nil, dir, nil)
	count(t, v, 5000)
	once := false
	_, err := feed.Iceberg(t.Context(), v, nil, dir, &feed.Options{Progress: func(int64, int64) {
		if !once {
			once = true
			run(t, v, nil, dir, nil)
		}
	}})
	if !errors.Is(err, feed.ErrConcurrent) {
		t.Errorf("the first run ends with %v", err)
	}
	wantNumbers(t, dir, 5000)
	entries, err := os.ReadDir(filepath.Join(dir, "data"))
	vaulttest.Must(t, err)
	if len(entries) != 2 {
		t.Errorf("there are %d data files", len(entries))
	}
}

// TestCancel ends a run by its ctx after each batch. Nothing is left, and the next
// run does all.
func TestCancel(t *testing.T) {
	v, dir := numbers(t, 100_000), filepath.Join(t.TempDir(), "table")
	for batch := range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		_, err := feed.Iceberg(ctx, v, nil, dir, &feed.Options{Progress: func(int64, int64) {
			if n++; n > batch {
				cancel()
			}
		}})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("after batch %d the error is %v", batch, err)
		}
		entries, err := os.ReadDir(filepath.Join(dir, "data"))
		if len(entries) != 0 || err != nil {
			t.Errorf("after batch %d there are %v, %v", batch, entries, err)
		}
	}
	run(t, v, nil, dir, nil)
	wantNumbers(t, dir, 100_000)
}

// TestLateHint loses version-hint.text, or has it too old, as after the death of
// a run.
func TestLateHint(t *testing.T) {
	v, dir := numbers(t, 10), filepath.Join(t.TempDir(), "table")
	run(t, v, nil, dir, nil)
	name := filepath.Join(dir, "metadata", "version-hint.text")
	for _, spoil := range []func() error{
		func() error { return os.Remove(name) },
		func() error { return os.WriteFile(name, []byte("1"), 0o666) },
		func() error { return os.WriteFile(name, nil, 0o666) },
	} {
		vaulttest.Must(t, spoil())
		run(t, v, nil, dir, nil)
		wantNumbers(t, dir, 10)
	}
}

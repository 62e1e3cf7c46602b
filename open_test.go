package columnvault_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
	"columnvault/dtype"
)

// open opens a vault in a new file.
func open(t *testing.T) *columnvault.Vault {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "test.db"), nil)
}

func openAt(t *testing.T, path string, o *columnvault.Options) *columnvault.Vault {
	t.Helper()
	v, err := columnvault.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

func create[T any](t *testing.T, in columnvault.Scope, name string, typ dtype.Type[T], values ...T) *columnvault.Column[T] {
	t.Helper()
	c, err := columnvault.Create(t.Context(), in, name, typ, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Append(t.Context(), values...); err != nil {
		t.Fatal(err)
	}
	return c
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want one that is %v", what, got, want)
	}
	var e *columnvault.Error
	if got != nil && !errors.As(got, &e) {
		t.Errorf("%s: error %v is not a *columnvault.Error", what, got)
	}
}

func TestOpenRefusesWhatIsNotAVault(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	vault := filepath.Join(dir, "vault.db")
	v, err := columnvault.Open(vault, nil)
	if err != nil {
		t.Fatal(err)
	}
	create(t, v, "x", dtype.Int64, make([]int64, 50_000)...)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(vault)
	if err != nil {
		t.Fatal(err)
	}
	encrypted := bytes.Clone(whole)
	for i := range encrypted {
		encrypted[i] ^= byte(i*7 + 3)
	}
	for _, test := range []struct {
		name, path string
		want       error
		text       string
	}{
		{"directory", dir, columnvault.ErrNotVault, "directory"},
		{"text", write("text.db", []byte(strings.Repeat("not a database\n", 100))), columnvault.ErrNotVault, "not a SQLite database"},
		{"one byte", write("one.db", []byte("x")), columnvault.ErrNotVault, "not a SQLite database"},
		{"encrypted", write("encrypted.db", encrypted), columnvault.ErrNotVault, "encrypted"},
		{"truncated", write("truncated.db", whole[:len(whole)/2]), columnvault.ErrCorrupt, "truncated"},
		{"header only", write("header.db", whole[:60]), columnvault.ErrCorrupt, "header"},
		{"no folder", filepath.Join(dir, "no", "such", "folder.db"), columnvault.ErrUnavailable, ""},
		{"memory", ":memory:", columnvault.ErrInvalidArgument, "file"},
		{"empty path", "", columnvault.ErrInvalidArgument, "file"},
	} {
		for _, readOnly := range []bool{false, true} {
			before, _ := os.ReadFile(test.path)
			_, err := columnvault.Open(test.path, &columnvault.Options{ReadOnly: readOnly})
			want := test.want
			if test.name == "no folder" && readOnly {
				want = columnvault.ErrNotFound
			}
			wantErr(t, test.name, err, want)
			if err != nil && !strings.Contains(err.Error(), test.text) {
				t.Errorf("%s: the error %q does not say %q", test.name, err, test.text)
			}
			if after, _ := os.ReadFile(test.path); !bytes.Equal(before, after) {
				t.Errorf("%s: the file was changed", test.name)
			}
		}
	}
}

// TestOpenThroughLink: through a symbolic link a vault is the file that the
// link leads to, with the log beside that file.
func TestOpenThroughLink(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	link := filepath.Join(dir, "link.db")
	if err := os.Symlink(filepath.Join(dir, "file.db"), link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	v := openAt(t, filepath.Join(dir, "file.db"), nil)
	c := create(t, v, "values", dtype.Int64, 1, 2, 3)
	w := openAt(t, link, nil)
	d := lookup(t, w, "values", dtype.Int64)
	must(t, d.Append(ctx, 4))
	must(t, c.Append(ctx, 5))
	wantColumn(t, d, 1, 2, 3, 4, 5)
	wantColumn(t, c, 1, 2, 3, 4, 5)
	if s, err := w.FileSizes(); s.Log == 0 || err != nil {
		t.Errorf("through the link the files have %+v bytes, %v", s, err)
	}
}

// TestOpenForeignPairs: a database of another program is none of ours because
// it has a table with the columns key and value, and is not changed.
func TestOpenForeignPairs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := sqlite3.Open(path)
	must(t, err)
	must(t, db.Exec(`CREATE TABLE meta (key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR)`))
	must(t, db.Close())
	before, err := os.ReadFile(path)
	must(t, err)
	_, err = columnvault.Open(path, nil)
	wantErr(t, "Open", err, columnvault.ErrNotVault)
	if after, err := os.ReadFile(path); !bytes.Equal(before, after) || err != nil {
		t.Errorf("the file of another program was changed: %v", err)
	}
}

// TestOpenTogether: many may create, use and close one file at the same time.
func TestOpenTogether(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "test.db")
		var done sync.WaitGroup
		for i := range 8 {
			done.Go(func() {
				v, err := columnvault.Open(path, nil)
				if err != nil {
					t.Error(err)
					return
				}
				c, err := columnvault.Create(t.Context(), v, fmt.Sprint("column ", i), dtype.String, nil)
				if err == nil {
					err = c.Append(t.Context(), "x")
				}
				if err := errors.Join(err, v.Close()); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		v := openAt(t, path, nil)
		if infos, err := v.Columns(t.Context()); len(infos) != 8 || err != nil {
			t.Errorf("%d columns, %v", len(infos), err)
		}
		wantSound(t, v)
		must(t, v.Close())
		if files, err := filepath.Glob(path + "*"); len(files) != 1 || err != nil {
			t.Errorf("after the last Close there are %v, %v", files, err)
		}
	}
}

// TestOpenBusy: Open waits for a file that another program has for itself, and
// says so when that takes too long.
func TestOpenBusy(t *testing.T) {
	p := openPair(t, nil)
	create(t, p.v, "values", dtype.Int64, 1)
	must(t, p.v.Close())
	must(t, p.other.Close())
	db := rawConn(t, p.path)
	execRaw(t, db, `PRAGMA locking_mode = EXCLUSIVE`, `BEGIN EXCLUSIVE`, `UPDATE col_meta SET length = length`, `COMMIT`)
	_, err := columnvault.Open(p.path, impatient)
	wantErrText(t, "Open of a locked file", err, columnvault.ErrBusy, "after")
	var opening sync.WaitGroup
	opening.Go(func() {
		v, err := columnvault.Open(p.path, patient)
		if err == nil {
			err = v.Close()
		}
		if err != nil {
			t.Error(err)
		}
	})
	must(t, db.Close())
	opening.Wait()
}

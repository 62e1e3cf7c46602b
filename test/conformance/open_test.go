package conformance_test

import (
	"bytes"
	"context"
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
	"columnvault/internal/vaulttest"
)

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
	v, err := columnvault.Open(t.Context(), vault, nil)
	if err != nil {
		t.Fatal(err)
	}
	vaulttest.Create(t, v, "x", dtype.Int64, make([]int64, 50_000)...)
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
			_, err := columnvault.Open(t.Context(), test.path, &columnvault.Options{ReadOnly: readOnly})
			want := test.want
			if test.name == "no folder" && readOnly {
				want = columnvault.ErrNotFound
			}
			vaulttest.WantErr(t, test.name, err, want)
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
	v := vaulttest.OpenAt(t, filepath.Join(dir, "file.db"), nil)
	c := vaulttest.Create(t, v, "values", dtype.Int64, 1, 2, 3)
	w := vaulttest.OpenAt(t, link, nil)
	d := vaulttest.Lookup(t, w, "values", dtype.Int64)
	vaulttest.Must(t, d.Append(ctx, 4))
	vaulttest.Must(t, c.Append(ctx, 5))
	vaulttest.WantColumn(t, d, 1, 2, 3, 4, 5)
	vaulttest.WantColumn(t, c, 1, 2, 3, 4, 5)
	if s, err := w.FileSizes(); s.Log == 0 || err != nil {
		t.Errorf("through the link the files have %+v bytes, %v", s, err)
	}
}

// TestOpenForeignPairs: a database of another program is none of ours because
// it has a table with the columns key and value, and is not changed.
func TestOpenForeignPairs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := sqlite3.Open(path)
	vaulttest.Must(t, err)
	vaulttest.Must(t, db.Exec(`CREATE TABLE meta (key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR)`))
	vaulttest.Must(t, db.Close())
	before, err := os.ReadFile(path)
	vaulttest.Must(t, err)
	_, err = columnvault.Open(t.Context(), path, nil)
	vaulttest.WantErr(t, "Open", err, columnvault.ErrNotVault)
	if after, err := os.ReadFile(path); !bytes.Equal(before, after) || err != nil {
		t.Errorf("the file of another program was changed: %v", err)
	}
}

// TestManyOpenOneNewFile: many may create, use and close one file at the same
// time.
func TestManyOpenOneNewFile(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "test.db")
		var done sync.WaitGroup
		for i := range 8 {
			done.Go(func() {
				v, err := columnvault.Open(t.Context(), path, nil)
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
		v := vaulttest.OpenAt(t, path, nil)
		if infos, err := v.Columns(t.Context()); len(infos) != 8 || err != nil {
			t.Errorf("%d columns, %v", len(infos), err)
		}
		vaulttest.WantSound(t, v)
		vaulttest.Must(t, v.Close())
		if files, err := filepath.Glob(path + "*"); len(files) != 1 || err != nil {
			t.Errorf("after the last Close there are %v, %v", files, err)
		}
	}
}

// TestOpenWaitsForALockedFile: Open waits for a file that another program has
// for itself, and says so when that takes too long.
func TestOpenWaitsForALockedFile(t *testing.T) {
	p := vaulttest.OpenPair(t, nil)
	vaulttest.Create(t, p.V, "values", dtype.Int64, 1)
	vaulttest.Must(t, p.V.Close())
	vaulttest.Must(t, p.Other.Close())
	db := vaulttest.RawConn(t, p.Path)
	vaulttest.ExecRaw(t, db, `PRAGMA locking_mode = EXCLUSIVE`, `BEGIN EXCLUSIVE`, `UPDATE col_meta SET length = length`, `COMMIT`)
	_, err := columnvault.Open(t.Context(), p.Path, vaulttest.Impatient())
	vaulttest.WantErrText(t, "Open of a locked file", err, columnvault.ErrBusy, "after")
	var opening sync.WaitGroup
	opening.Go(func() {
		v, err := columnvault.Open(t.Context(), p.Path, vaulttest.Patient())
		if err == nil {
			err = v.Close()
		}
		if err != nil {
			t.Error(err)
		}
	})
	vaulttest.Must(t, db.Close())
	opening.Wait()
}

// TestOpenEndsWithCtx: a ctx that is done opens nothing and makes no file, and
// one that ends afterwards is no matter of the vault.
func TestOpenEndsWithCtx(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := columnvault.Open(ctx, path, nil)
	vaulttest.WantErr(t, "with a ctx that is done", err, context.Canceled)
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("there is a file: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	v, err := columnvault.Open(ctx, path, nil)
	vaulttest.Must(t, err)
	defer v.Close()
	cancel()
	vaulttest.Must(t, v.KV().Put(t.Context(), []byte("key"), nil))
}

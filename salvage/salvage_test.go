package salvage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"columnvault"
	"columnvault/internal/vaulttest"
	"columnvault/salvage"
)

// save salvages a file, and closes the case if that fails.
func save(t testing.TB, path string, o salvage.Options) (*salvage.Report, string) {
	t.Helper()
	target := filepath.Join(t.TempDir(), "saved.db")
	r, err := salvage.File(context.Background(), path, target, o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return r, target
}

// TestWholeFile requires that nothing is missing of a file that is whole, with
// every size of pages.
func TestWholeFile(t *testing.T) {
	for _, pageSize := range []int{512, 1024, 2048, 4096, 8192, 16384, 32768, 65536} {
		t.Run(fmt.Sprint(pageSize), func(t *testing.T) {
			path := build(t, pageSize)
			before, err := os.ReadFile(path)
			must(t, err)
			r, target := save(t, path, salvage.Options{})
			if !r.Complete() {
				t.Errorf("not complete:\n%s", r)
			}
			if r.Pages.Unattributed > 0 || r.Pages.Size != pageSize {
				t.Errorf("pages: %+v", r.Pages)
			}
			if want, got := contentsOf(t, path, tables...), contentsOf(t, target, tables...); !reflect.DeepEqual(want, got) {
				t.Error("the new vault differs")
			}
			v, err := columnvault.Open(t.Context(), target, nil)
			must(t, err)
			vaulttest.WantSound(t, v)
			must(t, v.Close())
			after, err := os.ReadFile(path)
			must(t, err)
			if !bytes.Equal(before, after) {
				t.Error("the damaged file has changed")
			}
		})
	}
}

// TestFilesOfKohakuVault saves the files that KohakuVault has written.
func TestFilesOfKohakuVault(t *testing.T) {
	paths, err := filepath.Glob(vaulttest.File(t, "testdata", "v0", "*.db"))
	must(t, err)
	for _, folder := range []string{"own", "v1"} {
		more, err := filepath.Glob(vaulttest.File(t, "testdata", folder, "*.db"))
		must(t, err)
		paths = append(paths, more...)
	}
	if len(paths) < 15 {
		t.Fatal("the golden files are missing")
	}
	for _, golden := range paths {
		t.Run(filepath.Base(golden), func(t *testing.T) {
			path := vaulttest.CopyGolden(t, filepath.Base(filepath.Dir(golden)), filepath.Base(golden))
			r, target := save(t, path, salvage.Options{})
			want, got := contentsOf(t, path, "kv"), contentsOf(t, target, "kv")
			if !reflect.DeepEqual(want.columns, got.columns) {
				t.Errorf("the columns differ:\n%s", r)
			}
			if !reflect.DeepEqual(want.tables, got.tables) {
				t.Errorf("the pairs differ:\n%s", r)
			}
			if r.Pages.Unreadable > 0 || len(r.NotRead) > 0 {
				t.Errorf("of a whole file:\n%s", r)
			}
		})
	}
}

func TestTargetThatExists(t *testing.T) {
	path := build(t, 4096)
	for _, suffix := range []string{"", "-wal"} {
		target := filepath.Join(t.TempDir(), "there.db")
		must(t, os.WriteFile(target+suffix, []byte("something"), 0o666))
		_, err := salvage.File(t.Context(), path, target, salvage.Options{})
		vaulttest.WantErr(t, "a target that exists", err, columnvault.ErrExists)
		names, err := filepath.Glob(filepath.Join(filepath.Dir(target), "*"))
		must(t, err)
		if len(names) != 1 {
			t.Errorf("files beside the target: %q", names)
		}
	}
}

func TestNothingToSave(t *testing.T) {
	dir := t.TempDir()
	noise := filepath.Join(dir, "noise")
	must(t, os.WriteFile(noise, bytes.Repeat([]byte("no page at all. "), 10_000), 0o666))
	for path, want := range map[string]error{
		noise:                      columnvault.ErrNotVault,
		filepath.Join(dir, "none"): columnvault.ErrNotFound,
		dir:                        columnvault.ErrUnavailable,
	} {
		target := filepath.Join(dir, "saved.db")
		_, err := salvage.File(t.Context(), path, target, salvage.Options{})
		vaulttest.WantErr(t, path, err, want)
		left, err := filepath.Glob(filepath.Join(dir, "*saved*"))
		must(t, err)
		if len(left) > 0 {
			t.Errorf("%s: files are left: %q", path, left)
		}
	}
}

// TestCancel ends in the middle and leaves nothing behind.
func TestCancel(t *testing.T) {
	path := build(t, 4096)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	target := filepath.Join(t.TempDir(), "saved.db")
	_, err := salvage.File(ctx, path, target, salvage.Options{Progress: func(done, total int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	left, err := os.ReadDir(filepath.Dir(target))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("files are left: %v", left)
	}
}

package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// contents is everything that a vault holds, element by element.
func contents(t vaulttest.TB, v *columnvault.Vault) string {
	t.Helper()
	var b strings.Builder
	infos, err := v.Columns(t.Context())
	vaulttest.Must(t, err)
	for _, info := range infos {
		c, err := v.Column(t.Context(), info.Name)
		vaulttest.Must(t, err)
		fmt.Fprintln(&b, info.Name, info.DType, vaulttest.Collect(t, c.Values(t.Context())))
	}
	for _, table := range []string{"kv", "media"} {
		for pair, err := range v.KVTable(table).All(t.Context(), nil) {
			vaulttest.Must(t, err)
			fmt.Fprintf(&b, "%s %q %x\n", table, pair.Key, pair.Value)
		}
	}
	return b.String()
}

// wantOnly requires that nothing but these files is in a folder.
func wantOnly(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	vaulttest.Must(t, err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
}

// fill gives a vault columns and pairs of all kinds, some of them still held by
// caches.
func fill(t *testing.T, v *columnvault.Vault) {
	t.Helper()
	ctx := t.Context()
	vaulttest.Create(t, v, "numbers", dtype.Int64, vaulttest.Span(0, 30_000)...)
	texts := vaulttest.Create(t, v, "texts", dtype.String, vaulttest.Texts(4000)...)
	vaulttest.Must(t, texts.Delete(ctx, 100, 3000))
	vaulttest.Put(t, v.KVTable("kv"), "a", "first")
	large := bytes.Repeat([]byte("large "), 300_000)
	vaulttest.Must(t, v.KVTable("media").PutFrom(ctx, []byte("film"), int64(len(large)), bytes.NewReader(large)))
	vaulttest.Must(t, v.EnableCache(ctx, vaulttest.CacheOf(1<<20, 1<<20)))
	vaulttest.Must(t, texts.Append(ctx, "held", "also held"))
	vaulttest.Put(t, v.KVTable("kv"), "b", "held")
}

func TestBackup(t *testing.T) {
	v := vaulttest.Open(t)
	fill(t, v)
	want := contents(t, v)
	dir := t.TempDir()
	path := filepath.Join(dir, "copy.db")
	var steps [][2]int64
	vaulttest.Must(t, v.Backup(t.Context(), path, columnvault.BackupOptions{Full: true, Progress: func(done, total int64) {
		steps = append(steps, [2]int64{done, total})
	}}))
	wantOnly(t, dir, "copy.db")
	if info, err := os.Stat(path); err != nil || len(steps) < 2 || steps[len(steps)-1] != [2]int64{info.Size(), info.Size()} {
		t.Errorf("progress %v of a copy of %v", steps, info)
	}
	if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data[18:20], []byte{2, 2}) {
		t.Errorf("the copy has not the versions of a file with a write-ahead log in its header: %v", err)
	}
	copied := vaulttest.OpenAt(t, path, nil)
	if got := contents(t, copied); got != want {
		t.Error("the copy holds something else")
	}
	vaulttest.WantSound(t, copied)
	// Both go on, each for itself.
	vaulttest.Must(t, vaulttest.Lookup(t, copied, "numbers", dtype.Int64).Append(t.Context(), 1))
	vaulttest.WantLen(t, vaulttest.Lookup(t, v, "numbers", dtype.Int64), 30_000)
}

// TestBackupOfReader copies a vault that is open for reading.
func TestBackupOfReader(t *testing.T) {
	p := vaulttest.OpenPair(t, nil)
	fill(t, p.V)
	reader := vaulttest.OpenAt(t, p.Path, &columnvault.Options{ReadOnly: true})
	want := contents(t, reader)
	path := filepath.Join(t.TempDir(), "copy.db")
	vaulttest.Must(t, reader.Backup(t.Context(), path, columnvault.BackupOptions{}))
	if contents(t, vaulttest.OpenAt(t, path, nil)) != want {
		t.Error("the copy holds something else")
	}
}

// TestBackupBesideWriters lets another vault write between all steps of a
// backup: the copy shows the moment at which it began, and begins only once.
func TestBackupBesideWriters(t *testing.T) {
	v := vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{MaxSnapshotAge: 1})
	fill(t, v)
	other := vaulttest.OpenAt(t, v.Path(), nil)
	numbers := vaulttest.Lookup(t, other, "numbers", dtype.Int64)
	want := contents(t, v)
	path := filepath.Join(t.TempDir(), "copy.db")
	last := int64(0)
	vaulttest.Must(t, v.Backup(t.Context(), path, columnvault.BackupOptions{Progress: func(done, total int64) {
		if done < last {
			t.Errorf("the backup has begun anew: %d bytes after %d", done, last)
		}
		last = done
		vaulttest.Must(t, numbers.SetSlice(t.Context(), 0, 20_000, vaulttest.Span(int(done), int(done)+20_000)))
		vaulttest.Must(t, vaulttest.Lookup(t, v, "texts", dtype.String).Append(t.Context(), "more"))
		other.Checkpoint(t.Context(), columnvault.CheckpointPassive)
	}}))
	if contents(t, vaulttest.OpenAt(t, path, nil)) != want {
		t.Error("the copy is not the snapshot")
	}
	if contents(t, v) == want {
		t.Error("nobody has written meanwhile")
	}
}

func TestBackupRefused(t *testing.T) {
	dir := t.TempDir()
	main := filepath.Join(dir, "test.db")
	v := vaulttest.OpenAt(t, main, nil)
	fill(t, v)
	ctx := t.Context()
	link, hard := filepath.Join(dir, "link.db"), filepath.Join(dir, "hard.db")
	linked := filepath.Join(dir, "linked")
	if os.Symlink(main, link) != nil || os.Link(main, hard) != nil || os.Symlink(dir, linked) != nil {
		t.Skip("there are no links on this system")
	}
	taken := filepath.Join(dir, "taken.db")
	vaulttest.Must(t, os.WriteFile(taken, []byte("mine"), 0o600))
	stale := filepath.Join(dir, "stale.db")
	vaulttest.Must(t, os.WriteFile(stale+"-wal", []byte("of another database"), 0o600))
	want := contents(t, v)
	for _, c := range []struct {
		path    string
		replace bool
		want    error
	}{
		{main, true, columnvault.ErrInvalidArgument},
		{main + "-wal", true, columnvault.ErrInvalidArgument},
		{main + "-shm", true, columnvault.ErrInvalidArgument},
		{main + "-journal", false, columnvault.ErrInvalidArgument},
		{link, true, columnvault.ErrInvalidArgument},
		{hard, true, columnvault.ErrInvalidArgument},
		{filepath.Join(linked, "test.db-journal"), true, columnvault.ErrInvalidArgument},
		{filepath.Join(linked, "hard.db"), false, columnvault.ErrInvalidArgument},
		{"", false, columnvault.ErrInvalidArgument},
		{dir, true, columnvault.ErrInvalidArgument},
		{taken, false, columnvault.ErrExists},
		{stale, true, columnvault.ErrInvalidArgument},
		{filepath.Join(dir, "none", "copy.db"), false, columnvault.ErrUnavailable},
	} {
		before := vaulttest.Collect(t, listing(dir))
		vaulttest.WantErr(t, fmt.Sprintf("%q, replace %t", c.path, c.replace), v.Backup(ctx, c.path, columnvault.BackupOptions{Replace: c.replace}), c.want)
		if after := vaulttest.Collect(t, listing(dir)); !slices.Equal(after, before) {
			t.Errorf("%q: the folder holds %q, and before it held %q", c.path, after, before)
		}
	}
	if got, err := os.ReadFile(taken); string(got) != "mine" {
		t.Errorf("the file that was in the way holds %q: %v", got, err)
	}
	vaulttest.Must(t, v.Backup(ctx, taken, columnvault.BackupOptions{Replace: true}))
	if contents(t, v) != want || contents(t, vaulttest.OpenAt(t, taken, nil)) != want {
		t.Error("the vault or the copy that replaced a file holds something else")
	}
	vaulttest.WantErr(t, "in a transaction", v.View(ctx, func(ctx context.Context, _ *columnvault.Tx) error {
		return v.Backup(ctx, filepath.Join(dir, "nested.db"), columnvault.BackupOptions{})
	}), columnvault.ErrNested)
}

// listing yields the names in a folder.
func listing(dir string) func(yield func(string, error) bool) {
	return func(yield func(string, error) bool) {
		entries, err := os.ReadDir(dir)
		for _, e := range entries {
			if !yield(e.Name(), err) {
				return
			}
		}
	}
}

// TestBackupCancelled ends a backup in its middle, and one by closing the vault.
func TestBackupCancelled(t *testing.T) {
	v := vaulttest.Open(t)
	fill(t, v)
	dir := t.TempDir()
	path := filepath.Join(dir, "copy.db")
	ctx, cancel := context.WithCancel(t.Context())
	err := v.Backup(ctx, path, columnvault.BackupOptions{Progress: func(int64, int64) { cancel() }})
	vaulttest.WantErr(t, "a cancelled backup", err, context.Canceled)
	wantOnly(t, dir)
	vaulttest.WantErr(t, "with a ctx that is done", v.Backup(ctx, path, columnvault.BackupOptions{}), context.Canceled)

	closed := make(chan error, 1)
	var once sync.Once
	err = v.Backup(t.Context(), path, columnvault.BackupOptions{Progress: func(int64, int64) {
		once.Do(func() {
			go func() { closed <- v.Close() }()
			vaulttest.Eventually(t, "Close begins", func() bool {
				return errors.Is(v.View(t.Context(), func(context.Context, *columnvault.Tx) error { return nil }), columnvault.ErrClosed)
			})
		})
	}})
	vaulttest.Must(t, <-closed)
	vaulttest.WantErr(t, "a backup of a vault that is closed", err, columnvault.ErrClosed)
	wantOnly(t, dir)
	vaulttest.WantErr(t, "after Close", v.Backup(t.Context(), path, columnvault.BackupOptions{}), columnvault.ErrClosed)
}

// TestBackupOfDamage refuses a copy of a damaged vault, unless it is asked to
// make it.
func TestBackupOfDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	fill(t, v)
	vaulttest.Must(t, v.Close())
	vaulttest.ExecSQL(t, path, `DELETE FROM col_chunks WHERE chunk_idx = 0`)
	v = vaulttest.OpenAt(t, path, nil)
	dir := t.TempDir()
	copied := filepath.Join(dir, "copy.db")
	vaulttest.WantErr(t, "a copy of damage", v.Backup(t.Context(), copied, columnvault.BackupOptions{}), columnvault.ErrCorrupt)
	wantOnly(t, dir)
	vaulttest.Must(t, v.Backup(t.Context(), copied, columnvault.BackupOptions{SkipCheck: true}))
	wantOnly(t, dir, "copy.db")
}

// TestBackupFull finds an element that does not decode.
func TestBackupFull(t *testing.T) {
	v := vaulttest.Open(t)
	vaulttest.Create(t, v, "texts", dtype.String, "fine", "spoiled")
	vaulttest.ExecSQL(t, v.Path(), `UPDATE col_chunks SET data = CAST(x'66696e65ff706f696c6564' AS BLOB) || zeroblob(actual_size - 11)
		WHERE col_id = (SELECT col_id FROM col_meta WHERE name = 'texts_data')`)
	path := filepath.Join(t.TempDir(), "copy.db")
	vaulttest.WantErr(t, "a full check", v.Backup(t.Context(), path, columnvault.BackupOptions{Full: true}), columnvault.ErrCorrupt)
	vaulttest.Must(t, v.Backup(t.Context(), path, columnvault.BackupOptions{}))
}

// TestBackupHolds refuses to leave out what caches hold.
func TestBackupHolds(t *testing.T) {
	v := vaulttest.Open(t)
	fill(t, v)
	resume := v.PauseFlush()
	path := filepath.Join(t.TempDir(), "copy.db")
	vaulttest.WantErr(t, "while flushing is paused", v.Backup(t.Context(), path, columnvault.BackupOptions{}), columnvault.ErrFlushPaused)
	resume()
	vaulttest.Must(t, v.Backup(t.Context(), path, columnvault.BackupOptions{}))
	if want := contents(t, v); contents(t, vaulttest.OpenAt(t, path, nil)) != want {
		t.Error("the copy lacks what was held")
	}
}

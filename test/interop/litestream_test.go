package interop

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// litestreamPath returns the path of Litestream. Without it the test is skipped.
func litestreamPath(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("COLUMNVAULT_LITESTREAM"); path != "" {
		return path
	}
	path, err := exec.LookPath("litestream")
	if err != nil {
		t.Skip("COLUMNVAULT_LITESTREAM does not name a litestream, and there is none on the PATH; see doc.go")
	}
	return path
}

// TestLitestream replicates a vault while it is written to, by the recipe of
// docs/backup.md, and restores it: nothing is missing. It writes more than both
// programs leave in the log, so that the checkpoints of both are tried.
func TestLitestream(t *testing.T) {
	litestream := litestreamPath(t)
	dir := t.TempDir()
	path, restored := filepath.Join(dir, "live.db"), filepath.Join(dir, "restored.db")
	replica := filepath.Join(dir, "replica")
	v := vaulttest.OpenAt(t, path, nil)
	numbers := vaulttest.Create(t, v, "numbers", dtype.Int64, 1)
	texts := vaulttest.Create(t, v, "texts", dtype.String, "one")

	var out bytes.Buffer
	cmd := exec.Command(litestream, "replicate", path, "file://"+replica)
	cmd.Stdout, cmd.Stderr = &out, &out
	vaulttest.Must(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer cmd.Process.Kill()
	vaulttest.Eventually(t, "Litestream begins", func() bool {
		_, err := os.Stat(replica)
		return err == nil
	})
	longest := int64(0)
	for i := range 120 {
		vaulttest.Must(t, numbers.Append(t.Context(), vaulttest.Span(i*100_000, (i+1)*100_000)...))
		vaulttest.Must(t, texts.Append(t.Context(), vaulttest.Texts(50)...))
		vaulttest.Put(t, v.KV(), string(rune('a'+i%26)), "value")
		if i%40 == 0 {
			vaulttest.Must(t, texts.Delete(t.Context(), 5, 20))
		}
		sizes, err := v.FileSizes()
		vaulttest.Must(t, err)
		longest = max(longest, sizes.Log)
	}
	if longest > 200<<20 {
		t.Errorf("the log has come to %d bytes", longest)
	}
	vaulttest.Must(t, cmd.Process.Signal(os.Interrupt)) // it sends what it has not yet
	if err := <-ended; err != nil {
		t.Fatalf("litestream replicate: %v\n%s", err, out.Bytes())
	}
	if out, err := exec.CommandContext(t.Context(), litestream, "restore", "-o", restored, "file://"+replica).CombinedOutput(); err != nil {
		t.Fatalf("litestream restore: %v\n%s", err, out)
	}
	other := vaulttest.OpenAt(t, restored, nil)
	vaulttest.WantSound(t, other)
	wantSame(t, vaulttest.Lookup(t, other, "numbers", dtype.Int64), numbers)
	wantSame(t, vaulttest.Lookup(t, other, "texts", dtype.String), texts)
	n, err := other.KV().Len(t.Context())
	if n != 26 || err != nil {
		t.Errorf("the restored vault has %d keys: %v", n, err)
	}
}

// wantSame requires two columns to hold the same.
func wantSame[T comparable](t *testing.T, got, want *columnvault.Column[T]) {
	t.Helper()
	a, err := got.Slice(t.Context(), columnvault.Begin, columnvault.End)
	vaulttest.Must(t, err)
	b, err := want.Slice(t.Context(), columnvault.Begin, columnvault.End)
	vaulttest.Must(t, err)
	if !slices.Equal(a, b) {
		t.Errorf("%s has %d elements, of %d, and they are not the same", want.Name(), len(a), len(b))
	}
}

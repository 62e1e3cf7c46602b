package crash

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"columnvault"
	"columnvault/internal/vaulttest"
	"columnvault/internal/vaulttest/faultfs"
)

// faulty is the file system under the vaults of this file.
var faulty = faultfs.Register("faulty")

// faultKinds are the ways in which calls fail. Each is tried at every call.
var faultKinds = []struct {
	name string
	faultfs.Fault
}{
	{"one call fails", faultfs.Fault{}},
	{"one write is cut short", faultfs.Fault{Changing: true, Short: true}},
	{"the disk is full for a moment", faultfs.Fault{Full: true, Short: true}},
	{"all calls fail from then on", faultfs.Fault{Lasting: true}},
	{"the disk stays full", faultfs.Fault{Full: true, Short: true, Lasting: true}},
}

// faultOptions are those of vaults on the file system that can be made to
// fail. The page cache is so small that transactions write before they commit.
func faultOptions(fullSync bool) *columnvault.Options {
	return &columnvault.Options{PageSize: 512, PageCacheBytes: 16 << 10, FullSync: fullSync}
}

// everyFault calls try with a fault at the first call, the second and so on,
// in each way, until there is no such call. try returns how many calls have
// failed. The shorter forms leave calls out, others for each name, and more of
// them the more calls there are.
func everyFault(t *testing.T, part, name string, try func(t *testing.T, fault faultfs.Fault, fullSync bool) (failed int)) {
	stride, offset := campaign.of(151, 97, 1), 0
	if stride > 1 {
		for _, r := range name {
			offset += int(r)
		}
	}
	for k, kind := range faultKinds {
		for n, step := 1+(offset+k)%stride, stride; ; n += step {
			if stride > 1 {
				step += step / 2
			}
			for _, fullSync := range []bool{false, true} {
				if fullSync != (n%2 == 0) && (stride > 1 || !kind.Changing && !kind.Full) {
					continue // what only syncs make different, writes show
				}
				fault := kind.Fault
				fault.N = n
				if try(t, fault, fullSync) == 0 {
					n = -1
					break
				}
				count(part, "faults: "+kind.name, 1)
				if t.Failed() {
					t.Fatalf("%s: %s, call %d, FullSync %v", name, kind.name, fault.N, fullSync)
				}
			}
			if n < 0 {
				break
			}
		}
	}
}

// TestEveryFault lets every call to the file system fail during every
// operation. Afterwards the vault holds what it held before the operation, if
// that reported an error, and what it should hold after it otherwise: in the
// same vault, in a process that starts after this one has died, and opened
// anew. The operation can then be done.
func TestEveryFault(t *testing.T) {
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) {
			o := faultOptions(false)
			if op.pageSize != 0 {
				o.PageSize = op.pageSize
			}
			base := stageFile(t, o)
			v, err := columnvault.Open(t.Context(), copyVault(t, base, t.TempDir()), faultOptions(false))
			vaulttest.Must(t, err)
			before := wantContents(t, v)
			vaulttest.Must(t, op.do(t.Context(), v, v.Path()))
			after := wantContents(t, v)
			vaulttest.Must(t, v.Close())
			everyFault(t, partFaults, op.name, func(t *testing.T, fault faultfs.Fault, fullSync bool) int {
				return tryFault(t, base, op, fault, fullSync, before, after)
			})
			count(partFaults, "operations", 1)
		})
	}
}

// tryFault does the operation on a copy of the vault with a fault.
func tryFault(t *testing.T, base string, op operation, fault faultfs.Fault, fullSync bool, before, after string) (failed int) {
	t.Helper()
	ctx := t.Context()
	dir := t.TempDir()
	defer os.RemoveAll(dir)
	v, err := vaulttest.OpenOn("faulty", copyVault(t, base, dir), faultOptions(fullSync))
	vaulttest.Must(t, err)
	defer v.Close()
	faulty.Inject(fault)
	err = op.do(ctx, v, v.Path())
	failed = faulty.Failures()
	faulty.Inject(faultfs.Fault{})

	want := after
	if err != nil {
		want = before
		count(partFaults, "operations that failed, and changed nothing", 1)
		if failed == 0 {
			t.Errorf("no call failed, and the operation says %v", err)
		}
		// SQLite's own check calls a page damaged that it could not read.
		if !errors.Is(err, columnvault.ErrUnavailable) && !(op.name == backUp && errors.Is(err, columnvault.ErrCorrupt)) {
			t.Errorf("the error %v is not ErrUnavailable", err)
		}
	} else if failed > 0 {
		count(partFaults, "operations that succeeded all the same", 1)
	}
	died := copyVault(t, v.Path(), filepath.Join(dir, "died"))
	if got := wantContents(t, v); got != want {
		t.Errorf("the operation returned %v, and the vault holds\n%sand should hold\n%s", err, got, want)
	}
	if got := contentsOf(t, died, nil); got != want && (err == nil || got != after) {
		t.Errorf("the operation returned %v, the process died, and the vault holds\n%sand should hold\n%s", err, got, want)
	}
	if err != nil {
		if err := op.do(ctx, v, v.Path()); err != nil {
			t.Errorf("the second time: %v", err)
		}
		want = after
	}
	if err := v.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if got := contentsOf(t, v.Path(), nil); got != want {
		t.Errorf("opened anew, the vault holds\n%sand should hold\n%s", got, want)
	}
	return failed
}

// TestEveryFaultOfOpen lets every call fail while a vault is opened: a new
// one, and one whose writer has died and left a log.
func TestEveryFaultOfOpen(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "none.db")
	left := leftVault(t)
	for name, base := range map[string]string{"new": empty, "with a log": left} {
		t.Run(name, func(t *testing.T) {
			want := contentsOf(t, copyVault(t, base, t.TempDir()), faultOptions(false))
			everyFault(t, partFaults, name, func(t *testing.T, fault faultfs.Fault, fullSync bool) int {
				dir := t.TempDir()
				defer os.RemoveAll(dir)
				path := copyVault(t, base, dir)
				faulty.Inject(fault)
				v, err := vaulttest.OpenOn("faulty", path, faultOptions(fullSync))
				failed := faulty.Failures()
				faulty.Inject(faultfs.Fault{})
				if err != nil && !errors.Is(err, columnvault.ErrUnavailable) {
					t.Errorf("the error %v is not ErrUnavailable", err)
				}
				if err == nil {
					if got := wantContents(t, v); got != want {
						t.Errorf("the vault holds\n%sand should hold\n%s", got, want)
					}
					vaulttest.Must(t, v.Close())
				}
				if got := contentsOf(t, path, faultOptions(fullSync)); got != want {
					t.Errorf("opened again, the vault holds\n%sand should hold\n%s", got, want)
				}
				return failed
			})
		})
	}
}

// TestEveryFaultOfClose lets every call fail while a vault is closed that has
// a log, and a cache that holds something. Close says so, and can be called
// again if the vault is still open; nothing is lost either way.
func TestEveryFaultOfClose(t *testing.T) {
	base := stageFile(t, faultOptions(false))
	want := ""
	everyFault(t, partFaults, "close", func(t *testing.T, fault faultfs.Fault, fullSync bool) int {
		ctx := t.Context()
		dir := t.TempDir()
		defer os.RemoveAll(dir)
		v, err := vaulttest.OpenOn("faulty", copyVault(t, base, dir), faultOptions(fullSync))
		vaulttest.Must(t, err)
		defer v.Close()
		vaulttest.Must(t, v.KV().Put(ctx, []byte("written"), nil))
		vaulttest.Must(t, v.EnableCache(ctx, nil))
		vaulttest.Must(t, v.KV().Put(ctx, []byte("held"), vaulttest.Bytes(3, 5000)))
		if want == "" {
			want = wantContents(t, v)
		}
		faulty.Inject(fault)
		err = v.Close()
		failed := faulty.Failures()
		faulty.Inject(faultfs.Fault{})
		if err != nil && !errors.Is(err, columnvault.ErrUnavailable) {
			t.Errorf("the error %v is not ErrUnavailable", err)
		}
		if _, closed := v.Columns(ctx); err != nil && !errors.Is(closed, columnvault.ErrClosed) {
			if err := v.Close(); err != nil {
				t.Errorf("the second time: %v", err)
			}
		}
		if got := contentsOf(t, v.Path(), nil); got != want {
			t.Errorf("close returned %v, and the vault holds\n%sand should hold\n%s", err, got, want)
		}
		return failed
	})
}

// stageFile makes a file of what the operations work on.
func stageFile(t *testing.T, o *columnvault.Options) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "base.db")
	v, err := columnvault.Open(t.Context(), path, o)
	vaulttest.Must(t, err)
	vaulttest.Must(t, stage(t.Context(), v))
	vaulttest.Must(t, v.Close())
	return path
}

// leftVault makes a vault with a log, as a process leaves it that is killed.
func leftVault(t *testing.T) (path string) {
	t.Helper()
	path = stageFile(t, faultOptions(false))
	v := vaulttest.OpenAt(t, path, faultOptions(false))
	vaulttest.Must(t, operations[0].do(t.Context(), v, path))
	return copyVault(t, path, t.TempDir())
}

// copyVault copies a vault and its log into a folder, as they lie there.
func copyVault(t *testing.T, path, dir string) string {
	t.Helper()
	vaulttest.Must(t, os.MkdirAll(dir, 0o777))
	to := filepath.Join(dir, filepath.Base(path))
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		vaulttest.Must(t, err)
		vaulttest.Must(t, os.WriteFile(to+suffix, data, 0o666))
	}
	return to
}

// contentsOf opens a vault and returns what it holds.
func contentsOf(t *testing.T, path string, o *columnvault.Options) string {
	t.Helper()
	v, err := columnvault.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(fmt.Errorf("%s cannot be opened: %w", filepath.Base(path), err))
	}
	defer v.Close()
	return wantContents(t, v)
}

// TestEveryFaultOfRepair lets every call fail while a vault is repaired of which
// a column is too long and a chunk belongs to nobody. It holds what it held
// before, or what it holds when the repair has succeeded, and can be repaired.
func TestEveryFaultOfRepair(t *testing.T) {
	base := stageFile(t, faultOptions(false))
	vaulttest.ExecSQL(t, base, `PRAGMA foreign_keys = OFF`, `UPDATE col_meta SET length = length + 900 WHERE name = 'nums'`,
		`INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size, bytes_used) VALUES (77, 0, zeroblob(100), 100, 100)`)
	repair := func(v *columnvault.Vault) error {
		plan, err := v.PlanRepair(t.Context(), columnvault.RepairOptions{NoBackup: true})
		if err == nil && len(plan.Steps) == 0 {
			// SQLite's own check calls a page damaged that it could not read, and
			// such a file is not touched.
			err = fmt.Errorf("nothing can be done: %v", plan)
		}
		if err != nil {
			return err
		}
		return v.Repair(t.Context(), plan)
	}
	reading := func(v *columnvault.Vault) string {
		infos, err := v.Columns(t.Context())
		vaulttest.Must(t, err)
		var got string
		vaulttest.Must(t, v.View(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
			parts, failed := vaulttest.Parts(ctx, v, tx, vaulttest.Sequence(len(infos), func(i int) string { return infos[i].Name }), tables)
			got = fmt.Sprint(infos, parts, slices.Sorted(maps.Keys(failed)))
			return nil
		}))
		return got
	}
	v := vaulttest.OpenAt(t, copyVault(t, base, t.TempDir()), faultOptions(false))
	before := reading(v)
	vaulttest.Must(t, repair(v))
	after := reading(v)
	vaulttest.WantSound(t, v)
	if before == after {
		t.Fatal("there is nothing to repair")
	}
	everyFault(t, partFaults, "repair", func(t *testing.T, fault faultfs.Fault, fullSync bool) int {
		dir := t.TempDir()
		defer os.RemoveAll(dir)
		v, err := vaulttest.OpenOn("faulty", copyVault(t, base, dir), faultOptions(fullSync))
		vaulttest.Must(t, err)
		defer v.Close()
		faulty.Inject(fault)
		err = repair(v)
		failed := faulty.Failures()
		faulty.Inject(faultfs.Fault{})
		want := after
		if err != nil {
			want = before
		}
		if got := reading(v); got != want {
			t.Errorf("repair returned %v, and the vault holds\n%s\nand should hold\n%s", err, got, want)
		}
		if err != nil {
			vaulttest.Must(t, repair(v))
		}
		vaulttest.Must(t, v.Close())
		if got := contentsOf(t, v.Path(), nil); got == "" {
			t.Error("the vault is empty")
		}
		return failed
	})
}

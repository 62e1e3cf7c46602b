package crash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

func init() {
	roles["fill a disk"] = fillDisk
	roles["read a disk"] = readDisk
	roles["files"] = fewFiles
	roles["addresses"] = fewAddresses
	roles["memory"] = littleMemory
}

// alone starts this binary in a role that needs a limit or a mount of its own,
// and requires that it plays it to the end. What it prints is counted.
func alone(t *testing.T, role string, attr *syscall.SysProcAttr, args ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), roleKey+"="+role)
	cmd.SysProcAttr = attr
	var out, failure bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failure
	err := cmd.Start()
	if attr != nil && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOSPC)) {
		t.Skipf("this machine lets no process have mounts of its own: %v", err)
	}
	vaulttest.Must(t, err)
	err = cmd.Wait()
	if strings.Contains(failure.String(), cannotMount) {
		t.Skip(strings.TrimSpace(failure.String()))
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s", role, err, failure.String())
	}
	for line := range strings.Lines(out.String()) {
		n := 0
		what, number, _ := strings.Cut(strings.TrimSpace(line), "=")
		if _, err := fmt.Sscan(number, &n); err == nil {
			count(partLimits, what, n)
		}
	}
}

const cannotMount = "this machine lets no process mount a file system in memory"

// ownMounts gives a process mounts that nobody else sees, also to users who
// may not mount otherwise.
func ownMounts() *syscall.SysProcAttr {
	if os.Getuid() == 0 {
		return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	}
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}

// mountMemory puts a file system in memory, of so many bytes, in a folder.
func mountMemory(dir string, size int) error {
	err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err == nil {
		err = syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprint("size=", size))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", cannotMount, err)
	}
	return nil
}

// TestFullDisk fills a real file system. Operations fail with the reason, and
// change nothing; everything that was acknowledged can be read while the disk is
// full, and when there is space again, work goes on.
func TestFullDisk(t *testing.T) { alone(t, "fill a disk", ownMounts(), t.TempDir()) }

func fillDisk(ctx context.Context, args []string) error {
	dir := args[0]
	if err := mountMemory(dir, 3<<20); err != nil {
		return err
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o666); err != nil {
		return err
	}
	path := filepath.Join(dir, "test.db")
	v, err := columnvault.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	if err := stage(ctx, v); err != nil {
		return err
	}
	r, err := openRecords(ctx, v, "own")
	if err != nil {
		return err
	}
	said := map[string]int{}
	refused := 0
	for full := 0; full < 50; {
		err := r.add(ctx, said["records"], 20, full%2*2)
		if err != nil {
			full++
			refused++
			if err := wantFull(err); err != nil {
				return err
			}
		} else {
			said["records"] += 20
		}
		if err := r.check(ctx, said); err != nil {
			return fmt.Errorf("while the disk is full: %w", err)
		}
	}
	for _, op := range operations { // some need no space
		before, err := contents(ctx, v)
		if err != nil {
			return err
		}
		failed := op.do(ctx, v, path)
		if failed == nil {
			continue
		}
		refused++
		if err := wantFull(failed); err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
		after, err := contents(ctx, v)
		if err != nil {
			return err
		}
		if before != after {
			return fmt.Errorf("%s failed (%w) and has changed\n%s to\n%s", op.name, failed, before, after)
		}
	}
	if _, err := columnvault.Open(ctx, filepath.Join(dir, "another.db"), nil); err == nil {
		return errors.New("a vault can be created on a full disk")
	} else if err := wantFull(err); err != nil {
		return err
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	if err := r.add(ctx, said["records"], 20, 0); err != nil {
		return fmt.Errorf("when there is space again: %w", err)
	}
	said["records"] += 20
	if err := v.Close(); err != nil {
		return err
	}
	if v, err = columnvault.Open(ctx, path, nil); err != nil {
		return err
	}
	defer v.Close()
	if r, err = openRecords(ctx, v, "own"); err != nil {
		return err
	}
	if found, err := vaulttest.Findings(ctx, v, columnvault.CheckOptions{Full: true}); err != nil || len(found) > 0 {
		return fmt.Errorf("check: %q, %w", found, err)
	}
	fmt.Printf("operations refused on a full disk=%d\nrecords acknowledged before, and there=%d\n", refused, said["records"])
	return r.check(ctx, said)
}

func wantFull(err error) error {
	if !errors.Is(err, columnvault.ErrUnavailable) || !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the error on a full disk is %w", err)
	}
	return nil
}

// TestReadOnlyDisk: on a disk that cannot be written to, a vault can be opened
// for reading, and a write says why it cannot be.
func TestReadOnlyDisk(t *testing.T) { alone(t, "read a disk", ownMounts(), t.TempDir()) }

func readDisk(ctx context.Context, args []string) error {
	dir := args[0]
	if err := mountMemory(dir, 8<<20); err != nil {
		return err
	}
	path := filepath.Join(dir, "test.db")
	v, err := columnvault.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	if err := stage(ctx, v); err != nil {
		return err
	}
	want, err := contents(ctx, v)
	if err != nil {
		return err
	}
	if err := v.Close(); err != nil {
		return err
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("%s: %w", cannotMount, err)
	}
	_, err = columnvault.Open(ctx, path, nil)
	if !errors.Is(err, columnvault.ErrReadOnly) && !errors.Is(err, columnvault.ErrUnavailable) {
		return fmt.Errorf("opened for writing: %w", err)
	}
	_, err = columnvault.Open(ctx, filepath.Join(dir, "new.db"), nil)
	if !errors.Is(err, columnvault.ErrReadOnly) && !errors.Is(err, columnvault.ErrUnavailable) {
		return fmt.Errorf("a new one: %w", err)
	}
	if v, err = columnvault.Open(ctx, path, &columnvault.Options{ReadOnly: true}); err != nil {
		return err
	}
	defer v.Close()
	if got, err := contents(ctx, v); err != nil || got != want {
		return fmt.Errorf("the vault holds\n%s and should hold\n%s: %w", got, want, err)
	}
	refused := 0
	for _, op := range operations {
		if err := op.do(ctx, v, path); err != nil {
			refused++
			if !errors.Is(err, columnvault.ErrReadOnly) && !errors.Is(err, syscall.EROFS) {
				return fmt.Errorf("%s: %w", op.name, err)
			}
		}
	}
	fmt.Printf("operations refused on a read-only disk=%d\n", refused)
	return nil
}

// TestFewFiles takes file descriptors away from a process, one after the other.
// What needs more than there are fails and changes nothing, and when there are
// enough again, work goes on.
func TestFewFiles(t *testing.T) {
	alone(t, "files", nil, t.TempDir(), strconv.Itoa(campaign.of(4, 12, 24)))
}

func fewFiles(ctx context.Context, args []string) error {
	refused, tried := 0, 0
	var all syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &all); err != nil {
		return err
	}
	most, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	for free := range most {
		path := filepath.Join(args[0], fmt.Sprint(free, ".db"))
		v, err := columnvault.Open(ctx, path, vaulttest.Impatient()) // a checkpoint would wait for the snapshots
		if err != nil {
			return err
		}
		if err := stage(ctx, v); err != nil {
			return err
		}
		probe, err := os.Open(path)
		if err != nil {
			return err
		}
		few := syscall.Rlimit{Cur: uint64(probe.Fd()) + uint64(free), Max: all.Max}
		probe.Close()
		for _, op := range operations {
			before, err := contents(ctx, v)
			if err != nil {
				return err
			}
			if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
				return err
			}
			views, viewErr := manyViews(ctx, v, 4)
			failed := op.do(ctx, v, path)
			for _, end := range views {
				end()
			}
			if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &all); err != nil {
				return err
			}
			tried++
			for _, err := range []error{failed, viewErr} {
				if err != nil {
					refused++
				}
				if err != nil && !errors.Is(err, columnvault.ErrUnavailable) {
					return fmt.Errorf("%s, with %d file descriptors free: %w", op.name, free, err)
				}
			}
			after, err := contents(ctx, v)
			if err != nil {
				return err
			}
			if failed != nil && after != before {
				return fmt.Errorf("%s failed (%w) and has changed\n%s to\n%s", op.name, failed, before, after)
			}
		}
		want, err := contents(ctx, v)
		if err != nil {
			return err
		}
		if err := v.Close(); err != nil {
			return err
		}
		if err := wantFile(ctx, path, want); err != nil {
			return err
		}
	}
	fmt.Printf("operations with few file descriptors=%d\nof which were refused=%d\n", tried, refused)
	return nil
}

// wantFile requires that a vault is sound and holds this.
func wantFile(ctx context.Context, path, want string) error {
	v, err := columnvault.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	defer v.Close()
	if found, err := vaulttest.Findings(ctx, v, columnvault.CheckOptions{Full: true}); err != nil || len(found) > 0 {
		return fmt.Errorf("check: %q, %w", found, err)
	}
	if got, err := contents(ctx, v); err != nil || got != want {
		return fmt.Errorf("the vault holds\n%s and should hold\n%s: %w", got, want, err)
	}
	return nil
}

// manyViews opens loops, each of which has a snapshot, and so a connection, of
// its own.
func manyViews(ctx context.Context, v *columnvault.Vault, n int) (ends []func(), err error) {
	for range n {
		blob, err := v.KV().OpenBlob(ctx, vaulttest.Key(59))
		if errors.Is(err, columnvault.ErrNotFound) {
			continue
		}
		if err != nil {
			return ends, err
		}
		ends = append(ends, func() { blob.Close() })
	}
	return ends, nil
}

// TestFewAddresses bounds the address space of a process, of which each
// connection reserves a gigabyte. What needs another connection fails, and what
// does not goes on.
func TestFewAddresses(t *testing.T) { alone(t, "addresses", nil, t.TempDir()) }

func fewAddresses(ctx context.Context, args []string) error {
	path := filepath.Join(args[0], "test.db")
	v, err := columnvault.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	if err := stage(ctx, v); err != nil {
		return err
	}
	var all syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &all); err != nil {
		return err
	}
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return err
	}
	pages := uint64(0)
	fmt.Sscan(string(data), &pages)
	few := syscall.Rlimit{Cur: pages*uint64(os.Getpagesize()) + 3<<30, Max: all.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &few); err != nil {
		return err
	}
	ends, err := manyViews(ctx, v, 20)
	if len(ends) == 0 || !errors.Is(err, columnvault.ErrUnavailable) {
		return fmt.Errorf("%d snapshots, and then %w", len(ends), err)
	}
	if err := v.KV().Put(ctx, []byte("beside"), nil); err != nil {
		return err
	}
	for _, end := range ends {
		end()
	}
	fmt.Printf("snapshots refused for want of addresses=%d\n", 20-len(ends))
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &all); err != nil {
		return err
	}
	for _, op := range operations {
		if err := op.do(ctx, v, path); err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
	}
	return v.Close()
}

// TestLittleMemory moves much more than a process may have in memory: a value
// is streamed in and out, and a column appended to and read.
func TestLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("measures memory, of which the race detector takes much")
	}
	vaulttest.NeedsDisk(t, 640<<20)
	alone(t, "memory", nil, t.TempDir())
}

func littleMemory(ctx context.Context, args []string) error {
	const size, most = 160 << 20, 120 << 20
	debug.SetMemoryLimit(48 << 20)
	v, err := columnvault.Open(ctx, filepath.Join(args[0], "test.db"), nil)
	if err != nil {
		return err
	}
	defer v.Close()
	key := []byte("large")
	if err := v.KV().PutFrom(ctx, key, size, vaulttest.Endless{}); err != nil {
		return err
	}
	out := filepath.Join(args[0], "out")
	if err := errors.Join(v.KV().GetToFile(ctx, key, out), os.Remove(out)); err != nil {
		return err
	}
	c, err := columnvault.Create(ctx, v, "numbers", dtype.Int64, nil)
	if err != nil {
		return err
	}
	part := vaulttest.Span(0, 1<<17)
	for range size / (8 * len(part)) {
		if err := c.Append(ctx, part...); err != nil {
			return err
		}
	}
	n := 0
	for run, err := range c.Runs(ctx) {
		if err != nil {
			return err
		}
		n += 8 * len(run.Values)
	}
	if n != size {
		return fmt.Errorf("%d bytes were read, and %d written", n, size)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	peak := 0
	fmt.Sscan(rest, &peak)
	if peak <<= 10; peak > most {
		return fmt.Errorf("it took %d MiB of memory to move %d MiB", peak>>20, size>>20)
	}
	fmt.Printf("MiB of memory taken to move %d MiB in a value and a column=%d\n", size>>20, peak>>20)
	return nil
}

package crash

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"testing"

	"columnvault"
	"columnvault/internal/vaulttest"
)

// fuzzMemory bounds what the memory of a hostile file may grow to, in bytes
// that are allocated by one execution, given back or not. The file is below 64
// KiB.
const fuzzMemory = 1 << 30

// FuzzFile opens a file of any bytes, and does with it what can be done:
// lists, checks, reads, edits. Nothing panics, and every error is one of the
// library.
func FuzzFile(f *testing.F) {
	for _, seed := range seedFiles(f) {
		f.Add(seed)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 64<<10 {
			return
		}
		path := filepath.Join(dir, strconv.Itoa(os.Getpid())+".db")
		for _, suffix := range []string{"-wal", "-shm", "-journal"} {
			os.Remove(path + suffix)
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := useFile(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > fuzzMemory {
			t.Fatalf("%d bytes of memory for a file of %d", n, len(data))
		}
	})
}

// seedFiles are small vaults: one of every kind of column, and files of
// KohakuVault.
func seedFiles(f *testing.F) (files [][]byte) {
	f.Helper()
	path := filepath.Join(f.TempDir(), "seed.db")
	v, err := columnvault.Open(context.Background(), path, &columnvault.Options{PageSize: 512})
	if err == nil {
		err = errors.Join(stage(f.Context(), v), v.Close())
	}
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{path, vaulttest.File(f, "testdata", "v0", "var_ops.db"), vaulttest.File(f, "testdata", "v0", "shared_with_kv.db")} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		files = append(files, data)
	}
	return append(files, nil, files[0][:1000])
}

// useFile does with a file what can be done, and returns an error that is not
// of the library.
func useFile(ctx context.Context, path string) error {
	v, err := columnvault.Open(ctx, path, vaulttest.Impatient())
	if err != nil {
		return foreign(err)
	}
	defer v.Close()
	infos, err := v.Columns(ctx)
	if err := foreign(err); err != nil {
		return err
	}
	_, err = vaulttest.Findings(ctx, v, columnvault.CheckOptions{Full: true})
	if err := foreign(err); err != nil {
		return err
	}
	for _, info := range infos[:min(len(infos), 20)] {
		c, err := v.Column(ctx, info.Name)
		if err != nil {
			if err := foreign(err); err != nil {
				return err
			}
			continue
		}
		if err := useColumn(ctx, c); err != nil {
			return err
		}
	}
	for _, name := range tables {
		if err := useTable(ctx, v.KVTable(name)); err != nil {
			return err
		}
	}
	_, err = vaulttest.Findings(ctx, v, columnvault.CheckOptions{Full: true})
	return errors.Join(foreign(err), foreign(v.Close()))
}

// most bounds the elements that are read of a column that says it has more.
const most = 5000

func useColumn(ctx context.Context, c *columnvault.Column[any]) error {
	n := 0
	var value any
	err := vaulttest.LoopOver(c.Values(ctx), func(int) bool { n++; return n < most })
	if err == nil {
		value, err = c.At(ctx, 0)
	}
	_, statErr := c.Stat(ctx)
	errs := []error{err, statErr, vaulttest.ErrOf(c.Slice(ctx, -3, columnvault.End)), vaulttest.ErrOf(c.Pop(ctx, -1))}
	if value != nil {
		errs = append(errs, c.Append(ctx, value, value), c.Insert(ctx, 1, value), c.Set(ctx, 0, value), c.Delete(ctx, 1, 3))
	}
	for _, err := range errs {
		if err := foreign(err); err != nil {
			return err
		}
	}
	return nil
}

func useTable(ctx context.Context, kv *columnvault.KV) error {
	n := 0
	var first []byte
	err := vaulttest.LoopOver(kv.All(ctx, nil), func(int) bool { n++; return n < most })
	for key, err := range kv.Keys(ctx, nil) {
		if err == nil {
			first = bytes.Clone(key)
		}
		break
	}
	for _, err := range []error{err, vaulttest.ErrOf(kv.Len(ctx)), vaulttest.ErrOf(columnvault.GetValue[any](ctx, kv, first)),
		vaulttest.ErrOf(kv.Stat(ctx, first)), kv.Put(ctx, first, []byte("other")), kv.PutFrom(ctx, []byte("new"), 3, bytes.NewReader([]byte("new"))),
		vaulttest.ErrOf(kv.Delete(ctx, first))} {
		if err := foreign(err); err != nil {
			return err
		}
	}
	return nil
}

// foreign is an error that is not of the library's type, or nil.
func foreign(err error) error {
	var own *columnvault.Error
	if err == nil || errors.As(err, &own) {
		return nil
	}
	return err
}

// fuzzTargets are all of the project, each with its share of the executions:
// those that open files or make values of texts are slower than decoders of a
// few bytes.
var fuzzTargets = []struct {
	folder, target string
	share          float64
}{
	{"test/crash", "FuzzFile", 0.002},
	{"internal/column/layout0", "FuzzDamage", 0.01},
	{"internal/column/layout1", "FuzzDamage", 0.01},
	{"internal/column/native", "FuzzDamage", 0.01},
	{"internal/column/native", "FuzzFrame", 0.01},
	{"internal/column/layout0", "FuzzBounds", 0.1},
	{"internal/column/layout0", "FuzzFixed", 0.1},
	{"internal/column/layout0", "FuzzEntry", 0.06},
	{"dtype", "FuzzParse", 0.08},
	{"dtype", "FuzzDecode", 0.1},
	{"dtype", "FuzzVerify", 0.06},
	{"dtype", "FuzzAttrs", 0.05},
	{"internal/kvcodec", "FuzzHeader", 0.06},
	{"internal/kvcodec", "FuzzStoredValue", 0.06},
	{"internal/kvcodec", "FuzzCheck", 0.054},
	{"internal/structured", "FuzzJSON", 0.06},
	{"internal/structured", "FuzzMsgPack", 0.05},
	{"internal/structured", "FuzzCBOR", 0.05},
	{"internal/structured", "FuzzPlainFields", 0.02},
	{"exchange/csv", "FuzzReader", 0.02},
	{"exchange/jsonl", "FuzzReader", 0.01},
	{"exchange/jsonl", "FuzzScanner", 0.01},
	{"exchange/parquet", "FuzzReader", 0.01},
	{"exchange/arrow", "FuzzReader", 0.01},
	{"exchange/npy", "FuzzReader", 0.02},
	{"exchange/sqlrows", "FuzzReader", 0.002},
	{"internal/rows", "FuzzTag", 0.02},
	{"internal/values", "FuzzParse", 0.02},
	{"internal/values", "FuzzStored", 0.02},
	{"internal/sqlitefile", "FuzzFile", 0.002},
	{"internal/store/sqlite/btree", "FuzzSparse", 0.002},
	{"internal/store/sqlite/btree", "FuzzField", 0.002},
	{"query", "FuzzQuery", 0.001},
	{"scan", "FuzzScan", 0.001},
	{"viewer", "FuzzQuery", 0.001},
}

var fuzzDeclaration = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// TestFuzzTargets runs every fuzz target for its share of the executions, in the
// long form alone: the short one runs their seeds, as every run of the tests
// does. What a target finds is kept in its folder testdata/fuzz, to be mended.
func TestFuzzTargets(t *testing.T) {
	root := vaulttest.Root(t)
	known := map[string]bool{}
	for _, f := range fuzzTargets {
		known[f.folder+"."+f.target] = true
	}
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		for _, match := range fuzzDeclaration.FindAllSubmatch(source, -1) {
			if name := filepath.ToSlash(folder) + "." + string(match[1]); !known[name] {
				t.Errorf("the campaign leaves out the fuzz target %s", name)
			}
		}
		return err
	})
	vaulttest.Must(t, err)
	if !campaign.long {
		return
	}
	for _, f := range fuzzTargets {
		n := int64(float64(campaign.executions) * f.share)
		cmd := exec.Command("go", "test", "./"+f.folder, "-run", "^$", "-fuzz", "^"+f.target+"$",
			"-fuzztime", strconv.FormatInt(n, 10)+"x", "-fuzzminimizetime", "10x", "-timeout", "0")
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s of %s: %v\n%s", f.target, f.folder, err, out)
			continue
		}
		count(partFuzz, "executions of "+f.target+" in "+f.folder, int(n))
		count(partFuzz, "executions in sum", int(n))
	}
}

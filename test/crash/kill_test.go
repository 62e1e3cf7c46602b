package crash

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// roleKey names the environment variable that makes the test binary play a
// role instead of running the tests. What it works on follows as arguments.
const roleKey = "COLUMNVAULT_TEST_ROLE"

var roles = map[string]func(ctx context.Context, args []string) error{
	"record": record,
	"count":  count,
	"backup": backup,
}

func TestMain(m *testing.M) {
	role, ok := roles[os.Getenv(roleKey)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := role(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// start starts this binary in a role. Its output comes line by line.
func start(t *testing.T, role string, args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), roleKey+"="+role)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// records are the columns that a recorder fills. Record i has the number i,
// and a text that follows from it.
type records struct {
	v     *columnvault.Vault
	nums  *columnvault.Column[int64]
	texts *columnvault.Column[string]
}

func openRecords(ctx context.Context, path string) (*records, error) {
	v, err := columnvault.Open(path, nil)
	if err != nil {
		return nil, err
	}
	r := &records{v: v}
	small := &columnvault.ColumnOptions{MinChunk: 512, MaxChunk: 8184}
	if r.nums, err = columnvault.Ensure(ctx, v, "nums", dtype.Int64, small); err != nil {
		return nil, err
	}
	r.texts, err = columnvault.Ensure(ctx, v, "texts", dtype.String, small)
	return r, err
}

// textOf is the text of a record; long says that it has been made longer.
func textOf(i int, long bool) string {
	if long {
		return strings.Repeat(fmt.Sprint(i, " "), 20)
	}
	return fmt.Sprint("record ", i)
}

// add adds records from i on, in the way that the round asks for, and returns
// when they are durable.
func (r *records) add(ctx context.Context, i, n, round int) error {
	switch round % 3 {
	case 0: // one transaction over both columns
		return r.v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			for k := range n {
				if err := r.nums.In(tx).Append(ctx, int64(i+k)); err != nil {
					return err
				}
				if err := r.texts.In(tx).Append(ctx, textOf(i+k, false)); err != nil {
					return err
				}
			}
			return nil
		})
	case 1: // records in a cache that writes by itself now and then
		return r.v.Cached(ctx, &columnvault.CacheOptions{CapBytes: 4096, FlushThreshold: 300}, func() error {
			for k := range n {
				err := r.v.Batch(ctx, func(b *columnvault.Batch) error {
					if err := r.nums.AppendTo(b, int64(i+k)); err != nil {
						return err
					}
					return r.texts.AppendTo(b, textOf(i+k, false))
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	default: // before the last record, which is put back after it
		return r.v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			nums, texts := r.nums.In(tx), r.texts.In(tx)
			for k := range n {
				if err := nums.Append(ctx, -1); err != nil {
					return err
				}
				if err := nums.Insert(ctx, -1, int64(i+k)); err != nil {
					return err
				}
				if _, err := nums.Pop(ctx, -1); err != nil {
					return err
				}
				if err := texts.Insert(ctx, i+k, textOf(i+k, false)); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// record adds records without end and prints, after each round, how many are
// durable. In between it makes texts longer.
func record(ctx context.Context, args []string) error {
	r, err := openRecords(ctx, args[0])
	if err != nil {
		return err
	}
	seed, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(seed, 0))
	i, err := r.nums.Len(ctx)
	if err != nil {
		return err
	}
	for round := 0; ; round++ {
		n := 1 + random.IntN(40)
		if err := r.add(ctx, i, n, round); err != nil {
			return err
		}
		i += n
		fmt.Println(i)
		long := random.IntN(i)
		if err := r.texts.Set(ctx, long, textOf(long, true)); err != nil {
			return err
		}
	}
}

// TestKilledWriter kills a writer two hundred times at moments of chance. What
// it had acknowledged must be there each time, and no half of anything.
func TestKilledWriter(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	random := rand.New(rand.NewPCG(1, 2))
	for run := range 200 {
		cmd, out := start(t, "record", path, strconv.Itoa(run))
		acknowledged := 0
		for range 1 + random.IntN(8) {
			if !out.Scan() {
				cmd.Wait()
				t.Fatalf("run %d: the writer has ended by itself", run)
			}
			acknowledged, _ = strconv.Atoi(out.Text())
		}
		time.Sleep(time.Duration(random.IntN(4000)) * time.Microsecond) // somewhere in the next rounds
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for out.Scan() { // what was acknowledged before the end
			acknowledged, _ = strconv.Atoi(out.Text())
		}
		cmd.Wait()
		if !t.Run(fmt.Sprint("run ", run), func(t *testing.T) { checkRecords(ctx, t, path, acknowledged) }) {
			return
		}
		if run%50 == 49 { // a small vault is more often in motion than a large one
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func checkRecords(ctx context.Context, t *testing.T, path string, acknowledged int) {
	t.Helper()
	r, err := openRecords(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.v.Close()
	vaulttest.WantSound(t, r.v)
	nums, err := r.nums.Slice(ctx, columnvault.Begin, columnvault.End)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := r.texts.Slice(ctx, columnvault.Begin, columnvault.End)
	if err != nil {
		t.Fatal(err)
	}
	if len(nums) != len(texts) || len(nums) < acknowledged {
		t.Fatalf("%d numbers and %d texts, of which %d were acknowledged", len(nums), len(texts), acknowledged)
	}
	for i := range nums {
		if nums[i] != int64(i) || texts[i] != textOf(i, false) && texts[i] != textOf(i, true) {
			t.Fatalf("record %d is %d, %q", i, nums[i], texts[i])
		}
	}
}

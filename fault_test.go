package columnvault

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"columnvault/dtype"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/vaulttest/faultfs"
)

// faulty is the file system under the vaults of this file.
var faulty = faultfs.Register("faulty")

// openFaulty opens a vault on the file system that can be made to fail. Its
// page cache is so small that transactions write before they commit.
func openFaulty(t *testing.T, path string) *Vault {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{VFS: "faulty", PageSize: 512, PageCacheBytes: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	return newVault(path, s, &Options{})
}

// contents is what a vault holds, to be compared.
func contents(t *testing.T, v *Vault) string {
	t.Helper()
	var b strings.Builder
	infos, err := v.Columns(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range infos {
		c, err := v.Column(t.Context(), info.Name)
		if err != nil {
			t.Fatal(err)
		}
		values, err := c.Slice(t.Context(), Begin, End)
		if err != nil {
			t.Fatal(err)
		}
		typ := strings.TrimSpace(info.DType + " " + info.Meaning.String())
		fmt.Fprintf(&b, "%s %s %v\n", info.Name, typ, values)
	}
	for f, err := range v.Check(t.Context(), CheckOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Severity > SeverityNote {
			t.Errorf("check: %s: %s", f.Column, f.Text)
		}
	}
	return b.String()
}

// TestEveryFault lets every single call to the file system fail, one at a
// time, during every kind of operation. After the failure the vault holds what
// it held before the operation, if that reported an error, and what it should
// hold after it otherwise: in the same vault, and opened anew.
func TestEveryFault(t *testing.T) {
	base := faultBase(t)
	for name, do := range faultOperations {
		t.Run(name, func(t *testing.T) {
			calls := 0
			for tryFault(t, base, calls+1, do) {
				calls++
			}
			if calls < 2 {
				t.Errorf("the operation makes %d calls that could fail", calls)
			}
		})
	}
}

func sequence(n int) []int64 {
	values := make([]int64, n)
	for i := range values {
		values[i] = int64(i)
	}
	return values
}

// faultOperations are what is tried. Each works on the columns nums and texts.
var faultOperations = map[string]func(ctx context.Context, v *Vault) error{
	"append": func(ctx context.Context, v *Vault) error {
		return onNums(ctx, v, func(c *Column[int64]) error { return c.Append(ctx, sequence(1500)...) })
	},
	"insert": func(ctx context.Context, v *Vault) error {
		return onNums(ctx, v, func(c *Column[int64]) error { return c.Insert(ctx, 3, sequence(700)...) })
	},
	"delete": func(ctx context.Context, v *Vault) error {
		return onNums(ctx, v, func(c *Column[int64]) error { return c.Delete(ctx, 3, 1200) })
	},
	"retype": func(ctx context.Context, v *Vault) error {
		_, err := v.Retype(ctx, "nums", dtype.Meaning{Time: dtype.Second, Null: true}, nil)
		return err
	},
	"create with a meaning": func(ctx context.Context, v *Vault) error {
		return v.Update(ctx, func(ctx context.Context, tx *Tx) error {
			c, err := Create(ctx, tx, "dates", dtype.Date, nil)
			if err != nil {
				return err
			}
			return c.Append(ctx, time.Unix(0, 0))
		})
	},
	"append texts": func(ctx context.Context, v *Vault) error {
		return onTexts(ctx, v, func(c *Column[string]) error { return c.Append(ctx, slices.Repeat([]string{"new"}, 2000)...) })
	},
	"grow a text": func(ctx context.Context, v *Vault) error {
		return onTexts(ctx, v, func(c *Column[string]) error { return c.Set(ctx, 100, strings.Repeat("long", 500)) })
	},
	"overwrite texts": func(ctx context.Context, v *Vault) error {
		return onTexts(ctx, v, func(c *Column[string]) error {
			return c.SetSlice(ctx, 50, 450, slices.Repeat([]string{strings.Repeat("y", 40)}, 400))
		})
	},
	"insert texts": func(ctx context.Context, v *Vault) error {
		return onTexts(ctx, v, func(c *Column[string]) error { return c.Insert(ctx, 250, slices.Repeat([]string{"new"}, 900)...) })
	},
	"delete texts": func(ctx context.Context, v *Vault) error {
		return onTexts(ctx, v, func(c *Column[string]) error { return c.Delete(ctx, 20, 480) })
	},
	"create": func(ctx context.Context, v *Vault) error {
		_, err := Create(ctx, v, "more", dtype.MsgPack[any](), nil)
		return err
	},
	"rename": func(ctx context.Context, v *Vault) error { return v.Rename(ctx, "texts", "words") },
	"drop":   func(ctx context.Context, v *Vault) error { return v.Drop(ctx, "texts") },
	"update of both": func(ctx context.Context, v *Vault) error {
		return v.Update(ctx, func(ctx context.Context, tx *Tx) error {
			return errors.Join(
				onNums(ctx, tx, func(c *Column[int64]) error { return c.In(tx).Append(ctx, 1, 2, 3) }),
				onTexts(ctx, tx, func(c *Column[string]) error { return c.In(tx).Clear(ctx) }))
		})
	},
	// Whatever fails in a function that does not care must still undo all.
	"update that swallows errors": func(ctx context.Context, v *Vault) error {
		return v.Update(ctx, func(ctx context.Context, tx *Tx) error {
			onTexts(ctx, tx, func(c *Column[string]) error { return c.In(tx).Insert(ctx, 1, strings.Repeat("z", 3000)) })
			onNums(ctx, tx, func(c *Column[int64]) error { return c.In(tx).Insert(ctx, 0, sequence(900)...) })
			return nil
		})
	},
	"flush": func(ctx context.Context, v *Vault) error {
		return onNums(ctx, v, func(c *Column[int64]) error {
			if err := c.EnableCache(ctx, nil); err != nil {
				return err
			}
			if err := c.Append(ctx, sequence(900)...); err != nil {
				return err
			}
			if _, err := v.Flush(ctx); err != nil {
				c.DiscardPending() // what is held is seen otherwise, as it should be
				return err
			}
			return nil
		})
	},
}

func onNums(ctx context.Context, in Scope, fn func(c *Column[int64]) error) error {
	c, err := Lookup(ctx, in, "nums", dtype.Int64)
	if err != nil {
		return err
	}
	return fn(c)
}

func onTexts(ctx context.Context, in Scope, fn func(c *Column[string]) error) error {
	c, err := Lookup(ctx, in, "texts", dtype.String)
	if err != nil {
		return err
	}
	return fn(c)
}

// tryFault does the operation on a copy of the vault while the n-th call
// fails. It returns false if there were fewer calls.
func tryFault(t *testing.T, base string, n int, do func(context.Context, *Vault) error) bool {
	t.Helper()
	fault := []error{sqlite3.IOERR_WRITE, sqlite3.FULL}[n%2]
	v, path := openCopy(t, base)
	before := contents(t, v)
	faulty.Arm(n, fault)
	err := do(context.Background(), v)
	failed := faulty.Failed()
	faulty.Arm(0, nil)

	got := contents(t, v)
	switch {
	case !failed && err != nil:
		t.Errorf("call %d: no call failed, and the operation says %v", n, err)
	case err != nil && got != before:
		t.Errorf("call %d: the operation failed (%v) and has changed the vault", n, err)
	case err == nil && got == before:
		t.Errorf("call %d: the operation succeeded and has changed nothing", n)
	}
	if err != nil && !errors.Is(err, ErrUnavailable) {
		t.Errorf("call %d: the error %v is not ErrUnavailable", n, err)
	}
	if err := v.Close(); err != nil {
		t.Errorf("call %d: close: %v", n, err)
	}
	v = openFaulty(t, path)
	if again := contents(t, v); again != got {
		t.Errorf("call %d: the vault holds something else after it was opened anew", n)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	return failed
}

// TestCloseWithoutRoomForTheLog: a vault is closed also if the disk does not
// let it move the log into the file, and holds everything when it is opened
// again. It takes no rows that it could not write any more.
func TestCloseWithoutRoomForTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	v := openFaulty(t, path)
	c, err := Create(t.Context(), v, "values", dtype.Int64, nil)
	if err == nil {
		err = c.EnableCache(t.Context(), nil)
	}
	if err == nil {
		err = c.Append(t.Context(), 1)
	}
	if err == nil {
		_, err = v.Flush(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	faulty.Arm(1, sqlite3.IOERR_WRITE)
	err = v.Close()
	faulty.Arm(0, nil)
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "the file is closed and nothing is lost") {
		t.Errorf("Close: %v", err)
	}
	if err := c.Append(t.Context(), 2); !errors.Is(err, ErrClosed) {
		t.Errorf("Append after Close: %v", err)
	}
	if err := v.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("the second Close: %v", err)
	}
	v = openFaulty(t, path)
	if got := contents(t, v); got != "values i64 [1]\n" {
		t.Errorf("the file holds %q", got)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}

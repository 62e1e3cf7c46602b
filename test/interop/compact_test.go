package interop

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestCompactTurns compacts files in which most has been deleted, those of
// KohakuVault and our own: KohakuVault reads what is left, and goes on.
func TestCompactTurns(t *testing.T) {
	p := startPython(t)
	text := func(i int) any { return strings.Repeat(fmt.Sprint(i, " "), 20+i%30) }
	integer := func(i int) any { return int64(i) * 1001 }
	for _, k := range []struct {
		dtype    string
		min, max int
		value    func(i int) any
	}{
		{"i64", 104, 1000, integer},
		{"i64", 131072, 16777216, integer},
		{"str:utf8", 240, 4092, text},
		{"str:utf8", 131072, 16777216, text},
	} {
		for _, theirs := range []bool{true, false} {
			t.Run(fmt.Sprint(k.dtype, " ", k.max, " theirs ", theirs), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "test.db")
				do := func(r request) []any {
					t.Helper()
					r.Path, r.Name, r.DType = path, name, k.dtype
					values, err := p.do(r)
					vaulttest.Must(t, err)
					return values
				}
				ours := func(fn func(v *columnvault.Vault) error) {
					t.Helper()
					v, err := columnvault.Open(t.Context(), path, nil)
					vaulttest.Must(t, err)
					vaulttest.Must(t, errors.Join(fn(v), v.Close()))
				}
				if theirs {
					do(request{Op: "create", Min: k.min, Max: k.max})
				} else {
					ours(func(v *columnvault.Vault) error {
						typ, err := dtype.Parse(k.dtype)
						if err == nil {
							_, err = columnvault.Create(t.Context(), v, name, typ, vaulttest.Chunks(k.min, k.max))
						}
						return err
					})
				}
				want := vaulttest.Sequence(6000, k.value)
				do(request{Op: "extend", Values: want})
				check := func() {
					t.Helper()
					got := do(request{Op: "read"})
					if len(got) != len(want) {
						t.Fatalf("KohakuVault reads %d elements, want %d", len(got), len(want))
					}
					for i := range want {
						if canonical(t, got[i]) != canonical(t, want[i]) {
							t.Fatalf("KohakuVault reads %v at %d, want %v", got[i], i, want[i])
						}
					}
					ours(func(v *columnvault.Vault) error {
						c, err := v.Column(t.Context(), name)
						if err != nil {
							return err
						}
						values, err := c.Slice(t.Context(), columnvault.Begin, columnvault.End)
						if !slices.Equal(values, want) {
							t.Fatal("we read something else")
						}
						for _, f := range vaulttest.Found(t, v, columnvault.CheckOptions{Full: true}) {
							if f.Severity == columnvault.SeverityDamage { // hazards KohakuVault makes itself
								t.Errorf("check: %s", f.Text)
							}
						}
						return err
					})
				}
				for round := range 2 {
					ours(func(v *columnvault.Vault) error {
						c, err := v.Column(t.Context(), name)
						if err == nil {
							err = c.Delete(t.Context(), 100, len(want)-500)
						}
						if err != nil {
							return err
						}
						_, err = v.Compact(t.Context(), columnvault.CompactOptions{})
						return err
					})
					want = slices.Delete(want, 100, len(want)-500)
					check()
					for i := range 12 { // beside the gaps and at both ends
						at := i * 50
						want[at] = k.value(7*i + round)
						do(request{Op: "set", I: at, Values: []any{want[at]}})
					}
					for i := range 3 {
						want = append(want, k.value(i))
						do(request{Op: "append", Values: []any{want[len(want)-1]}})
					}
					do(request{Op: "delete", I: 3})
					want = slices.Delete(want, 3, 4)
					more := vaulttest.Sequence(2000, k.value)
					do(request{Op: "extend", Values: more})
					want = append(want, more...)
					check()
				}
			})
		}
	}
}

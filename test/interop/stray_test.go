package interop

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestStraysInTurns: elements that outgrow their chunk get one of their own.
// KohakuVault reads them where they are, goes on with elements in all kinds of
// chunks and at the end, and we go on with what it leaves.
func TestStraysInTurns(t *testing.T) {
	p := startPython(t)
	path := filepath.Join(t.TempDir(), "test.db")
	text := func(i, size int) string { return strings.Repeat(fmt.Sprint(i, " "), size)[:size] }
	var want []string
	ours := func(fn func(c *columnvault.Column[string]) error) {
		t.Helper()
		v, err := columnvault.Open(t.Context(), path, nil)
		vaulttest.Must(t, err)
		defer v.Close()
		c, err := columnvault.Ensure(t.Context(), v, name, dtype.String, nil)
		vaulttest.Must(t, err)
		vaulttest.Must(t, fn(c))
		got, err := c.Slice(t.Context(), columnvault.Begin, columnvault.End)
		vaulttest.Must(t, err)
		if !slices.Equal(got, want) {
			t.Fatal("we read something else")
		}
		for _, f := range vaulttest.Found(t, v, columnvault.CheckOptions{Full: true}) {
			if f.Severity == columnvault.SeverityDamage {
				t.Errorf("check: %s", f.Text)
			}
		}
	}
	theirs := func(r request) []any {
		t.Helper()
		r.Path, r.Name, r.DType = path, name, "str:utf8"
		values, err := p.do(r)
		vaulttest.Must(t, err)
		return values
	}
	read := func() {
		t.Helper()
		got := theirs(request{Op: "read"})
		if len(got) != len(want) {
			t.Fatalf("KohakuVault reads %d elements, want %d", len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("KohakuVault reads %v at %d, want %v", got[i], i, want[i])
			}
		}
	}
	set := func(i int, value string) { // by KohakuVault
		t.Helper()
		theirs(request{Op: "set", I: i, Values: []any{value}})
		want[i] = value
	}
	ours(func(c *columnvault.Column[string]) error {
		want = vaulttest.Sequence(9000, func(i int) string { return text(i, 80+i%40) }) // two chunks
		return c.Append(t.Context(), want...)
	})
	for round := range 3 {
		grow := func(c *columnvault.Column[string]) error {
			for n := range 25 {
				for _, i := range []int{100 + 150*n + round, 8900 - 70*n - round} { // the last chunk too
					want[i] = text(i, 150+round*60+n)
					if err := c.Set(t.Context(), i, want[i]); err != nil {
						return err
					}
				}
			}
			return nil
		}
		ours(grow)
		read()
		set(100+round, text(1, 170+60*round))  // a stray, into its room
		set(250+round, text(2, 400+60*round))  // and beyond it
		set(101+round, text(3, 160))           // beside a stray
		set(8900-round, text(4, 500+60*round)) // in the last chunk
		set(400+round, text(5, 10))
		for i := range 3 {
			value := text(i, 90)
			theirs(request{Op: "append", Values: []any{value}})
			want = append(want, value)
		}
		more := vaulttest.Sequence(300, func(i int) any { return text(i, 70) })
		theirs(request{Op: "extend", Values: more})
		for _, v := range more {
			want = append(want, v.(string))
		}
		theirs(request{Op: "delete", I: 100 + round})
		want = slices.Delete(want, 100+round, 101+round)
		read()
		ours(grow)
		ours(func(c *columnvault.Column[string]) error {
			want = slices.Insert(want, 251, "in between")
			return c.Insert(t.Context(), 251, "in between")
		})
		read()
	}
}

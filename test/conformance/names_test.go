package conformance_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	. "columnvault/internal/vaulttest"
)

// oddNames are names that a statement, a file system or a shell could take for
// something else.
var oddNames = []string{
	`'`, `"`, "`", `]`, `[`, `;`, `--`, `/*`, `\`, `%`, `?`, `a'; DROP TABLE col_meta; --`, `a"; DROP TABLE col_meta; --`,
	" ", "a b", " a ", "\t", "\n", "a\nb", "\u2028", "\u202e", "ä", "Ä", "e\u0301", "\ufeff", "日本", "🙂",
	"select", "SELECT", "rowid", "key", "value", "null", "true", "0", "-1", "1e5", "temp.t", "main.kv", "..", "/", "$x", ":x", "@x", "#x",
	"A", "a", "a_data", "a_idx", "_data", "_idx", "x_data_idx", strings.Repeat("n", 250), strings.Repeat("ä", 125),
}

// refusedNames are those that nothing may have.
var refusedNames = []string{"", "a\x00b", "\xff", "a\xc3", strings.Repeat("n", 256), strings.Repeat("n", 1<<20)}

// TestOddNamesOfColumns: each is the name of exactly one column.
func TestOddNamesOfColumns(t *testing.T) {
	ctx := t.Context()
	p := OpenPair(t, nil)
	for i, name := range oddNames {
		for _, kind := range []string{"fixed", "varying"} {
			var do func(ctx context.Context, v *columnvault.Vault) error
			if kind == "fixed" {
				do = func(ctx context.Context, v *columnvault.Vault) error {
					c, err := columnvault.Create(ctx, v, name, dtype.Int64, nil)
					if err != nil {
						return err
					}
					Must(t, c.Append(ctx, int64(i)))
					WantColumn(t, Lookup(t, p.Other, name, dtype.Int64), int64(i))
					return nil
				}
			} else {
				do = func(ctx context.Context, v *columnvault.Vault) error {
					c, err := columnvault.Create(ctx, v, name, dtype.String, nil)
					if err != nil {
						return err
					}
					Must(t, c.Append(ctx, name))
					WantColumn(t, Lookup(t, p.Other, name, dtype.String), name)
					return nil
				}
			}
			if err := do(ctx, p.V); err != nil {
				t.Errorf("%q, %s: %v", name, kind, err)
				continue
			}
			WantNames(t, p.Other, name)
			Must(t, p.V.Rename(ctx, name, "other"))
			Must(t, p.V.Rename(ctx, "other", name))
			Must(t, p.V.Drop(ctx, name))
		}
	}
	WantSound(t, p.V)
	for _, name := range refusedNames {
		_, err := columnvault.Create(ctx, p.V, name, dtype.Int64, nil)
		WantErr(t, "create", err, columnvault.ErrInvalidArgument)
		if len(err.Error()) > 5000 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	}
}

// TestOddNamesOfTables: each is one table of pairs, or refused as a whole.
// SQLite does not tell upper from lower case in the names of tables, so names
// that differ in nothing else are one table.
func TestOddNamesOfTables(t *testing.T) {
	ctx := t.Context()
	p := OpenPair(t, nil)
	seen := map[string]bool{}
	for _, name := range oddNames {
		if seen[strings.ToLower(name)] {
			continue
		}
		seen[strings.ToLower(name)] = true
		kv := p.V.KVTable(name)
		if err := kv.Put(ctx, []byte("name"), []byte(name)); err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		WantGet(t, p.Other.KVTable(name), "name", name)
		if n, err := p.Other.KVTable(name).Len(ctx); n != 1 || err != nil {
			t.Errorf("%q has %d pairs: %v", name, n, err)
		}
	}
	WantSound(t, p.V)
	for _, name := range append([]string{"sqlite_x", "SQLITE_X", "sqlite_schema", "col_meta", "COL_CHUNKS", "kohakuvault_meta", "columnvault_x", "json_each",
		"pragma_table_info", "col_meta_name_idx"}, refusedNames[1:2]...) {
		kv := p.V.KVTable(name)
		for what, err := range map[string]error{
			"put": kv.Put(ctx, []byte("k"), nil), "get": ErrOf(kv.Get(ctx, []byte("k"))), "delete": ErrOf(kv.Delete(ctx, []byte("k"))), "clear": kv.Clear(ctx),
		} {
			if !errors.Is(err, columnvault.ErrInvalidArgument) && !(what != "put" && errors.Is(err, columnvault.ErrNotFound)) && !(what == "clear" || what == "delete") {
				t.Errorf("%s in %q: %v", what, name, err)
			}
		}
	}
}

package conformance_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// scope is what a *Vault and a *Tx have in common.
type scope interface {
	columnvault.Scope
	Columns(ctx context.Context) ([]columnvault.ColumnInfo, error)
	Column(ctx context.Context, name string) (*columnvault.Column[any], error)
	Rename(ctx context.Context, name, newName string) error
	Drop(ctx context.Context, name string) error
}

// inBoth runs a test on a new vault, and on another inside one transaction.
// Afterwards the vault must be sound.
func inBoth(t *testing.T, test func(ctx context.Context, t *testing.T, in scope)) {
	t.Run("vault", func(t *testing.T) {
		v := vaulttest.Open(t)
		test(t.Context(), t, v)
		vaulttest.WantSound(t, v)
	})
	t.Run("transaction", func(t *testing.T) {
		v := vaulttest.Open(t)
		vaulttest.Must(t, v.Update(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
			test(ctx, t, tx)
			return nil
		}))
		vaulttest.WantSound(t, v)
	})
}

func TestCatalogListsCreatesRenamesAndDrops(t *testing.T) {
	inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
		ints := vaulttest.Create(t, in, "ints", dtype.Int64, 1, 2, 3)
		texts := vaulttest.Create(t, in, "texts", dtype.String, "a", "b")
		vaulttest.WantNames(t, in, "ints", "texts")
		if ints.Name() != "ints" || ints.DType() != "i64" || texts.Name() != "texts" || texts.DType() != "str:utf8" {
			t.Errorf("the handles say %q of %s and %q of %s", ints.Name(), ints.DType(), texts.Name(), texts.DType())
		}

		// Every way to open a column leads to the same elements.
		dynamic, err := in.Column(ctx, "ints")
		vaulttest.Must(t, err)
		vaulttest.WantColumn(t, dynamic, any(int64(1)), any(int64(2)), any(int64(3)))
		vaulttest.Must(t, dynamic.Append(ctx, 4))
		ensured, err := columnvault.Ensure(ctx, in, "ints", dtype.Int64, nil)
		vaulttest.Must(t, err)
		vaulttest.WantColumn(t, ensured, 1, 2, 3, 4)
		vaulttest.WantColumn(t, vaulttest.Lookup(t, in, "texts", dtype.String), "a", "b")

		// A column keeps its elements under another name, and its place.
		vaulttest.Must(t, in.Rename(ctx, "ints", "numbers"))
		vaulttest.Must(t, in.Rename(ctx, "texts", "words"))
		vaulttest.WantNames(t, in, "numbers", "words")
		vaulttest.WantColumn(t, vaulttest.Lookup(t, in, "numbers", dtype.Int64), 1, 2, 3, 4)
		vaulttest.WantColumn(t, vaulttest.Lookup(t, in, "words", dtype.String), "a", "b")
		_, err = ints.Len(ctx)
		vaulttest.WantErr(t, "the old name", err, columnvault.ErrNotFound)
		vaulttest.WantErr(t, "the old name", texts.Append(ctx, "c"), columnvault.ErrNotFound)

		vaulttest.Must(t, in.Drop(ctx, "numbers"))
		vaulttest.Must(t, in.Drop(ctx, "words"))
		vaulttest.WantNames(t, in)
		for _, name := range []string{"ints", "texts", "numbers", "words", "never there"} {
			_, err = in.Column(ctx, name)
			vaulttest.WantErrText(t, "Column", err, columnvault.ErrNotFound, name)
			_, err = columnvault.Lookup(ctx, in, name, dtype.Int64)
			vaulttest.WantErrText(t, "Lookup", err, columnvault.ErrNotFound, name)
			vaulttest.WantErrText(t, "Rename", in.Rename(ctx, name, "other"), columnvault.ErrNotFound, name)
			vaulttest.WantErrText(t, "Drop", in.Drop(ctx, name), columnvault.ErrNotFound, name)
		}
	})
}

func TestCatalogNames(t *testing.T) {
	inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
		vaulttest.Create(t, in, "fixed", dtype.Int64, 7)
		vaulttest.Create(t, in, "varsize", dtype.String, "seven")
		for _, name := range []string{"", strings.Repeat("n", 256), strings.Repeat("é", 128), "a\x00b", "\x00", "a\xffb"} {
			quoted := fmt.Sprintf(" %.10q", name)
			_, err := columnvault.Create(ctx, in, name, dtype.Int64, nil)
			vaulttest.WantErr(t, "Create"+quoted, err, columnvault.ErrInvalidArgument)
			_, err = columnvault.Ensure(ctx, in, name, dtype.String, nil)
			vaulttest.WantErr(t, "Ensure"+quoted, err, columnvault.ErrInvalidArgument)
			vaulttest.WantErr(t, "Rename to"+quoted, in.Rename(ctx, "fixed", name), columnvault.ErrInvalidArgument)
			_, err = in.Column(ctx, name)
			vaulttest.WantErr(t, "Column"+quoted, err, columnvault.ErrNotFound)
		}
		vaulttest.WantNames(t, in, "fixed", "varsize")

		good := []string{" ", "two words", "日本語 🎉", "it's \"quoted\"; --", "a/b.c:d", "Fixed", "sqlite_x", "data", "_idx", "_data", strings.Repeat("n", 255)}
		for _, name := range good {
			vaulttest.Must(t, in.Rename(ctx, "fixed", name))
			vaulttest.WantColumn(t, vaulttest.Lookup(t, in, name, dtype.Int64), 7)
			vaulttest.Must(t, in.Rename(ctx, name, "fixed"))
			vaulttest.Must(t, in.Rename(ctx, "varsize", name))
			vaulttest.WantColumn(t, vaulttest.Lookup(t, in, name, dtype.String), "seven")
			vaulttest.Must(t, in.Rename(ctx, name, "varsize"))
		}
		vaulttest.WantColumn(t, vaulttest.Create(t, in, "e\u0301", dtype.Int64, 1), 1) // é in two code points
		vaulttest.WantColumn(t, vaulttest.Create(t, in, "\u00e9", dtype.Int64, 2), 2)  // and in one: another name
		vaulttest.WantNames(t, in, "fixed", "varsize", "e\u0301", "\u00e9")
	})
}

// TestCatalogErrorSaysWhatHasTheName: the error says what has the name.
func TestCatalogErrorSaysWhatHasTheName(t *testing.T) {
	inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
		vaulttest.Create(t, in, "ints", dtype.Int64, 1, 2, 3)
		vaulttest.Create(t, in, "texts", dtype.String, "a")
		vaulttest.Create(t, in, "other", dtype.Float64, 0.5)
		for name, words := range map[string][]string{"ints": {"i64", "3 elements"}, "texts": {"str:utf8", "1 elements"}} {
			_, err := columnvault.Create(ctx, in, name, dtype.Int64, nil)
			vaulttest.WantErrText(t, "fixed", err, columnvault.ErrExists, words...)
			_, err = columnvault.Create(ctx, in, name, dtype.String, nil)
			vaulttest.WantErrText(t, "variable-size", err, columnvault.ErrExists, words...)
			vaulttest.WantErrText(t, "Rename", in.Rename(ctx, "other", name), columnvault.ErrExists, words...)
		}
		vaulttest.WantNames(t, in, "ints", "texts", "other")
		vaulttest.WantColumn(t, vaulttest.Lookup(t, in, "ints", dtype.Int64), 1, 2, 3)
		vaulttest.WantColumn(t, vaulttest.Lookup(t, in, "other", dtype.Float64), 0.5)
	})
}

// TestCatalogKeepsPairsOfRowsApart: a variable-size column q is the rows q_data
// and q_idx, and KohakuVault takes any two rows with such names for one. What
// would make a pair of columns that are none is refused.
func TestCatalogKeepsPairsOfRowsApart(t *testing.T) {
	t.Run("parts are no columns", func(t *testing.T) {
		inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
			vaulttest.Create(t, in, "q", dtype.String, "a")
			vaulttest.Create(t, in, "other", dtype.Int64, 1)
			for _, name := range []string{"q_data", "q_idx"} {
				_, err := in.Column(ctx, name)
				vaulttest.WantErrText(t, "Column", err, columnvault.ErrNotFound, `part of the variable-size column "q"`)
				vaulttest.WantErr(t, "Drop", in.Drop(ctx, name), columnvault.ErrNotFound)
				vaulttest.WantErr(t, "Rename", in.Rename(ctx, name, "free"), columnvault.ErrNotFound)
				_, err = columnvault.Create(ctx, in, name, dtype.Int64, nil)
				vaulttest.WantErrText(t, "Create", err, columnvault.ErrExists, name)
				vaulttest.WantErrText(t, "Rename to", in.Rename(ctx, "other", name), columnvault.ErrExists, name)
			}
			vaulttest.WantNames(t, in, "q", "other")
			vaulttest.WantColumn(t, vaulttest.Lookup(t, in, "q", dtype.String), "a")
		})
	})
	for _, test := range []struct{ name, there, added string }{
		{"data beside index", "q_idx", "q_data"},
		{"index beside data", "q_data", "q_idx"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
				vaulttest.Create(t, in, test.there, dtype.Int64, 1)
				vaulttest.Create(t, in, "other", dtype.Int64, 2)
				_, err := columnvault.Create(ctx, in, test.added, dtype.Int64, nil)
				vaulttest.WantErrText(t, "Create", err, columnvault.ErrExists, test.there, `"q"`)
				vaulttest.WantErrText(t, "Rename", in.Rename(ctx, "other", test.added), columnvault.ErrExists, test.there, `"q"`)
				_, err = columnvault.Create(ctx, in, "q", dtype.String, nil)
				vaulttest.WantErrText(t, "Create of the pair", err, columnvault.ErrExists, test.there)
				// A fixed column q is no part of a pair.
				vaulttest.WantColumn(t, vaulttest.Create(t, in, "q", dtype.Int64, 3), 3)
				vaulttest.WantColumn(t, vaulttest.Lookup(t, in, test.there, dtype.Int64), 1)
				vaulttest.WantNames(t, in, test.there, "other", "q")
			})
		})
	}
	t.Run("a name with such an end", func(t *testing.T) {
		inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
			c := vaulttest.Create(t, in, "q_data", dtype.String, "a")
			vaulttest.WantColumn(t, c, "a")
			vaulttest.WantColumn(t, vaulttest.Create(t, in, "q", dtype.Int64, 1), 1)
			vaulttest.Must(t, in.Drop(ctx, "q"))
			vaulttest.Must(t, in.Rename(ctx, "q_data", "q_idx"))
			vaulttest.WantColumn(t, vaulttest.Lookup(t, in, "q_idx", dtype.String), "a")
			vaulttest.WantNames(t, in, "q_idx")
		})
	})
	// The rows that a column gives up are not in the way of those it gets.
	t.Run("renaming to a part of the own name", func(t *testing.T) {
		inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
			vaulttest.Create(t, in, "q", dtype.String, "a")
			vaulttest.Must(t, in.Rename(ctx, "q", "q_data"))
			vaulttest.Must(t, in.Rename(ctx, "q_data", "q"))
			vaulttest.WantColumn(t, vaulttest.Lookup(t, in, "q", dtype.String), "a")
		})
	})
	t.Run("renaming one half of no pair to the other", func(t *testing.T) {
		inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
			vaulttest.Create(t, in, "q_idx", dtype.Int64, 1)
			vaulttest.Must(t, in.Rename(ctx, "q_idx", "q_data"))
			vaulttest.WantColumn(t, vaulttest.Lookup(t, in, "q_data", dtype.Int64), 1)
		})
	})
	// KohakuVault makes two fixed columns with such names without a word, and
	// they hide from it any column that has the name of the pair.
	t.Run("the base of a false pair", func(t *testing.T) {
		ctx := t.Context()
		path := filepath.Join(t.TempDir(), "test.db")
		v := vaulttest.OpenAt(t, path, nil)
		vaulttest.Create(t, v, "q_data", dtype.Int64, 1)
		vaulttest.Create(t, v, "to be", dtype.Int64, 2)
		vaulttest.Create(t, v, "other", dtype.Int64, 3)
		vaulttest.Must(t, v.Close())
		vaulttest.ExecSQL(t, path, `UPDATE col_meta SET name = 'q_idx' WHERE name = 'to be'`)
		v = vaulttest.OpenAt(t, path, nil)
		vaulttest.WantNames(t, v, "q_data", "q_idx", "other")
		vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "q_data", dtype.Int64), 1)
		vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "q_idx", dtype.Int64), 2)
		_, err := v.Column(ctx, "q")
		vaulttest.WantErr(t, "Column", err, columnvault.ErrNotFound)
		_, err = columnvault.Create(ctx, v, "q", dtype.Int64, nil)
		vaulttest.WantErrText(t, "Create", err, columnvault.ErrExists, "q_data", "q_idx", "hide")
		vaulttest.WantErrText(t, "Rename", v.Rename(ctx, "other", "q"), columnvault.ErrExists, "hide")
		vaulttest.Must(t, v.Drop(ctx, "q_idx"))
		vaulttest.WantColumn(t, vaulttest.Create(t, v, "q", dtype.Int64, 4), 4)
	})
}

func TestCatalogDType(t *testing.T) {
	inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
		vaulttest.Create(t, in, "ints", dtype.Int64, 1)
		vaulttest.Create(t, in, "texts", dtype.String, "a")
		wantOther(t, in, "ints", dtype.Uint64, "i64", "u64")
		wantOther(t, in, "ints", dtype.Float64, "i64", "f64")
		wantOther(t, in, "ints", dtype.FixedBytes(8), "i64", "bytes:8")
		wantOther(t, in, "ints", dtype.String, "i64", "str:utf8")
		wantOther(t, in, "texts", dtype.Text(dtype.ASCII), "str:utf8", "str:ascii")
		wantOther(t, in, "texts", dtype.FixedText(8, dtype.UTF8), "str:utf8", "str:8:utf8")
		wantOther(t, in, "texts", dtype.Bytes, "str:utf8", "bytes")
		wantOther(t, in, "texts", dtype.Type[any](dtype.MsgPack[any]()), "str:utf8", "msgpack")
	})
}

// wantOther requires that the column cannot be opened with this type.
func wantOther[T any](t *testing.T, in scope, name string, typ dtype.Type[T], words ...string) {
	t.Helper()
	_, err := columnvault.Lookup(t.Context(), in, name, typ)
	vaulttest.WantErrText(t, "Lookup", err, columnvault.ErrDType, words...)
	_, err = columnvault.Ensure(t.Context(), in, name, typ, nil)
	vaulttest.WantErrText(t, "Ensure", err, columnvault.ErrDType, words...)
}

// TestCatalogKeepsSpellingsOfDTypes: the original stores a dtype as it was
// typed. Every spelling opens as the type that it means, and is left in the
// file.
func TestCatalogKeepsSpellingsOfDTypes(t *testing.T) {
	v := vaulttest.OpenAt(t, vaulttest.CopyGolden(t, "v0", "dtype_spelling.db"), nil)
	before, err := v.Columns(t.Context())
	vaulttest.Must(t, err)
	for _, name := range []string{"str:UTF8", "str:Utf-8", "string"} {
		opens(t, v, name, dtype.String, "ab", "more")
	}
	opens(t, v, "str:UTF-16LE", dtype.Text(dtype.UTF16LE), "ab", "more")
	opens(t, v, "str:ISO-8859-1", dtype.Text(dtype.Latin1), "ab", "more")
	opens(t, v, "str:LATIN1", dtype.Text(dtype.Latin1), "ab", "more")
	opens(t, v, "messagepack", dtype.Type[string](dtype.MsgPack[string]()), "ab", "more")
	opens(t, v, "vec:float32", dtype.Type[[]float32](dtype.Vector[float32]()), []float32{1, 2}, []float32{3})
	opens(t, v, "bytes:0", dtype.FixedBytes(0), []byte{}, []byte{})
	opens(t, v, "str:0:utf8", dtype.FixedText(0, dtype.UTF8), "", "")
	for _, name := range []string{"string:8", "str:08"} {
		opens(t, v, name, dtype.FixedText(8, dtype.UTF8), "ab", "more")
	}
	opens(t, v, "str:8:Latin1", dtype.FixedText(8, dtype.Latin1), "ab", "more")
	opens(t, v, "messagepack:16", dtype.Type[string](dtype.FixedMsgPack[string](16)), "ab", "more")
	opens(t, v, "bytes:4:junk", dtype.FixedBytes(4), []byte("ab\x00\x00"), []byte("more"))
	opens(t, v, "bytes:+4", dtype.FixedBytes(4), []byte("ab\x00\x00"), []byte("more"))
	opens(t, v, "cbor:16:x", dtype.Type[string](dtype.FixedCBOR[string](16)), "ab", "more")
	opens(t, v, "vector:float64:2", dtype.Type[[]float64](dtype.Vector[float64](2)), []float64{1, 2}, []float64{3, 4})

	after, err := v.Columns(t.Context())
	vaulttest.Must(t, err)
	for i := range before {
		before[i].Len++
	}
	vaulttest.WantValues(t, "columns", after, before)
}

// opens requires that the column with this spelling opens by Lookup and Ensure
// as typ, holds one value, and takes another.
func opens[T any](t *testing.T, v *columnvault.Vault, name string, typ dtype.Type[T], value, another T) {
	t.Helper()
	c, err := columnvault.Ensure(t.Context(), v, name, typ, nil)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if c.DType() != typ.String() {
		t.Errorf("%s: the handle says %s, want the canonical %s", name, c.DType(), typ)
	}
	vaulttest.WantColumn(t, c, value)
	vaulttest.Must(t, c.Append(t.Context(), another))
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, name, typ), value, another)
	_, err = columnvault.Create(t.Context(), v, name, typ, nil)
	vaulttest.WantErr(t, "Create of "+name, err, columnvault.ErrExists)
}

// TestCatalogUnknownDType: columns of a dtype that a later version may have
// brought are listed, and can be renamed and dropped, but not opened.
func TestCatalogUnknownDType(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.Create(t, v, "fixed", dtype.Int64, 1, 2)
	vaulttest.Create(t, v, "varsize", dtype.String, "a")
	vaulttest.Create(t, v, "known", dtype.Int64, 3)
	vaulttest.Must(t, v.Close())
	vaulttest.ExecSQL(t, path, `UPDATE col_meta SET dtype = 'decimal:8' WHERE name = 'fixed'`,
		`UPDATE col_meta SET dtype = 'zstd:str' WHERE name = 'varsize_data'`)
	v = vaulttest.OpenAt(t, path, nil)
	infos, err := v.Columns(ctx)
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "columns", infos, []columnvault.ColumnInfo{
		{Name: "fixed", DType: "decimal:8", Len: 2},
		{Name: "varsize", DType: "zstd:str", Len: 1, VarSize: true},
		{Name: "known", DType: "i64", Len: 1},
	})
	for name, dt := range map[string]string{"fixed": "decimal:8", "varsize": "zstd:str"} {
		_, err := v.Column(ctx, name)
		vaulttest.WantErrText(t, "Column", err, columnvault.ErrUnsupported, dt)
		_, err = columnvault.Lookup(ctx, v, name, dtype.Int64)
		vaulttest.WantErrText(t, "Lookup", err, columnvault.ErrUnsupported, dt)
		_, err = columnvault.Ensure(ctx, v, name, dtype.String, nil)
		vaulttest.WantErrText(t, "Ensure", err, columnvault.ErrUnsupported, dt)
		_, err = columnvault.Create(ctx, v, name, dtype.Int64, nil)
		vaulttest.WantErrText(t, "Create", err, columnvault.ErrExists, dt)
		vaulttest.Must(t, v.Rename(ctx, name, name+" renamed"))
	}
	vaulttest.WantNames(t, v, "fixed renamed", "varsize renamed", "known")
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "known", dtype.Int64), 3)
	vaulttest.Must(t, v.Drop(ctx, "fixed renamed"))
	vaulttest.Must(t, v.Drop(ctx, "varsize renamed"))
	vaulttest.WantNames(t, v, "known")
	vaulttest.WantSound(t, v)
}

// TestCatalogLeavesLayout1Alone: columns of KohakuVault 1.x are read and not
// changed, and others can be created beside them.
func TestCatalogLeavesLayout1Alone(t *testing.T) {
	for file, golden := range vaulttest.ReadGolden(t, "v1") {
		t.Run(file, func(t *testing.T) {
			ctx := t.Context()
			v := vaulttest.OpenAt(t, vaulttest.CopyGolden(t, "v1", file), nil)
			theirs, err := v.Columns(ctx)
			vaulttest.Must(t, err)
			if len(theirs) != len(golden.Columns) {
				t.Errorf("%d columns are listed, want %d", len(theirs), len(golden.Columns))
			}
			for _, info := range theirs {
				want, ok := golden.Columns[info.Name]
				if !ok || cmp.Or(info.Stored, info.DType) != want.DType || info.Len != want.Length || info.Layout != 1 {
					t.Errorf("listed: %+v, want %+v", info, want)
				}
				_, err = columnvault.Lookup(ctx, v, info.Name, dtype.FixedBytes(5))
				vaulttest.WantErr(t, "Lookup", err, columnvault.ErrDType)
				_, err = columnvault.Ensure(ctx, v, info.Name, dtype.FixedBytes(5), nil)
				vaulttest.WantErr(t, "Ensure", err, columnvault.ErrDType)
				_, err = columnvault.Create(ctx, v, info.Name, dtype.Int64, nil)
				vaulttest.WantErr(t, "Create", err, columnvault.ErrExists)
				wantReadOnly(t, v, info.Name)
			}
			vaulttest.WantColumn(t, vaulttest.Create(t, v, "our ints", dtype.Int64, 1, 2), 1, 2)
			vaulttest.WantColumn(t, vaulttest.Create(t, v, "our texts", dtype.String, "a"), "a")
			vaulttest.WantErr(t, "Rename to theirs", v.Rename(ctx, "our ints", theirs[0].Name), columnvault.ErrExists)

			all, err := v.Columns(ctx)
			vaulttest.Must(t, err)
			var rest []columnvault.ColumnInfo
			for _, info := range all {
				if info.Layout == 1 {
					rest = append(rest, info)
				}
			}
			vaulttest.WantValues(t, "columns of layout 1", rest, theirs)
			if len(all) != len(theirs)+2 {
				t.Errorf("%d columns are listed, want two more than %d", len(all), len(theirs))
			}
			vaulttest.WantSound(t, v)
		})
	}
	t.Run("read-only", func(t *testing.T) { // without any table of layout 0
		v := vaulttest.OpenAt(t, vaulttest.CopyGolden(t, "v1", "with_kv.db"), &columnvault.Options{ReadOnly: true})
		vaulttest.WantNames(t, v, "ids")
		_, err := v.Column(t.Context(), "other")
		vaulttest.WantErr(t, "Column", err, columnvault.ErrNotFound)
		vaulttest.WantSound(t, v)
	})
	// A name of theirs is taken also where ours has the name of a half.
	t.Run("name of a half", func(t *testing.T) {
		ctx := t.Context()
		v := vaulttest.OpenAt(t, vaulttest.CopyGolden(t, "v1", "with_kv.db"), nil)
		vaulttest.Create(t, v, "ids_data", dtype.Int64, 1)
		_, err := v.Column(ctx, "ids")
		vaulttest.Must(t, err)
		_, err = columnvault.Create(ctx, v, "ids", dtype.Int64, nil)
		vaulttest.WantErr(t, "Create", err, columnvault.ErrExists)
	})
}

// wantReadOnly tries everything that changes a column.
func wantReadOnly(t *testing.T, v *columnvault.Vault, name string) {
	t.Helper()
	ctx := t.Context()
	col, err := v.Column(ctx, name)
	vaulttest.Must(t, err)
	before, err := col.Slice(ctx, columnvault.Begin, columnvault.End)
	vaulttest.Must(t, err)
	value := any(nil)
	if len(before) > 0 {
		value = before[0]
	} else if spec, err := dtype.ParseSpec(col.DType()); err == nil {
		value, err = spec.Type().Decode(spec.Zero())
		vaulttest.Must(t, err)
	}
	for what, change := range map[string]func() error{
		"Append":    func() error { return col.Append(ctx, value) },
		"AppendSeq": func() error { return col.AppendSeq(ctx, slices.Values([]any{value})) },
		"Insert":    func() error { return col.Insert(ctx, 0, value) },
		"Set":       func() error { return col.Set(ctx, 0, value) },
		"SetSlice":  func() error { return col.SetSlice(ctx, 0, 1, []any{value}) },
		"Delete":    func() error { return col.Delete(ctx, 0, 1) },
		"Truncate":  func() error { return col.Truncate(ctx, 0) },
		"Clear":     func() error { return col.Clear(ctx) },
		"Pop":       func() error { _, err := col.Pop(ctx, 0); return err },
		"Remove":    func() error { return col.Remove(ctx, value) },
		"Reverse":   func() error { return col.Reverse(ctx) },
		"Drop":      func() error { return v.Drop(ctx, name) },
		"Rename":    func() error { return v.Rename(ctx, name, "renamed") },
		"Retype": func() error {
			_, err := v.Retype(ctx, name, dtype.Meaning{}, nil)
			return err
		},
		"a cached append": func() error {
			return col.Cached(ctx, nil, func() error { return col.Append(ctx, value) })
		},
		"a batch": func() error {
			return v.Batch(ctx, func(b *columnvault.Batch) error { return col.AppendTo(b, value) })
		},
	} {
		err := change()
		vaulttest.WantErr(t, what, err, columnvault.ErrReadOnly)
		var full *columnvault.Error
		if !errors.As(err, &full) || !strings.Contains(full.Hint(), "Migrate") {
			t.Errorf("%s of %s: %v: the hint does not speak of Migrate", what, name, err)
		}
	}
	after, err := col.Slice(ctx, columnvault.Begin, columnvault.End)
	vaulttest.Must(t, err)
	if fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("%s has changed", name)
	}
}

// TestColumnOptionsWithoutSenseAreRefused: bounds that make no sense are
// refused, before anything is written.
func TestColumnOptionsWithoutSenseAreRefused(t *testing.T) {
	inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
		for _, test := range []struct {
			name              string
			smallest, largest int
			fixed, varsize    error
		}{
			{"defaults", 0, 0, nil, nil},
			{"equal", 1 << 10, 1 << 10, nil, nil}, // rounded down for entries of 12 bytes
			{"only the minimum", 1 << 21, 0, nil, nil},
			{"only the maximum", 0, 100, nil, nil},
			{"those of the original", 128 << 10, 16777212, nil, nil},
			{"one element", 1, 12, nil, nil},
			{"negative minimum", -1, 0, columnvault.ErrInvalidArgument, columnvault.ErrInvalidArgument},
			{"negative maximum", 0, -1, columnvault.ErrInvalidArgument, columnvault.ErrInvalidArgument},
			{"minimum above maximum", 1 << 10, 1 << 9, columnvault.ErrInvalidArgument, columnvault.ErrInvalidArgument},
			{"no multiple between", 9, 15, columnvault.ErrInvalidArgument, nil},
			{"less than an element", 1, 7, columnvault.ErrInvalidArgument, columnvault.ErrInvalidArgument},
			{"less than an entry", 1, 11, nil, columnvault.ErrInvalidArgument},
			{"above the limit", 0, 1<<29 + 1, columnvault.ErrInvalidArgument, columnvault.ErrInvalidArgument},
			{"largest number", math.MaxInt, math.MaxInt, columnvault.ErrInvalidArgument, columnvault.ErrInvalidArgument},
		} {
			o := vaulttest.Chunks(test.smallest, test.largest)
			_, err := columnvault.Create(ctx, in, test.name, dtype.Int64, o)
			wantCreated(t, ctx, in, test.name, err, test.fixed)
			_, err = columnvault.Create(ctx, in, test.name, dtype.String, o)
			wantCreated(t, ctx, in, test.name, err, test.varsize)
			_, err = columnvault.Ensure(ctx, in, test.name, dtype.String, o)
			wantCreated(t, ctx, in, test.name, err, test.varsize)
		}
	})
}

// wantCreated requires that err is as wanted, and that there is a column if
// and only if it is none. It drops the column.
func wantCreated(t *testing.T, ctx context.Context, in scope, name string, err, want error) {
	t.Helper()
	if want != nil {
		vaulttest.WantErr(t, name, err, want)
		vaulttest.WantNames(t, in)
		return
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	vaulttest.WantNames(t, in, name)
	vaulttest.Must(t, in.Drop(ctx, name))
}

// TestColumnOptionsBelongToTheColumn: bounds are rounded to whole elements, and
// belong to the column for good.
func TestColumnOptionsBelongToTheColumn(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	const rows = `SELECT name, min_chunk_bytes, max_chunk_bytes FROM col_meta ORDER BY col_id`
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.CreateWith(t, v, "fixed", dtype.Int64, vaulttest.Chunks(100, 1000))
	vaulttest.CreateWith(t, v, "varsize", dtype.String, vaulttest.Chunks(100, 1000))
	want := []string{"fixed 104 1000", "varsize_data 100 996", "varsize_idx 108 996"}
	vaulttest.WantValues(t, "rows", vaulttest.QuerySQL(t, path, rows), want)

	ints, err := columnvault.Ensure(ctx, v, "fixed", dtype.Int64, vaulttest.Chunks(1<<10, 1<<20))
	vaulttest.Must(t, err)
	_, err = columnvault.Ensure(ctx, v, "varsize", dtype.String, vaulttest.Chunks(-1, -1)) // not even looked at
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "rows after Ensure", vaulttest.QuerySQL(t, path, rows), want)
	vaulttest.Must(t, ints.Append(ctx, vaulttest.Span(0, 500)...))
	vaulttest.WantChunks(t, ints, 4)
	vaulttest.Must(t, v.Rename(ctx, "fixed", "renamed"))
	vaulttest.WantValues(t, "rows after Rename", vaulttest.QuerySQL(t, path, rows)[:1], []string{"renamed 104 1000"})
}

// TestColumnOptionsLargeElement: an element that is larger than a chunk is by
// default gets a chunk that is large enough.
func TestColumnOptionsLargeElement(t *testing.T) {
	v := vaulttest.Open(t)
	want := vaulttest.Blobs(3, 3<<20)
	vaulttest.WantColumn(t, vaulttest.Create(t, v, "fixed", dtype.FixedBytes(3<<20), want...), want...)
	vaulttest.WantColumn(t, vaulttest.Create(t, v, "varsize", dtype.Bytes, want...), want...)
	vaulttest.WantSound(t, v)
}

// TestHandleFollowsItsName: a handle is a name and a type, whatever happens to
// the column.
func TestHandleFollowsItsName(t *testing.T) {
	inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
		old := vaulttest.Create(t, in, "values", dtype.Int64, 1, 2, 3)
		dynamic, err := in.Column(ctx, "values")
		vaulttest.Must(t, err)
		vaulttest.Must(t, in.Drop(ctx, "values"))
		wantGone := func(kind error) {
			t.Helper()
			_, err := old.At(ctx, 0)
			vaulttest.WantErr(t, "At", err, kind)
			_, err = old.Len(ctx)
			vaulttest.WantErr(t, "Len", err, kind)
			vaulttest.WantErr(t, "Append", old.Append(ctx, 1), kind)
			vaulttest.WantErr(t, "Clear", old.Clear(ctx), kind)
			_, err = dynamic.Slice(ctx, columnvault.Begin, columnvault.End)
			vaulttest.WantErr(t, "Slice of the dynamic column", err, kind)
			vaulttest.WantErr(t, "Values", vaulttest.LoopErr(old.Values(ctx)), kind)
		}
		wantGone(columnvault.ErrNotFound)

		floats := vaulttest.Create(t, in, "values", dtype.Float64, 0.5)
		wantGone(columnvault.ErrDType)
		vaulttest.WantColumn(t, floats, 0.5)

		vaulttest.Must(t, in.Drop(ctx, "values"))
		texts := vaulttest.Create(t, in, "values", dtype.String, "a") // of another kind
		wantGone(columnvault.ErrDType)
		vaulttest.WantColumn(t, texts, "a")

		vaulttest.Must(t, in.Drop(ctx, "values"))
		vaulttest.Create(t, in, "values", dtype.Int64, 9)
		vaulttest.WantColumn(t, old, 9)
		vaulttest.WantColumn(t, dynamic, any(int64(9)))
	})
}

// TestCatalogRollback: of all that was done in an Update that failed nothing
// remains.
func TestCatalogRollback(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	ints := vaulttest.CreateWith(t, v, "ints", dtype.Int64, fixedChunks, vaulttest.Span(0, 300)...)
	texts := vaulttest.CreateWith(t, v, "texts", dtype.Bytes, smallVarChunks, vaulttest.Blobs(50, 30)...)
	vaulttest.Create(t, v, "dropped", dtype.String, "still here")
	const everything = `SELECT m.*, chunk_idx, hex(data), actual_size, bytes_used FROM col_meta AS m LEFT JOIN col_chunks USING (col_id) ORDER BY col_id, chunk_idx`
	before := vaulttest.QuerySQL(t, path, everything)

	change := func(ctx context.Context, tx *columnvault.Tx) error {
		vaulttest.Create(t, tx, "new ints", dtype.Int64, 1, 2, 3)
		vaulttest.Create(t, tx, "new texts", dtype.String, "x")
		vaulttest.Must(t, ints.In(tx).Append(ctx, vaulttest.Span(0, 500)...))
		vaulttest.Must(t, texts.In(tx).Delete(ctx, 0, 40))
		vaulttest.Must(t, texts.In(tx).Insert(ctx, 5, vaulttest.Bytes(0, 400)))
		vaulttest.Must(t, tx.Rename(ctx, "ints", "renamed"))
		vaulttest.Must(t, tx.Drop(ctx, "dropped"))
		vaulttest.Create(t, tx, "dropped", dtype.Int64, 1)
		vaulttest.Must(t, tx.Drop(ctx, "new ints"))
		vaulttest.WantNames(t, tx, "renamed", "texts", "new texts", "dropped")
		vaulttest.WantLen(t, vaulttest.Lookup(t, tx, "renamed", dtype.Int64), 800)
		return nil
	}
	for range 2 { // the second time with whatever the first has left in memory
		err := v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			vaulttest.Must(t, change(ctx, tx))
			return vaulttest.ErrOwn
		})
		if err != vaulttest.ErrOwn {
			t.Errorf("Update returns %v, want what its function returned", err)
		}
		vaulttest.WantNames(t, v, "ints", "texts", "dropped")
		vaulttest.WantColumn(t, ints, vaulttest.Span(0, 300)...)
		vaulttest.WantColumn(t, texts, vaulttest.Blobs(50, 30)...)
		vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "dropped", dtype.String), "still here")
		vaulttest.WantErr(t, "Drop", v.Drop(ctx, "new texts"), columnvault.ErrNotFound)
		vaulttest.WantValues(t, "rows", vaulttest.QuerySQL(t, path, everything), before)
	}
	vaulttest.Must(t, v.Update(ctx, change))
	vaulttest.WantNames(t, v, "renamed", "texts", "new texts", "dropped")
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "renamed", dtype.Int64), append(vaulttest.Span(0, 300), vaulttest.Span(0, 500)...)...)
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "dropped", dtype.Int64), 1)
	vaulttest.WantSound(t, v)
}

package columnvault_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
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
		v := open(t)
		test(t.Context(), t, v)
		wantSound(t, v)
	})
	t.Run("transaction", func(t *testing.T) {
		v := open(t)
		must(t, v.Update(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
			test(ctx, t, tx)
			return nil
		}))
		wantSound(t, v)
	})
}

func TestCatalogue(t *testing.T) {
	inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
		ints := create(t, in, "ints", dtype.Int64, 1, 2, 3)
		texts := create(t, in, "texts", dtype.String, "a", "b")
		wantNames(t, in, "ints", "texts")
		if ints.Name() != "ints" || ints.DType() != "i64" || texts.Name() != "texts" || texts.DType() != "str:utf8" {
			t.Errorf("the handles say %q of %s and %q of %s", ints.Name(), ints.DType(), texts.Name(), texts.DType())
		}

		// Every way to open a column leads to the same elements.
		dynamic, err := in.Column(ctx, "ints")
		must(t, err)
		wantColumn(t, dynamic, any(int64(1)), any(int64(2)), any(int64(3)))
		must(t, dynamic.Append(ctx, 4))
		ensured, err := columnvault.Ensure(ctx, in, "ints", dtype.Int64, nil)
		must(t, err)
		wantColumn(t, ensured, 1, 2, 3, 4)
		wantColumn(t, lookup(t, in, "texts", dtype.String), "a", "b")

		// A column keeps its elements under another name, and its place.
		must(t, in.Rename(ctx, "ints", "numbers"))
		must(t, in.Rename(ctx, "texts", "words"))
		wantNames(t, in, "numbers", "words")
		wantColumn(t, lookup(t, in, "numbers", dtype.Int64), 1, 2, 3, 4)
		wantColumn(t, lookup(t, in, "words", dtype.String), "a", "b")
		_, err = ints.Len(ctx)
		wantErr(t, "the old name", err, columnvault.ErrNotFound)
		wantErr(t, "the old name", texts.Append(ctx, "c"), columnvault.ErrNotFound)

		must(t, in.Drop(ctx, "numbers"))
		must(t, in.Drop(ctx, "words"))
		wantNames(t, in)
		for _, name := range []string{"ints", "texts", "numbers", "words", "never there"} {
			_, err = in.Column(ctx, name)
			wantErrText(t, "Column", err, columnvault.ErrNotFound, name)
			_, err = columnvault.Lookup(ctx, in, name, dtype.Int64)
			wantErrText(t, "Lookup", err, columnvault.ErrNotFound, name)
			wantErrText(t, "Rename", in.Rename(ctx, name, "other"), columnvault.ErrNotFound, name)
			wantErrText(t, "Drop", in.Drop(ctx, name), columnvault.ErrNotFound, name)
		}
	})
}

func TestCatalogueNames(t *testing.T) {
	inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
		create(t, in, "fixed", dtype.Int64, 7)
		create(t, in, "varsize", dtype.String, "seven")
		for _, name := range []string{"", strings.Repeat("n", 256), strings.Repeat("é", 128), "a\x00b", "\x00", "a\xffb"} {
			quoted := fmt.Sprintf(" %.10q", name)
			_, err := columnvault.Create(ctx, in, name, dtype.Int64, nil)
			wantErr(t, "Create"+quoted, err, columnvault.ErrInvalidArgument)
			_, err = columnvault.Ensure(ctx, in, name, dtype.String, nil)
			wantErr(t, "Ensure"+quoted, err, columnvault.ErrInvalidArgument)
			wantErr(t, "Rename to"+quoted, in.Rename(ctx, "fixed", name), columnvault.ErrInvalidArgument)
			_, err = in.Column(ctx, name)
			wantErr(t, "Column"+quoted, err, columnvault.ErrNotFound)
		}
		wantNames(t, in, "fixed", "varsize")

		good := []string{" ", "two words", "日本語 🎉", "it's \"quoted\"; --", "a/b.c:d", "Fixed", "sqlite_x", "data", "_idx", "_data", strings.Repeat("n", 255)}
		for _, name := range good {
			must(t, in.Rename(ctx, "fixed", name))
			wantColumn(t, lookup(t, in, name, dtype.Int64), 7)
			must(t, in.Rename(ctx, name, "fixed"))
			must(t, in.Rename(ctx, "varsize", name))
			wantColumn(t, lookup(t, in, name, dtype.String), "seven")
			must(t, in.Rename(ctx, name, "varsize"))
		}
		wantColumn(t, create(t, in, "e\u0301", dtype.Int64, 1), 1) // é in two code points
		wantColumn(t, create(t, in, "\u00e9", dtype.Int64, 2), 2)  // and in one: another name
		wantNames(t, in, "fixed", "varsize", "e\u0301", "\u00e9")
	})
}

// TestCatalogueExists: the error says what has the name.
func TestCatalogueExists(t *testing.T) {
	inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
		create(t, in, "ints", dtype.Int64, 1, 2, 3)
		create(t, in, "texts", dtype.String, "a")
		create(t, in, "other", dtype.Float64, 0.5)
		for name, words := range map[string][]string{"ints": {"i64", "3 elements"}, "texts": {"str:utf8", "1 elements"}} {
			_, err := columnvault.Create(ctx, in, name, dtype.Int64, nil)
			wantErrText(t, "fixed", err, columnvault.ErrExists, words...)
			_, err = columnvault.Create(ctx, in, name, dtype.String, nil)
			wantErrText(t, "variable-size", err, columnvault.ErrExists, words...)
			wantErrText(t, "Rename", in.Rename(ctx, "other", name), columnvault.ErrExists, words...)
		}
		wantNames(t, in, "ints", "texts", "other")
		wantColumn(t, lookup(t, in, "ints", dtype.Int64), 1, 2, 3)
		wantColumn(t, lookup(t, in, "other", dtype.Float64), 0.5)
	})
}

// TestCataloguePairs: a variable-size column q is the rows q_data and q_idx,
// and KohakuVault takes any two rows with such names for one. What would make
// a pair of columns that are none is refused.
func TestCataloguePairs(t *testing.T) {
	t.Run("parts are no columns", func(t *testing.T) {
		inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
			create(t, in, "q", dtype.String, "a")
			create(t, in, "other", dtype.Int64, 1)
			for _, name := range []string{"q_data", "q_idx"} {
				_, err := in.Column(ctx, name)
				wantErrText(t, "Column", err, columnvault.ErrNotFound, `part of the variable-size column "q"`)
				wantErr(t, "Drop", in.Drop(ctx, name), columnvault.ErrNotFound)
				wantErr(t, "Rename", in.Rename(ctx, name, "free"), columnvault.ErrNotFound)
				_, err = columnvault.Create(ctx, in, name, dtype.Int64, nil)
				wantErrText(t, "Create", err, columnvault.ErrExists, name)
				wantErrText(t, "Rename to", in.Rename(ctx, "other", name), columnvault.ErrExists, name)
			}
			wantNames(t, in, "q", "other")
			wantColumn(t, lookup(t, in, "q", dtype.String), "a")
		})
	})
	for _, test := range []struct{ name, there, added string }{
		{"data beside index", "q_idx", "q_data"},
		{"index beside data", "q_data", "q_idx"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
				create(t, in, test.there, dtype.Int64, 1)
				create(t, in, "other", dtype.Int64, 2)
				_, err := columnvault.Create(ctx, in, test.added, dtype.Int64, nil)
				wantErrText(t, "Create", err, columnvault.ErrExists, test.there, `"q"`)
				wantErrText(t, "Rename", in.Rename(ctx, "other", test.added), columnvault.ErrExists, test.there, `"q"`)
				_, err = columnvault.Create(ctx, in, "q", dtype.String, nil)
				wantErrText(t, "Create of the pair", err, columnvault.ErrExists, test.there)
				// A fixed column q is no part of a pair.
				wantColumn(t, create(t, in, "q", dtype.Int64, 3), 3)
				wantColumn(t, lookup(t, in, test.there, dtype.Int64), 1)
				wantNames(t, in, test.there, "other", "q")
			})
		})
	}
	t.Run("a name with such an end", func(t *testing.T) {
		inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
			c := create(t, in, "q_data", dtype.String, "a")
			wantColumn(t, c, "a")
			wantColumn(t, create(t, in, "q", dtype.Int64, 1), 1)
			must(t, in.Drop(ctx, "q"))
			must(t, in.Rename(ctx, "q_data", "q_idx"))
			wantColumn(t, lookup(t, in, "q_idx", dtype.String), "a")
			wantNames(t, in, "q_idx")
		})
	})
	// The rows that a column gives up are not in the way of those it gets.
	t.Run("renaming to a part of the own name", func(t *testing.T) {
		inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
			create(t, in, "q", dtype.String, "a")
			must(t, in.Rename(ctx, "q", "q_data"))
			must(t, in.Rename(ctx, "q_data", "q"))
			wantColumn(t, lookup(t, in, "q", dtype.String), "a")
		})
	})
	t.Run("renaming one half of no pair to the other", func(t *testing.T) {
		inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
			create(t, in, "q_idx", dtype.Int64, 1)
			must(t, in.Rename(ctx, "q_idx", "q_data"))
			wantColumn(t, lookup(t, in, "q_data", dtype.Int64), 1)
		})
	})
	// KohakuVault makes two fixed columns with such names without a word, and
	// they hide from it any column that has the name of the pair.
	t.Run("the base of a false pair", func(t *testing.T) {
		ctx := t.Context()
		path := filepath.Join(t.TempDir(), "test.db")
		v := openAt(t, path, nil)
		create(t, v, "q_data", dtype.Int64, 1)
		create(t, v, "to be", dtype.Int64, 2)
		create(t, v, "other", dtype.Int64, 3)
		must(t, v.Close())
		execSQL(t, path, `UPDATE col_meta SET name = 'q_idx' WHERE name = 'to be'`)
		v = openAt(t, path, nil)
		wantNames(t, v, "q_data", "q_idx", "other")
		wantColumn(t, lookup(t, v, "q_data", dtype.Int64), 1)
		wantColumn(t, lookup(t, v, "q_idx", dtype.Int64), 2)
		_, err := v.Column(ctx, "q")
		wantErr(t, "Column", err, columnvault.ErrNotFound)
		_, err = columnvault.Create(ctx, v, "q", dtype.Int64, nil)
		wantErrText(t, "Create", err, columnvault.ErrExists, "q_data", "q_idx", "hide")
		wantErrText(t, "Rename", v.Rename(ctx, "other", "q"), columnvault.ErrExists, "hide")
		must(t, v.Drop(ctx, "q_idx"))
		wantColumn(t, create(t, v, "q", dtype.Int64, 4), 4)
	})
}

func TestCatalogueDType(t *testing.T) {
	inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
		create(t, in, "ints", dtype.Int64, 1)
		create(t, in, "texts", dtype.String, "a")
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
	wantErrText(t, "Lookup", err, columnvault.ErrDType, words...)
	_, err = columnvault.Ensure(t.Context(), in, name, typ, nil)
	wantErrText(t, "Ensure", err, columnvault.ErrDType, words...)
}

// TestCatalogueSpelling: the original stores a dtype as it was typed. Every
// spelling opens as the type that it means, and is left in the file.
func TestCatalogueSpelling(t *testing.T) {
	v := openAt(t, copyFixture(t, "v0", "dtype_spelling.db"), nil)
	before, err := v.Columns(t.Context())
	must(t, err)
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
	must(t, err)
	for i := range before {
		before[i].Len++
	}
	wantValues(t, "columns", after, before)
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
	wantColumn(t, c, value)
	must(t, c.Append(t.Context(), another))
	wantColumn(t, lookup(t, v, name, typ), value, another)
	_, err = columnvault.Create(t.Context(), v, name, typ, nil)
	wantErr(t, "Create of "+name, err, columnvault.ErrExists)
}

// TestCatalogueUnknownDType: columns of a dtype that a later version may have
// brought are listed, and can be renamed and dropped, but not opened.
func TestCatalogueUnknownDType(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	v := openAt(t, path, nil)
	create(t, v, "fixed", dtype.Int64, 1, 2)
	create(t, v, "varsize", dtype.String, "a")
	create(t, v, "known", dtype.Int64, 3)
	must(t, v.Close())
	execSQL(t, path, `UPDATE col_meta SET dtype = 'decimal:8' WHERE name = 'fixed'`,
		`UPDATE col_meta SET dtype = 'zstd:str' WHERE name = 'varsize_data'`)
	v = openAt(t, path, nil)
	infos, err := v.Columns(ctx)
	must(t, err)
	wantValues(t, "columns", infos, []columnvault.ColumnInfo{
		{Name: "fixed", DType: "decimal:8", Len: 2},
		{Name: "varsize", DType: "zstd:str", Len: 1, VarSize: true},
		{Name: "known", DType: "i64", Len: 1},
	})
	for name, dt := range map[string]string{"fixed": "decimal:8", "varsize": "zstd:str"} {
		_, err := v.Column(ctx, name)
		wantErrText(t, "Column", err, columnvault.ErrUnsupported, dt)
		_, err = columnvault.Lookup(ctx, v, name, dtype.Int64)
		wantErrText(t, "Lookup", err, columnvault.ErrUnsupported, dt)
		_, err = columnvault.Ensure(ctx, v, name, dtype.String, nil)
		wantErrText(t, "Ensure", err, columnvault.ErrUnsupported, dt)
		_, err = columnvault.Create(ctx, v, name, dtype.Int64, nil)
		wantErrText(t, "Create", err, columnvault.ErrExists, dt)
		must(t, v.Rename(ctx, name, name+" renamed"))
	}
	wantNames(t, v, "fixed renamed", "varsize renamed", "known")
	wantColumn(t, lookup(t, v, "known", dtype.Int64), 3)
	must(t, v.Drop(ctx, "fixed renamed"))
	must(t, v.Drop(ctx, "varsize renamed"))
	wantNames(t, v, "known")
	wantSound(t, v)
}

// TestCatalogueLayout1: columns of KohakuVault 1.x are listed and left alone,
// and others can be created beside them.
func TestCatalogueLayout1(t *testing.T) {
	for file, golden := range readGolden(t, "v1") {
		t.Run(file, func(t *testing.T) {
			ctx := t.Context()
			v := openAt(t, copyFixture(t, "v1", file), nil)
			theirs, err := v.Columns(ctx)
			must(t, err)
			if len(theirs) != len(golden.Columns) {
				t.Errorf("%d columns are listed, want %d", len(theirs), len(golden.Columns))
			}
			for _, info := range theirs {
				want, ok := golden.Columns[info.Name]
				if !ok || info.DType != want.DType || info.Len != want.Length || info.Layout != 1 {
					t.Errorf("listed: %+v, want %+v", info, want)
				}
				_, err := v.Column(ctx, info.Name)
				wantErrText(t, "Column", err, columnvault.ErrUnsupported, "1.x")
				_, err = columnvault.Lookup(ctx, v, info.Name, dtype.Int64)
				wantErr(t, "Lookup", err, columnvault.ErrUnsupported)
				_, err = columnvault.Ensure(ctx, v, info.Name, dtype.Int64, nil)
				wantErr(t, "Ensure", err, columnvault.ErrUnsupported)
				_, err = columnvault.Create(ctx, v, info.Name, dtype.Int64, nil)
				wantErr(t, "Create", err, columnvault.ErrExists)
				wantErr(t, "Drop", v.Drop(ctx, info.Name), columnvault.ErrUnsupported)
				wantErr(t, "Rename", v.Rename(ctx, info.Name, "renamed"), columnvault.ErrUnsupported)
			}
			wantColumn(t, create(t, v, "our ints", dtype.Int64, 1, 2), 1, 2)
			wantColumn(t, create(t, v, "our texts", dtype.String, "a"), "a")
			wantErr(t, "Rename to theirs", v.Rename(ctx, "our ints", theirs[0].Name), columnvault.ErrExists)

			all, err := v.Columns(ctx)
			must(t, err)
			var rest []columnvault.ColumnInfo
			for _, info := range all {
				if info.Layout == 1 {
					rest = append(rest, info)
				}
			}
			wantValues(t, "columns of layout 1", rest, theirs)
			if len(all) != len(theirs)+2 {
				t.Errorf("%d columns are listed, want two more than %d", len(all), len(theirs))
			}
			wantSound(t, v)
		})
	}
	t.Run("read-only", func(t *testing.T) { // without any table of layout 0
		v := openAt(t, copyFixture(t, "v1", "with_kv.db"), &columnvault.Options{ReadOnly: true})
		wantNames(t, v, "ids")
		_, err := v.Column(t.Context(), "ids")
		wantErr(t, "Column", err, columnvault.ErrUnsupported)
		_, err = v.Column(t.Context(), "other")
		wantErr(t, "Column", err, columnvault.ErrNotFound)
		wantSound(t, v)
	})
	// A name of theirs is taken also where ours has the name of a half.
	t.Run("name of a half", func(t *testing.T) {
		ctx := t.Context()
		v := openAt(t, copyFixture(t, "v1", "with_kv.db"), nil)
		create(t, v, "ids_data", dtype.Int64, 1)
		_, err := v.Column(ctx, "ids")
		wantErr(t, "Column", err, columnvault.ErrUnsupported)
		_, err = columnvault.Create(ctx, v, "ids", dtype.Int64, nil)
		wantErr(t, "Create", err, columnvault.ErrExists)
	})
}

// TestColumnOptions: bounds that make no sense are refused, before anything is
// written.
func TestColumnOptions(t *testing.T) {
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
			o := chunks(test.smallest, test.largest)
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
		wantErr(t, name, err, want)
		wantNames(t, in)
		return
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	wantNames(t, in, name)
	must(t, in.Drop(ctx, name))
}

// TestColumnOptionsKept: bounds are rounded to whole elements, and belong to
// the column for good.
func TestColumnOptionsKept(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	const rows = `SELECT name, min_chunk_bytes, max_chunk_bytes FROM col_meta ORDER BY col_id`
	v := openAt(t, path, nil)
	createWith(t, v, "fixed", dtype.Int64, chunks(100, 1000))
	createWith(t, v, "varsize", dtype.String, chunks(100, 1000))
	want := []string{"fixed 104 1000", "varsize_data 100 996", "varsize_idx 108 996"}
	wantValues(t, "rows", querySQL(t, path, rows), want)

	ints, err := columnvault.Ensure(ctx, v, "fixed", dtype.Int64, chunks(1<<10, 1<<20))
	must(t, err)
	_, err = columnvault.Ensure(ctx, v, "varsize", dtype.String, chunks(-1, -1)) // not even looked at
	must(t, err)
	wantValues(t, "rows after Ensure", querySQL(t, path, rows), want)
	must(t, ints.Append(ctx, sequence(500, identity)...))
	wantChunks(t, ints, 4)
	must(t, v.Rename(ctx, "fixed", "renamed"))
	wantValues(t, "rows after Rename", querySQL(t, path, rows)[:1], []string{"renamed 104 1000"})
}

// TestColumnOptionsLargeElement: an element that is larger than a chunk is by
// default gets a chunk that is large enough.
func TestColumnOptionsLargeElement(t *testing.T) {
	v := open(t)
	want := sized(3, 3<<20)
	wantColumn(t, create(t, v, "fixed", dtype.FixedBytes(3<<20), want...), want...)
	wantColumn(t, create(t, v, "varsize", dtype.Bytes, want...), want...)
	wantSound(t, v)
}

// TestOldHandles: a handle is a name and a type, whatever happens to the
// column.
func TestOldHandles(t *testing.T) {
	inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
		old := create(t, in, "values", dtype.Int64, 1, 2, 3)
		dynamic, err := in.Column(ctx, "values")
		must(t, err)
		must(t, in.Drop(ctx, "values"))
		wantGone := func(kind error) {
			t.Helper()
			_, err := old.At(ctx, 0)
			wantErr(t, "At", err, kind)
			_, err = old.Len(ctx)
			wantErr(t, "Len", err, kind)
			wantErr(t, "Append", old.Append(ctx, 1), kind)
			wantErr(t, "Clear", old.Clear(ctx), kind)
			_, err = dynamic.Slice(ctx, begin, end)
			wantErr(t, "Slice of the dynamic column", err, kind)
			wantErr(t, "Values", loopErr(old.Values(ctx)), kind)
		}
		wantGone(columnvault.ErrNotFound)

		floats := create(t, in, "values", dtype.Float64, 0.5)
		wantGone(columnvault.ErrDType)
		wantColumn(t, floats, 0.5)

		must(t, in.Drop(ctx, "values"))
		texts := create(t, in, "values", dtype.String, "a") // of another kind
		wantGone(columnvault.ErrDType)
		wantColumn(t, texts, "a")

		must(t, in.Drop(ctx, "values"))
		create(t, in, "values", dtype.Int64, 9)
		wantColumn(t, old, 9)
		wantColumn(t, dynamic, any(int64(9)))
	})
}

// TestCatalogueRollback: of all that was done in an Update that failed nothing
// remains.
func TestCatalogueRollback(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	v := openAt(t, path, nil)
	ints := createWith(t, v, "ints", dtype.Int64, fixedChunks, sequence(300, identity)...)
	texts := createWith(t, v, "texts", dtype.Bytes, smallVarChunks, sized(50, 30)...)
	create(t, v, "dropped", dtype.String, "still here")
	const everything = `SELECT m.*, chunk_idx, hex(data), actual_size, bytes_used FROM col_meta AS m LEFT JOIN col_chunks USING (col_id) ORDER BY col_id, chunk_idx`
	before := querySQL(t, path, everything)

	change := func(ctx context.Context, tx *columnvault.Tx) error {
		create(t, tx, "new ints", dtype.Int64, 1, 2, 3)
		create(t, tx, "new texts", dtype.String, "x")
		must(t, ints.In(tx).Append(ctx, sequence(500, identity)...))
		must(t, texts.In(tx).Delete(ctx, 0, 40))
		must(t, texts.In(tx).Insert(ctx, 5, someBytes(0, 400)))
		must(t, tx.Rename(ctx, "ints", "renamed"))
		must(t, tx.Drop(ctx, "dropped"))
		create(t, tx, "dropped", dtype.Int64, 1)
		must(t, tx.Drop(ctx, "new ints"))
		wantNames(t, tx, "renamed", "texts", "new texts", "dropped")
		wantLen(t, lookup(t, tx, "renamed", dtype.Int64), 800)
		return nil
	}
	for range 2 { // the second time with whatever the first has left in memory
		err := v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			must(t, change(ctx, tx))
			return errRollback
		})
		if err != errRollback {
			t.Errorf("Update returns %v, want what its function returned", err)
		}
		wantNames(t, v, "ints", "texts", "dropped")
		wantColumn(t, ints, sequence(300, identity)...)
		wantColumn(t, texts, sized(50, 30)...)
		wantColumn(t, lookup(t, v, "dropped", dtype.String), "still here")
		wantErr(t, "Drop", v.Drop(ctx, "new texts"), columnvault.ErrNotFound)
		wantValues(t, "rows", querySQL(t, path, everything), before)
	}
	must(t, v.Update(ctx, change))
	wantNames(t, v, "renamed", "texts", "new texts", "dropped")
	wantColumn(t, lookup(t, v, "renamed", dtype.Int64), append(sequence(300, identity), sequence(500, identity)...)...)
	wantColumn(t, lookup(t, v, "dropped", dtype.Int64), 1)
	wantSound(t, v)
}

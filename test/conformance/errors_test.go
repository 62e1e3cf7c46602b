package conformance_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestErrorsQuoteLittle checks that errors quote the beginning of names, keys
// and dtypes, however long these are: those of a call, and those in a file that
// others have written.
func TestErrorsQuoteLittle(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	for _, name := range []string{"unknown", "other size", "half", "name"} {
		vaulttest.Create(t, v, name, dtype.Int64)
	}
	vaulttest.Must(t, v.Close())
	long := strings.Repeat("x", 1<<20)
	vaulttest.ExecSQL(t, path,
		`UPDATE col_meta SET dtype = '`+long+`' WHERE name = 'unknown'`,
		`UPDATE col_meta SET dtype = 'vec:f32`+strings.Repeat(":1", 1<<18)+`' WHERE name = 'other size'`,
		`UPDATE col_meta SET name = 'half_data', elem_size = 1, dtype = 'bytes:`+strings.Repeat("0", 1<<20)+`' WHERE name = 'half'`,
		`UPDATE col_meta SET name = '`+long+`_data' WHERE name = 'name'`)
	v = vaulttest.OpenAt(t, path, nil)

	lookup := func(name string) error {
		_, err := columnvault.Lookup(ctx, v, name, dtype.Int64)
		return err
	}
	create := func(name string) error {
		_, err := columnvault.Create(ctx, v, name, dtype.String, nil)
		return err
	}
	_, errColumn := v.Column(ctx, "unknown")
	_, errGet := v.KV().Get(ctx, columnvault.Key(long))
	for i, err := range []error{
		errColumn, errGet,
		lookup(long), lookup("unknown"), lookup("other size"),
		create(long), create("\xff" + long), create("unknown"), create("other size"), create("half"),
		v.Drop(ctx, long), v.Rename(ctx, long, "y"), v.Rename(ctx, "unknown", long), v.Rename(ctx, "unknown", "other size"),
		v.KVTable(long+"\x00").Put(ctx, columnvault.Key("x"), nil),
		v.KVTable("sqlite_"+long).Put(ctx, columnvault.Key(long), nil),
	} {
		var e *columnvault.Error
		if !errors.As(err, &e) {
			t.Errorf("case %d: %v", i, err)
		} else if text := err.Error(); len(text) > 8<<10 {
			t.Errorf("case %d: %d bytes, %.200s", i, len(text), text)
		}
	}
}

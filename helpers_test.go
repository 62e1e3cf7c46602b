package columnvault_test

import (
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"pgregory.net/rapid"

	"columnvault"
	"columnvault/dtype"
)

// tester is a *testing.T or a *rapid.T.
type tester interface {
	rapid.TB
	Context() context.Context
}

const (
	begin = columnvault.Begin
	end   = columnvault.End
)

// What functions given to an Update or a View return and panic with.
var (
	errRollback = errors.New("undo it all")
	errPanic    = errors.New("the panic of a function")
)

// must ends the test on an error.
func must(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// chunks are options for a column with these bounds of its chunks.
func chunks(smallest, largest int) *columnvault.ColumnOptions {
	return &columnvault.ColumnOptions{MinChunk: smallest, MaxChunk: largest}
}

// createWith is create with options.
func createWith[T any](t tester, in columnvault.Scope, name string, typ dtype.Type[T], o *columnvault.ColumnOptions, values ...T) *columnvault.Column[T] {
	t.Helper()
	c, err := columnvault.Create(t.Context(), in, name, typ, o)
	must(t, err)
	must(t, c.Append(t.Context(), values...))
	return c
}

// lookup opens a column that exists.
func lookup[T any](t tester, in columnvault.Scope, name string, typ dtype.Type[T]) *columnvault.Column[T] {
	t.Helper()
	c, err := columnvault.Lookup(t.Context(), in, name, typ)
	must(t, err)
	return c
}

// appendEach appends the values one by one, each in a transaction of its own.
func appendEach[T any](t tester, c *columnvault.Column[T], values []T) {
	t.Helper()
	for _, value := range values {
		must(t, c.Append(t.Context(), value))
	}
}

// sequence is n values, each made of its position.
func sequence[T any](n int, value func(i int) T) []T {
	values := make([]T, n)
	for i := range values {
		values[i] = value(i)
	}
	return values
}

// collect gathers what an iterator yields.
func collect[T any](t tester, seq func(yield func(T, error) bool)) (values []T) {
	t.Helper()
	for value, err := range seq {
		must(t, err)
		values = append(values, value)
	}
	return values
}

// loopOver calls body with the number of each value that an iterator yields,
// as long as that returns true, and returns the error that ends the loop.
func loopOver[T any](seq func(yield func(T, error) bool), body func(n int) bool) error {
	n := 0
	for _, err := range seq {
		if err != nil {
			return err
		}
		if !body(n) {
			break
		}
		n++
	}
	return nil
}

// loopErr is the error that ends a loop.
func loopErr[T any](seq func(yield func(T, error) bool)) error {
	return loopOver(seq, func(int) bool { return true })
}

// wantValues requires the same values in the same order.
func wantValues[T any](t tester, what string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("%s: the value at %d is %#v, want %#v", what, i, got[i], want[i])
		}
	}
}

// wantLen requires the number of elements.
func wantLen[T any](t tester, c *columnvault.Column[T], want int) {
	t.Helper()
	n, err := c.Len(t.Context())
	must(t, err)
	if n != want {
		t.Fatalf("%s has %d elements, want %d", c.Name(), n, want)
	}
}

// wantColumn requires these elements and no others, by Len, Slice and Values.
func wantColumn[T any](t tester, c *columnvault.Column[T], want ...T) {
	t.Helper()
	wantLen(t, c, len(want))
	wantSlice(t, c, begin, end, want...)
	wantValues(t, c.Name()+" by Values", collect(t, c.Values(t.Context())), want)
}

// wantAt requires the element at position i.
func wantAt[T any](t tester, c *columnvault.Column[T], i int, want T) {
	t.Helper()
	got, err := c.At(t.Context(), i)
	must(t, err)
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s[%d] is %#v, want %#v", c.Name(), i, got, want)
	}
}

// wantSlice requires the elements from i up to j.
func wantSlice[T any](t tester, c *columnvault.Column[T], i, j int, want ...T) {
	t.Helper()
	got, err := c.Slice(t.Context(), i, j)
	must(t, err)
	wantValues(t, c.Name()+" by Slice", got, want)
}

// wantSound requires that the vault keeps every rule of the format.
func wantSound(t tester, v *columnvault.Vault) {
	t.Helper()
	for p, err := range v.Check(t.Context()) {
		must(t, err)
		t.Errorf("check: %q: %s", p.Column, p.Text)
	}
}

// wantChunks requires the number of chunks, and returns what Stat says.
func wantChunks[T any](t tester, c *columnvault.Column[T], want int) columnvault.Stat {
	t.Helper()
	s, err := c.Stat(t.Context())
	must(t, err)
	if s.Chunks != want {
		t.Errorf("%s has %d chunks, want %d: %+v", c.Name(), s.Chunks, want, s)
	}
	return s
}

// wantErrText requires an error of this kind that says these words.
func wantErrText(t *testing.T, what string, got, want error, words ...string) {
	t.Helper()
	wantErr(t, what, got, want)
	for _, w := range words {
		if got != nil && !strings.Contains(got.Error(), w) {
			t.Errorf("%s: the error %q does not say %q", what, got, w)
		}
	}
}

// wantIndex requires that the error names position i.
func wantIndex(t *testing.T, err error, i int) {
	t.Helper()
	var e *columnvault.Error
	if !errors.As(err, &e) || e.Index != i {
		t.Errorf("the error %v does not name the position %d", err, i)
	}
}

// wantNames requires these columns in this order.
func wantNames(t tester, in interface {
	Columns(ctx context.Context) ([]columnvault.ColumnInfo, error)
}, want ...string) {
	t.Helper()
	infos, err := in.Columns(t.Context())
	must(t, err)
	wantValues(t, "columns", sequence(len(infos), func(i int) string { return infos[i].Name }), want)
}

// execSQL changes a file behind the library's back. No vault may be open on it.
func execSQL(t *testing.T, path string, statements ...string) {
	t.Helper()
	withSQL(t, path, func(db *sqlite3.Conn) {
		for _, sql := range statements {
			if err := db.Exec(sql); err != nil {
				t.Fatalf("%v: %s", err, sql)
			}
		}
	})
}

// querySQL returns the rows of a query, the values of each joined by spaces.
func querySQL(t *testing.T, path, sql string) (rows []string) {
	t.Helper()
	withSQL(t, path, func(db *sqlite3.Conn) {
		st, _, err := db.Prepare(sql)
		if err != nil {
			t.Fatalf("%v: %s", err, sql)
		}
		defer st.Close()
		for st.Step() {
			values := make([]string, st.ColumnCount())
			for i := range values {
				values[i] = st.ColumnText(i)
			}
			rows = append(rows, strings.Join(values, " "))
		}
		must(t, st.Err())
	})
	return rows
}

func withSQL(t *testing.T, path string, fn func(db *sqlite3.Conn)) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err) // SQLite would make a new file
	}
	db, err := sqlite3.Open(path)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	must(t, db.BusyTimeout(10*time.Second))
	fn(db)
}

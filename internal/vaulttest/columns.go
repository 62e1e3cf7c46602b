package vaulttest

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
)

// Chunks returns options of a column with these bounds of its chunks.
func Chunks(smallest, largest int) *columnvault.ColumnOptions {
	return &columnvault.ColumnOptions{MinChunk: smallest, MaxChunk: largest}
}

// CacheOf returns options of a cache that nothing but its size makes flush.
func CacheOf(capBytes, threshold int) *columnvault.CacheOptions {
	return &columnvault.CacheOptions{CapBytes: capBytes, FlushThreshold: threshold}
}

// Create creates a column that holds these values.
func Create[T any](t TB, in columnvault.Scope, name string, typ dtype.Type[T], values ...T) *columnvault.Column[T] {
	t.Helper()
	return CreateWith(t, in, name, typ, nil, values...)
}

// CreateWith is [Create] with options.
func CreateWith[T any](t TB, in columnvault.Scope, name string, typ dtype.Type[T], o *columnvault.ColumnOptions, values ...T) *columnvault.Column[T] {
	t.Helper()
	c, err := columnvault.Create(t.Context(), in, name, typ, o)
	Must(t, err)
	Must(t, c.Append(t.Context(), values...))
	return c
}

// Lookup opens a column that exists.
func Lookup[T any](t TB, in columnvault.Scope, name string, typ dtype.Type[T]) *columnvault.Column[T] {
	t.Helper()
	c, err := columnvault.Lookup(t.Context(), in, name, typ)
	Must(t, err)
	return c
}

// AppendEach appends the values one by one, each in a transaction of its own.
func AppendEach[T any](t TB, c *columnvault.Column[T], values []T) {
	t.Helper()
	for _, value := range values {
		Must(t, c.Append(t.Context(), value))
	}
}

// WantLen requires the number of elements.
func WantLen[T any](t TB, c *columnvault.Column[T], want int) {
	t.Helper()
	n, err := c.Len(t.Context())
	Must(t, err)
	if n != want {
		t.Fatalf("%s has %d elements, want %d", c.Name(), n, want)
	}
}

// WantColumn requires these elements and no others, by Len, Slice and Values.
func WantColumn[T any](t TB, c *columnvault.Column[T], want ...T) {
	t.Helper()
	WantLen(t, c, len(want))
	WantSlice(t, c, columnvault.Begin, columnvault.End, want...)
	WantValues(t, c.Name()+" by Values", Collect(t, c.Values(t.Context())), want)
}

// WantAt requires the element at position i.
func WantAt[T any](t TB, c *columnvault.Column[T], i int, want T) {
	t.Helper()
	got, err := c.At(t.Context(), i)
	Must(t, err)
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s[%d] is %#v, want %#v", c.Name(), i, got, want)
	}
}

// WantSlice requires the elements from i up to j.
func WantSlice[T any](t TB, c *columnvault.Column[T], i, j int, want ...T) {
	t.Helper()
	got, err := c.Slice(t.Context(), i, j)
	Must(t, err)
	WantValues(t, c.Name()+" by Slice", got, want)
}

// WantChunks requires the number of chunks, and returns what Stat says.
func WantChunks[T any](t TB, c *columnvault.Column[T], want int) columnvault.Stat {
	t.Helper()
	s, err := c.Stat(t.Context())
	Must(t, err)
	if s.Chunks != want {
		t.Errorf("%s has %d chunks, want %d: %+v", c.Name(), s.Chunks, want, s)
	}
	return s
}

// WantOnDisk requires the elements that other processes see.
func WantOnDisk[T any](t TB, p Pair, c *columnvault.Column[T], typ dtype.Type[T], want ...T) {
	t.Helper()
	WantColumn(t, Lookup(t, p.Other, c.Name(), typ), want...)
}

// LenOnDisk is the number of elements that other processes see.
func LenOnDisk(t TB, p Pair, name string) int {
	t.Helper()
	c, err := p.Other.Column(t.Context(), name)
	Must(t, err)
	n, err := c.Len(t.Context())
	Must(t, err)
	return n
}

// WantSound requires that the vault keeps every rule of the format.
func WantSound(t TB, v *columnvault.Vault) {
	t.Helper()
	for _, f := range Found(t, v, columnvault.CheckOptions{Full: true}) {
		t.Errorf("check: %s: %q: %s", f.Kind, f.Column+f.Table, f.Text)
	}
}

// Found is what Check finds, but for notes.
func Found(t TB, v *columnvault.Vault, o columnvault.CheckOptions) (found []columnvault.Finding) {
	t.Helper()
	for f, err := range v.Check(t.Context(), o) {
		Must(t, err)
		if f.Severity > columnvault.SeverityNote {
			found = append(found, f)
		}
	}
	return found
}

// WantNames requires these columns in this order.
func WantNames(t TB, in interface {
	Columns(ctx context.Context) ([]columnvault.ColumnInfo, error)
}, want ...string) {
	t.Helper()
	infos, err := in.Columns(t.Context())
	Must(t, err)
	WantValues(t, "columns", Sequence(len(infos), func(i int) string { return infos[i].Name }), want)
}

// WantErrText requires an error of this kind that says these words.
func WantErrText(t *testing.T, what string, got, want error, words ...string) {
	t.Helper()
	WantErr(t, what, got, want)
	for _, w := range words {
		if got != nil && !strings.Contains(got.Error(), w) {
			t.Errorf("%s: the error %q does not say %q", what, got, w)
		}
	}
}

// WantIndex requires that the error names position i.
func WantIndex(t *testing.T, err error, i int) {
	t.Helper()
	var e *columnvault.Error
	if !errors.As(err, &e) || e.Index != i {
		t.Errorf("the error %v does not name the position %d", err, i)
	}
}

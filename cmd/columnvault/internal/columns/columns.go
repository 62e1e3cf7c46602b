// Package columns opens the columns of a vault, says which ones there are, and
// summarizes what they hold.
package columns

import (
	"context"
	"errors"
	"fmt"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
)

// Scope is a vault or a transaction, where columns are found.
type Scope interface {
	Column(ctx context.Context, name string) (*columnvault.Column[any], error)
	Columns(ctx context.Context) ([]columnvault.ColumnInfo, error)
}

// Open opens a column whose dtype is in the file.
func Open(ctx context.Context, in Scope, name string) (*columnvault.Column[any], error) {
	col, err := in.Column(ctx, name)
	return col, HintNames(ctx, in, err)
}

// Spec returns the dtype of an open column.
func Spec(col *columnvault.Column[any]) dtype.Spec {
	spec, err := dtype.ParseSpec(col.DType())
	if err != nil {
		panic(err) // the column is open, so it has parsed
	}
	return spec
}

// HintNames adds to the error of a missing column which ones there are.
func HintNames(ctx context.Context, in Scope, err error) error {
	if !errors.Is(err, columnvault.ErrNotFound) {
		return err
	}
	infos, listErr := in.Columns(ctx)
	if listErr != nil {
		return err
	}
	if len(infos) == 0 {
		return hint.Add(err, "the vault has no columns; create makes one")
	}
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = excerpt.Printable(info.Name)
	}
	return hint.Add(err, "the columns are %s", excerpt.Few(names))
}

// Note says in a few words what is special about a column.
func Note(info columnvault.ColumnInfo) string {
	switch why := Remark(info); {
	case why != "" || info.Layout == 0:
		return why
	case info.Layout == columnvault.Native && info.Compression != columnvault.Uncompressed:
		return fmt.Sprintf("(native, %v)", info.Compression)
	case info.Layout == columnvault.Native:
		return "(native)"
	case info.Stored != "":
		return fmt.Sprintf("(layout %d, stored as %s)", info.Layout, excerpt.Line(info.Stored, excerpt.Name))
	}
	return fmt.Sprintf("(layout %d)", info.Layout)
}

// Remark says in a few words why a column cannot be read under its name, if that
// is so.
func Remark(info columnvault.ColumnInfo) string {
	switch {
	case info.Incomplete:
		return "(incomplete)"
	case info.Hidden:
		return fmt.Sprintf("(layout %d, behind another)", info.Layout)
	}
	if _, err := dtype.ParseSpec(info.DType); err != nil {
		return "(unknown type)"
	}
	return ""
}

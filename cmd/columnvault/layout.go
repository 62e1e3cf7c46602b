package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/internal/excerpt"
)

// anyLayout is that of the column which a name means.
const anyLayout = -1

func layoutFlag(cmd *cobra.Command, layout *string) {
	cmd.Flags().StringVar(layout, "layout", "", "the column that has the name in this layout, `0|1|native`")
}

// parseLayout reads a layout, or none.
func parseLayout(flag string) (int, error) {
	switch flag {
	case "":
		return anyLayout, nil
	case "0":
		return 0, nil
	case "1":
		return 1, nil
	case "2", "native":
		return columnvault.Native, nil
	}
	return 0, usagef("%s is not a layout: want 0, 1 or native", excerpt.Quote(flag, excerpt.Value))
}

// newColumns are the flags that say how new columns are stored.
type newColumns struct {
	layout, compress string
	home             int
}

func (n *newColumns) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&n.layout, "layout", "0", "how columns are stored, `0|native`: KohakuVault 0.8.6 reads 0 alone")
	compressFlag(cmd, &n.compress)
	cmd.Flags().IntVar(&n.home, "home", 0, "the home, `N` of 0 to 32767, of columns that change together where a\nvault is divided over several servers; a file has one home")
}

func compressFlag(cmd *cobra.Command, compress *string) {
	cmd.Flags().StringVar(compress, "compress", "none", "compress native columns, `none|zstd`")
}

// parse puts what the flags say into o.
func (n *newColumns) parse(o *columnvault.ColumnOptions) (err error) {
	if o.Layout, err = parseLayout(n.layout); err != nil {
		return err
	}
	if o.Layout == 1 {
		return usagef("new columns have layout 0 or native")
	}
	o.Home = n.home
	o.Compression, err = parseCompression(o.Layout, n.compress)
	return err
}

// parseCompression reads how columns of a layout are compressed.
func parseCompression(layout int, flag string) (columnvault.Compression, error) {
	switch flag {
	case "none":
		return columnvault.Uncompressed, nil
	case "zstd":
		if layout != columnvault.Native {
			return 0, usagef("only native columns are compressed")
		}
		return columnvault.Zstd, nil
	}
	return 0, usagef("%s is not a compression: want none or zstd", excerpt.Quote(flag, excerpt.Value))
}

// changeNamed changes the column that has the name in the layout of the flag. If
// there is none, it is the one that the name means, and of two it says which.
func (a *app) changeNamed(ctx context.Context, db, name, flag string, in func(v *columnvault.Vault, layout int) error, change func(v *columnvault.Vault) error) error {
	layout, err := parseLayout(flag)
	if err != nil {
		return err
	}
	return writing(ctx, db, func(v *columnvault.Vault) error {
		if layout != anyLayout {
			return columns.HintNames(ctx, v, in(v, layout))
		}
		say, err := whichOf(ctx, v, name) // as long as there are two
		if err != nil {
			return err
		}
		if err := change(v); err != nil {
			return columns.HintNames(ctx, v, err)
		}
		a.warn(false, say)
		return nil
	})
}

// whichOf says which column each of the names means of which two have it.
func whichOf(ctx context.Context, v *columnvault.Vault, names ...string) (say []string, err error) {
	return whichIf(ctx, v, func(name string) bool { return slices.Contains(names, name) })
}

// whichIf is whichOf for the names of which used is true.
func whichIf(ctx context.Context, v *columnvault.Vault, used func(name string) bool) (say []string, err error) {
	infos, err := v.Columns(ctx)
	for _, hidden := range infos {
		if !hidden.Hidden || !used(hidden.Name) {
			continue
		}
		for _, info := range infos {
			if info.Name == hidden.Name && !info.Hidden {
				say = append(say, fmt.Sprintf("%s is the name of two columns; this was the one of layout %d", excerpt.Printable(info.Name), info.Layout))
			}
		}
	}
	return slices.Compact(say), err
}

// sayWhich says which column a name has meant, if two have it, after a command
// that leaves both there.
func (a *app) sayWhich(cmd *cobra.Command, args []string) {
	named := func(word string) bool { return strings.Trim(word, "[].") == "NAME" }
	if len(args) < 2 || !slices.ContainsFunc(words(cmd), named) || cmd.Name() == "migrate" || cmd.Name() == "drop" {
		return
	}
	_ = reading(cmd.Context(), args[0], func(v *columnvault.Vault) error { // it was open before
		say, err := whichOf(cmd.Context(), v, args[1:]...)
		a.warn(false, say)
		return err
	})
}

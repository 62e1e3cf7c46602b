package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/excerpt"
)

// listedColumn is a line of ls --json.
type listedColumn struct {
	Name       string `json:"name"`
	DType      string `json:"dtype"`
	Meaning    string `json:"meaning,omitempty"`
	Elements   int    `json:"elements"`
	Layout     int    `json:"layout"`
	Codec      string `json:"codec,omitempty"`
	Incomplete bool   `json:"incomplete"`
	Stored     string `json:"stored,omitempty"`
	Hidden     bool   `json:"hidden,omitempty"`
	Home       int    `json:"home,omitempty"`
}

// listedTable is a line of ls --json for a key-value table.
type listedTable struct {
	Name  string `json:"name"`
	Table bool   `json:"table"`
}

func newLsCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls DB [--json]",
		Short: "List the columns and the key-value tables",
		Long: `List the columns in the order of their creation, and then the key-value tables.

--json prints an object a line. More fields may come; these stay:
  name        text
  dtype       text, as it stands in the file, known to this version or not
  meaning     text, what the elements mean beyond that, as retype takes it;
              left out where they mean no more
  elements    integer
  layout      0, 2 for native, or 1 for a column of KohakuVault 1.x, which can be
              read and not changed; migrate brings it to another
  codec       zstd for a native column that is compressed; left out for others
  incomplete  true for half of a column, which a crash of KohakuVault has left;
              create with the same dtype completes it, drop removes it
  stored      text, the dtype in the file if elements are read as another, as
              those of a vec:bool in layout 1 are; left out for all others
  hidden      true for a column if the name means another: a native one before
              one of layout 0, and that before one of layout 1; left out for others
  home        integer, the home of the column where a vault is divided over several
              servers; left out for 0, which all columns of a file have
A key-value table has the fields name and table, which is true, and no others.`,
		Example: `  columnvault ls weather.db
  columnvault ls weather.db --json | jq -r 'select(.table | not).name'`,
		RunE: func(cmd *cobra.Command, args []string) error { return runLs(cmd.Context(), a, args[0], asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// codecOf names the compression of a column, if it has one.
func codecOf(info columnvault.ColumnInfo) string {
	if info.Compression == columnvault.Uncompressed {
		return ""
	}
	return info.Compression.String()
}

func runLs(ctx context.Context, a *app, db string, asJSON bool) error {
	return reading(ctx, db, func(v *columnvault.Vault) error {
		infos, err := v.Columns(ctx)
		if err != nil {
			return err
		}
		tables, err := v.Tables(ctx)
		if err != nil {
			return err
		}
		if asJSON {
			for _, info := range infos {
				if err := a.printJSON(listedColumn{info.Name, info.DType, info.Meaning.String(), info.Len, info.Layout, codecOf(info), info.Incomplete, info.Stored, info.Hidden, info.Home}); err != nil {
					return err
				}
			}
			for _, name := range tables {
				if err := a.printJSON(listedTable{name, true}); err != nil {
					return err
				}
			}
			return nil
		}
		t := a.table(term.Left("column"), term.Left("type"), term.Right("length"), term.Left(""))
		for _, info := range infos {
			t.Add(excerpt.Printable(info.Name), showType(info.DType, info.Meaning), strconv.Itoa(info.Len), columns.Note(info))
		}
		for _, name := range tables {
			t.Add(excerpt.Printable(name), "key-value table", "", "")
		}
		return t.Write(a.out)
	})
}

package main

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/dtype"
)

// listedColumn is a line of ls --json.
type listedColumn struct {
	Name       string `json:"name"`
	DType      string `json:"dtype"`
	Elements   int    `json:"elements"`
	Layout     int    `json:"layout"`
	Incomplete bool   `json:"incomplete"`
}

func (a *app) lsCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls DB [--json]",
		Short: "List the columns",
		Long: `List the columns in the order of their creation.

--json prints an object a line. More fields may come; these stay:
  name        text
  dtype       text, as it stands in the file, known to this version or not
  elements    integer
  layout      0, or 1 for a column of KohakuVault 1.x, which can only be listed
  incomplete  true for half of a column, which a crash of KohakuVault has left;
              create with the same dtype completes it, drop removes it`,
		Example: `  columnvault ls weather.db
  columnvault ls weather.db --json | jq -r .name`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return reading(args[0], func(v *columnvault.Vault) error {
				infos, err := v.Columns(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return a.listJSON(infos)
				}
				t := table{columns: []tableColumn{{header: "column"}, {header: "type"}, {header: "length", right: true}, {}}}
				for _, info := range infos {
					t.add(printable(info.Name), printable(info.DType), strconv.Itoa(info.Len), remark(info))
				}
				return t.write(a.out, a.color())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) listJSON(infos []columnvault.ColumnInfo) error {
	for _, info := range infos {
		if err := a.printJSON(listedColumn{info.Name, info.DType, info.Len, info.Layout, info.Incomplete}); err != nil {
			return err
		}
	}
	return nil
}

// printJSON prints an object on one line.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// remark says why a column cannot be read, if that is so.
func remark(info columnvault.ColumnInfo) string {
	switch {
	case info.Incomplete:
		return "(incomplete)"
	case info.Layout != 0:
		return fmt.Sprintf("(layout %d, only listed)", info.Layout)
	}
	if _, err := dtype.ParseSpec(info.DType); err != nil {
		return "(unknown type)"
	}
	return ""
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
)

// migrateFlags are those of migrate.
type migrateFlags struct {
	to, compress             string
	keep, replace, transcode bool
	asJSON, quiet            bool
}

// migrated is what migrate --json prints.
type migrated struct {
	To      int      `json:"to"`
	Columns []string `json:"columns"`
}

func newMigrateCommand(a *app) *cobra.Command {
	var f migrateFlags
	cmd := &cobra.Command{
		Use:   "migrate DB [NAME...] [--to 0|1|native] [--compress zstd] [--keep] [--replace] [--transcode] [--json] [--quiet]",
		Short: "Bring columns from one layout to another",
		Long: `Bring columns to layout 0, which KohakuVault 0.8.6 reads and this project changes,
to layout 1, which KohakuVault 1.x reads and changes, or to the native layout, which
this project alone reads: there an insert or a delete costs the same wherever it is
and however long the column, and --compress can make columns smaller. Without NAME
it is all that are in another layout.

What does not fit is refused before anything is written. Each column is one
transaction, and columns with a prefix in common, such as trips.km and trips.fare,
are one together. Every element of a copy is compared before the old column goes;
compact gives its room back.

Layout 1 has columns that layout 0 has not: --transcode brings vectors of bool as
those of u8, vectors of f16 as those of f32, and text in other encodings as UTF-8.
Of dtypes such as i32 and f32, which layout 0 holds here, 0.8.6 reads none.

With --keep the old columns stay. Neither KohakuVault sees those of the other, and
for this project the name then means the column of layout 0. A native column shares
its name with none, so --keep is refused for it. If there is a column
of the name already, --replace puts the new one in its place.

--json prints an object. More fields may come; these stay:
  to       0, 1, or 2 for native
  columns  the names of the columns that were brought there`,
		Example: `  columnvault migrate old.db --to 1
  columnvault migrate new.db prices names --to 0 --keep`,
		RunE: func(cmd *cobra.Command, args []string) error { return runMigrate(cmd.Context(), a, args, &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "0", "the layout that the columns get, `0|1|native`")
	compressFlag(cmd, &f.compress)
	flags.BoolVar(&f.keep, "keep", false, "leave the old columns where they are")
	flags.BoolVar(&f.replace, "replace", false, "replace columns of the same names in the layout")
	flags.BoolVar(&f.transcode, "transcode", false, "let elements that layout 0 has not become others")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	flags.BoolVar(&f.quiet, "quiet", false, "print nothing")
	return cmd
}

func runMigrate(ctx context.Context, a *app, args []string, f *migrateFlags) error {
	to, err := parseLayout(f.to)
	if err != nil {
		return err
	}
	compression, err := parseCompression(to, f.compress)
	if err != nil {
		return err
	}
	return writing(ctx, args[0], func(v *columnvault.Vault) error {
		progress := a.progress(f.quiet, "migrating", 0)
		done, err := v.Migrate(ctx, columnvault.MigrateOptions{Columns: args[1:], To: to, Compression: compression, Keep: f.keep, Replace: f.replace, Transcode: f.transcode, Progress: progress.Set})
		progress.Finish()
		if err != nil && len(done) > 0 {
			a.warn(false, []string{fmt.Sprintf("brought to layout %d before the error: %s", to, printable(done))})
		}
		switch {
		case errors.Is(err, columnvault.ErrExists):
			return hint.Add(err, "--replace puts the column in the place of that one; drop --layout removes either")
		case errors.Is(err, columnvault.ErrTranscode):
			return hint.Add(err, "--transcode lets them become that")
		case err != nil:
			return columns.HintNames(ctx, v, err)
		case f.asJSON:
			return a.printJSON(migrated{to, append([]string{}, done...)})
		case !f.quiet && len(done) == 0:
			fmt.Fprintf(a.out, "no column is in another layout than %s\n", f.to)
		case !f.quiet:
			fmt.Fprintf(a.out, "%s in layout %s now: %s\n", term.Plural(len(done), "column"), f.to, printable(done))
		}
		return nil
	})
}

// printable is a list of names.
func printable(names []string) string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = excerpt.Printable(name)
	}
	return strings.Join(shown, ", ")
}

package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"
)

// run runs one command line and returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, err io.Writer) int {
	a := newApp(in, out, err)
	root := newRootCommand(a)
	root.SetArgs(flagsFirst(root, args))
	cmd, failure := root.ExecuteContextC(ctx)
	if flushed := a.out.Flush(); failure == nil {
		failure = flushed
	}
	return report(a.err, cmd, failure)
}

// screen is printed when no command is given. It fits a terminal of 24 lines.
const screen = `columnvault keeps lists on disk: typed columns and values under keys, in one
SQLite file DB, which KohakuVault 0.8.6 reads and writes as well.

Usage: columnvault COMMAND DB ... [--FLAGS]

  import, export               CSV and JSON lines in and out
  ls, head, tail, get, slice   read columns
  describe, plot, stat, view   what is in them, also in the browser
  sql                          questions, in SQLite's SQL
  append, set, insert, delete  change elements
  create, retype, rename, drop, migrate   change columns
  kv put, get, cat, ls, rm     values under keys
  check, repair, salvage       look for damage, mend it, save what is left
  backup, copy, compact, checkpoint   copies, give room back, empty the log
  completion, help, version    the tool

"columnvault --help" says how values are written, and what scripts may rely on,
"columnvault COMMAND --help" how a command is used, with examples.

A file becomes columns, which grow and can be sliced as in Python:
  columnvault import weather.db nyc-weather.csv.gz
  columnvault append weather.db temp 12.8 10.6
  columnvault slice weather.db temp -7:
`

func newRootCommand(a *app) *cobra.Command {
	var version bool
	root := &cobra.Command{
		Use:   "columnvault COMMAND",
		Short: "Lists on disk: typed columns and key-value tables in one SQLite file",
		Long: `columnvault keeps typed columns (lists of numbers, text, bytes, vectors, msgpack
and CBOR values) and values under keys in one SQLite file, DB, which KohakuVault
0.8.6 reads and writes as well.

A value is JSON, on the command line, on standard input and in what is printed:
  5  -2.5  "text"  true  null  [1,2]  {"key":"value"}
A word that is not JSON is text: hello is "hello", but 5 is a number and "5"
text. Floats are printed with a fraction or an exponent (1.0), and come back as
floats. JSON lacks these:
  NaN, infinities  "NaN"  "Infinity"  "-Infinity"  (the quotes may be left out)
  bytes            {"$base64":true,"encoded":"aGVsbG8="}
  times, dates     "2026-07-31T12:00:00Z"  "2026-07-31"  (the quotes may be left
                   out, and so may the Z or offset: then it is the column's
                   zone; those outside the years 0 to 9999 are integers)
  a missing value  null

Positions count from 0, and negative ones from the end. They and negative values
need no -- before them.

Every command changes all or nothing, append from standard input a batch at a
time. Data goes to standard output, all else to standard error. The exit code
is 0, or 1 after an error, 2 after wrong usage, 130 after an interrupt.`,
		Example: `  columnvault import weather.db nyc-weather.csv.gz
  columnvault stat weather.db temp
  columnvault slice weather.db temp -7:
  columnvault sql weather.db "SELECT origin, avg(temp) FROM columns GROUP BY 1"
  columnvault append weather.db temp 12.8 10.6
  columnvault export weather.db time_hour temp --out temps.csv
  columnvault kv put weather.db station '{"name":"Seattle","height":47.5}'
  columnvault kv get weather.db station
  columnvault check weather.db`,
		Args:                       cobra.ArbitraryArgs,
		DisableFlagsInUseLine:      true,
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: suggestDistance,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case version:
				return runVersion(a)
			case len(args) == 0:
				_, err := a.out.WriteString(screen)
				return err
			}
			return unknownCommand(cmd, args[0])
		},
	}
	root.Flags().BoolVar(&version, "version", false, "print the version")
	root.CompletionOptions.DisableDefaultCmd = true // ours has examples
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetUsageFunc(usage)
	root.SetFlagErrorFunc(flagError)
	root.PersistentPostRun = func(cmd *cobra.Command, args []string) { a.sayWhich(cmd, args) }
	addCommands(root, "Data in and out", newImportCommand(a), newExportCommand(a))
	addCommands(root, "Reading columns", newLsCommand(a), newHeadCommand(a), newTailCommand(a), newGetCommand(a), newSliceCommand(a),
		newDescribeCommand(a), newPlotCommand(a), newStatCommand(a), newSQLCommand(a), newViewCommand(a))
	addCommands(root, "Changing elements", newAppendCommand(a), newSetCommand(a), newInsertCommand(a), newDeleteCommand(a))
	addCommands(root, "Changing columns", newCreateCommand(a), newRetypeCommand(a), newRenameCommand(a), newDropCommand(a),
		newMigrateCommand(a))
	addCommands(root, "Keys and values", newKVCommand(a))
	addCommands(root, "The file", newCheckCommand(a), newRepairCommand(a), newSalvageCommand(a), newBackupCommand(a),
		newCopyCommand(a), newCompactCommand(a), newCheckpointCommand(a))
	addCommands(root, "The tool", newCompletionCommand(a), newVersionCommand(a))
	root.SetHelpCommandGroupID("The tool")
	return root
}

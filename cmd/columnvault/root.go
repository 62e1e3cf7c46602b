package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// app is what the commands share: the streams of the process.
type app struct {
	in  io.Reader
	out *bufio.Writer
	err io.Writer
	// outTerminal and errTerminal say that a stream is a terminal.
	outTerminal, errTerminal bool
}

// run runs one command line and returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, err io.Writer) int {
	a := &app{in, bufio.NewWriterSize(out, 64<<10), err, isTerminal(out), isTerminal(err)}
	root := a.rootCmd()
	root.SetArgs(flagsFirst(root, args))
	failure := root.ExecuteContext(ctx)
	if flushed := a.out.Flush(); failure == nil {
		failure = flushed
	}
	return report(a.err, failure)
}

// isTerminal tells whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// color tells whether tables are coloured.
func (a *app) color() bool {
	return a.outTerminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func (a *app) rootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "columnvault COMMAND",
		Short: "Lists on disk: typed columns in one SQLite file",
		Long: `columnvault keeps typed columns (lists of numbers, text, bytes, vectors, msgpack
and CBOR values) in one SQLite file, DB, which KohakuVault 0.8.6 reads and
writes as well.

A value is JSON, on the command line, on standard input and in what is printed:
  5  -2.5  "text"  true  null  [1,2]  {"key":"value"}
A word that is not JSON is text: hello is "hello", but 5 is a number and "5"
text. Floats are printed with a fraction or an exponent (1.0), and come back as
floats. JSON lacks these:
  NaN, infinities  "NaN"  "Infinity"  "-Infinity"  (the quotes may be left out)
  bytes            {"$base64":true,"encoded":"aGVsbG8="}

Positions count from 0, and negative ones from the end. They and negative values
need no -- before them.

Every command changes all or nothing, append from standard input a batch at a
time. Data goes to standard output, all else to standard error. The exit code
is 0, or 1 after an error, 2 after wrong usage, 130 after an interrupt.`,
		Example: `  columnvault import weather.db seattle-weather.csv
  columnvault stat weather.db temp_max
  columnvault slice weather.db temp_max -7:
  columnvault append weather.db temp_max 12.8 10.6
  columnvault export weather.db date temp_max --out temps.csv`,
		Args:                       cobra.ArbitraryArgs,
		DisableFlagsInUseLine:      true,
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			err := usagef(cmd, "there is no command %q", args[0])
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				err = withHint(err, "did you mean %s?", strings.Join(near, " or "))
			}
			return err
		},
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(flagError)
	for _, cmd := range []*cobra.Command{
		a.importCmd(), a.exportCmd(),
		a.lsCmd(), a.statCmd(), a.getCmd(), a.sliceCmd(),
		a.setCmd(), a.appendCmd(), a.insertCmd(), a.deleteCmd(),
		a.createCmd(), a.dropCmd(), a.renameCmd(),
		a.versionCmd(),
	} {
		cmd.Args = checkArgs
		cmd.DisableFlagsInUseLine = true
		cmd.Flags().SortFlags = false
		root.AddCommand(cmd)
	}
	return root
}

// flagError is the error of a flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && strings.Contains(cmd.Use, "VALUE") {
		return withHint(usagef(cmd, "%w", err), "a value that begins with - and is no number goes behind --")
	}
	return usagef(cmd, "%w", err)
}

// usageTemplate is that of cobra, without what says nothing here.
const usageTemplate = `Usage:
  {{.UseLine}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

"{{.CommandPath}} COMMAND --help" says more of a command.{{end}}
`

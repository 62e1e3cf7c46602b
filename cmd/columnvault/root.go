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

Positions count from 0, and negative ones from the end. They and negative values
need no -- before them.

Every command changes all or nothing, append from standard input a batch at a
time. Data goes to standard output, all else to standard error. The exit code
is 0, or 1 after an error, 2 after wrong usage, 130 after an interrupt.`,
		Example: `  columnvault import weather.db seattle-weather.csv
  columnvault stat weather.db temp_max
  columnvault slice weather.db temp_max -7:
  columnvault append weather.db temp_max 12.8 10.6
  columnvault export weather.db date temp_max --out temps.csv
  columnvault kv put weather.db station '{"name":"Seattle","height":47.5}'
  columnvault kv get weather.db station
  columnvault check weather.db`,
		Args:                       cobra.ArbitraryArgs,
		DisableFlagsInUseLine:      true,
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: suggestDistance,
		RunE:                       chooseCommand,
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(flagError)
	addCommands(root, "Data in and out", a.importCmd(), a.exportCmd())
	addCommands(root, "Reading columns", a.lsCmd(), a.getCmd(), a.sliceCmd(), a.statCmd())
	addCommands(root, "Changing elements", a.appendCmd(), a.setCmd(), a.insertCmd(), a.deleteCmd())
	addCommands(root, "Changing columns", a.createCmd(), a.renameCmd(), a.dropCmd())
	addCommands(root, "Keys and values", a.kvCmd())
	addCommands(root, "The file", a.checkCmd(), a.checkpointCmd())
	addCommands(root, "The tool", a.versionCmd())
	root.SetCompletionCommandGroupID("The tool")
	return root
}

// addCommands adds commands under a title of the help, if there is one.
func addCommands(parent *cobra.Command, title string, commands ...*cobra.Command) {
	if title != "" {
		parent.AddGroup(&cobra.Group{ID: title, Title: title})
	}
	for _, cmd := range commands {
		if cmd.Args == nil {
			cmd.Args = checkArgs
		}
		cmd.GroupID = title
		cmd.DisableFlagsInUseLine = true
		cmd.Flags().SortFlags = false
		parent.AddCommand(cmd)
	}
}

// chooseCommand is run when the name of a command is missing or wrong.
func chooseCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	err := usagef(cmd, "there is no command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		err = withHint(err, "did you mean %s?", strings.Join(near, " or "))
	}
	return err
}

// suggestDistance is how many letters of a command may be wrong for a hint.
const suggestDistance = 2

func init() { cobra.EnableCommandSorting = false } // the help has an order of its own

// flagError is the error of a flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && (strings.Contains(cmd.Use, "VALUE") || strings.Contains(cmd.Use, "KEY")) {
		return withHint(usagef(cmd, "%w", err), "an argument that begins with - and is no number goes behind --")
	}
	return usagef(cmd, "%w", err)
}

// usageTemplate is that of cobra, without what says nothing here.
const usageTemplate = `Usage:
  {{.UseLine}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .Groups}}{{$commands := .Commands}}{{range $group := .Groups}}

{{.Title}}:{{range $commands}}{{if and .IsAvailableCommand (eq .GroupID $group.ID)}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{else if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

"{{.CommandPath}} COMMAND --help" says more of a command.{{end}}
`

package main

import (
	"strings"

	"github.com/spf13/cobra"

	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
)

// addCommands adds commands under a title of the help, if there is one.
func addCommands(parent *cobra.Command, title string, commands ...*cobra.Command) {
	if title != "" {
		parent.AddGroup(&cobra.Group{ID: title, Title: title})
	}
	for _, cmd := range commands {
		if cmd.Args == nil {
			cmd.Args = checkArgs
		}
		completeArgs(cmd)
		cmd.GroupID = title
		cmd.DisableFlagsInUseLine = true
		cmd.Flags().SortFlags = false
		parent.AddCommand(cmd)
	}
}

// unknownCommand is the error of a word where the name of a command should be.
func unknownCommand(cmd *cobra.Command, word string) error {
	err := usagef("there is no command %s", excerpt.Quote(word, excerpt.Value))
	if near := cmd.SuggestionsFor(word); len(near) > 0 {
		return hint.Add(err, "did you mean %s?", strings.Join(near, " or "))
	}
	return err
}

// suggestDistance is how many letters of a command may be wrong for a hint.
const suggestDistance = 2

func init() { cobra.EnableCommandSorting = false } // the help has an order of its own

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

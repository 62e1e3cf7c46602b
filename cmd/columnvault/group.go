package main

import (
	"fmt"
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

// usage writes how cmd is used. It is no template, because a program that runs
// one gets all exported methods of all its types linked.
func usage(cmd *cobra.Command) error {
	var b strings.Builder
	list := func(title, group string) {
		fmt.Fprintf(&b, "\n\n%s:", title)
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() && c.GroupID == group {
				fmt.Fprintf(&b, "\n  %-*s %s", c.NamePadding(), c.Name(), c.Short)
			}
		}
	}
	fmt.Fprintf(&b, "Usage:\n  %s", cmd.UseLine())
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\n\nExamples:\n%s", cmd.Example)
	}
	for _, g := range cmd.Groups() {
		list(g.Title, g.ID)
	}
	if len(cmd.Groups()) == 0 && cmd.HasAvailableSubCommands() {
		list("Commands", "")
	}
	if cmd.HasAvailableLocalFlags() {
		fmt.Fprintf(&b, "\n\nFlags:\n%s", strings.TrimRight(cmd.LocalFlags().FlagUsages(), " \n"))
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n\n\"%s COMMAND --help\" says more of a command.", cmd.CommandPath())
	}
	_, err := fmt.Fprintln(cmd.OutOrStderr(), b.String())
	return err
}

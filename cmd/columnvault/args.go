package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// negative is an argument that begins as a flag does and is none: a negative
// number, or a slice or range that begins with one. No flag begins like that.
var negative = regexp.MustCompile(`(?i)^-([0-9.]|inf(inity)?$)`)

// flagsFirst moves the flags of a command line before its other arguments, with
// a -- between them, so that negative numbers are not taken for flags.
func flagsFirst(root *cobra.Command, args []string) []string {
	cmd, args, err := root.Find(args)
	if err != nil || cmd == root {
		return args
	}
	var flags, rest []string
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			rest = append(rest, args...)
			args = nil
		case len(arg) < 2 || arg[0] != '-' || negative.MatchString(arg):
			rest = append(rest, arg)
		case takesValue(cmd, arg) && len(args) > 0:
			flags = append(flags, arg, args[0])
			args = args[1:]
		default:
			flags = append(flags, arg)
		}
	}
	return slices.Concat(strings.Fields(cmd.CommandPath())[1:], flags, []string{"--"}, rest)
}

// takesValue tells whether the argument after this flag is its value.
func takesValue(cmd *cobra.Command, arg string) bool {
	flag := cmd.Flags().Lookup(strings.TrimPrefix(arg, "--"))
	return flag != nil && flag.NoOptDefVal == ""
}

// checkArgs counts the arguments against the usage line of the command, where
// [NAME] may be missing, NAME... be repeated, and flags come last.
func checkArgs(cmd *cobra.Command, args []string) error {
	positional, _, _ := strings.Cut(cmd.Use, " [--")
	for _, word := range strings.Fields(positional)[1:] {
		switch {
		case len(args) == 0 && strings.HasPrefix(word, "["):
		case len(args) == 0:
			return usagef(cmd, "%s is missing", strings.TrimSuffix(word, "..."))
		case strings.Contains(word, "..."):
			return nil
		default:
			args = args[1:]
		}
	}
	if len(args) > 0 {
		return usagef(cmd, "unexpected argument %q", args[0])
	}
	return nil
}

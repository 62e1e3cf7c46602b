package main

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"columnvault"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
	"columnvault/internal/position"
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

// flagError is the error of a flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && (strings.Contains(cmd.Use, "VALUE") || strings.Contains(cmd.Use, "KEY")) {
		return hint.Add(usageError{err}, "an argument that begins with - and is no number goes after --")
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		wanted := map[string]string{"int": "a number", "int64": "a number", "duration": "a length of time such as 10s", "bool": "true or false"}
		if want := wanted[invalid.GetFlag().Value.Type()]; want != "" {
			return usagef("--%s %s: want %s", invalid.GetFlag().Name, excerpt.Quote(invalid.GetValue(), excerpt.Value), want)
		}
	}
	return usageError{err}
}

// words are those of the usage line of a command that stand for arguments. Of
// these [NAME] may be missing, and NAME... be repeated.
func words(cmd *cobra.Command) []string {
	positional, _, _ := strings.Cut(cmd.Use, " [--") // flags come last
	return strings.Fields(positional)[1:]
}

// checkArgs counts the arguments against the usage line of the command.
func checkArgs(cmd *cobra.Command, args []string) error {
	for _, word := range words(cmd) {
		switch {
		case len(args) == 0 && strings.HasPrefix(word, "["):
		case len(args) == 0:
			return usagef("%s is missing", strings.TrimSuffix(word, "..."))
		case strings.Contains(word, "..."):
			return nil
		default:
			args = args[1:]
		}
	}
	if len(args) > 0 {
		return usagef("unexpected argument %s", excerpt.Quote(args[0], excerpt.Value))
	}
	return nil
}

// parseIndex reads a position.
func parseIndex(text string) (int, error) {
	i, err := strconv.Atoi(text)
	if err != nil {
		return 0, usagef("%s is not a position", excerpt.Quote(text, excerpt.Value))
	}
	return i, nil
}

// parseSlice reads START:STOP:STEP, of which parts may be missing.
func parseSlice(text string) (position.Slice, error) {
	parts := strings.Split(text, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return position.Slice{}, usagef("%s is not a slice: want START:STOP or START:STOP:STEP, such as -10: or 100:200", excerpt.Quote(text, excerpt.Value))
	}
	s := position.Slice{Step: 1}
	var err error
	if len(parts) == 3 && parts[2] != "" {
		if s.Step, err = parseIndex(parts[2]); err != nil {
			return s, err
		}
		if s.Step == 0 {
			return s, usagef("the step of a slice cannot be 0")
		}
	}
	s.Start, s.Stop = columnvault.Begin, columnvault.End
	if s.Step < 0 {
		s.Start, s.Stop = columnvault.End, columnvault.Begin
	}
	for i, bound := range []*int{&s.Start, &s.Stop} {
		if parts[i] == "" {
			continue
		}
		if *bound, err = parseIndex(parts[i]); err != nil {
			return s, err
		}
	}
	return s, nil
}

// parseWhere reads the rows that --where chooses, in the form of the options of
// exchange.
func parseWhere(text string) (position.Slice, error) {
	s, err := parseRange(text, "--where")
	if err == nil && s.Stop == 0 {
		s.Start, s.Stop = columnvault.End, columnvault.End // none, which is not what 0 means there
	}
	return s, err
}

// parseRange reads START:STOP, of either of which may be missing. what says of
// what it is a range.
func parseRange(text, what string) (position.Slice, error) {
	s, err := parseSlice(text)
	if err == nil && s.Step != 1 {
		err = usagef("%s has no step", what)
	}
	return s, err
}

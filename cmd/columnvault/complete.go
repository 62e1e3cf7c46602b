package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"columnvault"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/excerpt"
	"columnvault/internal/values"
)

// completeArgs makes a shell complete the arguments and the flags of a command,
// by what its usage line and the help of its flags call them.
func completeArgs(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = completeArg
	}
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		complete := cobra.NoFileCompletions
		switch name, _ := pflag.UnquoteUsage(flag); {
		case name == "FILE":
			return // as the shell does
		case flag.Name == "table":
			complete = completeTable
		case strings.Contains(name, "|"):
			complete = cobra.FixedCompletions(strings.Split(name, "|"), cobra.ShellCompDirectiveNoFileComp)
		}
		if err := cmd.RegisterFlagCompletionFunc(flag.Name, complete); err != nil {
			panic(err) // the flag is there
		}
	})
}

// completeArg completes the argument after args.
func completeArg(cmd *cobra.Command, args []string, begin string) ([]cobra.Completion, cobra.ShellCompDirective) {
	expected := words(cmd)
	if len(expected) == 0 || len(args) >= len(expected) && !strings.Contains(expected[len(expected)-1], "...") {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var found []cobra.Completion
	switch word := expected[min(len(args), len(expected)-1)]; strings.Trim(word, "[].") {
	case "DB", "COPY", "DAMAGED", "NEW", "FILE|-":
		return nil, cobra.ShellCompDirectiveDefault // files, as the shell does
	case "NAME":
		found = completeFrom(cmd, args, completeColumns, begin)
	case "KEY":
		found = completeFrom(cmd, args, completeKeys, begin)
	case "MEANING":
		found = meanings
	case "SHELL":
		found = shells
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// completionTime is how long a shell waits for the words of a vault.
const completionTime = 500 * time.Millisecond

// completeFrom looks for words in the vault that is the first of args, without
// those that follow it there. What is wrong with the vault shows when the
// command is run.
func completeFrom(cmd *cobra.Command, args []string,
	words func(ctx context.Context, cmd *cobra.Command, v *columnvault.Vault, begin string) []cobra.Completion, begin string) (found []cobra.Completion) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	_ = reading(ctx, args[0], func(v *columnvault.Vault) error {
		found = words(ctx, cmd, v, begin)
		return nil
	})
	return slices.DeleteFunc(found, func(c cobra.Completion) bool {
		word, _, _ := strings.Cut(c, "\t")
		return slices.Contains(args[1:], word)
	})
}

func completeColumns(ctx context.Context, _ *cobra.Command, v *columnvault.Vault, begin string) (found []cobra.Completion) {
	infos, err := v.Columns(ctx)
	if err != nil {
		return nil
	}
	for _, info := range infos {
		if strings.HasPrefix(info.Name, begin) && canComplete(info.Name) {
			about := excerpt.Printable(excerpt.Shorten(info.DType, excerpt.Value))
			found = append(found, cobra.CompletionWithDesc(info.Name, fmt.Sprintf("%s, %s", about, term.Plural(info.Len, "element"))))
		}
	}
	return found
}

// completeTable completes the name of a key-value table of the vault that the
// line has named before.
func completeTable(cmd *cobra.Command, args []string, begin string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	tables := func(ctx context.Context, _ *cobra.Command, v *columnvault.Vault, begin string) []cobra.Completion {
		names, err := v.Tables(ctx)
		if err != nil {
			return nil
		}
		return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, begin) || !canComplete(name) })
	}
	return completeFrom(cmd, args[:1], tables, begin), cobra.ShellCompDirectiveNoFileComp
}

// mostKeys is how many keys are offered.
const mostKeys = 200

func completeKeys(ctx context.Context, cmd *cobra.Command, v *columnvault.Vault, begin string) (found []cobra.Completion) {
	table, err := cmd.Flags().GetString("table")
	if err != nil {
		return nil
	}
	for key, err := range v.KVTable(table).Keys(ctx, &columnvault.Range{Prefix: []byte(begin)}) {
		if err != nil || len(found) == mostKeys {
			break
		}
		if word := string(key); values.ShowKey(key) == word && canComplete(word) {
			found = append(found, word)
		}
	}
	return found
}

// canComplete tells whether a shell can take a word as it is: lines and tabs
// stand between completions, and what begins like a flag is taken for one.
func canComplete(word string) bool {
	return word != "" && !strings.HasPrefix(word, "-") && excerpt.Printable(word) == word
}

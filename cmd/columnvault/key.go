package main

import (
	"errors"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/internal/hint"
)

// tableFlag gives a command the flag --table.
func tableFlag(cmd *cobra.Command, table *string) {
	cmd.Flags().StringVar(table, "table", "kv", "the `NAME` of the table")
}

// hintKeys adds to the error of a missing key how to find those there are.
func hintKeys(err error) error {
	if !errors.Is(err, columnvault.ErrNotFound) {
		return err
	}
	return hint.Add(err, "kv ls lists the keys, with --table NAME those of another table than kv")
}

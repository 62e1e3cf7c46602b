package main

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"columnvault"
)

func (a *app) kvCmd() *cobra.Command {
	group := &cobra.Command{
		Use:   "kv COMMAND",
		Short: "Store, print, list and remove values under keys",
		Long: `Store, print, list and remove values of any size under keys. They are kept beside
the columns in key-value tables, which KohakuVault reads and writes as well: in
the table kv, its default, or in that of --table.

A KEY is text, as it stands on the command line: 5 and "5" are different keys.
Keys may be any bytes, and {"$base64":true,"encoded":"AP8="} is the key of these
two. Lists print a key like that as well if it is not text, is empty, or would
not show as what it is, as with a line end in it.`,
		Example: `  columnvault kv put site.db title Weather
  columnvault kv put site.db logo.png --file logo.png
  columnvault kv get site.db title
  columnvault kv cat site.db logo.png --out copy.png
  columnvault kv ls site.db --prefix logo
  columnvault kv rm site.db title logo.png`,
		Args:                       cobra.ArbitraryArgs,
		SuggestionsMinimumDistance: suggestDistance,
		RunE:                       chooseCommand,
	}
	addCommands(group, "", a.kvPutCmd(), a.kvGetCmd(), a.kvCatCmd(), a.kvLsCmd(), a.kvRmCmd())
	return group
}

// tableFlag gives a command the flag --table.
func tableFlag(cmd *cobra.Command, table *string) {
	cmd.Flags().StringVar(table, "table", "kv", "the `NAME` of the table")
}

// parseKey reads a key: text, or bytes in JSON.
func parseKey(cmd *cobra.Command, arg string) ([]byte, error) {
	key, ok, err := decodeBytes([]byte(arg))
	switch {
	case err != nil:
		return nil, usagef(cmd, "%w", err)
	case ok:
		return key, nil
	}
	return columnvault.Key(arg), nil
}

// showKey shows a key in a table: as it is if parseKey reads that back and it
// is seen as what it is, and otherwise as bytes in JSON.
func showKey(key []byte) string {
	s := string(key)
	_, isBytes, _ := decodeBytes(key)
	if s == "" || isBytes || printable(s) != s || strings.TrimSpace(s) != s {
		return string(appendBytes(nil, key))
	}
	return s
}

// appendKey prints a key as JSON.
func appendKey(dst, key []byte) []byte {
	if utf8.Valid(key) {
		return appendString(dst, string(key))
	}
	return appendBytes(dst, key)
}

// hintKeys adds to the error of a missing key how to find those there are.
func hintKeys(err error) error {
	if !errors.Is(err, columnvault.ErrNotFound) {
		return err
	}
	return withHint(err, "kv ls lists the keys, with --table NAME those of another table than kv")
}

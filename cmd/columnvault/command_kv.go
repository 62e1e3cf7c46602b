package main

import "github.com/spf13/cobra"

func newKVCommand(a *app) *cobra.Command {
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
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
	}
	addCommands(group, "", newKVPutCommand(a), newKVGetCommand(a), newKVCatCommand(a), newKVLsCommand(a), newKVRmCommand(a))
	return group
}

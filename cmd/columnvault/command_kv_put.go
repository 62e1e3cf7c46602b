package main

import (
	"context"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/internal/values"
)

type kvPutOptions struct {
	table, file string
	quiet, into bool
}

func newKVPutCommand(a *app) *cobra.Command {
	var o kvPutOptions
	cmd := &cobra.Command{
		Use:   "put DB KEY [VALUE] [--file FILE] [--table NAME] [--quiet] [--into-existing]",
		Short: "Store a value, or the bytes of a file",
		Long: `Store a value in place of what the key had. The vault and the table are made if
there are none.

VALUE is stored as KohakuVault's auto-packing does: numbers packed, text as text,
{"$base64":true,"encoded":"..."} raw, all else (and the few numbers that
KohakuVault would read as others) as msgpack. NaN and the infinities are floats
without quotes, and text in quotes.

Without VALUE the bytes of a file or of standard input are stored raw; they may
be a little under 1,000,000,000. A file is streamed; standard input, a pipe or a
device is copied to a temporary file first.`,
		Example: `  columnvault kv put site.db title 'Weather'
  columnvault kv put site.db limits '{"low":-10,"high":40.5}'
  columnvault kv put site.db offset -2.5
  columnvault kv put site.db '{"$base64":true,"encoded":"AP8="}' '"5"'
  columnvault kv put site.db logo.png --file logo.png
  tar c photos | columnvault kv put site.db photos.tar --table archive`,
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := values.ParseKey(args[1])
			switch {
			case err != nil:
				return usageError{err}
			case len(args) == 3 && o.file != "":
				return usagef("the value is either VALUE or what --file names")
			case len(args) == 3:
				return runKVPut(cmd.Context(), args[0], key, args[2], &o)
			case o.file == "":
				o.file = "-"
			}
			return runKVPutFile(cmd.Context(), a, args[0], key, &o)
		},
	}
	cmd.Flags().StringVar(&o.file, "file", "", "the `FILE` whose bytes are the value; - is standard input")
	tableFlag(cmd, &o.table)
	cmd.Flags().BoolVar(&o.quiet, "quiet", false, "no progress bar")
	intoExistingFlag(cmd, &o.into)
	return cmd
}

func runKVPut(ctx context.Context, db string, key []byte, word string, o *kvPutOptions) error {
	value, err := values.ParseStored([]byte(word))
	if err != nil {
		return err
	}
	put := func(v *columnvault.Vault) error { return v.KVTable(o.table).PutValue(ctx, key, value) }
	return creating(ctx, db, o.into, put, put)
}

// runKVPutFile stores what a file holds.
func runKVPutFile(ctx context.Context, a *app, db string, key []byte, o *kvPutOptions) error {
	file, err := a.openInput(ctx, o.file, o.quiet)
	if err != nil {
		return err
	}
	defer file.Close()
	progress := a.progress(o.quiet, "storing", file.Size())
	defer progress.Finish()
	trial := func(v *columnvault.Vault) error { return v.KVTable(o.table).Put(ctx, key, nil) }
	return creating(ctx, db, o.into, trial, func(v *columnvault.Vault) error {
		r, err := file.Rewind(ctx, progress)
		if err != nil {
			return err
		}
		return v.KVTable(o.table).PutFrom(ctx, key, file.Size(), r)
	})
}

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/internal/hint"
	"columnvault/internal/values"
)

type kvGetOptions struct {
	table    string
	encoding bool
}

func newKVGetCommand(a *app) *cobra.Command {
	var o kvGetOptions
	cmd := &cobra.Command{
		Use:   "get DB KEY [--encoding] [--table NAME]",
		Short: "Print a value as JSON",
		Long: `Print a value as one line of JSON, with vectors as nested lists and raw values as
{"$base64":true,"encoded":"..."}; kv cat writes their bytes themselves. Pickles
are Python's own and cannot be read; kv cat writes their bytes, too.

--encoding prints how the value is stored instead: raw, pickle, packed, json,
msgpack, cbor or text, or the number of an encoding that is not known.`,
		Example: `  columnvault kv get site.db limits
  columnvault kv get site.db limits --encoding`,
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := values.ParseKey(args[1])
			if err != nil {
				return usageError{err}
			}
			return runKVGet(cmd.Context(), a, args[0], key, &o)
		},
	}
	cmd.Flags().BoolVar(&o.encoding, "encoding", false, "print the encoding instead of the value")
	tableFlag(cmd, &o.table)
	return cmd
}

func runKVGet(ctx context.Context, a *app, db string, key []byte, o *kvGetOptions) error {
	return reading(ctx, db, func(v *columnvault.Vault) error {
		kv := v.KVTable(o.table)
		if o.encoding {
			info, err := kv.Stat(ctx, key)
			if err != nil {
				return hintKeys(err)
			}
			_, err = fmt.Fprintln(a.out, info.Encoding)
			return err
		}
		value, err := columnvault.GetValue[any](ctx, kv, key)
		switch {
		case errors.Is(err, columnvault.ErrUnsupportedEncoding), errors.Is(err, columnvault.ErrCorrupt):
			return hint.Add(err, "kv cat writes its bytes as they are stored")
		case err != nil:
			return hintKeys(err)
		}
		_, err = a.out.Write(append(values.AppendStored(nil, value), '\n'))
		return err
	})
}

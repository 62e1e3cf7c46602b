package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"columnvault"
)

func (a *app) kvGetCmd() *cobra.Command {
	var table string
	var encoding bool
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
			key, err := parseKey(cmd, args[1])
			if err != nil {
				return err
			}
			return reading(args[0], func(v *columnvault.Vault) error {
				kv := v.KVTable(table)
				if encoding {
					info, err := kv.Stat(cmd.Context(), key)
					if err != nil {
						return hintKeys(err)
					}
					_, err = fmt.Fprintln(a.out, info.Encoding)
					return err
				}
				value, err := columnvault.GetValue[any](cmd.Context(), kv, key)
				switch {
				case errors.Is(err, columnvault.ErrUnsupportedEncoding), errors.Is(err, columnvault.ErrCorrupt):
					return withHint(err, "kv cat writes its bytes as they are stored")
				case err != nil:
					return hintKeys(err)
				}
				_, err = a.out.Write(append(appendStored(nil, value), '\n'))
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&encoding, "encoding", false, "print the encoding instead of the value")
	tableFlag(cmd, &table)
	return cmd
}

// appendStored prints a value of a key as JSON.
func appendStored(dst []byte, v any) []byte {
	if b, ok := v.([]byte); ok {
		return appendBytes(dst, b)
	}
	if kind, ok := tensorKind(v); ok {
		return numbers[kind].appendVector(dst, v, nil)
	}
	return appendAny(dst, v)
}

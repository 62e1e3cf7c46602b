package main

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/values"
)

// listedPair is a line of kv ls --json.
type listedPair struct {
	Key      json.RawMessage `json:"key"`
	Size     int64           `json:"size"`
	Encoding string          `json:"encoding"`
}

type kvLsOptions struct {
	prefix, table string
	asJSON        bool
}

func newKVLsCommand(a *app) *cobra.Command {
	var o kvLsOptions
	cmd := &cobra.Command{
		Use:   "ls DB [--prefix P] [--json] [--table NAME]",
		Short: "List the keys",
		Long: `List the keys in the order of their bytes, with the size of each value in bytes
(without a header that says how it is encoded) and its encoding. What stands for
a key may be given as KEY; see columnvault kv --help.

--json prints an object a line. More fields may come; these stay:
  key       text, or {"$base64":true,"encoded":"..."} if it is not UTF-8
  size      integer
  encoding  text, as kv get --encoding prints it`,
		Example: `  columnvault kv ls site.db
  columnvault kv ls site.db --prefix photos/
  columnvault kv ls site.db --json | jq -r 'select(.size > 1000000) | .key'`,
		RunE: func(cmd *cobra.Command, args []string) error { return runKVLs(cmd.Context(), a, args[0], &o) },
	}
	cmd.Flags().StringVar(&o.prefix, "prefix", "", "only keys that begin with `P`, which is given as a KEY is")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	tableFlag(cmd, &o.table)
	return cmd
}

func runKVLs(ctx context.Context, a *app, db string, o *kvLsOptions) error {
	prefix, err := values.ParseKey(o.prefix)
	if err != nil {
		return usageError{err}
	}
	return reading(ctx, db, func(v *columnvault.Vault) error {
		return v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			return a.listKeys(ctx, v.KVTable(o.table).In(tx), prefix, o.asJSON)
		})
	})
}

// The bounds of what is aligned at once.
const (
	listRows  = 1000
	listBytes = 1 << 20
)

func (a *app) listKeys(ctx context.Context, kv *columnvault.KV, prefix []byte, asJSON bool) error {
	t := a.table(term.Left("key"), term.Right("size"), term.Left("encoding"))
	size := 0
	for key, err := range kv.Keys(ctx, &columnvault.Range{Prefix: prefix}) {
		if err != nil {
			return err
		}
		info, err := kv.Stat(ctx, key)
		if err != nil {
			return err
		}
		if asJSON {
			if err := a.printJSON(listedPair{values.AppendKey(nil, key), info.Size, info.Encoding.String()}); err != nil {
				return err
			}
			continue
		}
		t.Add(values.ShowKey(key), showInt(info.Size), info.Encoding.String())
		if size += len(key); t.Len() == listRows || size >= listBytes {
			if err := t.Write(a.out); err != nil {
				return err
			}
			size = 0
		}
	}
	if asJSON {
		return nil
	}
	return t.Write(a.out)
}

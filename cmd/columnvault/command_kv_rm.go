package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/internal/excerpt"
	"columnvault/internal/values"
)

func newKVRmCommand(*app) *cobra.Command {
	var table string
	cmd := &cobra.Command{
		Use:   "rm DB KEY... [--table NAME]",
		Short: "Remove keys and their values",
		Long: `Remove keys and their values: all that are named, or none of them if one does
not exist.`,
		Example: `  columnvault kv rm site.db title
  columnvault kv rm site.db photos.tar videos.tar --table archive`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var keys [][]byte
			known := map[string]bool{}
			for _, arg := range args[1:] {
				key, err := values.ParseKey(arg)
				if err != nil {
					return usageError{err}
				}
				if known[string(key)] {
					return fmt.Errorf("key %s is named twice", excerpt.Quote(key, excerpt.Name))
				}
				known[string(key)] = true
				keys = append(keys, key)
			}
			return runKVRm(cmd.Context(), args[0], table, keys)
		},
	}
	tableFlag(cmd, &table)
	return cmd
}

func runKVRm(ctx context.Context, db, table string, keys [][]byte) error {
	return writing(ctx, db, func(v *columnvault.Vault) error {
		return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			return hintKeys(removeKeys(ctx, v.KVTable(table).In(tx), keys))
		})
	})
}

// removeKeys removes keys, all of which must exist.
func removeKeys(ctx context.Context, kv *columnvault.KV, keys [][]byte) error {
	for _, key := range keys {
		there, err := kv.Delete(ctx, key)
		if err != nil {
			return err
		}
		if !there {
			err := columnvault.ErrNotFound
			return &columnvault.Error{Op: "delete", Column: kv.Name(), Key: key, Index: -1, Err: err}
		}
	}
	return nil
}

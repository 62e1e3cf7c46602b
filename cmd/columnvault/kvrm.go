package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"columnvault"
)

func (a *app) kvRmCmd() *cobra.Command {
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
			for _, arg := range args[1:] {
				key, err := parseKey(cmd, arg)
				if err != nil {
					return err
				}
				if slices.ContainsFunc(keys, func(k []byte) bool { return bytes.Equal(k, key) }) {
					return fmt.Errorf("key %q is named twice", key)
				}
				keys = append(keys, key)
			}
			return writing(args[0], func(v *columnvault.Vault) error {
				return v.Update(cmd.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
					return hintKeys(removeKeys(ctx, v.KVTable(table).In(tx), keys))
				})
			})
		},
	}
	tableFlag(cmd, &table)
	return cmd
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

package main

import (
	"bufio"
	"context"
	"io"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/files"
	"columnvault/internal/position"
	"columnvault/internal/values"
)

type kvCatOptions struct {
	span, out, table string
	quiet            bool
}

func newKVCatCommand(a *app) *cobra.Command {
	var o kvCatOptions
	cmd := &cobra.Command{
		Use:   "cat DB KEY [--range START:STOP] [--out FILE] [--table NAME] [--quiet]",
		Short: "Write the bytes of a value",
		Long: `Write the bytes of a value as they are stored: of raw values these themselves, of
others what follows the header of ten bytes that says how they are encoded.
They are streamed, whatever their number is. A file is put in its place when it
is complete; until then one that was there before stays.

--range takes the bytes that Python's bytes[START:STOP] has: either bound may be
missing, and negative ones count from the end.`,
		Example: `  columnvault kv cat site.db logo.png --out copy.png
  columnvault kv cat site.db photos.tar --table archive | tar t
  columnvault kv cat site.db logo.png --range :8 | od -c
  columnvault kv cat site.db log --range -1000:`,
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := values.ParseKey(args[1])
			if err != nil {
				return usageError{err}
			}
			return runKVCat(cmd.Context(), a, args[0], key, &o)
		},
	}
	cmd.Flags().StringVar(&o.span, "range", ":", "the bytes from `START:STOP`, which may be negative or missing")
	cmd.Flags().StringVar(&o.out, "out", "", "the `FILE` to write, in place of standard output")
	tableFlag(cmd, &o.table)
	cmd.Flags().BoolVar(&o.quiet, "quiet", false, "no progress bar")
	return cmd
}

func runKVCat(ctx context.Context, a *app, db string, key []byte, o *kvCatOptions) error {
	span, err := parseRange(o.span, "a range of bytes")
	if err != nil {
		return err
	}
	return reading(ctx, db, func(v *columnvault.Vault) error {
		if err := spareVault(db, o.out); err != nil {
			return err
		}
		return v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			payload, err := openPayload(ctx, v.KVTable(o.table).In(tx), key)
			if err != nil {
				return hintKeys(err)
			}
			return a.writePart(payload, span, o)
		})
	})
}

// openPayload opens a value without its header.
func openPayload(ctx context.Context, kv *columnvault.KV, key []byte) (*io.SectionReader, error) {
	blob, err := kv.OpenBlob(ctx, key)
	if err != nil {
		return nil, err
	}
	info, err := kv.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	return io.NewSectionReader(blob, blob.Size()-info.Size, info.Size), nil
}

// copyPiece is how many bytes of a value are read at once.
const copyPiece = 256 << 10

// writePart writes a range of a payload to a file, or to standard output.
func (a *app) writePart(payload *io.SectionReader, span position.Slice, o *kvCatOptions) error {
	first, count := span.Positions(payload.Size())
	progress := a.progress(o.quiet || o.out == "", "writing", count)
	defer progress.Finish()
	part := progress.Reader(io.NewSectionReader(payload, first, count))
	write := func(w *bufio.Writer) error {
		_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{part}, make([]byte, copyPiece))
		return err
	}
	if o.out == "" {
		return write(a.out)
	}
	return files.Replace(o.out, write)
}

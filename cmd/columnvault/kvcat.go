package main

import (
	"bufio"
	"context"
	"io"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/internal/position"
)

func (a *app) kvCatCmd() *cobra.Command {
	var span, out, table string
	var quiet bool
	cmd := &cobra.Command{
		Use:   "cat DB KEY [--range START:STOP] [--out FILE] [--table NAME] [--quiet]",
		Short: "Write the bytes of a value",
		Long: `Write the bytes of a value as they are stored: of raw values these themselves, of
others what is behind the header of ten bytes that says how they are encoded.
They are streamed, whatever their number is. A file is put in its place when it
is complete; until then one that was there before stays.

--range takes the bytes that Python's bytes[START:STOP] has: either bound may be
missing, and negative ones count from the end.`,
		Example: `  columnvault kv cat site.db logo.png --out copy.png
  columnvault kv cat site.db photos.tar --table archive | tar t
  columnvault kv cat site.db logo.png --range :8 | od -c
  columnvault kv cat site.db log --range -1000:`,
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := parseKey(cmd, args[1])
			if err != nil {
				return err
			}
			b, err := parseBounds(cmd, span)
			if err == nil && b.Step != 1 {
				err = usagef(cmd, "a range of bytes has no step")
			}
			if err != nil {
				return err
			}
			return reading(args[0], func(v *columnvault.Vault) error {
				if err := spareVault(args[0], out); err != nil {
					return err
				}
				return v.View(cmd.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
					payload, err := openPayload(ctx, v.KVTable(table).In(tx), key)
					if err != nil {
						return hintKeys(err)
					}
					return a.writePart(payload, b, out, quiet)
				})
			})
		},
	}
	cmd.Flags().StringVar(&span, "range", ":", "the bytes from `START:STOP`, which may be negative or missing")
	cmd.Flags().StringVar(&out, "out", "", "the `FILE` to write, in place of standard output")
	tableFlag(cmd, &table)
	cmd.Flags().BoolVar(&quiet, "quiet", false, "no progress bar")
	return cmd
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
func (a *app) writePart(payload *io.SectionReader, b position.Slice, out string, quiet bool) error {
	first, count := b.Positions(payload.Size())
	bar := a.newProgress(quiet || out == "", "writing", count)
	defer bar.Finish()
	counted := progressbar.NewReader(io.NewSectionReader(payload, first, count), bar)
	write := func(w *bufio.Writer) error {
		_, err := io.CopyBuffer(struct{ io.Writer }{w}, &counted, make([]byte, copyPiece))
		return err
	}
	if out == "" {
		return write(a.out)
	}
	return replaceFile(out, write)
}

package main

import (
	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/dtype"
)

func (a *app) createCmd() *cobra.Command {
	var o columnvault.ColumnOptions
	cmd := &cobra.Command{
		Use:   "create DB NAME DTYPE [--min-chunk N] [--max-chunk N]",
		Short: "Create an empty column, and the vault if there is none",
		Long: `Create an empty column, and the vault if there is none. DTYPE is one of

  i64 f64                            numbers
  str[:N][:ENC]                      text; ENC is utf8, utf16le, utf16be, ascii, latin1
  bytes[:N]                          raw bytes
  msgpack[:N] cbor[:N]               values of the JSON model
  vec:ELEM[:DIM...]                  arrays of numbers; ELEM is f32, f64, i8 .. u64
  bool i8 i16 i32 u8 u16 u32 u64 f16 f32
                                     numbers that KohakuVault 0.8.6 cannot read

With :N every element takes N bytes and longer values are refused; without it
elements vary in size. A vec without dimensions takes any shape.`,
		Example: `  columnvault create metrics.db loss f64
  columnvault create metrics.db tags str:32
  columnvault create metrics.db embeddings vec:f32:384
  columnvault create metrics.db events msgpack --max-chunk 16777212`,
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := dtype.ParseSpec(args[2])
			if err != nil {
				return usagef(cmd, "%s", reason(err))
			}
			if o.MinChunk < 0 || o.MaxChunk < 0 {
				return usagef(cmd, "a chunk size is a number of bytes, 0 for the default")
			}
			return creating(args[0], func(v *columnvault.Vault) error {
				_, err := columnvault.Create(cmd.Context(), v, args[1], spec.Type(), &o)
				return err
			})
		},
	}
	cmd.Flags().IntVar(&o.MinChunk, "min-chunk", 0, "`N` bytes for the first chunk; 0 is 4 KiB")
	cmd.Flags().IntVar(&o.MaxChunk, "max-chunk", 0, "`N` bytes for the largest chunk; 0 is 1 MiB, or 524280 for elements\nthat vary in size; 16777212 suits columns that KohakuVault 0.8.6\nkeeps updating")
	return cmd
}

package main

import (
	"context"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/values"
)

func newCreateCommand(*app) *cobra.Command {
	var o columnvault.ColumnOptions
	var into bool
	var stored newColumns
	cmd := &cobra.Command{
		Use:   "create DB NAME DTYPE [MEANING...] [--layout 0|native] [--compress zstd] [--home N] [--min-chunk N] [--max-chunk N] [--into-existing]",
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
elements vary in size. A vec without dimensions takes any shape.

With --layout native an insert or a delete costs the same wherever it is and however
long the column, text takes less room, and --compress zstd can store what is full in
a fraction of it. KohakuVault does not see such a column.

` + meaningHelp,
		Example: `  columnvault create metrics.db loss f64
  columnvault create metrics.db tags str:32
  columnvault create metrics.db embeddings vec:f32:384
  columnvault create metrics.db at i64 time=us zone=Europe/Berlin
  columnvault create metrics.db steps i64 null
  columnvault create metrics.db log str --layout native --compress zstd
  columnvault create metrics.db events msgpack --max-chunk 16777212`,
		ValidArgsFunction: completeCreate,
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := dtype.ParseSpec(args[2])
			if err != nil {
				return usagef("%s", values.Reason(err))
			}
			m, err := parseMeaning(args[3:])
			if err == nil {
				err = m.Check(spec)
			}
			if err != nil {
				return usagef("%s", values.Reason(err))
			}
			if o.MinChunk < 0 || o.MaxChunk < 0 {
				return usagef("a chunk size is a number of bytes, 0 for the default")
			}
			if err := stored.parse(&o); err != nil {
				return err
			}
			return runCreate(cmd.Context(), args[0], args[1], m.Type(spec), &o, into)
		},
	}
	cmd.Flags().IntVar(&o.MinChunk, "min-chunk", 0, "`N` bytes for the first chunk; 0 is 4 KiB")
	cmd.Flags().IntVar(&o.MaxChunk, "max-chunk", 0, "`N` bytes for the largest chunk; 0 is 1 MiB, or 524280 for elements\nthat vary in size; 16777212 suits columns that KohakuVault 0.8.6\nkeeps updating")
	stored.add(cmd)
	intoExistingFlag(cmd, &into)
	return cmd
}

func runCreate(ctx context.Context, db, name string, t dtype.Type[any], o *columnvault.ColumnOptions, into bool) error {
	create := func(v *columnvault.Vault) error {
		_, err := columnvault.Create(ctx, v, name, t, o)
		return err
	}
	return creating(ctx, db, into, create, create)
}

// completeCreate completes a dtype. The name of a column that is to be is for
// the user to choose.
func completeCreate(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return nil, cobra.ShellCompDirectiveDefault
	case 2:
		return []cobra.Completion{"i64", "f64", "str", "bytes", "msgpack", "cbor", "vec:f32", "vec:f64", "bool",
			"i8", "i16", "i32", "u8", "u16", "u32", "u64", "f16", "f32"}, cobra.ShellCompDirectiveNoFileComp
	case 1:
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return meanings, cobra.ShellCompDirectiveNoFileComp
}

package main

import (
	"bytes"
	"encoding/json"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/dtype"
)

func (a *app) kvPutCmd() *cobra.Command {
	var table, file string
	var quiet bool
	cmd := &cobra.Command{
		Use:   "put DB KEY [VALUE] [--file FILE] [--table NAME] [--quiet]",
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
			key, err := parseKey(cmd, args[1])
			switch {
			case err != nil:
				return err
			case len(args) == 2 && file == "":
				file = "-"
			case len(args) == 3 && file != "":
				return usagef(cmd, "the value is either VALUE or what --file names")
			}
			if file != "" {
				return a.putFile(cmd, args[0], table, key, file, quiet)
			}
			value, err := parseStored([]byte(args[2]))
			if err != nil {
				return err
			}
			return creating(args[0], func(v *columnvault.Vault) error {
				return v.KVTable(table).PutValue(cmd.Context(), key, value)
			})
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "the `FILE` whose bytes are the value; - is standard input")
	tableFlag(cmd, &table)
	cmd.Flags().BoolVar(&quiet, "quiet", false, "no progress bar")
	return cmd
}

// putFile stores what a file holds.
func (a *app) putFile(cmd *cobra.Command, db, table string, key []byte, path string, quiet bool) error {
	file, err := a.openInput(cmd.Context(), path, quiet)
	if err != nil {
		return err
	}
	defer file.close()
	bar := a.newProgress(quiet, "storing", file.size)
	defer bar.Finish()
	r, err := file.rewind(cmd.Context(), bar)
	if err != nil {
		return err
	}
	if missing(db) { // not by creating, which would read the file twice
		err := trying(func(v *columnvault.Vault) error { return v.KVTable(table).Put(cmd.Context(), key, nil) })
		if err != nil {
			return err
		}
	}
	return with(db, nil, func(v *columnvault.Vault) error {
		return v.KVTable(table).PutFrom(cmd.Context(), key, file.size, r)
	})
}

// parseStored reads a value that no dtype tells the type of. It returns a
// float64, int64, uint64, string, []byte, bool, nil or what parseAny does of
// lists and objects.
func parseStored(text []byte) (any, error) {
	word := bytes.TrimSpace(text)
	if f, ok := floatWord(word); ok && word[0] != '"' {
		return f, nil
	}
	if b, ok, err := decodeBytes(text); ok {
		return b, err
	}
	v, err := parseAny(text)
	number, ok := v.(json.Number)
	if !ok {
		return v, err
	}
	if text = []byte(number); bytes.ContainsAny(text, ".eE") {
		return numbers[dtype.KindFloat64].parse(text)
	}
	v, err = numbers[dtype.KindInt64].parse(text)
	if err != nil && text[0] != '-' {
		return numbers[dtype.KindUint64].parse(text)
	}
	return v, err
}

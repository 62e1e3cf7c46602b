package importing

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/arrow"
	"columnvault/exchange/csv"
	"columnvault/exchange/jsonl"
	"columnvault/exchange/npy"
	"columnvault/exchange/parquet"
	"columnvault/exchange/sqlrows"
	"columnvault/internal/excerpt"
	"columnvault/internal/values"
)

// Options say what an import makes of a file.
type Options struct {
	Format  Format
	CSV     csv.Options
	JSONL   jsonl.Options
	Parquet parquet.Options
	Table   string   // of a SQLite file
	Columns []string // that are read, all if there are none
	Import  exchange.ImportOptions
}

// Reader returns the source of a file.
func (o *Options) Reader(r io.Reader) exchange.Source {
	if o.Format == JSONL {
		lines := o.JSONL
		lines.Columns = o.Columns
		return jsonl.NewReader(r, &lines)
	}
	records := o.CSV
	records.Columns = o.Columns
	return csv.NewReader(r, &records)
}

// file is a file that need not be read from its beginning.
type file interface {
	io.ReaderAt
	Size() int64
	Name() string
	Path() string
}

// fileReader returns the source of a file whose format is none of text.
func (o *Options) fileReader(f file) exchange.Source {
	switch o.Format {
	case Parquet:
		p := o.Parquet
		p.Columns = o.Columns
		return parquet.NewReader(f, f.Size(), &p)
	case SQLite:
		return sqlrows.NewReader(f.Path(), o.Table, &sqlrows.Options{Columns: o.Columns})
	case NPY:
		name := strings.TrimSuffix(filepath.Base(f.Name()), filepath.Ext(f.Name()))
		if o.JSONL.Into != "" || f.Name() == StandardInput {
			name = o.JSONL.Into
		}
		return npy.NewReader(f, f.Size(), &npy.Options{Name: name, Columns: o.Columns})
	}
	return arrow.NewReader(f, f.Size(), &arrow.Options{Columns: o.Columns})
}

// StandardInput is the name of standard input in errors.
const StandardInput = "standard input"

// Check looks whether the options go together.
func (o *Options) Check() error {
	plain := csv.Options{Encoding: o.CSV.Encoding}
	given := o.CSV
	switch {
	case o.Import.Only && !o.Import.Append:
		return errors.New("--only goes with --append")
	case o.Import.Append && len(o.Import.Types) > 0:
		return errors.New("--append takes the types of the vault, so there can be no --types")
	case o.Format != JSONL && o.Format != NPY && o.JSONL.Into != "":
		return errors.New("--into is for JSON lines and .npy files")
	case o.Parquet.Decimals != parquet.DecimalsText && o.Format != Parquet:
		return errors.New("--decimals is for Parquet")
	case !o.Format.IsText() && o.CSV.Encoding != dtype.UTF8:
		return errors.New("--encoding is for CSV and JSON lines")
	case o.Format != CSV && o.Format != TSV && (given.Nulls != nil || given.Delimiter != 0 || given.NoHeader || given.Skip != 0 ||
		given.Comment != "" || given.Ragged != plain.Ragged):
		return errors.New("--delimiter, --no-header, --skip, --comment, --null and --ragged are for CSV")
	}
	return nil
}

// ParseTypes reads dtypes of columns that are given as COLUMN=DTYPE, with a
// meaning after the dtype or without one.
func ParseTypes(flags []string) (map[string]exchange.Field, error) {
	types := map[string]exchange.Field{}
	for _, flag := range flags {
		name, f, err := parseColumnType(flag)
		if err != nil {
			return nil, fmt.Errorf("--types %s: %s", excerpt.Shorten(flag, excerpt.Name), values.Reason(err))
		}
		types[name] = f
	}
	return types, nil
}

// parseColumnType divides a flag at the last = after which there is a type, for
// names and meanings have it too.
func parseColumnType(flag string) (name string, f exchange.Field, err error) {
	err = errors.New("want COLUMN=DTYPE")
	for i := len(flag) - 1; i > 0; i-- {
		if flag[i] != '=' {
			continue
		}
		if f, err = parseType(flag[i+1:]); err == nil {
			return flag[:i], f, nil
		}
	}
	return "", f, err
}

// parseType reads a dtype and a meaning, or time or date.
func parseType(words string) (f exchange.Field, err error) {
	word, meaning, _ := strings.Cut(words, " ")
	f.Type = dtype.Int64.Spec()
	switch word {
	case "time":
		meaning += " time=us"
	case "date":
		meaning += " date"
	default:
		if f.Type, err = dtype.ParseSpec(word); err != nil {
			return f, err
		}
	}
	if f.Meaning, err = dtype.ParseMeaning(strings.TrimSpace(meaning)); err == nil {
		err = f.Meaning.Check(f.Type)
	}
	return f, err
}

// ParseFill reads values for missing ones that are given as COLUMN=VALUE.
func ParseFill(flags []string) (map[string]string, error) {
	fill := map[string]string{}
	for _, flag := range flags {
		column, value, ok := strings.Cut(flag, "=")
		if !ok || column == "" {
			return nil, fmt.Errorf("--na %s: want COLUMN=VALUE", excerpt.Shorten(flag, excerpt.Name))
		}
		fill[column] = value
	}
	return fill, nil
}

// ParseDelimiter reads a delimiter: one character, or tab.
func ParseDelimiter(flag string) (byte, error) {
	switch flag {
	case "":
		return 0, nil
	case "tab", `\t`:
		return '\t', nil
	}
	if len(flag) != 1 || strings.ContainsAny(flag, "\"\r\n\x00") || flag[0] >= 0x80 {
		return 0, fmt.Errorf("--delimiter %s: want one ASCII character, or tab", excerpt.Shorten(flag, excerpt.Name))
	}
	return flag[0], nil
}

// encodings are the encodings of text by the names of the flag.
var encodings = map[string]dtype.Encoding{
	"": dtype.UTF8, "utf8": dtype.UTF8, "utf16le": dtype.UTF16LE, "utf16be": dtype.UTF16BE, "latin1": dtype.Latin1,
}

// ParseEncoding reads the name of an encoding.
func ParseEncoding(flag string) (dtype.Encoding, error) {
	e, ok := encodings[strings.ReplaceAll(strings.ToLower(flag), "-", "")]
	if !ok {
		return 0, fmt.Errorf("--encoding %s: want utf8, utf16le, utf16be or latin1", excerpt.Shorten(flag, excerpt.Name))
	}
	return e, nil
}

// ParseRagged reads what becomes of ragged records.
func ParseRagged(flag string) (csv.Ragged, error) {
	switch flag {
	case "", "refuse":
		return csv.RaggedRefuse, nil
	case "fill":
		return csv.RaggedFill, nil
	case "skip":
		return csv.RaggedSkip, nil
	}
	return 0, fmt.Errorf("--ragged %s: want refuse, fill or skip", excerpt.Shorten(flag, excerpt.Name))
}

// ParseDecimals reads what becomes of decimals.
func ParseDecimals(flag string) (parquet.Decimals, error) {
	switch flag {
	case "", "text":
		return parquet.DecimalsText, nil
	case "f64":
		return parquet.DecimalsFloat, nil
	}
	return 0, fmt.Errorf("--decimals %s: want text or f64", excerpt.Shorten(flag, excerpt.Name))
}

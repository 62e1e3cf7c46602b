package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"

	"columnvault"
)

// ImportOptions say what an import makes of the rows. The zero value creates a
// column for each of the source, under its name.
type ImportOptions struct {
	// Prefix goes before the names of columns in the vault.
	Prefix string
	// Append adds to existing columns, whose dtypes the rows get. So that rows
	// stay side by side, a column that the source lacks gets missing values if
	// it is as long as one of those and its name begins with Prefix.
	Append bool
	// Only, with Append, leaves columns alone that the source lacks.
	Only bool
	// Types has types and meanings of columns, by their names in the source, in
	// place of those that the source finds. Append needs none. A column whose
	// meaning has Null is nullable, others become so if values are missing.
	Types map[string]Field
	// Fill has what missing values of a column become, by its name in the
	// source: text as it is, other values as JSON. Otherwise new columns are
	// made such that values can be missing. What cannot (bytes, vectors, text
	// of a fixed size, and columns of the vault that are not nullable) refuses
	// them with a [*GapsError]; but columns of floats take NaN, and those of
	// msgpack and cbor null.
	Fill map[string]string
	// Start and Stop choose rows of the source, as Python's list[Start:Stop] does;
	// but a Stop of 0 is the end. Negative ones have the source read
	// twice, since its rows must be counted before. What types columns get may
	// depend on other rows, too.
	Start, Stop int
	// Columns configure the columns that are created.
	Columns columnvault.ColumnOptions
	// Written is called after each batch with what was written: columns as in
	// the result, with Fill in place of missing values. It is not valid after
	// the call. If the import begins again, so do the calls.
	Written func(b *Batch)
	// Progress is called after each batch, with what [Source.Progress] returns.
	Progress func(done, total int64)
}

// Imported is a column that an import has filled.
type Imported struct {
	Field       // with the name in the vault
	Len     int // of the column now
	Missing int // of the rows that came
}

// Result is what an import has done.
type Result struct {
	Rows    int
	Columns []Imported
}

// maxAttempts is how often a source may find other types. Each time it has seen
// all of its rows, so that twice would do.
const maxAttempts = 4

// Import writes the rows of a source to columns of the vault, in one
// transaction: after an error the vault is as it was. The next batch is read
// while one is written. A source that finds in a later row that its types do not
// fit begins again.
func Import(ctx context.Context, v *columnvault.Vault, src Source, o *ImportOptions) (*Result, error) {
	if o == nil {
		o = &ImportOptions{}
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	src = rangeOf(src, o.Start, o.Stop)
	for attempt := 1; ; attempt++ {
		var result *Result
		err := v.Update(ctx, func(inner context.Context, tx *columnvault.Tx) (err error) {
			result, err = importOnce(ctx, inner, tx, src, o)
			return err
		})
		if errors.Is(err, ErrRetype) && attempt < maxAttempts {
			continue
		}
		if err != nil {
			return nil, err
		}
		return result, nil
	}
}

func (o *ImportOptions) check() error {
	switch {
	case o.Only && !o.Append:
		return fmt.Errorf("%w: Only goes with Append", columnvault.ErrInvalidArgument)
	case o.Append && len(o.Types) > 0:
		return fmt.Errorf("%w: Append takes the types of the vault, so there can be no Types", columnvault.ErrInvalidArgument)
	}
	return nil
}

// importOnce writes all rows. ctx is that of the source, which may read from
// this vault too, and inner that of the transaction.
func importOnce(ctx, inner context.Context, tx *columnvault.Tx, src Source, o *ImportOptions) (*Result, error) {
	p, err := newPlan(inner, tx, o)
	if err != nil {
		return nil, err
	}
	fields, err := src.Begin(ctx, p.types())
	if err != nil {
		return nil, err
	}
	if err := p.setFields(fields); err != nil {
		return nil, err
	}
	in := readAhead(ctx, src, fields)
	defer in.stop()
	for {
		b, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && len(p.unknown) > 0 && !errors.Is(err, ErrRetype) && ctx.Err() == nil {
			return nil, p.trouble()
		}
		if err != nil {
			return nil, err
		}
		p.count(b)
		// All that is missing is told at once, so the rest is counted too.
		if !p.troubled() {
			if err := p.write(inner, tx, b); err != nil {
				return nil, err
			}
		}
		if o.Progress != nil {
			o.Progress(in.done, in.total)
		}
		in.give(b)
	}
	if p.troubled() {
		return nil, p.trouble()
	}
	return p.result(inner, tx)
}

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
)

// deleteOptions say which rows are old.
type deleteOptions struct {
	before, by string
	yes        bool
}

// oldRows are the first rows of columns.
type oldRows struct {
	columns []*columnvault.Column[any]
	times   *timeColumn
	count   int
}

// runDeleteBefore removes the rows that are older than the options say.
func runDeleteBefore(ctx context.Context, a *app, db string, names []string, o *deleteOptions) error {
	now := time.Now()
	return writing(ctx, db, func(v *columnvault.Vault) error {
		count := 0
		err := v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			old, err := findOldRows(ctx, tx, names, o, now)
			if err != nil {
				return err
			}
			count = old.count
			return old.print(ctx, a)
		})
		if err != nil || count == 0 {
			return err
		}
		if err := a.confirm(o.yes, false); err != nil {
			return err
		}
		return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			old, err := findOldRows(ctx, tx, names, o, now)
			if err != nil {
				return err
			}
			if old.count != count {
				return fmt.Errorf("nothing was changed: there are %d such rows by now", old.count)
			}
			for _, col := range old.columns {
				if err := col.Delete(ctx, 0, count); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// findOldRows looks which rows are older than the options say.
func findOldRows(ctx context.Context, tx *columnvault.Tx, names []string, o *deleteOptions, now time.Time) (*oldRows, error) {
	times, err := openTimes(ctx, tx, o.by)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		infos, err := tx.Columns(ctx)
		if err != nil {
			return nil, err
		}
		for _, info := range infos {
			if prefixOf(info.Name) == prefixOf(o.by) {
				names = append(names, info.Name)
			}
		}
	}
	old := &oldRows{times: times}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		col, err := columns.Open(ctx, tx, name)
		if err != nil {
			return nil, err
		}
		n, err := col.Len(ctx)
		if err != nil {
			return nil, err
		}
		if n != times.length {
			err := fmt.Errorf("%s has %s, and %s has %d", excerpt.Quote(name, excerpt.Name), term.Plural(n, "element"), excerpt.Quote(o.by, excerpt.Name), times.length)
			return nil, hint.Add(err, "name the columns whose rows belong together")
		}
		old.columns = append(old.columns, col)
	}
	before, err := times.cutoff(o.before, now)
	if err != nil {
		return nil, err
	}
	if err := times.checkSorted(ctx, 0, times.length); err != nil {
		return nil, err
	}
	old.count, err = times.search(ctx, before)
	return old, err
}

// print says what would be removed.
func (old *oldRows) print(ctx context.Context, a *app) error {
	if old.count == 0 {
		_, err := fmt.Fprintln(a.out, "no rows are that old")
		return err
	}
	first, err := old.times.at(ctx, 0)
	if err != nil {
		return err
	}
	last, err := old.times.at(ctx, old.count-1)
	if err != nil {
		return err
	}
	names := make([]string, len(old.columns))
	for i, col := range old.columns {
		names[i] = excerpt.Printable(col.Name())
	}
	_, err = fmt.Fprintf(a.out, "remove %s of %d, from %s to %s, of %s\n", term.Plural(old.count, "row"), old.times.length,
		old.times.show(first), old.times.show(last), excerpt.Few(names))
	return err
}

package vaulttest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"columnvault"
)

// Contents says what a vault holds, a line for each column and for each of
// these key-value tables, so that two states of it can be compared. It reads
// all of it in one snapshot.
func Contents(ctx context.Context, v *columnvault.Vault, tables ...string) (string, error) {
	var lines map[string]string
	err := v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		infos, err := tx.Columns(ctx)
		if err != nil {
			return err
		}
		columns := Sequence(len(infos), func(i int) string { return infos[i].Name })
		var failed map[string]error
		lines, failed = Parts(ctx, v, tx, columns, tables)
		return errors.Join(slices.Collect(maps.Values(failed))...)
	})
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		fmt.Fprintf(&b, "%s: %s\n", name, lines[name])
	}
	return b.String(), err
}

// Parts says what columns and tables hold, each by itself: those that cannot be
// read do not keep it from the others.
func Parts(ctx context.Context, v *columnvault.Vault, tx *columnvault.Tx, columns, tables []string) (parts map[string]string, failed map[string]error) {
	parts, failed = map[string]string{}, map[string]error{}
	for _, name := range columns {
		c, err := tx.Column(ctx, name)
		if err != nil {
			failed["column "+name] = err
			continue
		}
		sum, err := digest(c.In(tx).Values(ctx), func(value any) string { return fmt.Sprintf("%#v", value) })
		if err != nil {
			failed["column "+name] = err
			continue
		}
		parts["column "+name] = c.DType() + ", " + sum
	}
	for _, name := range tables {
		sum, err := digest(v.KVTable(name).In(tx).All(ctx, nil), func(p columnvault.Pair) string { return fmt.Sprintf("%q %q", p.Key, p.Value) })
		if err != nil {
			failed["table "+name] = err
			continue
		}
		parts["table "+name] = sum
	}
	return parts, failed
}

// digest is the number of values of a sequence, and a hash of what they are as
// text.
func digest[T any](values iter.Seq2[T, error], text func(T) string) (string, error) {
	h := sha256.New()
	n := 0
	for value, err := range values {
		if err != nil {
			return "", fmt.Errorf("at %d: %w", n, err)
		}
		fmt.Fprintln(h, text(value))
		n++
	}
	return fmt.Sprintf("%d, %x", n, h.Sum(nil)[:8]), nil
}

// Findings is what Check finds in a vault, but for notes.
func Findings(ctx context.Context, v *columnvault.Vault, o columnvault.CheckOptions) (found []string, err error) {
	for f, err := range v.Check(ctx, o) {
		if err != nil {
			return found, err
		}
		if f.Severity > columnvault.SeverityNote {
			found = append(found, fmt.Sprintf("%s: %q: %s", f.Kind, f.Column+f.Table, f.Text))
		}
	}
	return found, nil
}

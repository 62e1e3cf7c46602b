package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"columnvault"
	"columnvault/dtype"
)

// library is the columns of a vault, in which row i is file i, and the bytes of
// the files, each under its path.
type library struct {
	vault    *columnvault.Vault
	path     *columnvault.Column[string] // below the folder, with slashes
	size     *columnvault.Column[int64]  // in bytes
	modified *columnvault.Column[int64]  // Unix time in seconds
	kind     *columnvault.Column[string] // what the name ends with, as .go
	digest   *columnvault.Column[[]byte] // SHA-256
	content  *columnvault.KV
}

// openLibrary opens the columns, and creates those that are missing.
func openLibrary(ctx context.Context, v *columnvault.Vault) (l *library, err error) {
	l = &library{vault: v, content: v.KV()}
	if l.path, err = columnvault.Ensure(ctx, v, "path", dtype.String, nil); err != nil {
		return nil, err
	}
	if l.size, err = columnvault.Ensure(ctx, v, "size", dtype.Int64, nil); err != nil {
		return nil, err
	}
	if l.modified, err = columnvault.Ensure(ctx, v, "modified", dtype.Int64, nil); err != nil {
		return nil, err
	}
	if l.kind, err = columnvault.Ensure(ctx, v, "kind", dtype.String, nil); err != nil {
		return nil, err
	}
	if l.digest, err = columnvault.Ensure(ctx, v, "digest", dtype.FixedBytes(32), nil); err != nil {
		return nil, err
	}
	return l, nil
}

// list prints the totals of each kind of file, and the largest files.
func (l *library) list(ctx context.Context, out io.Writer) error {
	var paths, kinds []string
	var sizes []int64
	// One View, so that the three columns are of one moment.
	err := l.vault.View(ctx, func(ctx context.Context, tx *columnvault.Tx) (err error) {
		if paths, err = l.path.In(tx).Slice(ctx, columnvault.Begin, columnvault.End); err != nil {
			return err
		}
		if kinds, err = l.kind.In(tx).Slice(ctx, columnvault.Begin, columnvault.End); err != nil {
			return err
		}
		sizes, err = l.size.In(tx).Slice(ctx, columnvault.Begin, columnvault.End)
		return err
	})
	if err != nil {
		return err
	}
	type total struct{ files, bytes int64 }
	totals := map[string]total{}
	for i, kind := range kinds {
		t := totals[kind]
		totals[kind] = total{t.files + 1, t.bytes + sizes[i]}
	}
	byBytes := slices.SortedFunc(maps.Keys(totals), func(a, b string) int {
		return cmp.Or(cmp.Compare(totals[b].bytes, totals[a].bytes), cmp.Compare(a, b))
	})
	bySize := make([]int, len(paths)) // positions, the largest file first
	for i := range bySize {
		bySize[i] = i
	}
	slices.SortStableFunc(bySize, func(a, b int) int { return cmp.Compare(sizes[b], sizes[a]) })

	const lines = 8
	fmt.Fprintln(out, "files      bytes  kind")
	for _, kind := range byBytes[:min(lines, len(byBytes))] {
		fmt.Fprintf(out, "%5d %10d  %s\n", totals[kind].files, totals[kind].bytes, cmp.Or(kind, "none"))
	}
	fmt.Fprintln(out, "\n     bytes  the largest files")
	for _, i := range bySize[:min(lines, len(bySize))] {
		fmt.Fprintf(out, "%10d  %s\n", sizes[i], paths[i])
	}
	return nil
}

// show prints n bytes of a file, from byte from on, without reading the rest.
func (l *library) show(ctx context.Context, out io.Writer, path string, from, n int64) error {
	file, err := l.content.OpenBlob(ctx, columnvault.Key(path))
	if err != nil {
		return err
	}
	defer file.Close()
	if from < 0 || n < 0 || from > file.Size() {
		return fmt.Errorf("%s: it has %d bytes, so there are not %d from byte %d on", path, file.Size(), n, from)
	}
	_, err = io.Copy(out, io.NewSectionReader(file, from, n))
	return err
}

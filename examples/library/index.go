package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"

	"columnvault"
)

// A group of files is written in one transaction, which ends after this many
// files or bytes. Small ones cost a commit each, large ones keep other writers
// waiting.
const (
	groupFiles = 256
	groupBytes = 16 << 20
)

// file is one that has to be stored.
type file struct {
	path     string // below the folder, with slashes
	size     int64
	modified int64
	row      int // in the columns, or -1
}

// indexed counts what was done.
type indexed struct {
	added, changed, same int
	bytes                int64
}

func (n indexed) String() string {
	return fmt.Sprintf("%d files added, %d changed, %d as before; %d bytes written", n.added, n.changed, n.same, n.bytes)
}

// index stores the regular files below a folder that the vault does not have
// as they are. It does not follow symbolic links. A file whose size and time,
// to the second, are those of the vault is taken for unchanged.
func (l *library) index(ctx context.Context, folder string) (done indexed, err error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return done, err
	}
	defer root.Close()
	known, err := l.known(ctx)
	if err != nil {
		return done, err
	}
	own := l.ownFiles()
	var group []file
	var bytes int64
	err = fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(own, func(f fs.FileInfo) bool { return os.SameFile(f, info) }) {
			return nil
		}
		f := file{path: path, size: info.Size(), modified: info.ModTime().Unix(), row: -1}
		old, there := known[path]
		switch {
		case there && old.size == f.size && old.modified == f.modified:
			done.same++
			return nil
		case there:
			f.row = old.row
			done.changed++
		default:
			done.added++
		}
		done.bytes += f.size
		group = append(group, f)
		if bytes += f.size; len(group) < groupFiles && bytes < groupBytes {
			return nil
		}
		err = l.store(ctx, root, group)
		group, bytes = group[:0], 0
		return err
	})
	if err != nil {
		return done, err
	}
	return done, l.store(ctx, root, group)
}

// ownFiles are the vault and what SQLite keeps beside it, which do not belong
// into it even if they lie in the folder.
func (l *library) ownFiles() (own []fs.FileInfo) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(l.vault.Path() + suffix); err == nil {
			own = append(own, info)
		}
	}
	return own
}

// known returns what the columns say, by path.
func (l *library) known(ctx context.Context) (map[string]file, error) {
	known := map[string]file{}
	err := l.vault.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		sizes, err := l.size.In(tx).Slice(ctx, columnvault.Begin, columnvault.End)
		if err != nil {
			return err
		}
		times, err := l.modified.In(tx).Slice(ctx, columnvault.Begin, columnvault.End)
		if err != nil {
			return err
		}
		row := 0
		for path, err := range l.path.In(tx).Values(ctx) {
			if err != nil {
				return err
			}
			known[path] = file{size: sizes[row], modified: times[row], row: row}
			row++
		}
		return nil
	})
	return known, err
}

// store writes a group of files, all of it or nothing: the bytes, and the rows
// that tell of them.
func (l *library) store(ctx context.Context, root *os.Root, group []file) error {
	return l.vault.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		var paths, kinds []string
		var sizes, times []int64
		var digests [][]byte
		for _, f := range group {
			digest, err := l.put(ctx, tx, root, f)
			if err != nil {
				return err
			}
			if f.row >= 0 {
				if err := l.replace(ctx, tx, f, digest); err != nil {
					return fmt.Errorf("%s: %w", f.path, err)
				}
				continue
			}
			paths, kinds = append(paths, f.path), append(kinds, path.Ext(f.path))
			sizes, times = append(sizes, f.size), append(times, f.modified)
			digests = append(digests, digest)
		}
		// One append of many values costs far less than many of one.
		if err := l.path.In(tx).Append(ctx, paths...); err != nil {
			return err
		}
		if err := l.kind.In(tx).Append(ctx, kinds...); err != nil {
			return err
		}
		if err := l.size.In(tx).Append(ctx, sizes...); err != nil {
			return err
		}
		if err := l.modified.In(tx).Append(ctx, times...); err != nil {
			return err
		}
		return l.digest.In(tx).Append(ctx, digests...)
	})
}

// put streams the bytes of a file into the vault, and returns their SHA-256.
func (l *library) put(ctx context.Context, tx *columnvault.Tx, root *os.Root, f file) ([]byte, error) {
	source, err := root.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	hash := sha256.New()
	err = l.content.In(tx).PutFrom(ctx, columnvault.Key(f.path), f.size, io.TeeReader(source, hash))
	return hash.Sum(nil), err
}

// replace changes the row of a file that the vault has in another state.
func (l *library) replace(ctx context.Context, tx *columnvault.Tx, f file, digest []byte) error {
	if err := l.size.In(tx).Set(ctx, f.row, f.size); err != nil {
		return err
	}
	if err := l.modified.In(tx).Set(ctx, f.row, f.modified); err != nil {
		return err
	}
	return l.digest.In(tx).Set(ctx, f.row, digest)
}

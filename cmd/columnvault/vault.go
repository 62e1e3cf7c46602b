package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/files"
	"columnvault/internal/engine"
	"columnvault/internal/hint"
	"columnvault/internal/publish"
	_ "columnvault/postgres" // for addresses in the place of DB
)

// reading calls fn with the vault at path, opened for reading.
func reading(ctx context.Context, path string, fn func(v *columnvault.Vault) error) error {
	if err := mustExist(path); err != nil {
		return err
	}
	return with(ctx, path, &columnvault.Options{ReadOnly: true, ReadBytes: 256 << 10}, fn)
}

// writing calls fn with the vault at path, which must exist.
func writing(ctx context.Context, path string, fn func(v *columnvault.Vault) error) error {
	if err := mustExist(path); err != nil {
		return err
	}
	return with(ctx, path, nil, fn)
}

// creating calls fn with the vault at path, and creates it if there is none: an
// error leaves no file behind then. With into, a database of another program
// becomes a vault, if trial succeeds with an empty one: what it shows of the
// errors of fn leaves the database as it was. fn may be called twice.
func creating(ctx context.Context, path string, into bool, trial, fn func(v *columnvault.Vault) error) error {
	switch {
	case missing(path):
		if err := making(ctx, path, fn); !errors.Is(err, errThere) {
			return err
		}
	case vaultless(ctx, path, into):
		if err := trying(ctx, trial); err != nil {
			return err
		}
	}
	return with(ctx, path, &columnvault.Options{AddToDatabase: into}, fn)
}

// errThere: the name cannot be given to a file that was made beside it, most
// likely because somebody else has made one meanwhile.
var errThere = errors.New("there is a file by now")

// making makes a vault of what fn does, and gives it its name only when all of
// it is there: removing it after an error would not do, because by then another
// process may be using it.
func making(ctx context.Context, path string, fn func(v *columnvault.Vault) error) error {
	work, err := publish.Begin(path)
	if err != nil {
		return with(ctx, path, nil, fn) // which says what is wrong
	}
	defer work.End()
	err = with(ctx, work.Path(), nil, fn)
	var failed *columnvault.Error
	if errors.As(err, &failed) && failed.Column == work.Path() {
		failed.Column = path
	}
	if err != nil {
		return err
	}
	if work.Link() != nil {
		return errThere
	}
	return nil
}

// vaultless tells whether opening path makes a vault of a database of another
// program.
func vaultless(ctx context.Context, path string, into bool) bool {
	if !into {
		return false
	}
	err := reading(ctx, path, func(*columnvault.Vault) error { return nil })
	return errors.Is(err, columnvault.ErrNotVault)
}

// intoExistingFlag is for the commands that create a vault.
func intoExistingFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "into-existing", false, "put the vault into the SQLite database of another program\nthat DB is; its tables stay as they are")
}

// trying calls fn with an empty vault that is removed afterwards.
func trying(ctx context.Context, fn func(v *columnvault.Vault) error) error {
	dir, err := os.MkdirTemp("", "columnvault-")
	if err != nil {
		return nil // what is wrong with fn will show without a trial
	}
	defer os.RemoveAll(dir)
	return with(ctx, filepath.Join(dir, "trial.db"), nil, fn)
}

func with(ctx context.Context, path string, o *columnvault.Options, fn func(v *columnvault.Vault) error) (err error) {
	v, err := columnvault.Open(ctx, path, o)
	if err != nil {
		return err
	}
	defer func() {
		if closed := v.Close(); err == nil {
			err = closed
		}
	}()
	return fn(v)
}

func mustExist(path string) error {
	if missing(path) {
		return hint.Add(fmt.Errorf("%s: there is no such file", path), "create, import and kv put make a new vault")
	}
	return nil
}

// missing tells whether there is certainly no file at path, which is no address
// of a server either.
func missing(path string) bool {
	if _, ok := engine.Scheme(path); ok {
		return false
	}
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// spareVault refuses a file to write that is the vault, if that is a file.
func spareVault(db, out string) error {
	if _, ok := engine.Scheme(db); ok {
		return nil
	}
	return files.SpareVault(db, out)
}

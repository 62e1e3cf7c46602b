package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/hint"
)

// reading calls fn with the vault at path, opened for reading.
func reading(path string, fn func(v *columnvault.Vault) error) error {
	if err := mustExist(path); err != nil {
		return err
	}
	return with(path, &columnvault.Options{ReadOnly: true, ReadBytes: 256 << 10}, fn)
}

// writing calls fn with the vault at path, which must exist.
func writing(path string, fn func(v *columnvault.Vault) error) error {
	if err := mustExist(path); err != nil {
		return err
	}
	return with(path, nil, fn)
}

// creating calls fn with the vault at path, and creates it if there is none.
// Then fn is tried before, so that an error leaves no empty vault behind. With
// into, a database of another program becomes a vault.
func creating(path string, into bool, fn func(v *columnvault.Vault) error) error {
	if vaultless(path, into) {
		if err := trying(fn); err != nil {
			return err
		}
	}
	return with(path, &columnvault.Options{AddToDatabase: into}, fn)
}

// vaultless tells whether opening path makes a vault: of a new file, or with
// into of a database of another program.
func vaultless(path string, into bool) bool {
	if missing(path) || !into {
		return missing(path)
	}
	err := reading(path, func(*columnvault.Vault) error { return nil })
	return errors.Is(err, columnvault.ErrNotVault)
}

// intoExistingFlag is for the commands that create a vault.
func intoExistingFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "into-existing", false, "put the vault into the SQLite database of another program\nthat DB is; its tables stay as they are")
}

// trying calls fn with an empty vault that is removed afterwards. Removing a
// new vault after an error would not do: another process may be using it.
func trying(fn func(v *columnvault.Vault) error) error {
	dir, err := os.MkdirTemp("", "columnvault-")
	if err != nil {
		return nil // what is wrong with fn will show without a trial
	}
	defer os.RemoveAll(dir)
	return with(filepath.Join(dir, "trial.db"), nil, fn)
}

func with(path string, o *columnvault.Options, fn func(v *columnvault.Vault) error) (err error) {
	v, err := columnvault.Open(path, o)
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

// missing tells whether there is certainly no file at path.
func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"columnvault"
	"columnvault/dtype"
)

// TestCreatingLeavesNothing: what fails leaves no file behind, however late, and
// what succeeds leaves one file.
func TestCreatingLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "a.db")
	add := func(name string) func(v *columnvault.Vault) error {
		return func(v *columnvault.Vault) error {
			_, err := columnvault.Create(t.Context(), v, name, dtype.Int64, nil)
			return err
		}
	}
	late := errors.New("late")
	err := creating(t.Context(), db, false, nil, func(v *columnvault.Vault) error { return errors.Join(add("a")(v), late) })
	if !errors.Is(err, late) {
		t.Errorf("creating: %v", err)
	}
	if entries, err := os.ReadDir(dir); len(entries) != 0 || err != nil {
		t.Errorf("after an error there are %v, %v", entries, err)
	}
	// Somebody else is faster: both have what they did.
	runs := 0
	err = creating(t.Context(), db, false, nil, func(v *columnvault.Vault) error {
		if runs++; runs == 1 {
			if err := creating(t.Context(), db, false, nil, add("first")); err != nil {
				return err
			}
		}
		return add("second")(v)
	})
	if err != nil || runs != 2 {
		t.Errorf("creating beside another: %v after %d runs", err, runs)
	}
	if entries, err := os.ReadDir(dir); len(entries) != 1 || err != nil {
		t.Errorf("afterwards there are %v, %v", entries, err)
	}
	err = reading(t.Context(), db, func(v *columnvault.Vault) error {
		infos, err := v.Columns(context.Background())
		if len(infos) != 2 {
			t.Errorf("there are the columns %v", infos)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

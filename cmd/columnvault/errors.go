package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
)

// The exit codes.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// hints are for errors of the library, in words of the command line.
var hints = []struct {
	kind error
	text string
}{
	{columnvault.ErrExists, "drop that column first, or take another name"},
	{columnvault.ErrTurned, "if they should, --turn allows it"},
	{columnvault.ErrBusy, "another program is writing to the vault; try again when it has finished"},
	{columnvault.ErrLayout, "columnvault migrate DB COLUMN --to 0 brings it to the layout that can be changed"},
	{columnvault.ErrReadOnly, "the file, its folder or the disk may only be read"},
	{columnvault.ErrSnapshotTooOld, "reading took longer than a minute while others wrote; write to a file, which does not wait as a slow pipe does"},
	{columnvault.ErrNotVault, "a vault is an SQLite file that columnvault or KohakuVault has made; create, import and kv put have --into-existing for a database of another program"},
}

func hintOf(err error) string {
	var hinted *hint.Error
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	for _, h := range hints {
		if errors.Is(err, h.kind) {
			return h.text
		}
	}
	var e *columnvault.Error
	if errors.As(err, &e) {
		return e.Hint()
	}
	return ""
}

// maxError is how many characters of an error are printed. Errors of this
// project quote little, but others quote arguments and paths whole.
const maxError = 4000

// report prints the error of a command and returns the exit code.
func report(w io.Writer, cmd *cobra.Command, err error) int {
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE):
		return exitOK // the reader of the output has closed it
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "columnvault: interrupted")
		return exitInterrupted
	}
	fmt.Fprintf(w, "columnvault: %s\n", excerpt.Shorten(err.Error(), maxError))
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(w, "hint: %s\n", hint)
	}
	var usage usageError
	if !errors.As(err, &usage) {
		return exitError
	}
	fmt.Fprintf(w, "usage: %s\n", cmd.UseLine())
	fmt.Fprintf(w, "help: %s --help\n", cmd.CommandPath())
	return exitUsage
}

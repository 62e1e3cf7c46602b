package main

// The rules of the interface, which every command keeps:
//
//   - Results go to standard output, and nothing else does. Values are printed
//     as JSON, one a line, so that other programs can read them; tables are for
//     people, and have colors on a terminal unless NO_COLOR is set.
//   - All else goes to standard error. An error is one sentence after
//     "columnvault: ", without a capital letter at its beginning or a period at
//     its end. It names what was asked for and what is wrong. What can be done
//     about it follows on a line that begins with "hint: ", and after wrong
//     usage come "usage: " and "help: ".
//   - The exit code is 0, or 1 after an error, 2 after wrong usage, and 130
//     after an interrupt.
//   - --json prints one object, or one a line for lists. Its fields are in the
//     help of the command: they stay, and others may come.
//   - Progress is shown on a terminal, and only if it takes long. --quiet
//     leaves it out, and also tables of what was done.
//   - A command changes all or nothing, and asks no questions; but repair and
//     delete --before do.

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"columnvault/cmd/columnvault/internal/files"
	"columnvault/cmd/columnvault/internal/term"
)

// app is what the commands share: the streams of the process.
type app struct {
	in  io.Reader
	out *bufio.Writer
	err io.Writer
	// outTerminal and errTerminal say that a stream is a terminal.
	outTerminal, errTerminal bool
	// width is how many characters fit on a line of a terminal, 0 if out is
	// none.
	width int
}

func newApp(in io.Reader, out, err io.Writer) *app {
	return &app{in, bufio.NewWriterSize(out, 64<<10), err, term.IsTerminal(out), term.IsTerminal(err), term.Width(out)}
}

// table makes a table for standard output.
func (a *app) table(columns ...term.Column) *term.Table {
	return term.NewTable(a.outTerminal && term.Color(), columns...)
}

// printJSON prints an object on one line.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// progress makes a bar for work of this size, -1 if it is not known.
func (a *app) progress(quiet bool, text string, total int64) *term.Progress {
	if quiet || !a.errTerminal {
		return nil
	}
	return term.NewProgress(a.err, text, total)
}

// warn prints what is worth knowing and no error.
func (a *app) warn(quiet bool, warnings []string) {
	if quiet {
		return
	}
	for _, w := range warnings {
		fmt.Fprintf(a.err, "columnvault: warning: %s\n", w)
	}
}

// openInput opens a file that is read more than once; - is standard input.
func (a *app) openInput(ctx context.Context, path string, quiet bool) (*files.Input, error) {
	progress := a.progress(quiet, "receiving", -1)
	if path == "-" {
		return files.Spool(ctx, a.in, "standard input", progress)
	}
	return files.Open(ctx, path, progress)
}

// Command library keeps a folder of files in a vault: what is searched, sorted
// and added up in columns, the bytes of the files under keys, and both always
// in step.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"

	"columnvault"
)

const usage = `Usage:
  library VAULT FOLDER          index the files below FOLDER, then list them
  library VAULT                 list what the vault has
  library VAULT PATH FROM N     print N bytes of a file, from byte FROM on

A second run on the same folder adds what is new and replaces what has changed.

Example:
  library library.db "$(go env GOROOT)/src/net"
  library library.db http/server.go 1000 200
`

func main() {
	// An interrupt undoes the group of files that is being written, and keeps
	// those before it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Stdout, os.Args[1:])
	if errors.Is(err, errUsage) {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "library:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("other arguments are wanted")

func run(ctx context.Context, out io.Writer, args []string) (err error) {
	if len(args) != 1 && len(args) != 2 && len(args) != 4 {
		return errUsage
	}
	// Only indexing writes, and so does not need the file to be there.
	v, err := columnvault.Open(ctx, args[0], &columnvault.Options{ReadOnly: len(args) != 2})
	if err != nil {
		return err
	}
	defer func() {
		if e := v.Close(); err == nil {
			err = e
		}
	}()
	l, err := openLibrary(ctx, v)
	if err != nil {
		return err
	}
	switch len(args) {
	case 4:
		from, err := strconv.ParseInt(args[2], 10, 64)
		if err != nil {
			return fmt.Errorf("the argument FROM: %w", err)
		}
		n, err := strconv.ParseInt(args[3], 10, 64)
		if err != nil {
			return fmt.Errorf("the argument N: %w", err)
		}
		return l.show(ctx, out, args[1], from, n)
	case 2:
		done, err := l.index(ctx, args[1])
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%v\n\n", done)
	}
	return l.list(ctx, out)
}

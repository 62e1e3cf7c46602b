// Command columnvault creates vaults, changes and reads their columns, and
// moves data between them and CSV or JSON lines. Its help, columnvault --help,
// describes the commands and what scripts may rely on.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // where the machine has no time zones
)

func main() {
	// The end of a pipe, as in slice | head, must come as an error of a write:
	// the signal would end the process before the vault is closed.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once

	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

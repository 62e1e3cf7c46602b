// Command pgserver runs a command beside a PostgreSQL server of its own, to
// which COLUMNVAULT_PG_DSN leads. It exits as the command does, or with 69 if the
// machine has no server.
//
//	go run ./internal/tools/pgserver go test ./test/conformance
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"columnvault/internal/vaulttest/pgserver"
)

// noServer is the exit code for a machine without a server.
const noServer = 69

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: pgserver COMMAND ARG...")
		return 2
	}
	server, err := pgserver.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pgserver:", err)
		return noServer
	}
	defer server.Stop()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), pgserver.Env+"="+server.DSN)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pgserver:", err)
		return 1
	}
	return 0
}

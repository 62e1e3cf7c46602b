// Command logger keeps the lines of its input with the times at which they came,
// in a vault that other programs read meanwhile.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"columnvault"
)

const usage = `Usage:
  logger VAULT                  keep the lines of standard input, until it ends or on an interrupt
  logger VAULT last DURATION    print those of the last hour, say
  logger VAULT keep DURATION    delete those that are older

Example:
  ping localhost | logger ping.db
  logger ping.db last 1h
`

func main() {
	// An interrupt ends the reading of lines. Those that were read are written.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Stdin, os.Stdout, os.Args[1:])
	if errors.Is(err, errUsage) {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "logger:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("other arguments are wanted")

func run(ctx context.Context, in io.Reader, out io.Writer, args []string) (err error) {
	if len(args) != 1 && len(args) != 3 {
		return errUsage
	}
	v, err := columnvault.Open(ctx, args[0], nil)
	if err != nil {
		return err
	}
	// Close writes what the cache holds.
	defer func() { err = errors.Join(err, v.Close()) }()
	l, err := openLogger(ctx, v, func(err error) { fmt.Fprintln(os.Stderr, "logger: not written yet:", err) })
	if err != nil {
		return err
	}
	if len(args) == 1 {
		return l.keepLines(ctx, in)
	}
	age, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	since := time.Now().Add(-age)
	switch args[1] {
	case "last":
		return l.Since(ctx, since, func(r Record) error {
			_, err := fmt.Fprintln(out, r.Time.Format(time.RFC3339Nano), r.Text)
			return err
		})
	case "keep":
		n, err := l.DeleteBefore(ctx, since)
		if err == nil {
			fmt.Fprintln(out, "deleted:", n)
		}
		return err
	}
	return errUsage
}

// keepLines logs lines until there are no more or ctx ends.
func (l *Logger) keepLines(ctx context.Context, in io.Reader) error {
	lines := make(chan string)
	ended := make(chan error, 1)
	go func() { // a read cannot be interrupted
		s := bufio.NewScanner(in)
		for s.Scan() {
			select {
			case lines <- s.Text():
			case <-ctx.Done():
				return
			}
		}
		ended <- s.Err()
	}()
	for {
		select {
		case line := <-lines:
			// What has been read is kept, also if ctx ends meanwhile.
			if err := l.Log(context.WithoutCancel(ctx), line); err != nil {
				return err
			}
		case err := <-ended:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"columnvault"
	"columnvault/dtype"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vaultfeed": main, "vault": vault})
}

// TestScripts runs the scripts of testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"exits": func(ts *testscript.TestScript, neg bool, args []string) {
			err := ts.Exec(args[1], args[2:]...)
			var exit interface{ ExitCode() int }
			if !errors.As(err, &exit) || strconv.Itoa(exit.ExitCode()) != args[0] {
				ts.Fatalf("it ends with %v", err)
			}
		},
	}})
}

// vault appends numbers to the column NAME of a vault, or sets the first one:
// vault DB NAME append|set NUMBER...
func vault() {
	if err := change(context.Background(), os.Args[1], os.Args[2], os.Args[3], os.Args[4:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func change(ctx context.Context, path, name, what string, texts []string) (err error) {
	v, err := columnvault.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	c, err := columnvault.Ensure(ctx, v, name, dtype.Int64, nil)
	if err != nil {
		return err
	}
	for i, text := range texts {
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil && what == "set" {
			err = c.Set(ctx, i, n)
		} else if err == nil {
			err = c.Append(ctx, n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package publish

import (
	"errors"
	"os"
)

func hold(*os.File) bool { return true }

// abandoned: these systems do not tell.
func abandoned(string) (list []string, release func(), dead bool) { return nil, nil, false }

func letGo(f *os.File, remove func() error) error { return errors.Join(f.Close(), remove()) }

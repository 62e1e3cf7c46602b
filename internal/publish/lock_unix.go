//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package publish

import (
	"errors"
	"os"
	"syscall"
)

// hold keeps the file until it is closed, or its process ends. Where the file
// system cannot do that, nothing is held, and nobody finds it abandoned.
func hold(f *os.File) bool {
	err := flock(f)
	return !errors.Is(err, syscall.EWOULDBLOCK)
}

func flock(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != syscall.EINTR {
			return err
		}
	}
}

// abandoned tells whether the file is there and no process holds it. Then this
// one does, until release.
func abandoned(path string) (list []string, release func(), dead bool) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, nil, false
	}
	if flock(f) != nil || !isThere(f) { // another file may have its name by now
		f.Close()
		return nil, nil, false
	}
	return lines(f), func() { f.Close() }, true
}

// letGo removes what lies beside the file while it is still held.
func letGo(f *os.File, remove func() error) error { return errors.Join(remove(), f.Close()) }

//go:build unix

package vaulttest

import (
	"syscall"
	"testing"
	"time"
)

// NeedsDisk skips a test that takes so many bytes of a disk at its peak, if the
// disk for temporary files does not have them.
func NeedsDisk(t testing.TB, bytes uint64) {
	t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(t.TempDir(), &st); err != nil {
		return // the test will show
	}
	if free := uint64(st.Bavail) * uint64(st.Bsize); free < bytes {
		t.Skipf("this takes up to %d MiB of the disk for temporary files, which has %d free; see TMPDIR", bytes>>20, free>>20)
	}
}

// ProcessorTime is what this process has taken of the processors.
func ProcessorTime() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

//go:build !unix

package vaulttest

import (
	"testing"
	"time"
)

// NeedsDisk does nothing where it cannot be told how much of a disk is free.
func NeedsDisk(testing.TB, uint64) {}

// ProcessorTime is not to be had here.
func ProcessorTime() time.Duration { return 0 }

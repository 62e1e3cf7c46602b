//go:build !linux

package sqlite

// memoryBytes is the memory that any machine has.
func memoryBytes() int64 { return 1 << 30 }

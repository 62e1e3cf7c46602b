//go:build !(linux || darwin)

package sqlite

import "os"

// tryMap says no: whether memory faults become errors was tried elsewhere alone.
func tryMap(*os.File, int64) bool { return false }

func (*conn) mappableBytes() int64 { return 0 }

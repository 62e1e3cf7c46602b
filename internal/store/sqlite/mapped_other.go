//go:build !(linux || darwin)

package sqlite

// canReserve says no: whether memory faults become errors was tried elsewhere alone.
func canReserve(int64) bool { return false }

func tryMap(descriptor, int64) bool { return false }

func (*conn) mappableBytes() int64 { return 0 }

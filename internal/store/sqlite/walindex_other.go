//go:build !(linux || darwin)

package sqlite

// walIndex is not to be had here, so snapshots are never known to be the
// newest.
type walIndex struct{}

type walHeader [48]byte

func openWALIndex(descriptor) *walIndex { return nil }

func (*walIndex) header() (walHeader, bool) { return walHeader{}, false }

func (*walIndex) moved(walHeader) bool { return false }

func (*walIndex) close() {}

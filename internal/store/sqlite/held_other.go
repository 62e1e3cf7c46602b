//go:build !(linux || darwin)

package sqlite

import "os"

// fileID is not to be had here, so nobody looks. Windows does not let other
// programs delete or rename the files while they are open.
type fileID struct{}

func identity(descriptor) (fileID, int64, bool) { return fileID{}, 0, false }

func identityAt(string) (fileID, int64, error) { return fileID{}, 0, nil }

func unlock(descriptor) {}

func giveTo(*os.File, os.FileInfo) {}

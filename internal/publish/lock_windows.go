package publish

import (
	"errors"
	"os"
)

// hold needs nothing: nobody can remove a file that is open.
func hold(*os.File) bool { return true }

// abandoned tells whether the file was there and no process had it open. Then it
// is gone.
func abandoned(path string) (list []string, release func(), dead bool) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, false
	}
	list = lines(f)
	if errors.Join(f.Close(), os.Remove(path)) != nil {
		return nil, nil, false
	}
	return list, func() {}, true
}

// letGo closes the file before it is removed.
func letGo(f *os.File, remove func() error) error { return errors.Join(f.Close(), remove()) }

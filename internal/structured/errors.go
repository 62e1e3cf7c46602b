package structured

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"columnvault/internal/excerpt"
)

// A pathError is an error somewhere inside a value: user.tags[2].
type pathError struct {
	path string
	err  error
}

func (e *pathError) Error() string {
	return strings.TrimPrefix(e.path, ".") + ": " + e.err.Error()
}

func (e *pathError) Unwrap() error { return e.err }

// longestPath is how much of a path is shown, from the outside.
const longestPath = 255

// inField says that err happened in the field or under the map key name. The
// path is put together while the error travels outwards, so that it costs
// nothing as long as there is none.
func inField(name string, err error) error {
	const longest = 40
	if len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "") + "..."
	}
	return inside("."+name, err)
}

// inElement says that err happened in the element i of an array.
func inElement(i int, err error) error {
	return inside("["+strconv.Itoa(i)+"]", err)
}

func inside(step string, err error) error {
	if p, ok := err.(*pathError); ok {
		p.path = excerpt.Shorten(step+p.path, longestPath)
		return p
	}
	return &pathError{step, err}
}

func errDepth(w wire) error {
	return fmt.Errorf("more than %d arrays and maps inside each other (or a value that contains itself)", w.maxDepth())
}

func errMismatch(h head, t reflect.Type) error {
	return fmt.Errorf("found %s, which a Go %v cannot hold", h.kind, t)
}

var (
	errText  = errors.New("text is not valid UTF-8")
	errFloat = errors.New("NaN and infinities are outside the JSON model: use null, or a numeric column")
	errLen   = errors.New("longer than 2^31-1")
	errKey   = errors.New("the key of a map is not text")
)

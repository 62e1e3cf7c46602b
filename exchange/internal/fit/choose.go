package fit

import (
	"fmt"
	"slices"

	"columnvault/internal/excerpt"
)

// Choose returns which of the columns that a file or a table has are wanted: all
// if wanted is nil. holder is what has them, for errors.
func Choose(holder string, names, wanted []string) (chosen []int, err error) {
	for i, name := range names {
		if wanted == nil || slices.Contains(wanted, name) {
			chosen = append(chosen, i)
		}
	}
	for _, name := range wanted {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("the %s has no column %s; its columns are %s", holder, excerpt.Quote(name, excerpt.Name), excerpt.Few(names))
		}
	}
	return chosen, nil
}

package excerpt

import (
	"fmt"
	"strings"
)

// Few joins the first of many names, each shortened.
func Few(names []string) string {
	const most = 20
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == most {
			fmt.Fprintf(&b, "and %d more", len(names)-most)
			break
		}
		b.WriteString(Shorten(name, Name))
	}
	return b.String()
}

// Package term draws on a terminal: tables, small graphs, progress.
package term

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/term"
)

// IsTerminal tells whether a stream is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Width is how many characters fit on a line of a terminal, 0 if the stream is
// none.
func Width(stream any) int {
	if f, ok := stream.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	return 0
}

// Color tells whether the user wants colors on terminals.
func Color() bool { return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" }

// Plural counts things.
func Plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// Bytes shows a size exactly, and large ones also in a larger unit.
func Bytes(n int64) string {
	switch {
	case n < 10<<10:
		return Plural(int(n), "byte")
	case n < 10<<20:
		return fmt.Sprintf("%d bytes (%.1f KiB)", n, float64(n)/(1<<10))
	case n < 10<<30:
		return fmt.Sprintf("%d bytes (%.1f MiB)", n, float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d bytes (%.1f GiB)", n, float64(n)/(1<<30))
}

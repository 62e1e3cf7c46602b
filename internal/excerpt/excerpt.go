// Package excerpt makes text that comes from elsewhere fit for a line of output
// or an error: short, and without what a terminal would act upon.
package excerpt

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// The lengths in bytes after which [Quote] cuts.
const (
	// Name is that of the longest name of a column.
	Name = 255
	// Value is enough to recognize a value.
	Value = 40
	// Path is that of the longest path of a file.
	Path = 4096
)

// Quote returns text in the quotes of Go. If it has more than longest bytes,
// the rest is left out, and three dots say so.
func Quote[T ~string | ~[]byte](text T, longest int) string {
	if len(text) <= longest {
		return strconv.Quote(string(text))
	}
	end := longest
	for end > max(0, longest-utf8.UTFMax) && !utf8.RuneStart(text[end]) {
		end--
	}
	return strconv.Quote(string(text[:end])) + "..."
}

// Shorten cuts text to a number of characters.
func Shorten(text string, characters int) string {
	if len(text) <= characters {
		return text
	}
	count, cut := 0, 0
	for i := range text {
		if count == characters-1 {
			cut = i
		}
		if count++; count > characters {
			return text[:cut] + "…"
		}
	}
	return text
}

// Line returns text without quotes that fits into a line: at most that many
// characters of it, and printable ones.
func Line(text string, characters int) string { return Printable(Shorten(text, characters)) }

// Error returns the error of a library that does not bound what it quotes, with
// the beginning of its text.
func Error(err error) error { return &short{err} }

// maxError is how many characters of an error are shown.
const maxError = 1000

type short struct{ err error }

func (e *short) Error() string { return Shorten(e.err.Error(), maxError) }

func (e *short) Unwrap() error { return e.err }

// Printable escapes, as Go does, text in which something does not print. Other
// text stays as it is.
func Printable(text string) string {
	for _, r := range text {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			quoted := strconv.Quote(text)
			return quoted[1 : len(quoted)-1]
		}
	}
	return text
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"columnvault/dtype"
)

// textWidth is how much of a text is shown in a table.
const textWidth = 20

// showValue shows the smallest or largest value of a column, if there is one.
func showValue(spec dtype.Spec, v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		if v == "" {
			return `""`
		}
		return printable(shorten(v, textWidth))
	}
	return strings.Trim(string(newPrinter(spec).append(nil, v)), `"`) // "Infinity" has quotes
}

// showMean shows a mean with six digits.
func showMean(s summary) string {
	if !s.hasNumbers() {
		return ""
	}
	switch abs := math.Abs(s.mean); {
	case math.IsInf(abs, 0) || math.IsNaN(abs):
		return strings.Trim(string(appendFloat(nil, s.mean, 64)), `"`)
	case abs >= 1e6 && abs < 1e16:
		return strconv.FormatFloat(s.mean, 'f', 0, 64)
	}
	return strconv.FormatFloat(s.mean, 'g', 6, 64)
}

func showTrend(s summary) string {
	if !s.hasNumbers() {
		return ""
	}
	return strings.TrimRight(sparkline(s.trend), " ")
}

func showInt(n int64) string { return strconv.FormatInt(n, 10) }

// showBytes shows a size exactly, and large ones also in a larger unit.
func showBytes(n int64) string {
	switch {
	case n < 10<<10:
		return plural(int(n), "byte")
	case n < 10<<20:
		return fmt.Sprintf("%d bytes (%.1f KiB)", n, float64(n)/(1<<10))
	case n < 10<<30:
		return fmt.Sprintf("%d bytes (%.1f MiB)", n, float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d bytes (%.1f GiB)", n, float64(n)/(1<<30))
}

// printable escapes what a terminal would act upon, and what is not text.
func printable(s string) string {
	for _, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			quoted := strconv.Quote(s)
			return quoted[1 : len(quoted)-1]
		}
	}
	return s
}

// plural counts things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// shorten cuts s to n characters.
func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// excerpt shows text that an error is about, in quotes unless it looks like
// JSON.
func excerpt(text []byte) string {
	s := printable(shorten(string(text[:min(len(text), 400)]), 60))
	if json.Valid(text) || len(text) > 0 && bytes.IndexByte([]byte(`"{[`), text[0]) >= 0 {
		return s
	}
	return `"` + s + `"`
}

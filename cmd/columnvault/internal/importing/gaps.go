package importing

import (
	"fmt"
	"slices"
	"strings"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/csv"
	"columnvault/internal/values"
)

// maxGaps is how many columns flags are written out for.
const maxGaps = 20

// solution is the hint for missing values.
func (j *Job) solution(gaps []exchange.Gap) string {
	solution := fmt.Sprintf("--na %s sets a value for them", shellQuote(gaps[0].Name+"=VALUE"))
	if len(gaps) > 1 {
		solution = "--na COLUMN=VALUE sets a value for them"
	}
	if slices.ContainsFunc(gaps, func(g exchange.Gap) bool { return g.Absent }) {
		solution += ", --only leaves alone what is not in the file"
	}
	flags, what := j.flags(gaps)
	if len(flags) == 0 || len(gaps) > maxGaps {
		return solution
	}
	return fmt.Sprintf("%s makes them %s; %s", strings.Join(flags, " "), strings.Join(what, " and "), solution)
}

// flags are those that help, and what they make of missing values.
func (j *Job) flags(gaps []exchange.Gap) (flags, what []string) {
	var floats []string
	for _, g := range gaps {
		switch {
		case values.IsNumber(g.Type.Kind) && !j.Import.Append:
			floats = append(floats, string(csv.AppendField(nil, g.Name+"=f64"))) // the flag reads CSV
		case g.Type.Kind == dtype.KindText:
			flags = append(flags, "--na "+shellQuote(g.Name+"="))
		}
	}
	if len(flags) > 0 {
		what = append(what, "empty text")
	}
	if len(floats) > 0 {
		flags = append(flags, "--types "+shellQuote(strings.Join(floats, ",")))
		what = append(what, "NaN")
	}
	return flags, what
}

// shellQuote puts a word of a command line into quotes if a shell would take it
// apart.
func shellQuote(s string) string {
	if strings.ContainsAny(s, " \t\n'\"\\$`*?[]{}()<>|&;#~!") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

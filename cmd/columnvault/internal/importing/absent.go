package importing

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"columnvault/cmd/columnvault/internal/exchange"
	"columnvault/cmd/columnvault/internal/hint"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/cmd/columnvault/internal/values"
	"columnvault/dtype"
	"columnvault/internal/excerpt"
)

// absences are the missing values of a column, if it gets this dtype.
func absences(c exchange.Column, spec dtype.Spec) exchange.Absences {
	if spec.Kind == dtype.KindText {
		return c.Absent
	}
	return c.Absent.Plus(c.Quoted)
}

// fillAbsent finds what stands for missing values of a column, named so in the
// file.
func (p *plan) fillAbsent(to *values.Target, name string) error {
	value, given := p.Absent[name]
	switch {
	case given:
		to.Absent = []byte(value)
		parser := values.NewParser(to.Spec, to.Meaning)
		var err error
		if to.Spec.Kind == dtype.KindText {
			err = parser.Check(value) // as it is
		} else {
			_, err = parser.Parse(to.Absent)
		}
		if err != nil {
			return fmt.Errorf("--na %s: %w", excerpt.Shorten(name+"="+value, excerpt.Name), err)
		}
	case to.Meaning.Null: // they are missing there, too
	case values.IsFloat(to.Spec.Kind):
		to.Absent = []byte("NaN")
	case to.Spec.Kind == dtype.KindMsgPack, to.Spec.Kind == dtype.KindCBOR:
		to.Absent = []byte("null")
	}
	return nil
}

// problem is a column whose dtype cannot hold the missing values of the file.
type problem struct {
	name   string // in the file
	spec   dtype.Spec
	absent exchange.Absences
	extra  bool
}

func (p problem) String() string {
	name := excerpt.Quote(p.name, excerpt.Name)
	if p.extra {
		return fmt.Sprintf("column %s (%v) of the vault is not in the file", name, p.spec)
	}
	return fmt.Sprintf("column %s (%v) has %s, the first on line %d",
		name, p.spec, term.Plural(p.absent.Count, "missing value"), p.absent.FirstLine)
}

// maxProblems is how many problems are described one by one.
const maxProblems = 20

// describe makes one error of all problems, with the flags that solve them.
func (p *plan) describe(problems []problem) error {
	if len(problems) == 0 {
		return nil
	}
	var lines []string
	for _, c := range problems[:min(len(problems), maxProblems)] {
		lines = append(lines, c.String())
	}
	if more := len(problems) - maxProblems; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return hint.Add(errors.New(strings.Join(lines, "\n  ")), "%s", p.solution(problems))
}

// solution is the hint for missing values.
func (p *plan) solution(problems []problem) string {
	solution := fmt.Sprintf("--na %s sets a value for them", shellQuote(problems[0].name+"=VALUE"))
	if len(problems) > 1 {
		solution = "--na COLUMN=VALUE sets a value for them"
	}
	if slices.ContainsFunc(problems, func(c problem) bool { return c.extra }) {
		solution += ", --only leaves alone what is not in the file"
	}
	flags, what := p.flags(problems)
	if len(flags) == 0 || len(problems) > maxProblems {
		return solution
	}
	return fmt.Sprintf("%s makes them %s; %s", strings.Join(flags, " "), strings.Join(what, " and "), solution)
}

// flags are those that solve problems, and what they make of missing values.
func (p *plan) flags(problems []problem) (flags, what []string) {
	var floats []string
	for _, c := range problems {
		switch {
		case values.IsNumber(c.spec.Kind) && !p.Append:
			floats = append(floats, string(exchange.AppendCell(nil, c.name+"=f64"))) // the flag reads CSV
		case c.spec.Kind == dtype.KindText:
			flags = append(flags, "--na "+shellQuote(c.name+"="))
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

package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/dtype"
)

// importColumn is a column of an import.
type importColumn struct {
	name   string // in the vault
	create bool
	spec   dtype.Spec
	absent []byte // the value for absent ones, nil if there is none
	textOf func(text []byte) (string, error)
}

// importPlan is where the columns of a file go.
type importPlan struct {
	prefix string
	append bool
	types  map[string]dtype.Spec // by name in the file
	absent map[string]string     // by name in the file
	// existing holds the columns of the vault by their names.
	existing map[string]columnvault.ColumnInfo
	only     bool // columns that the file lacks stay as they are
}

// parseTypes reads the flags --types.
func parseTypes(cmd *cobra.Command, flags []string) (map[string]dtype.Spec, error) {
	types := map[string]dtype.Spec{}
	for _, flag := range flags {
		i := strings.LastIndexByte(flag, '=')
		if i < 1 {
			return nil, usagef(cmd, "--types %s: want COLUMN=DTYPE", flag)
		}
		spec, err := dtype.ParseSpec(flag[i+1:])
		if err != nil {
			return nil, usagef(cmd, "--types %s: %s", flag, reason(err))
		}
		types[flag[:i]] = spec
	}
	return types, nil
}

// parseAbsent reads the flags --na.
func parseAbsent(cmd *cobra.Command, flags []string) (map[string]string, error) {
	absent := map[string]string{}
	for _, flag := range flags {
		column, value, ok := strings.Cut(flag, "=")
		if !ok || column == "" {
			return nil, usagef(cmd, "--na %s: want COLUMN=VALUE", flag)
		}
		absent[column] = value
	}
	return absent, nil
}

// checkNames looks whether the columns of these names in the file can be
// created, or be appended to.
func (p *importPlan) checkNames(names []string) error {
	var bad []string
	for _, name := range names {
		if _, ok := p.existing[p.prefix+name]; ok != p.append {
			bad = append(bad, fmt.Sprintf("%q", p.prefix+name))
		}
	}
	switch {
	case len(bad) == 0:
		return nil
	case p.append:
		return withHint(fmt.Errorf("the vault has no %s", columnsNamed(bad)), "create makes a column; without --append, import makes all of them")
	default:
		return withHint(fmt.Errorf("the vault already has %s", columnsNamed(bad)), "--append adds to existing columns, --prefix gives new ones another name")
	}
}

// extras returns, of what is appended to, the columns that the file lacks: those
// of the vault that are as long as one that it has. They get missing values,
// for otherwise their rows would no longer stand beside those of the others.
// Like names these are without the prefix.
func (p *importPlan) extras(names []string) (extra []string) {
	if !p.append || p.only {
		return nil
	}
	lengths := map[int]bool{}
	for _, name := range names {
		lengths[p.existing[p.prefix+name].Len] = true
	}
	for _, full := range slices.Sorted(maps.Keys(p.existing)) {
		info := p.existing[full]
		name, ok := strings.CutPrefix(full, p.prefix)
		if ok && lengths[info.Len] && remark(info) == "" && !slices.Contains(names, name) {
			extra = append(extra, name)
		}
	}
	return extra
}

// checkFlags looks whether the file has the columns that flags speak of. For
// what is missing it may also be an extra one.
func (p *importPlan) checkFlags(names, extra []string) error {
	var bad []string
	for _, name := range slices.Sorted(maps.Keys(p.types)) {
		if !slices.Contains(names, name) {
			bad = append(bad, fmt.Sprintf("%q", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.absent)) {
		quoted := fmt.Sprintf("%q", name)
		if !slices.Contains(names, name) && !slices.Contains(extra, name) && !slices.Contains(bad, quoted) {
			bad = append(bad, quoted)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return withHint(fmt.Errorf("the file has no %s", columnsNamed(bad)), "its columns are %s", strings.Join(names, ", "))
}

// columnsNamed puts the right word before names of columns.
func columnsNamed(names []string) string {
	if len(names) == 1 {
		return "column " + names[0]
	}
	return "columns " + strings.Join(names, ", ")
}

// columns decides on the columns of a file that was read once.
func (p *importPlan) columns(in records, found []detected, rows int) ([]*importColumn, error) {
	var columns []*importColumn
	var problems []problem
	for _, d := range found {
		c := &importColumn{name: p.prefix + d.name, create: !p.append, textOf: in.textOf}
		var err error
		if c.spec, err = p.typeOf(in, d, rows); err != nil {
			return nil, fmt.Errorf("column %q: %w", d.name, err)
		}
		if err := p.fillAbsent(c, d.name); err != nil {
			return nil, err
		}
		if absent := d.absences(c.spec); absent.count > 0 && c.absent == nil {
			problems = append(problems, problem{d.name, c.spec, absent, d.extra})
		}
		columns = append(columns, c)
	}
	return columns, p.describe(problems)
}

// typeOf decides on the dtype of a column.
func (p *importPlan) typeOf(in records, d detected, rows int) (dtype.Spec, error) {
	if spec, ok := p.types[d.name]; ok {
		return spec, nil
	}
	name := in.dtypeOf(d.shape)
	switch {
	case p.append:
		name = p.existing[p.prefix+d.name].DType
	case rows == 0:
		err := errors.New("the file has no records that would show its type")
		return dtype.Spec{}, withHint(err, "--types %s=DTYPE names it", d.name)
	}
	return dtype.ParseSpec(name)
}

// absences are those of a column of this dtype.
func (d detected) absences(spec dtype.Spec) absences {
	if spec.Kind == dtype.KindText {
		return d.absent
	}
	return d.absent.plus(d.quoted)
}

// fillAbsent finds what stands for absent values of a column, named so in the
// file.
func (p *importPlan) fillAbsent(c *importColumn, name string) error {
	value, given := p.absent[name]
	switch {
	case given:
		c.absent = []byte(value)
		parser := newParser(c.spec)
		var err error
		if c.spec.Kind == dtype.KindText {
			err = parser.check(value) // as it is
		} else {
			_, err = parser.parse(c.absent)
		}
		if err != nil {
			return fmt.Errorf("--na %s=%s: %w", name, value, err)
		}
	case isFloat(c.spec.Kind):
		c.absent = []byte("NaN")
	case c.spec.Kind == dtype.KindMsgPack, c.spec.Kind == dtype.KindCBOR:
		c.absent = []byte("null")
	}
	return nil
}

// problem is a column whose dtype cannot hold the absent values of the file.
type problem struct {
	name   string // in the file
	spec   dtype.Spec
	absent absences
	extra  bool
}

func (p problem) String() string {
	if p.extra {
		return fmt.Sprintf("column %q (%v) of the vault is not in the file", p.name, p.spec)
	}
	return fmt.Sprintf("column %q (%v) has %s, the first on line %d",
		p.name, p.spec, plural(p.absent.count, "missing value"), p.absent.firstLine)
}

// describe makes one error of all problems, with the flags that solve them.
func (p *importPlan) describe(problems []problem) error {
	if len(problems) == 0 {
		return nil
	}
	var lines, floats, flags, what []string
	for _, c := range problems {
		lines = append(lines, c.String())
		switch {
		case numbers[c.spec.Kind] != nil && !p.append:
			floats = append(floats, string(appendCell(nil, c.name+"=f64"))) // the flag reads CSV
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
	hint := fmt.Sprintf("--na %s sets a value for them", shellQuote(problems[0].name+"=VALUE"))
	if len(problems) > 1 {
		hint = "--na COLUMN=VALUE sets a value for them"
	}
	if slices.ContainsFunc(problems, func(c problem) bool { return c.extra }) {
		hint += ", --only leaves alone what is not in the file"
	}
	if len(flags) > 0 {
		hint = fmt.Sprintf("%s makes them %s; %s", strings.Join(flags, " "), strings.Join(what, " and "), hint)
	}
	return withHint(errors.New(strings.Join(lines, "\n  ")), "%s", hint)
}

// shellQuote puts a word of a command line into quotes if a shell would take it
// apart.
func shellQuote(s string) string {
	if strings.ContainsAny(s, " \t\n'\"\\$`*?[]{}()<>|&;#~!") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

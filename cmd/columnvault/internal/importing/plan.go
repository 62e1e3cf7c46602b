package importing

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/exchange"
	"columnvault/cmd/columnvault/internal/hint"
	"columnvault/cmd/columnvault/internal/values"
	"columnvault/dtype"
	"columnvault/internal/excerpt"
)

// Options say what an import makes of a file.
type Options struct {
	Format exchange.Format
	Into   string // the one column for whole JSON lines
	Prefix string // goes before the names of the file
	Append bool   // to existing columns
	Only   bool   // leave columns alone that the file lacks
	// Types and Absent are, by the names in the file, the dtypes of columns and
	// the values that stand for missing ones.
	Types  map[string]dtype.Spec
	Absent map[string]string
}

// ParseTypes reads dtypes of columns that are given as COLUMN=DTYPE.
func ParseTypes(flags []string) (map[string]dtype.Spec, error) {
	types := map[string]dtype.Spec{}
	for _, flag := range flags {
		i := strings.LastIndexByte(flag, '=')
		shown := excerpt.Shorten(flag, excerpt.Name)
		if i < 1 {
			return nil, fmt.Errorf("--types %s: want COLUMN=DTYPE", shown)
		}
		spec, err := dtype.ParseSpec(flag[i+1:])
		if err != nil {
			return nil, fmt.Errorf("--types %s: %s", shown, values.Reason(err))
		}
		types[flag[:i]] = spec
	}
	return types, nil
}

// ParseAbsent reads values for missing ones that are given as COLUMN=VALUE.
func ParseAbsent(flags []string) (map[string]string, error) {
	absent := map[string]string{}
	for _, flag := range flags {
		column, value, ok := strings.Cut(flag, "=")
		if !ok || column == "" {
			return nil, fmt.Errorf("--na %s: want COLUMN=VALUE", excerpt.Shorten(flag, excerpt.Name))
		}
		absent[column] = value
	}
	return absent, nil
}

// Check looks whether the options go together.
func (o *Options) Check() error {
	switch {
	case o.Only && !o.Append:
		return errors.New("--only goes with --append")
	case o.Append && len(o.Types) > 0:
		return errors.New("--append takes the types of the vault, so there can be no --types")
	case o.Format != exchange.JSONL && o.Into != "":
		return errors.New("--into is for JSON lines")
	}
	return nil
}

// plan is where the columns of a file go.
type plan struct {
	*Options
	// existing holds the columns of the vault by their names.
	existing map[string]columnvault.ColumnInfo
}

func newPlan(o *Options, existing []columnvault.ColumnInfo) *plan {
	p := &plan{o, map[string]columnvault.ColumnInfo{}}
	for _, info := range existing {
		if !info.Incomplete { // such a one may be created
			p.existing[info.Name] = info
		}
	}
	return p
}

// checkNames looks whether the columns of these names in the file can be
// created, or be appended to.
func (p *plan) checkNames(names []string) error {
	var bad []string
	for _, name := range names {
		if _, ok := p.existing[p.Prefix+name]; ok != p.Append {
			bad = append(bad, p.Prefix+name)
		}
	}
	switch {
	case len(bad) == 0:
		return nil
	case p.Append:
		return hint.Add(fmt.Errorf("the vault has no %s", columnsNamed(bad)), "create makes a column; without --append, import makes all of them")
	default:
		return hint.Add(fmt.Errorf("the vault already has %s", columnsNamed(bad)), "--append adds to existing columns, --prefix gives new ones another name")
	}
}

// extras returns, for an append, the columns that the file lacks: those of the
// vault that are as long as one that it has. They get missing values, for
// otherwise their rows would no longer stand beside those of the others. Like
// names these are without the prefix.
func (p *plan) extras(names []string) (extra []string) {
	if !p.Append || p.Only || p.Into != "" { // whole lines lack nothing
		return nil
	}
	lengths := map[int]bool{}
	for _, name := range names {
		lengths[p.existing[p.Prefix+name].Len] = true
	}
	for _, full := range slices.Sorted(maps.Keys(p.existing)) {
		info := p.existing[full]
		name, ok := strings.CutPrefix(full, p.Prefix)
		if ok && lengths[info.Len] && columns.Remark(info) == "" && !slices.Contains(names, name) {
			extra = append(extra, name)
		}
	}
	return extra
}

// checkFlags looks whether the file has the columns that flags speak of. For
// what is missing it may also be an extra one.
func (p *plan) checkFlags(names, extra []string) error {
	var bad []string
	for _, name := range slices.Sorted(maps.Keys(p.Types)) {
		if !slices.Contains(names, name) {
			bad = append(bad, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Absent)) {
		if !slices.Contains(names, name) && !slices.Contains(extra, name) && !slices.Contains(bad, name) {
			bad = append(bad, name)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return hint.Add(fmt.Errorf("the file has no %s", columnsNamed(bad)), "its columns are %s", columns.Few(names))
}

// columnsNamed puts the right word before names of columns.
func columnsNamed(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = excerpt.Quote(name, excerpt.Name)
	}
	if len(quoted) == 1 {
		return "column " + quoted[0]
	}
	return "columns " + columns.Few(quoted)
}

// targets decides on the columns of a file that was read once. extra are those
// of the vault that the file lacks.
func (p *plan) targets(in exchange.Reader, found []exchange.Column, extra []string, rows int) ([]*values.Target, error) {
	var targets []*values.Target
	var problems []problem
	for i, c := range append(slices.Clone(found), absentColumns(extra, rows)...) {
		to := &values.Target{Name: p.Prefix + c.Name, Create: !p.Append, Text: in.Text}
		var err error
		if to.Spec, err = p.typeOf(c, rows); err != nil {
			return nil, fmt.Errorf("column %s: %w", excerpt.Quote(c.Name, excerpt.Name), err)
		}
		if p.Append {
			to.Meaning = p.existing[to.Name].Meaning
		}
		if err := p.fillAbsent(to, c.Name); err != nil {
			return nil, err
		}
		if absent := absences(c, to.Spec); absent.Count > 0 && to.Absent == nil && !to.Meaning.Null {
			problems = append(problems, problem{c.Name, to.Spec, absent, i >= len(found)})
		}
		targets = append(targets, to)
	}
	return targets, p.describe(problems)
}

// absentColumns are columns without any value.
func absentColumns(names []string, rows int) (columns []exchange.Column) {
	for _, name := range names {
		columns = append(columns, exchange.Column{Name: name, Absent: exchange.Absences{Count: rows}})
	}
	return columns
}

// typeOf decides on the dtype of a column.
func (p *plan) typeOf(c exchange.Column, rows int) (dtype.Spec, error) {
	if spec, ok := p.Types[c.Name]; ok {
		return spec, nil
	}
	name := c.DType
	switch {
	case p.Append:
		name = p.existing[p.Prefix+c.Name].DType
	case rows == 0:
		err := errors.New("the file has no records that would show its type")
		return dtype.Spec{}, hint.Add(err, "--types %s=DTYPE names it", excerpt.Shorten(c.Name, excerpt.Name))
	}
	return dtype.ParseSpec(name)
}

package query

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"columnvault"
	"columnvault/dtype"
)

// Table is a table that statements can read.
type Table struct {
	Name string
	// Columns are the names of its columns, the key first.
	Columns []string
	// Rows is how many rows there are, or -1 for a key-value table, whose pairs
	// are not counted.
	Rows int
	// Uneven says that its columns are not of one length. It has as many rows as
	// the shortest has elements.
	Uneven bool
}

// Tables lists the tables that statements on the vault can read: those of
// columns in the order of creation of their first column, then the key-value
// tables by name.
func Tables(ctx context.Context, v *columnvault.Vault) ([]Table, error) {
	tx, err := v.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Close()
	s, err := readSchema(ctx, tx, nil)
	if err != nil {
		return nil, err
	}
	list := make([]Table, len(s.tables))
	for i, t := range s.tables {
		shortest, longest := s.length(t)
		list[i] = Table{Name: t.name, Columns: t.columns, Rows: shortest, Uneven: shortest != longest}
	}
	return list, nil
}

const (
	// ungrouped is the table of the columns without a prefix.
	ungrouped = "columns"
	// position is the key of tables of columns.
	position = "position"
	// maxColumns is how many columns a table of SQLite can have.
	maxColumns = 2000
)

// reserved are the names of tables that every database of SQLite has.
var reserved = []string{"sqlite_schema", "sqlite_master", "sqlite_temp_schema", "sqlite_temp_master", "json_each", "json_tree"}

// schema is what there is in a vault, as tables.
type schema struct {
	infos  []columnvault.ColumnInfo
	pairs  []string // key-value tables
	tables []*table
}

// table is a table of columns, or one of pairs.
type table struct {
	name    string
	columns []string // in SQL; the first is the key
	// sources are the columns of the vault, as positions in schema.infos: that of
	// columns[1] is the first. There are none for pairs.
	sources []int
	// pairs is the name of the key-value table, if it is one.
	pairs string
}

// readSchema reads what there is. If that is the same as before, but for the
// lengths, the tables are also the same.
func readSchema(ctx context.Context, tx *columnvault.Tx, before *schema) (*schema, error) {
	infos, err := tx.Columns(ctx)
	if err != nil {
		return nil, err
	}
	pairs, err := tx.Tables(ctx)
	if err != nil {
		return nil, err
	}
	s := &schema{infos: infos, pairs: pairs}
	if before != nil && slices.Equal(pairs, before.pairs) && slices.EqualFunc(infos, before.infos, sameBesidesLength) {
		s.tables = before.tables
		return s, nil
	}
	s.tables = tablesOf(infos, pairs)
	return s, nil
}

func sameBesidesLength(a, b columnvault.ColumnInfo) bool {
	a.Len, b.Len = 0, 0
	return a == b
}

// length is the number of elements of the shortest and the longest column of a
// table, or -1 for pairs.
func (s *schema) length(t *table) (shortest, longest int) {
	if t.pairs != "" {
		return -1, -1
	}
	shortest = s.infos[t.sources[0]].Len
	for _, i := range t.sources {
		shortest, longest = min(shortest, s.infos[i].Len), max(longest, s.infos[i].Len)
	}
	return shortest, longest
}

// tablesOf makes tables of columns and key-value tables.
func tablesOf(infos []columnvault.ColumnInfo, pairs []string) []*table {
	var tables []*table
	byPrefix := map[string]*table{}
	for i, info := range infos {
		if !readable(info) {
			continue
		}
		prefix, field := split(info.Name)
		t := byPrefix[prefix]
		if t == nil || len(t.columns) == maxColumns {
			// An empty prefix is not a name that a group can have.
			t = &table{name: prefix, columns: []string{""}}
			if prefix == "" {
				t.name = ungrouped
			}
			byPrefix[prefix] = t
			tables = append(tables, t)
		}
		t.columns = append(t.columns, field)
		t.sources = append(t.sources, i)
	}
	for _, t := range tables {
		unique(t.columns[1:], nil)
		t.columns[0] = key(t.columns[1:])
	}
	for _, name := range pairs {
		tables = append(tables, &table{name: name, columns: []string{"key", "value"}, pairs: name})
	}
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.name
	}
	unique(names, reserved)
	for i, t := range tables {
		t.name = names[i]
	}
	return tables
}

// readable tells whether this version can read the elements of a column.
func readable(info columnvault.ColumnInfo) bool {
	_, err := dtype.ParseSpec(info.DType)
	return err == nil && !info.Incomplete && !info.Hidden
}

// split returns what stands before the last dot of a name and what after it. If
// one of these is empty, the name has no prefix.
func split(name string) (prefix, field string) {
	if i := strings.LastIndexByte(name, '.'); i > 0 && i < len(name)-1 {
		return name[:i], name[i+1:]
	}
	return "", name
}

// key is a name for the key that no column has.
func key(columns []string) string {
	name := position
	for slices.ContainsFunc(columns, func(c string) bool { return fold(c) == name }) {
		name = "_" + name
	}
	return name
}

// unique gives names that SQLite takes for the same, because they differ in the
// case of letters only, a number: the first keeps its name, the next becomes
// NAME_2. Names that are given already go before those with a number.
func unique(names, taken []string) {
	used := map[string]bool{}
	for _, name := range taken {
		used[fold(name)] = true
	}
	var again []int
	for i, name := range names {
		names[i] = sqlName(name)
		if name := fold(names[i]); used[name] {
			again = append(again, i)
		} else {
			used[name] = true
		}
	}
	next := map[string]int{}
	for _, i := range again {
		base := fold(names[i])
		n := max(2, next[base])
		for used[fmt.Sprintf("%s_%d", base, n)] {
			n++
		}
		names[i] = fmt.Sprintf("%s_%d", names[i], n)
		used[fold(names[i])] = true
		next[base] = n + 1
	}
}

// sqlName is a name as SQLite can have it: in UTF-8, without U+0000, not empty.
func sqlName(name string) string {
	name = strings.ReplaceAll(strings.ToValidUTF8(name, "\ufffd"), "\x00", "\ufffd")
	if name == "" {
		return "_"
	}
	return name
}

// fold is what SQLite compares of a name: letters from A to Z count as small.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, name)
}

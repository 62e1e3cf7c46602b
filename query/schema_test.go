package query

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"columnvault"
)

// TestTablesOf: the rules of docs/query.md for the names of tables and columns.
func TestTablesOf(t *testing.T) {
	for _, test := range []struct {
		name    string
		columns string // NAME or NAME=LENGTH
		pairs   string
		want    string
	}{
		{"none", "", "", ""},
		{"prefixes", "a t.x b t.y", "", "columns(position a b); t(position x y)"},
		{"the last dot counts", "a.b.c a.b.d a.e", "", "a.b(position c d); a(position e)"},
		{"a dot at an end is none", ".a b. .", "", "columns(position .a b. .)"},
		{"letters of two cases", "Temp temp TEMP temp_2", "", "columns(position Temp temp_3 TEMP_4 temp_2)"},
		{"tables of two cases", "T.a t.b", "", "T(position a); t_2(position b)"},
		{"other letters have no case", "É é", "", "columns(position É é)"},
		{"a column called position", "t.position t.x", "", "t(_position position x)"},
		{"position in capitals", "POSITION _position", "", "columns(__position POSITION _position)"},
		{"a group like a key-value table", "kv.a", "kv", "kv(position a); kv_2(key value)"},
		{"a table called columns", "columns.a b", "columns", "columns(position a); columns_2(position b); columns_3(key value)"},
		{"names of the engine", "sqlite_schema.a JSON_EACH.b", "", "sqlite_schema_2(position a); JSON_EACH_2(position b)"},
		{"names that SQL cannot have", "a\x00b a\xffb", "", "columns(position a\ufffdb a\ufffdb_2)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, table := range tablesOf(infos(strings.Fields(test.columns)), strings.Fields(test.pairs)) {
				got = append(got, fmt.Sprintf("%s(%s)", table.name, strings.Join(table.columns, " ")))
			}
			if got := strings.Join(got, "; "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func infos(names []string) []columnvault.ColumnInfo {
	list := make([]columnvault.ColumnInfo, len(names))
	for i, name := range names {
		list[i] = columnvault.ColumnInfo{Name: name, DType: "i64"}
	}
	return list
}

// TestTablesOfUnreadable: columns that cannot be read do not make their tables
// shorter, or unreadable.
func TestTablesOfUnreadable(t *testing.T) {
	list := infos([]string{"good", "half", "one", "strange"})
	list[1].Incomplete, list[2].Hidden, list[3].DType = true, true, "i65"
	tables := tablesOf(list, nil)
	if len(tables) != 1 || !slices.Equal(tables[0].columns, []string{"position", "good"}) {
		t.Errorf("got %+v", tables)
	}
}

// TestTablesOfMany: a table that would be wider than the engine allows goes on
// in others.
func TestTablesOfMany(t *testing.T) {
	names := make([]string, 2*maxColumns)
	for i := range names {
		names[i] = fmt.Sprintf("t.c%d", i)
	}
	tables := tablesOf(infos(names), nil)
	seen := 0
	for i, table := range tables {
		if want := []string{"t", "t_2", "t_3"}[i]; table.name != want || len(table.columns) > maxColumns || table.columns[0] != position {
			t.Errorf("table %d is %s with %d columns", i, table.name, len(table.columns))
		}
		seen += len(table.sources)
	}
	if len(tables) != 3 || seen != len(names) {
		t.Errorf("%d tables with %d columns of %d", len(tables), seen, len(names))
	}
}

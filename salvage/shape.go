package salvage

import (
	"strings"

	"columnvault/internal/sqlitefile"
)

// role is what a tree holds.
type role int

const (
	other role = iota
	roleSchema
	roleMeta
	roleColumns
	roleChunks
	rolePairs
	roleKeys   // the index over the keys of a table of pairs
	rolePlaces // an index over the columns and the numbers of chunks
	roleNames  // an index over the names of columns
	roleNativeColumns
	roleNativeRuns
	roleNativeBytes
	roleBlockFormat // the tables of KohakuVault 1.x
	roleBlockColumns
	roleBlocks
	roleBlockData
	roleBlockNumbers // the index over the columns and the numbers of blocks
	roleBlockFirsts  // that over the columns and the first elements of blocks
)

// tableRoles are the tables of a vault by name.
var tableRoles = map[string]role{
	"kohakuvault_meta":    roleMeta,
	"col_meta":            roleColumns,
	"col_chunks":          roleChunks,
	"columnvault_columns": roleNativeColumns,
	"columnvault_runs":    roleNativeRuns,
	"columnvault_bytes":   roleNativeBytes,
	"kvault_col_format":   roleBlockFormat,
	"kvault_col_columns":  roleBlockColumns,
	"kvault_col_blocks":   roleBlocks,
	"kvault_col_data":     roleBlockData,
}

// shapes say what the fields of a row look like in each role: n is NULL, i an
// integer, t text, b a BLOB, d a BLOB or text, o an integer or NULL, a text or
// NULL. Fields after those are ignored if the shape ends with a +, as another
// program may have added some.
var shapes = []struct {
	role  role
	index bool
	shape string
}{
	{roleSchema, false, "tttid"},
	{roleSchema, false, "tttin"},
	{roleMeta, false, "tt"},
	{roleNativeColumns, false, "nttiiiia+"}, // before the next, which has numbers there
	{roleColumns, false, "nttiiioo+"},
	{roleChunks, false, "iidiiioo+"},
	{rolePairs, false, "bb"},
	{rolePairs, true, "bb"},
	{roleKeys, true, "bi"},
	{roleNames, true, "ti"},
	{rolePlaces, true, "iii"},
	{rolePlaces, true, "iiiii"},
	{roleNativeRuns, true, "iiiiib"},
	{roleNativeBytes, false, "nb"},
	{roleBlockColumns, false, "nttiii+"},
	{roleBlocks, false, "niiiiiii+"},
	{roleBlockData, false, "nbn"},
	{roleBlockData, false, "nbb"},
}

// has tells whether a row has this shape.
func has(fields []sqlitefile.Field, shape string) bool {
	shape, more := strings.CutSuffix(shape, "+")
	if len(fields) < len(shape) || len(fields) > len(shape) && !more {
		return false
	}
	for k, want := range []byte(shape) {
		switch kind := fields[k].Kind; want {
		case 'n':
			if kind != sqlitefile.Null {
				return false
			}
		case 'i':
			if kind != sqlitefile.Integer {
				return false
			}
		case 't':
			if kind != sqlitefile.Text {
				return false
			}
		case 'b':
			if kind != sqlitefile.Blob {
				return false
			}
		case 'd':
			if kind != sqlitefile.Blob && kind != sqlitefile.Text {
				return false
			}
		case 'a':
			if kind != sqlitefile.Text && kind != sqlitefile.Null {
				return false
			}
		case 'o':
			if kind != sqlitefile.Integer && kind != sqlitefile.Null {
				return false
			}
		}
	}
	return true
}

// sampledPages is how many pages of a tree are looked at to find its role.
const sampledPages = 16

// roleOf finds what a tree holds by the shape of its rows: more than half of
// those in a sample must have it.
func roleOf(f *sqlitefile.File, t sqlitefile.Tree) role {
	votes, rows := map[role]int{}, 0
	step := max(1, len(t.Pages)/sampledPages)
	for k := 0; k < len(t.Pages); k += step {
		f.Rows(t.Pages[k], func(r *sqlitefile.Row) bool {
			rows++
			for _, s := range shapes {
				if s.index == t.Index && has(r.Fields, s.shape) {
					votes[s.role]++
					break
				}
			}
			return true
		})
	}
	for role, n := range votes {
		if n*2 > rows {
			return role
		}
	}
	return other
}

package interop

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"columnvault"
	"columnvault/internal/vaulttest"
)

// TestTablesInPython: the columns of a table are plain columns for 0.8.6, and
// rows that it appends field by field are rows of the table.
func TestTablesInPython(t *testing.T) {
	ctx := t.Context()
	python := startPython(t)
	type trip struct {
		When time.Time
		Stop string
		Tip  sql.Null[int]
	}
	path := filepath.Join(t.TempDir(), "a.db")
	v := vaulttest.OpenAt(t, path, nil)
	trips, err := columnvault.EnsureTable[trip](ctx, v, "trips", nil)
	vaulttest.Must(t, err)
	rows := []trip{{time.Unix(1, 0).UTC(), "north", sql.Null[int]{}}, {time.Unix(2, 0).UTC(), "", some(5)}}
	vaulttest.Must(t, trips.Append(ctx, rows...))
	do := func(op, column string, values ...any) []any {
		t.Helper()
		answer, err := python.do(request{Op: op, Path: path, Name: "trips." + column, Values: values})
		vaulttest.Must(t, err)
		return answer
	}
	vaulttest.WantValues(t, "trips.When", do("read", "When"), []any{json.Number("1000000"), json.Number("2000000")})
	vaulttest.WantValues(t, "trips.Stop", do("read", "Stop"), []any{"north", ""})
	vaulttest.WantValues(t, "trips.Tip", do("read", "Tip"), []any{json.Number("-9223372036854775808"), json.Number("5")})
	do("append", "When", 3_000_000)
	do("append", "Stop", "south")
	vaulttest.WantErr(t, "half of a row", trips.Append(ctx, rows[0]), columnvault.ErrUneven)
	do("append", "Tip", 6)
	vaulttest.Must(t, trips.Append(ctx, rows[0]))
	got, err := trips.Slice(ctx, 2, columnvault.End)
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "the rows", got, []trip{{time.Unix(3, 0).UTC(), "south", some(6)}, rows[0]})
	vaulttest.WantSound(t, v)
}

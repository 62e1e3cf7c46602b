package interop

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
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

// TestGoldenTableInPython: 0.8.6 reads the columns of testdata/own/table.db as
// plain ones.
func TestGoldenTableInPython(t *testing.T) {
	python := startPython(t)
	path := vaulttest.CopyGolden(t, "own", "table.db")
	rides := vaulttest.Rides()
	of := func(value func(r vaulttest.Ride) any) []any {
		return vaulttest.Sequence(len(rides), func(i int) any { return value(rides[i]) })
	}
	number := func(n int64) any { return json.Number(fmt.Sprint(n)) }
	const missing = -1 << 63
	for column, want := range map[string][]any{
		"At":    of(func(r vaulttest.Ride) any { return number(r.At.UnixMilli()) }),
		"day":   of(func(r vaulttest.Ride) any { return number(r.Day.Unix() / 86400) }),
		"Seats": of(func(r vaulttest.Ride) any { return number(int64(r.Seats)) }),
		"Stop":  of(func(r vaulttest.Ride) any { return r.Stop }),
		"Seen": of(func(r vaulttest.Ride) any {
			if !r.Seen.Valid {
				return number(missing)
			}
			return number(r.Seen.V.UnixMicro())
		}),
		"Tip": of(func(r vaulttest.Ride) any {
			if !r.Tip.Valid {
				return number(missing)
			}
			return number(int64(r.Tip.V))
		}),
		"Note": of(func(r vaulttest.Ride) any {
			if !r.Note.Valid {
				return "\x00"
			}
			return r.Note.V
		}),
	} {
		got, err := python.do(request{Op: "read", Path: path, Name: "rides." + column})
		vaulttest.Must(t, err)
		vaulttest.WantValues(t, "rides."+column, got, want)
	}
}

// TestGoldenTableBeside1x: 1.x, which does not see the columns of the table,
// works in the same file, and leaves them whole.
func TestGoldenTableBeside1x(t *testing.T) {
	ctx := t.Context()
	python := os.Getenv("COLUMNVAULT_PYTHON_1X")
	if python == "" {
		t.Skip("COLUMNVAULT_PYTHON_1X does not name a Python that has kohakuvault 1.1.0; see doc.go")
	}
	path := vaulttest.CopyGolden(t, "own", "table.db")
	v := vaulttest.OpenAt(t, path, nil)
	rides, err := columnvault.EnsureTable[vaulttest.Ride](ctx, v, "rides", nil)
	vaulttest.Must(t, err)
	more := vaulttest.Rides()[:3]
	seen := beside(t, python, path, func() { vaulttest.Must(t, rides.Append(ctx, more...)) })
	vaulttest.WantValues(t, "its own column", seen["of 1.x"], []any{5.0, 2.0, 3.0, 4.0, 6.0})
	got, err := rides.Slice(ctx, columnvault.Begin, columnvault.End)
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "the rows", got, append(vaulttest.Rides(), more...))
	vaulttest.WantSound(t, v)
}

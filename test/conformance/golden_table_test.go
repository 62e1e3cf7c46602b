package conformance_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"columnvault"
	"columnvault/internal/vaulttest"
)

// TestTableOfAnEarlierVersionIsReadWhole: the table of testdata/own/table.db has
// the rows that it was given, with their meanings, and takes more. An older and
// a newer struct open it too.
func TestTableOfAnEarlierVersionIsReadWhole(t *testing.T) {
	ctx := t.Context()
	path := vaulttest.File(t, "testdata", "own", "table.db")
	if _, err := os.Stat(path); *writeOwn && errors.Is(err, fs.ErrNotExist) {
		v := vaulttest.OpenAt(t, path, &columnvault.Options{PageSize: 512})
		rides, err := columnvault.EnsureTable[vaulttest.Ride](ctx, v, "rides", &columnvault.TableOptions{Columns: *vaulttest.Chunks(48, 1008)})
		vaulttest.Must(t, err)
		vaulttest.Must(t, rides.Append(ctx, vaulttest.Rides()...))
		vaulttest.Must(t, v.Close())
	}
	v := vaulttest.OpenAt(t, vaulttest.CopyGolden(t, "own", "table.db"), nil)
	vaulttest.WantSound(t, v)
	want := vaulttest.Rides()
	rides, err := columnvault.EnsureTable[vaulttest.Ride](ctx, v, "rides", nil)
	vaulttest.Must(t, err)
	wantRows(t, rides, want)

	type column struct{ name, dtype, meaning string }
	var columns []column
	for _, c := range rides.Columns() {
		columns = append(columns, column{c.Name, c.DType, c.Meaning.String()})
	}
	vaulttest.WantValues(t, "the columns", columns, []column{
		{"At", "i64", "time=ms"}, {"day", "i64", "date"}, {"Seen", "i64", "time=us null"}, {"Stop", "str:utf8", ""},
		{"Note", "str:utf8", "null"}, {"Tip", "i64", "null"}, {"Fare", "f64", "null"}, {"Seats", "i64", ""}})
	dynamic, err := v.Table(ctx, "rides")
	vaulttest.Must(t, err)
	row, err := dynamic.At(ctx, 0)
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "a row", row, []any{want[0].At, want[0].Day, nil, "stop 0", nil, nil, nil, int64(0)})

	vaulttest.Must(t, rides.Append(ctx, want[1]))
	type newer struct {
		vaulttest.Ride
		Kind string `columnvault:",,default=bus"`
		Left time.Time
	}
	vaulttest.WantErr(t, "no default", vaulttest.ErrOf(columnvault.EnsureTable[newer](ctx, v, "rides", nil)), columnvault.ErrDType)
	type kind struct {
		vaulttest.Ride
		Kind string `columnvault:",,default=bus"`
	}
	kinds, err := columnvault.EnsureTable[kind](ctx, v, "rides", nil)
	vaulttest.Must(t, err)
	wantRows(t, kinds, vaulttest.Sequence(len(want)+1, func(i int) kind { return kind{append(want, want[1])[i], "bus"} }))
	vaulttest.WantSound(t, v)
}

package interop

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// beside starts beside.py on a file, waits until it has the vault open, calls
// change, and returns what it sees after that.
func beside(t *testing.T, python, path string, change func()) (seen map[string][]any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "beside.py", path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	vaulttest.Must(t, err)
	out, err := cmd.StdoutPipe()
	vaulttest.Must(t, err)
	vaulttest.Must(t, cmd.Start())
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err == nil {
		change()
	}
	_, err = io.WriteString(in, "\n")
	vaulttest.Must(t, err)
	answer, _ := lines.ReadBytes('\n')
	vaulttest.Must(t, cmd.Wait())
	vaulttest.Must(t, json.Unmarshal(answer, &seen))
	return seen
}

func some[T any](v T) sql.Null[T] { return sql.Null[T]{V: v, Valid: true} }

// TestMeaningsBeside086 gives columns a meaning while 0.8.6 has the vault open.
// It goes on, and sees the plain elements that README.md promises.
func TestMeaningsBeside086(t *testing.T) {
	ctx := t.Context()
	python := pythonPath(t)
	path := filepath.Join(t.TempDir(), "a.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.Create(t, v, "old of 0.8.6", dtype.Int64)
	at := time.Unix(1, 0).UTC()
	var none sql.Null[time.Time]
	seen := beside(t, python, path, func() {
		vaulttest.Must(t, vaulttest.ErrOf(v.Retype(ctx, "old of 0.8.6", dtype.Meaning{Date: true, Null: true}, nil)))
		vaulttest.Create(t, v, "at", dtype.Nullable(dtype.Timestamp(dtype.Microsecond, "Europe/Berlin")), some(at), none)
		vaulttest.Create(t, v, "day", dtype.Date, at)
		vaulttest.Create(t, v, "number", dtype.Nullable(dtype.Int64), some(int64(7)), sql.Null[int64]{})
		vaulttest.Create(t, v, "float", dtype.Nullable(dtype.Float64), some(0.5), sql.Null[float64]{})
		vaulttest.Create(t, v, "words", dtype.Nullable(dtype.String), some("word"), sql.Null[string]{})
		vaulttest.Create(t, v, "doc", dtype.Nullable(dtype.MsgPack[int]()), some(3), sql.Null[int]{})
	})
	for name, want := range map[string][]any{
		"old of 0.8.6": {5.0, 2.0, 3.0, 4.0, 6.0},
		"at":           {"1000000", "-9223372036854775808"},
		"day":          {"0"},
		"number":       {"7", "-9223372036854775808"},
		"float":        {"0.5", "nan"},
		"words":        {"word", "\x00"},
		"doc":          {"3", nil},
	} {
		vaulttest.WantValues(t, name+" in Python", seen[name], want)
	}

	vaulttest.WantSound(t, v)
	dates := vaulttest.Lookup(t, v, "old of 0.8.6", dtype.Nullable(dtype.Date))
	vaulttest.WantLen(t, dates, 5)
	vaulttest.WantAt(t, dates, 0, some(time.Date(1970, 1, 6, 0, 0, 0, 0, time.UTC)))
	berlin, err := time.LoadLocation("Europe/Berlin")
	vaulttest.Must(t, err)
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "at", dtype.Nullable(dtype.Timestamp(dtype.Microsecond, "Europe/Berlin"))),
		some(at.In(berlin)), none, some(at.Add(time.Second).In(berlin)))
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "number", dtype.Nullable(dtype.Int64)), sql.Null[int64]{}, sql.Null[int64]{})
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "float", dtype.Nullable(dtype.Float64)), some(0.5), sql.Null[float64]{}, sql.Null[float64]{})
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "words", dtype.Nullable(dtype.String)), some("word"), sql.Null[string]{}, sql.Null[string]{})
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "doc", dtype.Nullable(dtype.MsgPack[int]())), some(3), sql.Null[int]{}, sql.Null[int]{})
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "ensured", dtype.Float64), 1.5)
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "text", dtype.String), "a", "")
	vaulttest.WantGet(t, v.KV(), "after", "2")
}

// TestMeaningsBeside1x does the same beside KohakuVault 1.x, whose columns lie
// in other tables of the file.
func TestMeaningsBeside1x(t *testing.T) {
	ctx := t.Context()
	python := os.Getenv("COLUMNVAULT_PYTHON_1X")
	if python == "" {
		t.Skip("COLUMNVAULT_PYTHON_1X does not name a Python that has kohakuvault 1.1.0; see doc.go")
	}
	path := filepath.Join(t.TempDir(), "a.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.Create(t, v, "ours", dtype.Int64, 1)
	seen := beside(t, python, path, func() {
		vaulttest.Must(t, vaulttest.ErrOf(v.Retype(ctx, "ours", dtype.Meaning{Date: true}, nil)))
	})
	vaulttest.WantValues(t, "its own column", seen["of 1.x"], []any{5.0, 2.0, 3.0, 4.0, 6.0})
	vaulttest.WantSound(t, v)
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "ours", dtype.Date), time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC))
	infos, err := v.Columns(ctx)
	vaulttest.Must(t, err)
	names := map[string]columnvault.ColumnInfo{}
	for _, info := range infos {
		names[info.Name] = info
	}
	if of := names["of 1.x"]; of.Layout != 1 || of.Len != 5 || of.Meaning != (dtype.Meaning{}) || len(infos) != 4 {
		t.Errorf("listed are %+v", infos)
	}
	vaulttest.WantGet(t, v.KV(), "after", "2")
}

package interop

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// pythonOf is a Python with the KohakuVault whose columns are in the layout.
func pythonOf(t *testing.T, layout int) string {
	t.Helper()
	if layout == 0 {
		return pythonPath(t)
	}
	python := os.Getenv("COLUMNVAULT_PYTHON_1X")
	if python == "" {
		t.Skip("COLUMNVAULT_PYTHON_1X does not name a Python that has kohakuvault 1.1.0; see doc.go")
	}
	return python
}

// opens086 tells whether 0.8.6 knows a dtype.
func opens086(s dtype.Spec) bool {
	return s.Kind == dtype.KindInt64 || s.Kind == dtype.KindFloat64 || s.Kind > dtype.KindFloat64
}

// encoded is the elements of a column in their stored form.
func encoded(t *testing.T, v *columnvault.Vault, name string) (list []string) {
	t.Helper()
	ctx := t.Context()
	col, err := v.Column(ctx, name)
	vaulttest.Must(t, err)
	typ, err := dtype.Parse(col.DType())
	vaulttest.Must(t, err)
	for value, err := range col.Values(ctx) {
		vaulttest.Must(t, err)
		b, err := typ.Append(nil, value)
		vaulttest.Must(t, err)
		if s := typ.Spec(); s.Kind == dtype.KindVector && len(s.Dims) == 0 && b[1] == 0 {
			b = append([]byte{b[0], 1, 1, 0, 0, 0}, b[2:]...) // KohakuVault reads a number without dimensions so
		}
		list = append(list, string(b))
	}
	return list
}

// turn does with a slice what turn.py does with a column.
func turn(list []string) []string {
	if len(list) == 0 {
		return list
	}
	first, last := list[0], list[len(list)-1]
	list = append(slices.Clone(list), first, last, first)
	list[1] = last
	return list[1:]
}

// TestMigratedColumns brings the columns of the files of each KohakuVault to the
// layout of the other, which then reads them, changes them and makes copies of
// them; and this project reads that, and brings it back.
func TestMigratedColumns(t *testing.T) {
	for from, folder := range []string{"v0", "v1"} {
		for file := range vaulttest.ReadGolden(t, folder) {
			t.Run(folder+"/"+file, func(t *testing.T) {
				ctx := t.Context()
				python := pythonOf(t, 1-from)
				path := vaulttest.CopyGolden(t, folder, file)
				before := map[string][]string{}
				args := []string{"turn.py", path}
				v := vaulttest.OpenAt(t, path, nil)
				_, err := v.Migrate(ctx, columnvault.MigrateOptions{To: 1 - from, Transcode: true})
				vaulttest.Must(t, err)
				infos, err := v.Columns(ctx)
				vaulttest.Must(t, err)
				for _, info := range infos {
					spec, err := dtype.ParseSpec(info.DType)
					vaulttest.Must(t, err)
					if from == 0 || opens086(spec) {
						before[info.Name] = encoded(t, v, info.Name)
						args = append(args, info.Name)
					}
				}
				vaulttest.Must(t, v.Close())

				cmd := exec.CommandContext(ctx, python, args...)
				cmd.Stderr = os.Stderr
				out, err := cmd.Output()
				vaulttest.Must(t, err)
				var wrong map[string]string
				vaulttest.Must(t, json.Unmarshal(out, &wrong))
				for name, why := range wrong {
					t.Errorf("KohakuVault and %q: %s", name, why)
				}

				v = vaulttest.OpenAt(t, path, nil)
				same := func(what, name string, want []string) {
					t.Helper()
					if got := encoded(t, v, name); !slices.Equal(got, want) {
						t.Errorf("%s %s: %q, want %q", name, what, got, want)
					}
				}
				for name, elements := range before {
					same("copied", name+" copy", elements)
					same("changed", name, turn(elements))
				}
				for _, f := range vaulttest.Found(t, v, columnvault.CheckOptions{Full: true}) {
					if f.Severity == columnvault.SeverityDamage || from == 0 && f.Severity > columnvault.SeverityNote && f.Column != "" {
						t.Errorf("found %+v", f)
					}
				}
				_, err = v.Migrate(ctx, columnvault.MigrateOptions{To: from})
				vaulttest.Must(t, err)
				for name, elements := range before {
					same("brought back", name, turn(elements))
				}
			})
		}
	}
}

// TestViewBeside11 reads in a View while 1.1.0 writes to the same column.
func TestViewBeside11(t *testing.T) {
	ctx := t.Context()
	python := pythonOf(t, 1)
	path := vaulttest.CopyGolden(t, "v1", "many.db")
	v := vaulttest.OpenAt(t, path, nil)
	before := map[string][]string{"i": encoded(t, v, "i"), "s": encoded(t, v, "s")}
	read := func(in columnvault.Scope, name string) (list []string) {
		t.Helper()
		var values []string
		var err error
		if name == "i" {
			col := vaulttest.Lookup(t, in, name, dtype.Int64)
			numbers, e := col.Slice(ctx, columnvault.Begin, columnvault.End)
			for _, n := range numbers {
				b, _ := dtype.Int64.Append(nil, n)
				values = append(values, string(b))
			}
			err = e
		} else {
			values, err = vaulttest.Lookup(t, in, name, dtype.String).Slice(ctx, columnvault.Begin, columnvault.End)
		}
		vaulttest.Must(t, err)
		return values
	}
	tx, err := v.Snapshot(ctx)
	vaulttest.Must(t, err)
	defer tx.Close()
	for name, want := range before {
		if !slices.Equal(read(tx, name), want) {
			t.Errorf("%s differs in the View", name)
		}
	}
	cmd := exec.CommandContext(ctx, python, "turn.py", path, "i", "s")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	vaulttest.Must(t, err)
	if strings.TrimSpace(string(out)) != "{}" {
		t.Errorf("KohakuVault: %s", out)
	}
	for name, want := range before {
		if !slices.Equal(read(tx, name), want) {
			t.Errorf("%s has changed in the View", name)
		}
		if got := read(v, name); !slices.Equal(got, turn(want)) {
			t.Errorf("%s: %d elements after the View, want %d others", name, len(got), len(want)+2)
		}
	}
}

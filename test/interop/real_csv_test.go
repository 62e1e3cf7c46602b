package interop_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"columnvault/exchange"
	"columnvault/exchange/csv"
	"columnvault/internal/vaulttest"
)

// malformed are files that are not plain CSV, and what is said of them: notes
// before or in place of the header, a header that names fewer columns than there
// are, and a quote that goes on.
var malformed = map[string]string{
	"Stocks.csv":              "line 2: the record has 11 fields, and the header 1",
	"breast_cancer.csv":       "line 2: the record has 31 fields, and the header 4",
	"wine_data.csv":           "line 2: the record has 14 fields, and the header 5",
	"unemp.csv":               "line 10: the record has 5 fields, and the header 1",
	"scotland_population.csv": "line 16: the record has 1 field, and the header 2",
	"scotvote.csv":            "line 1: field 1 goes on after its closing quote",
	"arima212_forecast.csv":   "line 3: the record has 5 fields, and the header 6",
	"dietox.csv":              "line 2: the record has 8 fields, and the header 7",
}

// count prints how many records Python's csv module finds in each file.
const count = `
import csv, io, sys
for name in sys.argv[1:]:
    print(sum(1 for r in csv.reader(open(name, encoding="utf-8-sig", newline="")) if r))
`

// TestRealCSV reads the CSV files that some Python packages ship, without any
// option, and compares the number of records with what Python finds. Its log is
// the table of docs/import.md.
func TestRealCSV(t *testing.T) {
	if os.Getenv("COLUMNVAULT_REAL_CSV") == "" {
		t.Skip("set COLUMNVAULT_REAL_CSV=1 to download packages with CSV files")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skipf("there is no Python: %v", err)
	}
	dir := t.TempDir()
	for _, wheel := range []string{"scikit-learn==1.9.1", "vega_datasets==0.9.0", "statsmodels==0.15.0", "matplotlib==3.11.2"} {
		out, err := exec.Command(python, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "--python-version", "3.11",
			"-d", dir, wheel).CombinedOutput()
		if err != nil {
			t.Skipf("%s cannot be downloaded: %v\n%s", wheel, err, out)
		}
	}
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	vaulttest.Must(t, err)
	files := 0
	for _, wheel := range wheels {
		files += readWheel(t, python, wheel)
	}
	if files < 20 {
		t.Errorf("only %d files were read", files)
	}
}

// readWheel reads the CSV files of a wheel, and returns how many could be.
func readWheel(t *testing.T, python, wheel string) (files int) {
	t.Helper()
	z, err := zip.OpenReader(wheel)
	vaulttest.Must(t, err)
	defer z.Close()
	name, _, _ := strings.Cut(filepath.Base(wheel), "-")
	dir := t.TempDir()
	var plains []string
	var rows []int // of each, with the header
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, ".csv") && !strings.HasSuffix(f.Name, ".csv.gz") {
			continue
		}
		text := contentOf(t, f)
		r := csv.NewReader(bytes.NewReader(text), nil)
		result, err := exchange.Detect(context.Background(), r, nil)
		short := path.Base(f.Name)
		if err != nil {
			if want, ok := malformed[short]; !ok || err.Error() != want {
				t.Errorf("%s %s: %v", name, short, err)
			}
			continue
		}
		files++
		t.Logf("| %s | %s | %d | %s |", short, name, result.Rows, summary(result.Columns))
		if len(result.Columns) > 1 { // of one, an empty line is a record
			plain := filepath.Join(dir, fmt.Sprintf("%d.csv", len(plains)))
			vaulttest.Must(t, os.WriteFile(plain, text, 0o666))
			plains, rows = append(plains, plain), append(rows, result.Rows+1)
		}
	}
	out, err := exec.Command(python, append([]string{"-c", count}, plains...)...).Output()
	vaulttest.Must(t, err)
	if want := strings.Trim(strings.ReplaceAll(fmt.Sprint(rows), " ", "\n"), "[]") + "\n"; string(out) != want && len(rows) > 0 {
		t.Errorf("%s: with the headers there are\n%sof records, and for Python\n%s", name, want, out)
	}
	return files
}

func contentOf(t *testing.T, f *zip.File) []byte {
	t.Helper()
	r, err := f.Open()
	vaulttest.Must(t, err)
	defer r.Close()
	var in io.Reader = r
	if strings.HasSuffix(f.Name, ".gz") {
		in, err = gzip.NewReader(r)
		vaulttest.Must(t, err)
	}
	text, err := io.ReadAll(in)
	vaulttest.Must(t, err)
	return text
}

// summary counts the types of columns.
func summary(columns []exchange.Imported) string {
	counts := map[string]int{}
	var order, parts []string
	for _, c := range columns {
		s := c.Field.String()
		if counts[s]++; counts[s] == 1 {
			order = append(order, s)
		}
	}
	for _, s := range order {
		parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
	}
	return fmt.Sprintf("%d | %s", len(columns), strings.Join(parts, ", "))
}

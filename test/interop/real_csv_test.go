package interop_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"columnvault"
	"columnvault/exchange"
	"columnvault/exchange/csv"
	"columnvault/exchange/jsonl"
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

// packages are the wheels whose CSV files are read.
var packages = []string{"scikit-learn==1.9.1", "vega_datasets==0.9.0", "statsmodels==0.15.0", "matplotlib==3.11.2"}

// reader is what the values are compared with.
const reader = "pandas==3.1.1"

// TestRealCSV imports the CSV files that some Python packages ship, without any
// option, and compares every name, type, value and gap with what pandas reads.
// Its log is the table of docs/import.md.
func TestRealCSV(t *testing.T) {
	if os.Getenv("COLUMNVAULT_REAL_CSV") == "" {
		t.Skip("set COLUMNVAULT_REAL_CSV=1 to download packages with CSV files, and pandas")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skipf("there is no Python: %v", err)
	}
	dir, library := t.TempDir(), t.TempDir()
	pip(t, python, append([]string{"download", "--no-deps", "--only-binary=:all:", "--python-version", "3.11", "-d", dir}, packages...)...)
	pip(t, python, "install", "--only-binary=:all:", "--target", library, reader)
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	vaulttest.Must(t, err)
	files := 0
	for _, wheel := range wheels {
		work := t.TempDir()
		n := importWheel(t, wheel, work)
		files += n
		var out, log bytes.Buffer
		cmd := exec.Command(python, "real_csv.py", work)
		cmd.Env = append(os.Environ(), "PYTHONPATH="+library)
		cmd.Stdout, cmd.Stderr = &out, &log
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v\n%s", wheel, err, log.String())
		}
		if out.Len() > 0 {
			t.Errorf("%s: pandas reads something else:\n%s", filepath.Base(wheel), out.String())
		}
		t.Logf("%s: %d files, %s", filepath.Base(wheel), n, strings.TrimSpace(log.String()))
	}
	if files < 200 {
		t.Errorf("only %d files were read", files)
	}
}

// pip runs pip, which needs the network.
func pip(t *testing.T, python string, args ...string) {
	t.Helper()
	out, err := exec.Command(python, append([]string{"-m", "pip", "--quiet", "--disable-pip-version-check"}, args...)...).CombinedOutput()
	if err != nil {
		t.Skipf("pip %v: %v\n%s", args, err, out)
	}
}

// imported is what real_csv.py is told of a file.
type imported struct {
	File      string   `json:"file"`
	Delimiter string   `json:"delimiter"`
	Names     []string `json:"names"`
	Types     []string `json:"types"`
}

// importWheel imports the CSV files of a wheel and writes them to a folder, with
// what was made of them. It returns how many could be read.
func importWheel(t *testing.T, wheel, work string) (files int) {
	t.Helper()
	z, err := zip.OpenReader(wheel)
	vaulttest.Must(t, err)
	defer z.Close()
	name, _, _ := strings.Cut(filepath.Base(wheel), "-")
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, ".csv") && !strings.HasSuffix(f.Name, ".csv.gz") {
			continue
		}
		text := contentOf(t, f)
		short := path.Base(f.Name)
		r := csv.NewReader(bytes.NewReader(text), nil)
		result, err := exchange.Detect(t.Context(), r, nil)
		if err != nil {
			if want, ok := malformed[short]; !ok || err.Error() != want {
				t.Errorf("%s %s: %v", name, short, err)
			}
			continue
		}
		files++
		t.Logf("| %s | %s | %d | %s |", short, name, result.Rows, summary(result.Columns))
		if result.Rows > 0 { // otherwise nothing shows the types
			writeImported(t, filepath.Join(work, strconv.Itoa(files)), short, text, r.Delimiter())
		}
	}
	return files
}

// writeImported imports a file into a vault, and writes it and what was made of
// it beside each other.
func writeImported(t *testing.T, base, name string, text []byte, delimiter byte) {
	t.Helper()
	v, err := columnvault.Open(t.Context(), base+".db", nil)
	vaulttest.Must(t, err)
	defer v.Close()
	result, err := exchange.Import(t.Context(), v, csv.NewReader(bytes.NewReader(text), nil), nil)
	vaulttest.Must(t, err)
	about := imported{File: name, Delimiter: string(delimiter)}
	for _, c := range result.Columns {
		about.Names, about.Types = append(about.Names, c.Name), append(about.Types, c.Field.String())
	}
	var rows bytes.Buffer
	_, err = exchange.Export(t.Context(), v, about.Names, jsonl.NewWriter(&rows), nil)
	vaulttest.Must(t, err)
	description, err := json.Marshal(about)
	vaulttest.Must(t, err)
	for ending, content := range map[string][]byte{".csv": text, ".jsonl": rows.Bytes(), ".json": description} {
		vaulttest.Must(t, os.WriteFile(base+ending, content, 0o666))
	}
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

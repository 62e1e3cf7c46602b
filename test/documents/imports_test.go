package documents_test

import (
	"columnvault/internal/vaulttest"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const tool = "cmd/columnvault/internal/"

// layers says which packages of this module each may import: those below it.
var layers = map[string][]string{
	"cmd/columnvault":                    {"", "dtype", "exchange", "exchange/csv", "exchange/parquet", "exchange/sqlrows", "internal/copying", "internal/engine", "internal/excerpt", "internal/hint", "internal/position", "internal/publish", "internal/store", "internal/store/sqlite", "internal/values", "postgres", "query", "salvage", "scan", "viewer", tool + "columns", tool + "files", tool + "importing", tool + "term"},
	tool + "importing":                   {"", "dtype", "exchange", "exchange/arrow", "exchange/compressed", "exchange/csv", "exchange/jsonl", "exchange/npy", "exchange/parquet", "exchange/sqlrows", "internal/excerpt", "internal/hint", "internal/values", tool + "columns", tool + "files", tool + "term"},
	tool + "columns":                     {"", "dtype", "exchange", "internal/excerpt", "internal/hint", "internal/values"},
	tool + "files":                       {"exchange/compressed", "internal/hint", "internal/publish", tool + "term"},
	tool + "term":                        {},
	"internal/position":                  {},
	"internal/excerpt":                   {},
	"":                                   {"dtype", "internal/catalog", "internal/column", "internal/engine", "internal/excerpt", "internal/fsck", "internal/kvcodec", "internal/migrate", "internal/position", "internal/publish", "internal/report", "internal/rows", "internal/store", "internal/store/sqlite", "internal/writeback"},
	"internal/fsck":                      {"dtype", "internal/catalog", "internal/column", "internal/excerpt", "internal/kvcodec", "internal/store"},
	"internal/writeback":                 {"internal/catalog", "internal/column", "internal/excerpt", "internal/store"},
	"internal/kvcodec":                   {"dtype", "internal/store", "internal/structured"},
	"internal/catalog":                   {"dtype", "internal/column", "internal/column/layout0", "internal/column/layout1", "internal/column/native", "internal/excerpt", "internal/store"},
	"internal/column/native":             {"internal/column", "internal/store"},
	"internal/column":                    {"internal/store"},
	"internal/column/layout0":            {"internal/column", "internal/store"},
	"internal/column/layout1":            {"internal/column", "internal/store"},
	"internal/migrate":                   {"dtype", "internal/catalog", "internal/column", "internal/column/layout1", "internal/excerpt", "internal/store"},
	"internal/copying":                   {"dtype", "internal/catalog", "internal/column", "internal/excerpt", "internal/store"},
	"internal/engine":                    {"internal/store", "internal/store/sqlite"},
	"internal/store/sqlite":              {"internal/excerpt", "internal/publish", "internal/report", "internal/store", "internal/store/sqlite/btree"},
	"postgres":                           {"", "internal/engine", "internal/store", "internal/store/postgres", "internal/store/sqlite"},
	"internal/store/postgres":            {"internal/report", "internal/store"},
	"internal/vaulttest/pgserver":        {},
	"internal/store/storetest":           {"internal/store"},
	"internal/store":                     {"internal/excerpt"},
	"dtype":                              {"internal/excerpt", "internal/structured"},
	"dtype/jsonschema":                   {"dtype", "internal/excerpt"},
	"internal/structured":                {"internal/excerpt"},
	"internal/vaulttest":                 {"", "dtype", "internal/engine", "internal/store", "internal/store/postgres", "internal/store/sqlite", "internal/store/storetest", "internal/vaulttest/pgserver"},
	"internal/vaulttest/powerfs":         {},
	"internal/vaulttest/faultfs":         {},
	"internal/tools/rename":              {},
	"internal/tools/pgserver":            {"internal/vaulttest/pgserver"},
	"test/conformance":                   {},
	"test/crash":                         {},
	"test/documents":                     {},
	"test/interop":                       {},
	"test/model":                         {},
	"examples/library":                   {"", "dtype"},
	"internal/store/sqlite/btree":        {},
	"internal/report":                    {},
	"internal/publish":                   {},
	"salvage":                            {"", "dtype", "internal/catalog", "internal/column", "internal/column/layout0", "internal/column/layout1", "internal/column/native", "internal/excerpt", "internal/publish", "internal/sqlitefile", "internal/store", "internal/store/sqlite"},
	"internal/sqlitefile":                {},
	"exchange/csv":                       {"dtype", "exchange", "exchange/internal/records", "internal/excerpt", "internal/hint", "internal/values"},
	"exchange/jsonl":                     {"dtype", "exchange", "exchange/internal/records", "internal/excerpt", "internal/hint", "internal/values"},
	"exchange/internal/records":          {"dtype", "exchange", "exchange/internal/fit", "internal/excerpt", "internal/hint", "internal/values"},
	"exchange/compressed":                {},
	"exchange":                           {"", "dtype", "internal/excerpt", "internal/hint", "internal/position", "internal/values"},
	"internal/values":                    {"dtype", "internal/excerpt", "internal/hint"},
	"internal/hint":                      {},
	"internal/rows":                      {"dtype", "internal/excerpt", "internal/structured"},
	"examples/logger":                    {"", "dtype", "scan"},
	"scan":                               {"", "dtype"},
	"viewer":                             {"", "dtype", "internal/excerpt", "internal/values", "query", "scan"},
	"query":                              {"", "dtype", "internal/excerpt", "internal/values"},
	"exchange/parquet":                   {"dtype", "exchange", "exchange/internal/block", "exchange/internal/fit", "exchange/internal/note", "exchange/parquet/internal/encoding", "exchange/parquet/internal/thrift", "internal/excerpt", "internal/structured"},
	"exchange/parquet/internal/encoding": {},
	"exchange/parquet/internal/thrift":   {},
	"exchange/arrow":                     {"dtype", "exchange", "exchange/arrow/internal/flat", "exchange/internal/block", "exchange/internal/fit", "exchange/internal/note", "internal/excerpt", "internal/structured"},
	"exchange/npy":                       {"dtype", "exchange", "exchange/internal/fit", "internal/excerpt"},
	"exchange/sqlrows":                   {"dtype", "exchange", "exchange/internal/fit", "internal/excerpt", "internal/hint", "internal/structured", "internal/values"},
	"exchange/internal/fit":              {"dtype", "exchange", "internal/excerpt", "internal/values"},
	"exchange/internal/note":             {"dtype", "exchange"},
	"exchange/internal/block":            {},
	"internal/formattest":                {"", "dtype", "exchange", "exchange/jsonl", "internal/structured", "internal/vaulttest"},
	"exchange/arrow/internal/flat":       {},
}

// foreign says which packages alone may import a module that the rest of the
// project must not come to lean on.
var foreign = map[string][]string{
	"github.com/ncruces/go-sqlite3":            {"exchange/sqlrows", "internal/store/sqlite", "internal/vaulttest", "internal/vaulttest/faultfs", "internal/vaulttest/powerfs", "query"},
	"github.com/jackc/pgx/v5":                  {"internal/store/postgres", "internal/vaulttest/pgserver"},
	"github.com/santhosh-tekuri/jsonschema/v6": {"dtype/jsonschema"},
	"github.com/tidwall/btree":                 {"internal/writeback"},
	"github.com/x448/float16":                  {"dtype", "internal/structured"},
	"github.com/fxamacker/cbor/v2":             {},
	"github.com/tinylib/msgp":                  {},
	"github.com/spf13/cobra":                   {"cmd/columnvault"},
	"github.com/klauspost/compress":            {"exchange/compressed", "exchange/internal/block", "internal/column/native"},
	"github.com/apache/arrow-go/v18":           {"exchange/arrow"},
	"github.com/apache/iceberg-go":             {},
	"github.com/google/flatbuffers":            {"exchange/arrow"},
	"github.com/parquet-go/parquet-go":         {"exchange/parquet"},
	"github.com/schollz/progressbar/v3":        {tool + "term"},
}

// TestImportsPointDownwards keeps the layers of docs/architecture.md. Tests may
// import what they like, and so may other modules, such as that of bench.
func TestImportsPointDownwards(t *testing.T) {
	module := modulePath(t, vaulttest.Root(t))
	root := os.DirFS(vaulttest.Root(t))
	err := fs.WalkDir(root, ".", func(file string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && file != "." && isModule(root, file) {
			return fs.SkipDir
		}
		if err != nil || entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		from := path.Dir(file)
		if from == "." {
			from = ""
		}
		allowed, known := layers[from]
		if !known {
			t.Errorf("%s: the package %s has no place among the layers", file, from)
			return nil
		}
		source, err := fs.ReadFile(root, file)
		if err != nil {
			return err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range tree.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if inner, ok := strings.CutPrefix(name, module); ok && !slices.Contains(allowed, strings.TrimPrefix(inner, "/")) {
				t.Errorf("%s imports %s, which does not lie below it", file, name)
			}
			for module, owners := range foreign {
				if (name == module || strings.HasPrefix(name, module+"/")) && !slices.Contains(owners, from) {
					t.Errorf("%s imports %s, which only %s may", file, name, owners)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// isModule tells whether a folder has a go.mod of its own.
func isModule(root fs.FS, folder string) bool {
	_, err := fs.Stat(root, path.Join(folder, "go.mod"))
	return err == nil
}

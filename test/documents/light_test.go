package documents_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"columnvault/internal/vaulttest"
)

// TestLibraryIsLight checks that a program which imports the library alone gets
// no package of the formats, and no library that only they need.
func TestLibraryIsLight(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go command")
	}
	cmd := exec.Command(goTool, "list", "-deps", ".")
	cmd.Dir = vaulttest.Root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	own := modulePath(t, vaulttest.Root(t))
	allowed := []string{"github.com/klauspost/compress", "github.com/ncruces/", "github.com/tidwall/btree", "github.com/x448/float16", "golang.org/x/sys/"}
	for _, name := range strings.Fields(string(out)) {
		inner, ours := strings.CutPrefix(name, own+"/")
		foreign := strings.Contains(strings.Split(name, "/")[0], ".") && !slices.ContainsFunc(allowed, func(p string) bool { return strings.HasPrefix(name, p) })
		if ours && strings.HasPrefix(inner, "exchange") || foreign && !ours && name != own {
			t.Errorf("the library imports %s", name)
		}
	}
}

// TestNoMethodsByName checks that a program with any kind of column does not look
// methods up by name, as templates do: then the linker keeps all exported methods
// of all types, which was a quarter of it.
func TestNoMethodsByName(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go command")
	}
	dir, root := t.TempDir(), vaulttest.Root(t)
	source := filepath.Join(dir, "main.go")
	own := modulePath(t, root)
	program := "package main\n\nimport (\n\t\"context\"\n\n\t\"" + own + "\"\n)\n\n" +
		"func main() {\n\tctx := context.Background()\n\tv, _ := columnvault.Open(ctx, \"a.db\", nil)\n" +
		"\tc, _ := v.Column(ctx, \"x\")\n\tprintln(c.At(ctx, 0))\n}\n"
	vaulttest.Must(t, os.WriteFile(source, []byte(program), 0o666))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "examples", "any", "main.go"): source}})
	vaulttest.Must(t, err)
	vaulttest.Must(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o666))
	cmd := exec.Command(goTool, "build", "-overlay", filepath.Join(dir, "overlay.json"), "-ldflags=-dumpdep", "-o", filepath.Join(dir, "program"), "./examples/any")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %.2000s", err, out)
	}
	if !bytes.Contains(out, []byte(own+"/internal/structured.")) {
		t.Fatal("the linker says nothing of what the program needs")
	}
	for line := range strings.Lines(string(out)) {
		from, to, _ := strings.Cut(strings.TrimSpace(line), " -> ")
		if !strings.Contains(from, "reflect.") && strings.HasSuffix(to, "<ReflectMethod>") {
			t.Errorf("the program looks methods up by name: %s", line)
		}
	}
}

// TestModuleIsLight checks that the module does not require the library of the
// feed, which has a module of its own: not even for tests or by way of others.
func TestModuleIsLight(t *testing.T) {
	for _, name := range []string{"go.mod", "go.sum"} {
		if strings.Contains(string(vaulttest.ReadFile(t, name)), "iceberg") {
			t.Errorf("%s names a library of Iceberg", name)
		}
	}
	if !strings.Contains(string(vaulttest.ReadFile(t, "feed", "go.mod")), "github.com/apache/iceberg-go") {
		t.Error("the feed has no library of Iceberg, so this test looks for nothing")
	}
}

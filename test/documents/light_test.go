package documents_test

import (
	"os/exec"
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

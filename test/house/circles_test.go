// Package house_test keeps the shape of the source tree.
package house_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// largestCircle is how many files of a package may form a circle: files of
// which each uses, over the others, what any of them declares. To understand
// one of them is to understand all.
var largestCircle = map[string]int{
	"columnvault":                 6,
	"columnvault/cmd/columnvault": 1,
}

func TestCircles(t *testing.T) {
	packages := list(t, slices.Collect(maps.Keys(largestCircle))...)
	for path, limit := range largestCircle {
		uses := fileUses(t, packages, path)
		if len(uses) == 0 {
			t.Fatalf("%s has no files", path)
		}
		for _, circle := range circles(uses) {
			if len(circle) > limit {
				t.Errorf("%s: %d files form a circle, and the limit is %d: %s", path, len(circle), limit, strings.Join(circle, " "))
			}
			if len(circle) > 1 {
				t.Logf("%s: a circle of %d files: %s", path, len(circle), strings.Join(circle, " "))
			}
		}
	}
}

// listed is a package as go list describes it.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

// list asks the go command for packages and for all that they import.
func list(t *testing.T, paths ...string) map[string]listed {
	t.Helper()
	args := append([]string{"list", "-deps", "-export", "-json=ImportPath,Dir,Export,GoFiles"}, paths...)
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := map[string]listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
}

// fileUses returns, for each file of a package, the others that declare what it
// uses: types, functions, variables, constants, fields and methods.
func fileUses(t *testing.T, packages map[string]listed, path string) map[string][]string {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range packages[path].GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(packages[path].Dir, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if packages[path].Export == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(packages[path].Export)
	})}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	pkg, err := config.Check(path, fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	return usesOf(fset, pkg, files, info)
}

func usesOf(fset *token.FileSet, pkg *types.Package, files []*ast.File, info *types.Info) map[string][]string {
	uses := map[string][]string{}
	fileOf := func(pos token.Pos) string { return filepath.Base(fset.Position(pos).Filename) }
	for _, file := range files {
		uses[fileOf(file.Pos())] = nil
	}
	for ident, object := range info.Uses {
		from, to := fileOf(ident.Pos()), fileOf(object.Pos())
		if object.Pkg() == pkg && from != to && !slices.Contains(uses[from], to) {
			uses[from] = append(uses[from], to)
		}
	}
	return uses
}

// circles returns the strongly connected components of a graph, the largest
// first: Tarjan's algorithm.
func circles(graph map[string][]string) (found [][]string) {
	number, low := map[string]int{}, map[string]int{}
	var stack []string
	var visit func(node string)
	visit = func(node string) {
		number[node] = len(number) + 1
		low[node] = number[node]
		stack = append(stack, node)
		for _, next := range graph[node] {
			if number[next] == 0 {
				visit(next)
				low[node] = min(low[node], low[next])
			} else if slices.Contains(stack, next) {
				low[node] = min(low[node], number[next])
			}
		}
		if low[node] == number[node] {
			at := slices.Index(stack, node)
			circle := slices.Sorted(slices.Values(stack[at:]))
			stack = stack[:at]
			found = append(found, circle)
		}
	}
	for _, node := range slices.Sorted(maps.Keys(graph)) {
		if number[node] == 0 {
			visit(node)
		}
	}
	slices.SortStableFunc(found, func(a, b []string) int { return len(b) - len(a) })
	return found
}

// TestCirclesOfGraph checks the count itself.
func TestCirclesOfGraph(t *testing.T) {
	got := circles(map[string][]string{
		"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, // a circle of three, which uses
		"d": {"e"}, "e": {"d", "f"}, "f": nil, // a circle of two, which uses one file
	})
	want := [][]string{{"a", "b", "c"}, {"d", "e"}, {"f"}}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
}

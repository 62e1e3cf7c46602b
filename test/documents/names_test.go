package documents_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"columnvault/internal/vaulttest"
)

// names are what a document says of the tree: the targets of its links, and
// files and folders in marks of code. What is called with several arguments is
// generic Go, and no link.
var names = regexp.MustCompile("\\]\\(([^)#:,\\s]+)(?:#[^)]*)?\\)|`([\\w./*-]+)`")

// TestDocumentsNameWhatIsThere: every file and folder that a document names
// exists. A link is relative to the document, a folder to the root, and a file
// without a folder may be anywhere.
func TestDocumentsNameWhatIsThere(t *testing.T) {
	root := os.DirFS(vaulttest.Root(t))
	paths, files := treeOf(t, root)
	found := 0
	for _, document := range slices.Concat(globIn(t, root, "*.md"), globIn(t, root, "docs/*.md")) {
		for _, name := range names.FindAllStringSubmatch(string(vaulttest.ReadFile(t, filepath.FromSlash(document))), -1) {
			link, code := name[1], strings.TrimSuffix(name[2], "/")
			first, _, below := strings.Cut(code, "/")
			there := true
			switch {
			case link != "":
				there = matches(paths, path.Join(path.Dir(document), link))
			case below && slices.Contains(paths, first):
				there = matches(paths, code)
			case !below && path.Ext(code) == ".go":
				there = matches(files, code)
			default:
				continue // a word
			}
			if !there {
				t.Errorf("%s names %s, which does not exist", document, link+code)
			}
			found++
		}
	}
	if found < 20 {
		t.Errorf("the documents name %d files and folders only", found)
	}
}

// treeOf returns the paths of all files and folders of the project, and the
// names of the files alone.
func treeOf(t *testing.T, root fs.FS) (paths, files []string) {
	t.Helper()
	vaulttest.Must(t, fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.Name() == ".git" {
			return skip(entry)
		}
		paths = append(paths, name)
		if !entry.IsDir() {
			files = append(files, entry.Name())
		}
		return nil
	}))
	return paths, files
}

func globIn(t *testing.T, root fs.FS, pattern string) []string {
	t.Helper()
	found, err := fs.Glob(root, pattern)
	vaulttest.Must(t, err)
	return found
}

// matches tells whether one of the names is of this pattern.
func matches(names []string, pattern string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

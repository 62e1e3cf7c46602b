// Command rename gives the module another path, and all its imports with it:
//
//	go run ./internal/tools/rename example.org/columnvault
//
// It changes go.mod, the Go files and the documents below the current folder,
// which must be that of go.mod, and the go.mod files of other modules there.
package main

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: go run ./internal/tools/rename PATH")
	}
	if err := rename(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

// rename changes the module in the current folder. go.mod comes first, because
// the go command refuses what is no path of a module.
func rename(to string) error {
	goMod, err := os.ReadFile("go.mod")
	if err != nil {
		return err
	}
	line := regexp.MustCompile(`(?m)^module (\S+)$`).FindSubmatch(goMod)
	if line == nil {
		return fmt.Errorf("go.mod has no line with the path of the module")
	}
	from := string(line[1])
	if out, err := exec.Command("go", "mod", "edit", "-module="+to).CombinedOutput(); err != nil {
		return fmt.Errorf("go mod edit: %w: %s", err, out)
	}
	r := newRenamer(from, to)
	return filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if entry != nil && entry.Name() == ".git" {
				return fs.SkipDir
			}
			return err
		}
		switch filepath.Ext(name) {
		case ".go":
			return change(name, r.source)
		case ".md":
			return change(name, r.document)
		case ".mod":
			return change(name, r.module)
		}
		return nil
	})
}

// change rewrites a file, if that makes a difference.
func change(name string, edit func(name string, text []byte) ([]byte, error)) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	changed, err := edit(name, text)
	if err != nil || bytes.Equal(changed, text) {
		return err
	}
	return os.WriteFile(name, changed, 0o666)
}

// renamer knows the two paths. The name alone means other things too, such as
// the tool, so it is replaced only where it stands as the path of a package.
type renamer struct {
	from, to string
	// link is a package in a doc comment, imported one in a program that a
	// document shows, flag the module in a command that it shows, and required
	// a module in a go.mod that is this one or lies inside of it.
	link, imported, flag, required *regexp.Regexp
}

func newRenamer(from, to string) *renamer {
	path := regexp.QuoteMeta(from)
	return &renamer{
		from: from, to: to,
		link:     regexp.MustCompile(`(?m)(^\s*//.*\[)` + path + `/`),
		imported: regexp.MustCompile(`(?m)^(\s*")` + path + `(/[^"\n]*)?"$`),
		flag:     regexp.MustCompile(`(go mod edit -replace |go get )` + path + `\b`),
		required: regexp.MustCompile(`(?m)^(\s*(?:module|require|replace)? ?)` + path + `(/\S+)?($| v| =>)`),
	}
}

// source changes the imports of a Go file, and the packages that its comments
// link to.
func (r *renamer) source(name string, text []byte) ([]byte, error) {
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, name, text, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	end := 0
	for _, spec := range tree.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		rest, own := strings.CutPrefix(path, r.from)
		if !own || rest != "" && rest[0] != '/' {
			continue
		}
		at := files.Position(spec.Path.Pos()).Offset
		b.Write(text[end:at])
		b.WriteString(strconv.Quote(r.to + rest))
		end = at + len(spec.Path.Value)
	}
	b.Write(text[end:])
	return r.link.ReplaceAll(b.Bytes(), []byte("${1}"+r.to+"/")), nil
}

// module changes a go.mod. That of the module itself has been changed.
func (r *renamer) module(_ string, text []byte) ([]byte, error) {
	return r.required.ReplaceAll(text, []byte("${1}"+r.to+"${2}${3}")), nil
}

// document changes the programs and commands that a document shows.
func (r *renamer) document(_ string, text []byte) ([]byte, error) {
	text = r.imported.ReplaceAll(text, []byte("${1}"+r.to+`${2}"`))
	return r.flag.ReplaceAll(text, []byte("${1}"+r.to)), nil
}

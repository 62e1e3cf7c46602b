package viewer

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed assets
var files embed.FS

// assets are the files that belong to the page, by their path. They are loaded
// with the first request, so that programs without a page pay nothing.
var assets = sync.OnceValue(loadAssets)

type asset struct {
	contentType, tag string
	body             []byte
}

func loadAssets() map[string]asset {
	all := map[string]asset{}
	fs.WalkDir(files, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) == ".html" {
			return err
		}
		body, err := files.ReadFile(name)
		sum := sha256.Sum256(body)
		all[name] = asset{typeOf(name), `"` + hex.EncodeToString(sum[:12]) + `"`, body}
		return err
	})
	return all
}

// typeOf is the type of a file of ours. The machine's list is not asked: it may
// say anything, and modules that are not JavaScript do not run.
func typeOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "text/plain; charset=utf-8"
}

// serve sends the file, unless the browser has it.
func (a asset) serve(w *reply, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", a.tag)
	if r.Header.Get("If-None-Match") == a.tag {
		w.started = true
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return w.whole(http.StatusOK, a.contentType, a.body)
}

// page sends the page, which is the same whatever is in the vault. It is filled
// in without a template, because a program that runs one gets all exported
// methods of all its types linked.
func (h *handler) page(w *reply) error {
	page, err := files.ReadFile("assets/page.html")
	if err != nil {
		return err
	}
	sql := `<a href="#/sql">SQL</a>`
	if h.o.NoSQL {
		sql = ""
	}
	fill := strings.NewReplacer("{{title}}", html.EscapeString(h.o.Title), "{{sql}}", sql)
	return w.whole(http.StatusOK, "text/html; charset=utf-8", []byte(fill.Replace(string(page))))
}

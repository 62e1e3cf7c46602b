package browsertest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestScreenshots draws the pictures of the documents, into the folder that
// COLUMNVAULT_SCREENSHOTS names.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("COLUMNVAULT_SCREENSHOTS")
	if dir == "" {
		t.Skip("COLUMNVAULT_SCREENSHOTS names no folder")
	}
	address, _ := view(t, demo(t, 190_000))
	for _, s := range []struct {
		name, hash, ready string
		w, h              int64
		dark              bool
	}{
		{"viewer-columns-light", "#/", ready["overview"], 1280, 800, false},
		{"viewer-columns-dark", "#/", ready["overview"], 1280, 800, true},
		{"viewer-column-light", "#/column?c=station.temperature", ready["column"], 1280, 1000, false},
		{"viewer-column-dark", "#/column?c=station.temperature", ready["column"], 1280, 1000, true},
		{"viewer-table-light", "#/table?g=trips", ready["table"], 1280, 700, false},
		{"viewer-keys-dark", "#/keys?k=cGljdHVyZXMvaGFyYm91ci5wbmc", ready["keys"], 1280, 700, true},
		{"viewer-sql-light", "#/sql?q=SELECT%20substr(time%2C1%2C7)%20AS%20month%2C%20avg(temperature)%20AS%20mean%2C%20max(wind)%20AS%20strongest%20FROM%20station%20GROUP%20BY%201", "document.querySelector('.result td') && document.querySelector('.chips')", 1280, 800, false},
		{"viewer-file-light", "#/file", "document.querySelectorAll('tbody tr').length > 3", 1280, 800, false},
		{"viewer-narrow", "#/column?c=station.temperature", ready["column"], 390, 844, false},
	} {
		p := look(t, address, size(s.w, s.h, s.dark))
		p.open(s.hash)
		p.until(s.name, s.ready)
		check(t, os.WriteFile(filepath.Join(dir, s.name+".png"), of(p, chromedp.CaptureScreenshot()), 0o666))
		p.close()
	}
}

// ready are expressions that are true when a part of the page is drawn.
var ready = map[string]string{
	"overview": "document.querySelectorAll('svg.spark').length >= 5",
	"column":   "document.querySelector('.uplot canvas') && document.querySelector('.bars rect') && document.querySelector('.facts dd') && document.querySelector('.grid .cell') && !document.querySelector('.grid').innerText.includes('…')",
	"table":    "document.querySelectorAll('.grid svg.spark').length > 5",
	"keys":     "document.querySelector('img.picture')?.naturalWidth > 0 && document.querySelectorAll('.items button').length > 3",
}

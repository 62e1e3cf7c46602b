package browsertest

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
		{"viewer-columns-light", "#/", ready["overview"], 1200, 760, false},
		{"viewer-column-light", "#/column?c=station.temperature", ready["column"], 1200, 900, false},
		{"viewer-column-dark", "#/column?c=station.temperature", ready["column"], 1200, 900, true},
		{"viewer-table-light", "#/table?g=trips", ready["table"], 1200, 640, false},
		{"viewer-keys-dark", "#/keys?k=" + key("pictures/harbour.png"), ready["keys"], 1200, 640, true},
		{"viewer-sql-light", "#/sql?q=" + escape("SELECT substr(time, 1, 7) AS month, avg(temperature) AS mean, max(wind) AS strongest\nFROM station GROUP BY month"), "document.querySelector('.result td') && document.querySelector('.chips')", 1200, 700, false},
	} {
		p := look(t, address, size(s.w, s.h, s.dark))
		p.open(s.hash)
		p.until(s.name, s.ready)
		check(t, os.WriteFile(filepath.Join(dir, s.name+".png"), small(t, of(p, chromedp.CaptureScreenshot())), 0o666))
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

// small makes a picture of 256 colors, which takes a third of the bytes: those that
// there are most of, and the nearest of them for the others.
func small(t *testing.T, picture []byte) []byte {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(picture))
	check(t, err)
	counts := map[color.RGBA]int{}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			counts[color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)]++
		}
	}
	colors := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int { return counts[b] - counts[a] })
	var palette color.Palette
	for _, c := range colors[:min(256, len(colors))] {
		palette = append(palette, c)
	}
	out := image.NewPaletted(b, palette)
	draw.Draw(out, b, img, b.Min, draw.Src)
	var buf bytes.Buffer
	check(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&buf, out))
	return buf.Bytes()
}

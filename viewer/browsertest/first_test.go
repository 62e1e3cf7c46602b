package browsertest

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"

	"columnvault/dtype"
)

const (
	firstGroups  = 100
	firstFields  = 10
	firstColumns = firstGroups * firstFields
	// firstRuns is how often the first page is opened.
	firstRuns = 9
	// firstBytes is the most that may be received until columns are seen.
	firstBytes = 140_000
)

// firstNeeds is what the page asks for until columns are seen, each once.
var firstNeeds = []string{
	"/", "/api/overview", "/assets/style.css",
	"/assets/main.js", "/assets/api.js", "/assets/dom.js", "/assets/format.js", "/assets/live.js", "/assets/overview.js", "/assets/vault.js",
}

// begun is what the page has asked for before columns were drawn. The browser asks
// for the icon by itself, for its window, when it has the time.
const begun = `["navigation", "resource"].flatMap(type => performance.getEntriesByType(type))
	.filter(r => r.startTime < drawnAt && !(r.initiatorType === "other" && r.name.endsWith("icon.svg")))
	.map(r => ({Path: r.name.slice(location.origin.length), Bytes: r.encodedBodySize}))`

// watch is a script that takes down when columns fill the window, and when all
// are there. They are seen when the frame after that begins.
var watch = fmt.Sprintf(`(function look() {
	const rows = document.querySelectorAll("tbody tr");
	if (!globalThis.drawnAt && rows.length && rows[rows.length - 1].getBoundingClientRect().top > innerHeight) {
		globalThis.drawnAt = performance.now();
		requestAnimationFrame(() => { globalThis.seenAt = performance.now(); });
	}
	if (rows.length === %d) globalThis.allAt = performance.now();
	else requestAnimationFrame(look);
})()`, firstColumns)

// TestFirstPage opens the page of a vault of 1,000 columns, and looks at what it
// asks for before the list is drawn. It tells, with -v, how long that takes from
// the navigation on: in a browser that has never seen the page, and in one that
// has.
func TestFirstPage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wide.db")
	v := open(t, path)
	for g := range firstGroups {
		for f := range firstFields {
			add(t, v, fmt.Sprintf("group%02d.field%d", g, f), dtype.Int64, []int64{int64(g), int64(f), 3})
		}
	}
	check(t, v.Close())
	address, _ := view(t, path)
	p := look(t, address, desktop)
	p.until("the token is gone from the address", "!location.href.includes('token')")
	check(t, failed(chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch})))
	check(t, failed(chromedp.Call(p.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})))
	for _, cold := range []bool{true, false} {
		check(t, failed(chromedp.Call(p.ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: cold})))
		var seen, all, work []float64
		for range firstRuns {
			p.do(chromedp.Navigate(p.base + "/"))
			p.until("all columns are there", "globalThis.seenAt && globalThis.allAt")
			work = append(work, worked(p))
			seen, all = append(seen, js[float64](p, "seenAt")), append(all, js[float64](p, "allAt"))
			bytes, needed := 0, slices.Clone(firstNeeds)
			for _, r := range js[[]struct {
				Path  string
				Bytes int
			}](p, begun) {
				bytes += r.Bytes
				i := slices.Index(needed, r.Path)
				if i < 0 {
					t.Errorf("the first page asks for %s, which it need not, or not again", r.Path)
					continue
				}
				needed = slices.Delete(needed, i, i+1)
			}
			if slices.Contains(needed, "/api/overview") || bytes > firstBytes {
				t.Errorf("the first page has taken %d bytes, and has not asked for %q", bytes, needed)
			}
		}
		t.Logf("new to the browser %v: columns are seen after %.0f ms, in the median of %d, and all are there after %.0f; until then the page has taken %.0f ms of a processor",
			cold, median(seen), firstRuns, median(all), median(work))
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// worked is how many milliseconds of a processor the page has taken.
func worked(p *tab) float64 {
	m, err := chromedp.Call(p.ctx, performance.GetMetrics, cdp.Empty{})
	check(p.t, err)
	for _, metric := range m.Metrics {
		if metric.Name == "TaskDuration" {
			return metric.Value * 1000
		}
	}
	return 0
}

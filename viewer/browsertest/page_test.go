package browsertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/color"
	"image/png"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/ncruces/go-sqlite3"

	"columnvault"
	"columnvault/dtype"
	"columnvault/viewer"
)

var desktop = size(1280, 900, false)

// TestOverview: the page lists what there is, with what it holds, at an address
// that has lost its token.
func TestOverview(t *testing.T) {
	address, _ := view(t, demo(t, 20_000))
	p := look(t, address, desktop)
	p.until("the columns are summarized", ready["overview"])
	for _, text := range []string{"station.db", "temperature", "f64 null", "20,000", "4 columns, 2,400 rows", "≈", "Bergen"} {
		p.until(text, fmt.Sprintf("document.body.innerText.includes(%q)", text))
	}
	if at := js[string](p, "location.href"); strings.Contains(at, "token") {
		t.Errorf("the address is %s", at)
	}
	p.do(chromedp.KeyEvent("/"))
	p.until("the key leads to the search", "document.activeElement.type === 'search'")
	p.do(chromedp.Evaluate[chromedp.Void]("document.activeElement.value = ''"), chromedp.KeyEvent("wind"))
	p.until("one column is left", "[...document.querySelectorAll('tbody tr')].filter(r => !r.hidden).length === 1")
}

// TestPlot: a plot has lines in the color of the page, and can be zoomed with the
// pointer and with keys.
func TestPlot(t *testing.T) {
	address, _ := view(t, demo(t, 20_000))
	p := look(t, address, desktop)
	p.open("#/column?c=station.temperature&x=")
	p.until("the column is drawn", ready["column"])
	drawn(t, p)
	whole := js[string](p, "document.querySelector('.legend').innerText")
	if !strings.Contains(whole, "20,000 of 20,000") {
		t.Errorf("the plot says %q", whole)
	}
	const asked = "performance.getEntriesByType('resource').filter(r => r.name.includes('api/plot')).length"
	before := js[int](p, asked)
	p.do(chromedp.Evaluate[chromedp.Void]("document.querySelector('.plot').scrollIntoView({block: 'center'})"))
	box := js[struct{ X, Y, W, H float64 }](p, "(r => ({X: r.left, Y: r.top, W: r.width, H: r.height}))(document.querySelector('.u-over').getBoundingClientRect())")
	p.do(chromedp.DragAndDropXY(box.X+box.W*0.4, box.Y+box.H/2, box.X+box.W*0.5, box.Y+box.H/2, 8))
	p.until("the part is asked for", asked+fmt.Sprintf(" > %d", before))
	p.until("a tenth is seen", "/^(1,9|2,0)\\d\\d of 20,000/.test(document.querySelector('.legend').innerText)")
	drawn(t, p)
	p.do(chromedp.Evaluate[chromedp.Void]("document.querySelector('.plot').focus()"))
	for range 8 {
		p.do(chromedp.KeyEvent("+"))
	}
	p.until("single elements are seen", "/^\\d+ of 20,000 elements$/.test(document.querySelector('.legend').innerText)")
	drawn(t, p)
	p.do(chromedp.KeyEvent("0"))
	p.until("all is seen", "document.querySelector('.legend').innerText.startsWith('20,000 of')")
	p.do(chromedp.Click(chromedp.CSS(".choice button:nth-child(2)")))
	drawn(t, p)
	p.open("#/column?c=station.wind&x=station.time")
	p.until("a plot over time", "document.querySelector('h1').innerText === 'station.wind' && "+ready["column"])
	drawn(t, p)
}

// TestMoves: a plot that is zoomed in moves with the arrows and with the pointer,
// and a search leads to the value.
func TestMoves(t *testing.T) {
	path := filepath.Join(t.TempDir(), "steps.db")
	v := open(t, path)
	steps := make([]int64, 100_000)
	for i := range steps {
		steps[i] = int64(3 * i)
	}
	add(t, v, "steps", dtype.Int64, steps)
	check(t, v.Close())
	address, _ := view(t, path)
	p := look(t, address, desktop)
	p.open("#/column?c=steps&x=")
	p.until("the column is drawn", ready["column"])
	// The last question for a plot says which positions are seen.
	const seen = "new URL(performance.getEntriesByType('resource').filter(r => r.name.includes('api/plot')).at(-1).name).searchParams.get('from') | 0"
	p.do(chromedp.Evaluate[chromedp.Void]("document.querySelector('.plot').focus()"), chromedp.KeyEvent("+"), chromedp.KeyEvent("+"))
	p.until("a part is seen", "document.querySelector('.legend').innerText.startsWith('36,00') && ("+seen+") > 25000")
	before := js[int](p, seen)
	p.do(chromedp.KeyEvent(kb.ArrowRight))
	p.until("it moves on", fmt.Sprintf("(%s) > %d", seen, before+2000))
	p.do(chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.ArrowLeft))
	p.until("it moves back", fmt.Sprintf("(%s) < %d", seen, before-2000))
	before = js[int](p, seen)
	box := js[struct{ X, Y, W, H float64 }](p, "(r => ({X: r.left, Y: r.top, W: r.width, H: r.height}))(document.querySelector('.u-over').getBoundingClientRect())")
	js[int](p, fmt.Sprintf(`(f => { f(document.querySelector('.u-over'), 'mousedown', 0.2); f(document.querySelector('.u-over'), 'pointerdown', 0.2); f(window, 'pointermove', 0.6); f(window, 'pointerup', 0.6); })
		((e, type, share) => e.dispatchEvent(new PointerEvent(type, {bubbles: true, shiftKey: true, button: 0, clientX: %f + %f * share, clientY: %f}))), 0`, box.X, box.W, box.Y+box.H/2))
	p.until("it moves with the pointer", fmt.Sprintf("(%s) < %d", seen, before-5000))

	p.do(chromedp.SendKeys(chromedp.CSS("input[aria-label='What to look for']"), "299997\r"))
	p.until("the value is found", "document.querySelector('[role=status].soft')?.innerText === 'at 99,999' || [...document.querySelectorAll('[role=status]')].some(s => s.innerText === 'at 99,999')")
	p.until("and shown", "[...document.querySelectorAll('.grid .line')].some(l => l.innerText.includes('299997') || l.innerText.includes('299,997'))")
	p.do(chromedp.Evaluate[chromedp.Void]("document.querySelector(\"input[aria-label='What to look for']\").value = ''"), chromedp.SendKeys(chromedp.CSS("input[aria-label='What to look for']"), "1\r"))
	p.until("what is not there is not found", "[...document.querySelectorAll('[role=status]')].some(s => s.innerText === 'not found')")
}

// TestSQL: an answer is a table, a plot or a file.
func TestSQL(t *testing.T) {
	address, _ := view(t, demo(t, 2000))
	p := look(t, address, desktop)
	p.open("#/sql")
	p.until("the tables are listed, and a statement is there to begin with", "document.querySelector('.chips button') && document.querySelector('textarea').value.startsWith('SELECT')")
	js[int](p, "document.querySelector('textarea').value = 'SELECT position, temperature FROM station WHERE position < 500', document.querySelector('textarea').focus(), 0")
	p.do(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	p.until("the rows", "document.querySelectorAll('.result tbody tr').length === 500 && document.body.innerText.includes('500 rows')")
	js[int](p, "[...document.querySelectorAll('.choice button')].find(b => b.innerText === 'Plot').click(), 0")
	p.until("the plot", "document.querySelector('.uplot canvas')")
	drawn(t, p)
	saved := js[string](p, "document.querySelector('a[download]').href")
	p.until("CSV", fmt.Sprintf("(x => { x.open('GET', %q, false); x.send(); return x.responseText.startsWith('position,temperature\\n0,') && x.responseText.trim().split('\\n').length === 501 })(new XMLHttpRequest())", saved))
	js[int](p, "document.querySelector('textarea').value = 'SELECT nothing FROM station', document.querySelector('button.main').click(), 0")
	p.forgive() // the answer is an error, which the browser logs
	p.until("what is wrong is said", "document.querySelector('.notice')?.innerText.includes('nothing')")
}

// drawn looks for the color of the page in the picture of a plot.
func drawn(t *testing.T, p *tab) {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(of(p, chromedp.Screenshot(chromedp.CSS(".uplot canvas")))))
	check(t, err)
	teal, bounds := 0, img.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			if c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA); c.R < 110 && c.G > 90 && c.B > 80 && int(c.G)-int(c.R) > 40 {
				teal++
			}
		}
	}
	if teal < 100 {
		t.Errorf("the plot has %d pixels of its color", teal)
	}
}

// TestLastRow scrolls through 10^8 rows: with the bar, which is no taller than
// browsers allow, with keys, and row by row.
func TestLastRow(t *testing.T) {
	const n = 100_000_000
	path := filepath.Join(t.TempDir(), "long.db")
	v := open(t, path)
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "long", dtype.Uint8, nil)
	check(t, err)
	part := make([]uint8, n/10)
	for i := range part {
		part[i] = uint8(i % 250) // which n/10 is a multiple of
	}
	for range 10 {
		check(t, c.Append(ctx, part...))
	}
	check(t, v.Close())
	address, _ := view(t, path)
	p := look(t, address, desktop)
	p.open("#/table?c=long")
	rows := func(position int) string {
		return fmt.Sprintf("[...document.querySelectorAll('.grid .body .line')].some(l => l.children[0].innerText === %q && l.children[1].innerText === '%d')", grouped(position), position%250)
	}
	p.until("the first row", rows(0))
	p.do(chromedp.Evaluate[chromedp.Void]("(g => { g.scrollTop = g.scrollHeight })(document.querySelector('.grid'))"))
	p.until("the last row", rows(n-1))
	p.do(chromedp.Evaluate[chromedp.Void]("(g => { g.scrollTop = g.scrollHeight / 2 })(document.querySelector('.grid'))"))
	p.until("the middle", "(n => n > 49e6 && n < 51e6)(parseInt(document.querySelector('.grid .body .at').innerText.replaceAll(',', '')))")
	p.do(chromedp.Evaluate[chromedp.Void]("document.querySelector('.grid').focus()"), chromedp.KeyEvent(kb.End))
	p.until("the last row by a key", rows(n-1))
	p.do(chromedp.KeyEvent(kb.ArrowUp))
	p.until("one row further up", "!("+rows(n-1)+") || ("+rows(n-2)+")")
	p.do(chromedp.SendKeys(chromedp.CSS("input[aria-label=Position]"), "12345678\r"))
	p.until("a row by its position", rows(12345678))
	if height := js[float64](p, "document.querySelector('.grid .space').offsetHeight"); height > 1e7 {
		t.Errorf("the table is %v pixels tall", height)
	}
	if lines := js[int](p, "document.querySelectorAll('.grid .line').length"); lines > 100 {
		t.Errorf("the table has %d lines", lines)
	}
}

// grouped is a number with commas.
func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return grouped(n/1000) + fmt.Sprintf(",%03d", n%1000)
}

// TestFollow: rows that another process writes appear, and the end of the vault is
// said and survived.
func TestFollow(t *testing.T) {
	path := demo(t, 3000)
	address, stop := view(t, path)
	p := look(t, address, desktop)
	p.until("the page follows", "document.getElementById('live').className.includes('on')")
	v := open(t, path)
	ctx := context.Background()
	battery, err := columnvault.Lookup(ctx, v, "station.battery", dtype.Int64)
	check(t, err)
	check(t, battery.Append(ctx, 1, 2, 3))
	p.until("the length has grown", "document.body.innerText.includes('3,003')")
	p.open("#/column?c=station.battery&x=")
	p.until("the column is drawn", ready["column"])
	check(t, battery.Append(ctx, make([]int64, 1000)...))
	p.until("the plot has grown", "document.querySelector('.legend').innerText.includes('of 4,003')")
	p.until("the column has", "document.querySelector('.head').innerText.includes('4,003 elements')")
	add(t, v, "new.column", dtype.Int64, []int64{1})
	p.open("#/")
	p.until("a new column is there", "document.body.innerText.includes('new')")
	p.forgive()
	stop()
	p.until("the end is said", "document.getElementById('live').innerText === 'not connected'")
	p.open("#/column?c=station.battery")
	p.until("what is not there is said", "document.querySelector('.notice')")
}

// TestServerReturns: a page whose server goes away says so, and goes on by itself
// when the server is there again, at the same address and with the same
// permission.
func TestServerReturns(t *testing.T) {
	path := demo(t, 3000)
	v := open(t, path)
	serve := func(address string) (at string, stop func()) {
		listener, err := net.Listen("tcp", address)
		check(t, err)
		s := &http.Server{Handler: viewer.Handler(v, viewer.Options{})}
		go s.Serve(listener)
		stop = func() { s.Close() }
		t.Cleanup(stop)
		return listener.Addr().String(), stop
	}
	at, stop := serve("127.0.0.1:0")
	p := look(t, "http://"+at+"/", desktop)
	p.until("the page follows", "document.getElementById('live').innerText === 'live'")
	p.forgive()
	stop()
	p.until("the end is said", "document.getElementById('live').innerText === 'not connected'")
	battery, err := columnvault.Lookup(t.Context(), v, "station.battery", dtype.Int64)
	check(t, err)
	check(t, battery.Append(t.Context(), 1, 2, 3))
	serve(at)
	p.until("the page follows again", "document.getElementById('live').innerText === 'live'")
	p.until("and shows what has been written meanwhile", "document.body.innerText.includes('3,003')")
}

// TestCommandReturns: columnvault view has another token when it is started again.
// A page of before says that, and goes on by itself when the new address has been
// opened.
func TestCommandReturns(t *testing.T) {
	path := demo(t, 3000)
	address, stop := view(t, path)
	p := look(t, address, desktop)
	p.until("the page follows", "document.getElementById('live').innerText === 'live'")
	p.forgive()
	stop()
	p.until("the end is said", "document.getElementById('live').innerText === 'not connected'")
	address, _ = view(t, path, "--listen", strings.TrimPrefix(p.base, "http://"))
	p.until("the page says what to do", "document.getElementById('live').innerText.startsWith('not permitted')")
	other := look(t, address, desktop)
	other.until("the new page follows", "document.getElementById('live').innerText === 'live'")
	other.close()
	p.until("the old page follows again", "document.getElementById('live').innerText === 'live'")
}

// TestHostile: names and values that would be scripts are text.
func TestHostile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hostile.db")
	v := open(t, path)
	ctx := context.Background()
	names := []string{`<img src=x onerror="hit=1">`, `"><script>hit=1</script>`, `'};hit=1;//`, "__proto__", `<b>bold</b>`, "a/b?c=d&e#f%20", "javascript:hit=1"}
	for i, name := range names {
		add(t, v, name, dtype.Int64, []int64{1, 2, int64(i)})
		check(t, v.KV().Put(ctx, []byte(name), []byte(name)))
	}
	add(t, v, "texts", dtype.String, names)
	add(t, v, "trees", dtype.MsgPack[any](), []any{map[string]any{names[0]: names[1], "__proto__": map[string]any{"x": int64(1)}}})
	check(t, v.KVTable("<u>table</u>").Put(ctx, []byte("k"), []byte("<svg onload=hit=1>")))
	check(t, v.Close())
	address, _ := view(t, path)
	p := look(t, address, desktop)
	p.until("all names are listed", fmt.Sprintf("%s.every(n => document.body.innerText.includes(n))", list(names[0], names[1], names[2], names[3], names[5])))
	for _, name := range names {
		p.open("#/column?c=" + escape(name) + "&x=")
		p.until(name, fmt.Sprintf("document.querySelector('h1').innerText === %q && document.querySelector('.bars rect') && document.querySelector('.uplot')", strings.TrimSpace(name)))
		p.open("#/keys?t=kv&k=" + key(name))
		p.until("the key "+name, fmt.Sprintf("document.querySelector('pre')?.innerText === %q", name))
	}
	p.open("#/table?c=texts&c=trees")
	p.until("the texts", "document.querySelectorAll('.grid .cell')[0]?.innerText.includes('onerror')")
	p.do(chromedp.Click(chromedp.CSS(".grid .line:nth-child(1) .cell:nth-child(3)")))
	p.until("the tree", "document.querySelector('dialog .tree')?.innerText.includes('<script>')")
	p.open("#/sql?q=" + escape(`SELECT texts AS "<img src=x onerror=hit=1>" FROM columns`))
	p.until("the answer", "document.querySelector('.result th')?.innerText.includes('<img')")
	if js[bool](p, "typeof hit !== 'undefined' || document.querySelector('main script, main img[onerror], main svg[onload]') !== null") {
		t.Error("a name or value has been more than text")
	}
}

// TestForeignNames: columns whose names are not text are listed, opened and
// plotted like any other.
func TestForeignNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "foreign.db")
	v := open(t, path)
	names := map[string]string{"\xff<b>": "\\xff<b>", "\xff.x": "\\xff.x", "\xff.y": "\\xff.y", "": "(no name)", "base64:YQ": "base64:YQ"}
	for name := range names {
		add(t, v, "n"+key(name), dtype.Int64, []int64{1, 2, 7})
	}
	check(t, v.Close())
	db, err := sqlite3.Open(path)
	check(t, err)
	for name := range names {
		check(t, db.Exec(fmt.Sprintf("UPDATE col_meta SET name = CAST(x'%x' AS TEXT) WHERE name = 'n%s'", name, key(name))))
	}
	check(t, db.Exec("CREATE TABLE \"\xfe\" (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL)"))
	check(t, db.Exec("INSERT INTO \"\xfe\" VALUES (x'6b', x'76616c7565')"))
	check(t, db.Close())
	address, _ := view(t, path)
	p := look(t, address, desktop)
	p.until("the group is listed", `[...document.querySelectorAll('h2')].some(h => h.innerText === '\\xff')`)
	for name, shown := range names {
		p.open("#/column?c=" + escape("base64:"+key(name)) + "&x=")
		p.until(shown, fmt.Sprintf("document.querySelector('h1').innerText === %q && document.querySelector('.bars rect') && document.querySelector('.uplot') && document.querySelector('.grid').innerText.includes('7')", shown))
	}
	p.open("#/")
	p.until("a link", "document.querySelectorAll('td.name a').length === 5 && document.querySelectorAll('svg.spark').length === 5")
	p.do(chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll('td.name a')].find(a => a.innerText === '\\xff<b>').click()`))
	p.until("the link leads there", `document.querySelector('h1').innerText === '\\xff<b>' && document.querySelector('.uplot')`)
	p.open("#/table?g=" + escape("base64:"+key("\xff")))
	p.until("the group side by side", `document.querySelector('h1').innerText === '\\xff' && document.querySelectorAll('.grid .line:nth-child(1) .cell').length >= 2`)
	p.open("#/keys?t=" + escape("base64:"+key("\xfe")) + "&k=" + key("k"))
	p.until("the key", `document.querySelector('h1').innerText === '\\xfe' && document.querySelector('pre')?.innerText === 'value'`)
	p.open("#/file")
	p.until("the columns are measured", `document.body.innerText.includes('\\xff.y')`)
}

// TestKeys: pictures are shown, and so are trees and bytes.
func TestKeys(t *testing.T) {
	address, _ := view(t, demo(t, 100))
	p := look(t, address, desktop)
	p.open("#/keys?k=" + key("pictures/harbour.png"))
	p.until("the picture", "document.querySelector('img.picture')?.naturalWidth === 480")
	for name, text := range map[string]string{"station": "47.5", "notes/read me": "roof of the harbour", "raw/first": "00 01 02 03 fe ff 61 62"} {
		p.open("#/keys?k=" + key(name))
		p.until(name, fmt.Sprintf("document.querySelector('main').innerText.includes(%q)", text))
	}
	all := js[int](p, "document.querySelectorAll('.items button').length")
	p.do(chromedp.SendKeys(chromedp.CSS("input[aria-label='Keys that begin with']"), "notes/"))
	p.until("a prefix leaves some", fmt.Sprintf("(b => b.length > 0 && b.length < %d && b.every(e => e.innerText.startsWith('notes/')))([...document.querySelectorAll('.items button')])", all))
	p.until("a value can be saved", "document.querySelector('a[download]')?.href.includes('content/key?')")
}

// TestFile: the file is measured, and checked.
func TestFile(t *testing.T) {
	address, _ := view(t, demo(t, 1000))
	p := look(t, address, desktop)
	p.open("#/file")
	p.until("the columns are measured", "document.body.innerText.includes('trips.embedding')")
	p.do(chromedp.Click(chromedp.CSS("section .tools button:nth-child(2)")))
	p.until("the check ends", "document.body.innerText.includes('Nothing is wrong.')")
}

// TestNarrow: nothing is wider than the screen of a telephone.
func TestNarrow(t *testing.T) {
	address, _ := view(t, demo(t, 3000))
	p := look(t, address, size(360, 740, false))
	for _, part := range []struct{ hash, ready string }{{"#/", ready["overview"]}, {"#/column?c=station.temperature", ready["column"]}, {"#/table?g=trips", ready["table"]}, {"#/keys?k=" + key("station"), "document.querySelector('.tree')"}, {"#/file", "document.querySelector('tbody tr')"}} {
		p.open(part.hash)
		p.until(part.hash, part.ready)
		if wide := js[int](p, "document.documentElement.scrollWidth - innerWidth"); wide > 0 {
			t.Errorf("%s is %d pixels wider than the screen", part.hash, wide)
		}
	}
}

// TestAccessible: axe-core, of which COLUMNVAULT_AXE names the file, finds nothing
// serious, in light and dark.
func TestAccessible(t *testing.T) {
	file := os.Getenv("COLUMNVAULT_AXE")
	if file == "" {
		t.Skip("COLUMNVAULT_AXE does not name the file axe.min.js of axe-core")
	}
	axe, err := os.ReadFile(file)
	check(t, err)
	address, _ := view(t, demo(t, 3000))
	for _, dark := range []bool{false, true} {
		p := look(t, address, size(1280, 900, dark))
		for _, part := range []struct{ hash, ready string }{{"#/", ready["overview"]}, {"#/column?c=station.temperature", ready["column"]}, {"#/column?c=trips.city", "document.querySelector('.grid .cell')"}, {"#/table?g=trips", ready["table"]},
			{"#/keys?k=" + key("station"), "document.querySelector('.tree')"}, {"#/sql?q=SELECT%201%20AS%20one", "document.querySelector('.result td') && document.querySelector('.chips')"}, {"#/file", "document.querySelector('tbody tr')"}} {
			p.open(part.hash)
			p.until(part.hash, part.ready)
			js[int](p, string(axe)+"; 0")
			var found []struct {
				ID, Impact, Help string
				Nodes            []struct{ HTML, FailureSummary string }
			}
			text := of(p, chromedp.Evaluate[string]("axe.run(document).then(r => JSON.stringify(r.violations))", chromedp.EvalAwaitPromise))
			check(t, json.Unmarshal([]byte(text), &found))
			for _, f := range found {
				if f.Impact == "serious" || f.Impact == "critical" {
					t.Errorf("%s, dark %v: %s (%s): %+v", part.hash, dark, f.Help, f.ID, f.Nodes[0])
				} else {
					t.Logf("%s, dark %v: %s (%s, %s)", part.hash, dark, f.Help, f.ID, f.Impact)
				}
			}
		}
		p.close()
	}
}

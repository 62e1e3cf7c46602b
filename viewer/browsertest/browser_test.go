package browsertest

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long anything on the page may take, on a slow machine too.
const patience = 60 * time.Second

// browser is the one that all tests share, and tool the command.
var (
	browser context.Context
	tool    string
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	path := chromium()
	if path == "" {
		fmt.Println("SKIPPED: there is no chromium; COLUMNVAULT_CHROMIUM names one")
		return 0
	}
	dir, err := os.MkdirTemp("", "columnvault-browser-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	tool = filepath.Join(dir, "columnvault")
	build := exec.Command("go", "build", "-o", tool, "./cmd/columnvault")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		log.Fatalf("go build: %v\n%s", err, out)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-domain-reliability", true), chromedp.WindowSize(1280, 900))
	all, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	var end context.CancelFunc
	browser, end = chromedp.NewContext(all)
	defer end()
	if err := chromedp.Do(browser); err != nil {
		log.Fatalf("the browser %s does not start: %v", path, err)
	}
	return m.Run()
}

// chromium finds a browser.
func chromium() string {
	for _, name := range []string{os.Getenv("COLUMNVAULT_CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

// view serves a vault as a person would, and returns the address.
func view(t *testing.T, db string, options ...string) (address string, stop func()) {
	t.Helper()
	cmd := exec.Command(tool, append([]string{"view", db, "--quiet"}, options...)...)
	out, err := cmd.StdoutPipe()
	check(t, err)
	var failed strings.Builder
	cmd.Stderr = &failed
	check(t, cmd.Start())
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			t.Errorf("columnvault view ends with %v: %s", err, failed.String())
		}
	}
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("columnvault view prints no address: %v, %s", err, failed.String())
	}
	return strings.TrimSpace(line), stop
}

// tab is a page, and what goes wrong on it.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string
	// close closes the tab. A browser has six connections to a server, and a page
	// keeps one of them.
	close context.CancelFunc

	mu     sync.Mutex
	wrong  []string
	expect bool // errors
}

// look opens an address in a tab of its own.
func look(t *testing.T, address string, first ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	u, err := url.Parse(address)
	check(t, err)
	p := &tab{t: t, base: u.Scheme + "://" + u.Host}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithListener(p.hear))
	p.ctx, p.close = ctx, cancel
	t.Cleanup(cancel)
	p.do(first...)
	for _, err := range []error{
		failed(chromedp.Call(ctx, network.Enable, network.EnableParams{})),
		failed(chromedp.Call(ctx, runtime.Enable, cdp.Empty{})),
		failed(chromedp.Call(ctx, cdplog.Enable, cdp.Empty{})),
	} {
		check(t, err)
	}
	p.do(chromedp.Navigate(address))
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, w := range p.wrong {
			t.Errorf("on the page: %s", w)
		}
	})
	return p
}

func failed[T any](_ T, err error) error { return err }

// hear keeps errors, and requests to anywhere else.
func (p *tab) hear(event any) {
	text := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = fmt.Sprintf("an exception: %s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			for _, arg := range e.Args {
				text += fmt.Sprintf("console: %s %s ", arg.Value, arg.Description)
			}
		}
	case *cdplog.EventEntryAdded:
		text = fmt.Sprintf("log: %s %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL)
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, p.base+"/") {
			text = "a request to " + e.Request.URL
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if text != "" && !p.expect {
		p.wrong = append(p.wrong, text)
	}
}

// forgive lets errors be, because the server ends or the test makes them.
func (p *tab) forgive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expect = true
}

// do does something on the page, with patience.
func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	check(p.t, chromedp.Do(p.ctx)) // which opens the tab, for longer than this takes
	check(p.t, chromedp.Do(ctx, steps...))
}

// of returns what an action gives.
func of[T any](p *tab, a chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	check(p.t, err)
	return v
}

// js is the value of an expression.
func js[T any](p *tab, expression string) T {
	p.t.Helper()
	return of(p, chromedp.Evaluate[T](expression))
}

// until waits for an expression to be true.
func (p *tab) until(what, expression string) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		so, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if err == nil && so {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s: %s is not true (%v); the page has:\n%s", what, expression, err, js[string](p, "document.body.innerText"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// size says how large the window is, and whether it is dark.
func size(w, h int64, dark bool) chromedp.Action[chromedp.Void] {
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	return chromedp.Steps(chromedp.EmulateViewport(w, h), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	}))
}

// open goes to a part of the page.
func (p *tab) open(hash string) {
	p.t.Helper()
	js[int](p, fmt.Sprintf("location.hash = %q; 0", hash))
}

// list is a list of texts in JavaScript.
func list(texts ...string) string {
	b, err := json.Marshal(texts)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// escape makes a text fit for a query.
func escape(text string) string { return url.QueryEscape(text) }

// key is a key in an address.
func key(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

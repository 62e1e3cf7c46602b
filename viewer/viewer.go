package viewer

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"time"

	"columnvault"
)

// Options are for [Handler]. The zero value is ready to use.
type Options struct {
	// Title is the name of the page; "" means columnvault.
	Title string
	// Authorize tells whether a request may be answered. Without it every one is:
	// the handler knows no users, and what it shows is all of the vault. A
	// request that is refused learns nothing but that.
	Authorize func(r *http.Request) bool
	// Timeout is how long an answer may take to compute; 0 means 20 seconds. A
	// check of the file takes the time that it needs.
	Timeout time.Duration
	// Concurrent is how many answers are computed at a time; the others wait. 0
	// means one for each processor, and at least 2. Each takes up to 32 MiB, an
	// element or value that is shown, and MaxMemory if it is one to SQL.
	Concurrent int
	// MaxMemory bounds what a statement of SQL takes, in bytes, as that of
	// package query does; 0 means 64 MiB.
	MaxMemory int64
	// NoSQL leaves the box for SQL out.
	NoSQL bool
}

// The defaults of Options.
const (
	defaultTimeout = 20 * time.Second
	defaultMemory  = 64 << 20
)

// Handler returns a handler that shows a vault. It answers GET and HEAD, and uses
// relative links only: mount it anywhere, at a path that ends with a slash, with
// [http.StripPrefix]. When the vault has been closed it says so.
//
// It is safe for concurrent use, and keeps nothing between requests but a
// goroutine that looks for changes as long as a page is open.
func Handler(v *columnvault.Vault, o Options) http.Handler {
	if o.Title == "" {
		o.Title = "columnvault"
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Concurrent <= 0 {
		o.Concurrent = max(2, runtime.GOMAXPROCS(0))
	}
	if o.MaxMemory == 0 {
		o.MaxMemory = defaultMemory
	}
	return &handler{v: v, o: o, turns: make(chan struct{}, o.Concurrent), checks: make(chan struct{}, 1), larges: make(chan struct{}, maxLarges), live: newHub(v)}
}

// handler is what Handler returns.
type handler struct {
	v *columnvault.Vault
	o Options
	// turns holds a token for each answer that is being computed, checks one for
	// the check that is running, and larges one for each large answer that is
	// being sent.
	turns, checks, larges chan struct{}
	live                  *hub
}

// answers are computed in their turn, within Options.Timeout, and returned as
// JSON.
var answers = map[string]func(h *handler, ctx context.Context, p *params) (any, error){
	"api/overview":  (*handler).overview,
	"api/summaries": (*handler).summaries,
	"api/column":    (*handler).column,
	"api/histogram": (*handler).histogram,
	"api/plot":      (*handler).plot,
	"api/rows":      (*handler).rows,
	"api/element":   (*handler).element,
	"api/find":      (*handler).find,
	"api/storage":   (*handler).storage,
	"api/file":      (*handler).file,
	"api/keys":      (*handler).keys,
	"api/key":       (*handler).key,
	"api/tables":    (*handler).tables,
	"api/sql":       (*handler).sql,
}

// streams write their answers themselves.
var streams = map[string]func(h *handler, w *reply, r *http.Request, p *params) error{
	"api/live":        (*handler).follow,
	"api/check":       (*handler).check,
	"content/element": (*handler).elementContent,
	"content/key":     (*handler).keyContent,
	"content/sql.csv": (*handler).csv,
}

// ServeHTTP implements [http.Handler].
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := h.reply(w, r)
	defer out.end()
	if err := h.serve(out, r); err != nil {
		out.fail(err)
	}
}

func (h *handler) serve(out *reply, r *http.Request) error {
	switch {
	case h.o.Authorize != nil && !h.o.Authorize(r):
		return refusal{http.StatusForbidden, "this is not for everybody"}
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		out.Header().Set("Allow", "GET, HEAD")
		return refusal{http.StatusMethodNotAllowed, "the page only reads"}
	case r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate":
		return refusal{http.StatusForbidden, "another site asks"}
	case len(r.URL.RawQuery) > maxQuery:
		return refusal{http.StatusRequestURITooLong, "the query is too long"}
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	if path == "" {
		return h.page(out)
	}
	if asset, ok := assets()[path]; ok {
		return asset.serve(out, r)
	}
	answer, stream := answers[path], streams[path]
	if answer == nil && stream == nil {
		return refusal{http.StatusNotFound, "there is no such page"}
	}
	p, err := newParams(r.URL.RawQuery)
	if err != nil {
		return err
	}
	if stream != nil {
		return stream(h, out, r, p)
	}
	var result any
	err = h.inTurn(r.Context(), func(ctx context.Context) error {
		result, err = answer(h, ctx, p)
		return err
	})
	if err != nil {
		return err
	}
	return out.json(http.StatusOK, result)
}

// inTurn calls fn when it is its turn, with a ctx that ends after
// Options.Timeout, or when the browser has gone.
func (h *handler) inTurn(ctx context.Context, fn func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, h.o.Timeout)
	defer cancel()
	select {
	case h.turns <- struct{}{}:
		defer func() { <-h.turns }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return fn(ctx)
}

package viewer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"columnvault"
	"columnvault/internal/excerpt"
	"columnvault/query"
)

const (
	// piece is how much is read and sent at once, in bytes, and writeTime how long
	// a browser may take to receive that.
	piece     = 256 << 10
	writeTime = 10 * time.Second
	// large answers are those of more bytes than this. A slow browser makes them
	// stay for minutes, so there are at most so many.
	large     = 1 << 20
	maxLarges = 8
)

// pagePolicy lets the page load what belongs to it, and nothing else.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// contentPolicy is for what comes out of the vault: should it be taken for a
// page, that has no scripts, no origin and no network.
const contentPolicy = "default-src 'none'; sandbox"

// reply is the answer to a request.
type reply struct {
	http.ResponseWriter
	r       *http.Request
	path    string // of the vault, which no answer may contain
	started bool
	larges  chan struct{} // has a token for each large answer that is being sent
}

func (h *handler) reply(w http.ResponseWriter, r *http.Request) *reply {
	header := w.Header()
	header.Set("Content-Security-Policy", pagePolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	return &reply{ResponseWriter: w, r: r, path: h.v.Path(), larges: h.larges}
}

// hurry gives the browser time for the next piece. Not all writers have
// deadlines: those of tests for example.
func (w *reply) hurry() {
	http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTime))
}

// end sends what is left, and takes the deadline back: the connection may go on
// with another request, and another handler.
func (w *reply) end() {
	c := http.NewResponseController(w.ResponseWriter)
	w.hurry()
	c.Flush()
	c.SetWriteDeadline(time.Time{})
}

// begin sends the header of an answer of this type, -1 if its length is not
// known.
func (w *reply) begin(status int, contentType string, length int64) {
	w.started = true
	w.Header().Set("Content-Type", contentType)
	if length >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(length, 10))
	}
	w.WriteHeader(status)
}

// Write implements [io.Writer], with a deadline for each piece.
func (w *reply) Write(b []byte) (n int, err error) {
	for len(b) > 0 && err == nil {
		var sent int
		w.hurry()
		sent, err = w.ResponseWriter.Write(b[:min(len(b), piece)])
		n, b = n+sent, b[sent:]
	}
	return n, err
}

// enlarge refuses an answer of so many bytes if there are too many large ones.
// done is for when it has been sent.
func (w *reply) enlarge(size int64) (done func(), err error) {
	if size <= large {
		return func() {}, nil
	}
	select {
	case w.larges <- struct{}{}:
		return func() { <-w.larges }, nil
	default:
		return nil, refusal{http.StatusServiceUnavailable, "too many large answers are being sent: wait for one of them"}
	}
}

// send begins an answer of so many bytes, which body writes if they are wanted.
func (w *reply) send(status int, contentType string, size int64, body func() error) error {
	if w.r.Method == http.MethodHead {
		w.begin(status, contentType, size)
		return nil
	}
	done, err := w.enlarge(size)
	if err != nil {
		return err
	}
	defer done()
	w.begin(status, contentType, size)
	return body()
}

// whole sends a whole answer.
func (w *reply) whole(status int, contentType string, body []byte) error {
	return w.send(status, contentType, int64(len(body)), func() error {
		w.Write(body) // an error means that the browser has gone
		return nil
	})
}

func (w *reply) json(status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.whole(status, "application/json", append(body, '\n'))
}

// refusal is an error of the request.
type refusal struct {
	status int
	text   string
}

func (e refusal) Error() string { return e.text }

func badRequest(format string, args ...any) error {
	return refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// failure is the JSON of an error.
type failure struct {
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
	// Gone says that the vault has ended for this handler.
	Gone bool `json:"gone,omitempty"`
}

// statuses are those of the kinds of errors that are not the server's fault.
var statuses = []struct {
	kind   error
	status int
}{
	{columnvault.ErrNotFound, http.StatusNotFound},
	{columnvault.ErrInvalidArgument, http.StatusBadRequest},
	{columnvault.ErrOutOfRange, http.StatusNotFound},
	{columnvault.ErrDType, http.StatusBadRequest},
	{columnvault.ErrUnsupported, http.StatusUnprocessableEntity},
	{columnvault.ErrCorrupt, http.StatusUnprocessableEntity},
	{columnvault.ErrTooLarge, http.StatusUnprocessableEntity},
	{query.ErrLimit, http.StatusUnprocessableEntity},
	{columnvault.ErrClosed, http.StatusServiceUnavailable},
	{columnvault.ErrReplaced, http.StatusServiceUnavailable},
	{context.DeadlineExceeded, http.StatusServiceUnavailable},
}

// fail answers with an error, unless there is an answer already.
func (w *reply) fail(err error) {
	if w.started {
		return
	}
	status := http.StatusInternalServerError
	for _, s := range statuses {
		if errors.Is(err, s.kind) {
			status = s.status
			break
		}
	}
	var refused refusal
	if errors.As(err, &refused) {
		status = refused.status
	}
	w.json(status, w.describe(err))
}

// describe puts an error into words, without a path of the machine.
func (w *reply) describe(err error) failure {
	f := failure{Gone: errors.Is(err, columnvault.ErrClosed) || errors.Is(err, columnvault.ErrReplaced)}
	var hinted interface{ Hint() string }
	switch {
	case errors.Is(err, columnvault.ErrClosed):
		f.Error = "the vault has been closed"
	case errors.Is(err, context.DeadlineExceeded):
		f.Error, f.Hint = "that takes too long", "ask for less at once"
	default:
		f.Error = w.hide(err.Error())
		if errors.As(err, &hinted) {
			f.Hint = w.hide(hinted.Hint())
		}
	}
	return f
}

// longestError is how much of an error is shown, in characters.
const longestError = 2000

// hide takes the path of the vault out of a text.
func (w *reply) hide(text string) string {
	for _, path := range []string{w.path, filepath.Dir(w.path)} {
		for _, path := range []string{absolute(path), path} {
			if len(path) > 1 { // not . and /
				text = strings.ReplaceAll(text, strings.Trim(strconv.Quote(path), `"`), "vault")
				text = strings.ReplaceAll(text, path, "vault")
			}
		}
	}
	return excerpt.Shorten(text, longestError)
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

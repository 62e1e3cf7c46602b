package viewer

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"columnvault"
)

// fileState is what the file takes, and what this vault has done with it.
type fileState struct {
	// Main, Free and Log are sizes in bytes: of the file, of what of it nothing
	// takes, and of the write-ahead log beside it.
	Main int64 `json:"main"`
	Free int64 `json:"free"`
	Log  int64 `json:"log"`
	// Held are elements and pairs in caches.
	Held int64 `json:"held"`
}

func (h *handler) file(ctx context.Context, p *params) (any, error) {
	if p.err != nil {
		return nil, p.err
	}
	sizes, err := h.v.FileSizes()
	return fileState{sizes.Main, sizes.Free, sizes.Log, h.v.Stats().Held}, err
}

// storage is what a column takes in the file.
type storage struct {
	Column   string `json:"column"`
	Elements int    `json:"elements"`
	Live     int64  `json:"live"`
	Dead     int64  `json:"dead"`
	Slack    int64  `json:"slack"`
	Chunks   int    `json:"chunks"`
	Error    string `json:"error,omitempty"`
}

func (h *handler) storage(ctx context.Context, p *params) (any, error) {
	names := p.names("column")
	if p.err != nil {
		return nil, p.err
	}
	all := make([]storage, len(names))
	for i, name := range names {
		var stat columnvault.Stat
		c, err := h.v.Column(ctx, name)
		if err == nil {
			stat, err = c.Stat(ctx)
		}
		if ctx.Err() != nil || isGone(err) {
			return nil, cmp.Or(ctx.Err(), err)
		}
		all[i] = storage{Column: address(name), Elements: stat.Elements, Live: stat.Live, Dead: stat.Dead, Slack: stat.Slack, Chunks: stat.Chunks}
		if err != nil {
			w := reply{path: h.v.Path()}
			all[i].Error = w.describe(err).Error
		}
	}
	return all, nil
}

// progress is how far a check is. The total is an estimate.
type progress struct {
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

// finding is something that a check has found.
type finding struct {
	Severity string `json:"severity"`
	Where    string `json:"where"`
	Text     string `json:"text"`
}

// checked is the end of a check.
type checked struct {
	Findings int `json:"findings"`
}

// progressTime is how often a check says how far it is.
const progressTime = 100 * time.Millisecond

// check sends what a check finds, as it finds it. There is one at a time, and it
// ends when the browser goes.
func (h *handler) check(w *reply, r *http.Request, p *params) error {
	full := p.flag("full")
	if p.err != nil {
		return p.err
	}
	select {
	case h.checks <- struct{}{}:
		defer func() { <-h.checks }()
	default:
		return refusal{http.StatusTooManyRequests, "another check is running"}
	}
	s := w.events()
	if r.Method == http.MethodHead {
		return nil
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	var last time.Time
	o := columnvault.CheckOptions{Full: full, Progress: func(done, total int64) {
		if time.Since(last) < progressTime {
			return
		}
		last = time.Now()
		if s.send("progress", progress{done, total}) != nil {
			cancel()
		}
	}}
	var end checked
	for f, err := range h.v.Check(ctx, o) {
		if err != nil {
			return s.send("failure", w.describe(err))
		}
		if f.Severity != columnvault.SeverityNote {
			end.Findings++
		}
		if err := s.send("finding", finding{f.Severity.String(), where(f), w.hide(f.Text)}); err != nil {
			return err
		}
	}
	return s.send("end", end)
}

// where is the address of the column or table that a finding is about, or of the
// beginning of a name that is too long to be one.
func where(f columnvault.Finding) string {
	name := cmp.Or(f.Column, f.Table)
	return addressOf(name[:min(len(name), maxName)])
}

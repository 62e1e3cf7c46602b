package viewer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"columnvault"
)

// isGone tells whether the vault has ended for this handler.
func isGone(err error) bool {
	return errors.Is(err, columnvault.ErrClosed) || errors.Is(err, columnvault.ErrReplaced)
}

// events is an answer that goes on: server-sent events.
type events struct{ w *reply }

func (w *reply) events() events {
	w.Header().Set("X-Accel-Buffering", "no") // for proxies that collect answers
	w.begin(http.StatusOK, "text/event-stream", -1)
	return events{w}
}

func (s events) send(name string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return s.write(fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, text))
}

func (s events) write(text []byte) error {
	if _, err := s.w.Write(text); err != nil {
		return err
	}
	return http.NewResponseController(s.w.ResponseWriter).Flush()
}

const (
	// lookTime is how often the hub looks whether anybody has written.
	lookTime = 200 * time.Millisecond
	// idleTime is how often a page hears that the connection still stands.
	idleTime = 15 * time.Second
	// maxFollowers is how many pages follow at a time.
	maxFollowers = 100
)

// change is what has happened since the last one.
type change struct {
	// Lengths are those of the columns whose length is another one now, by their
	// addresses.
	Lengths map[string]int `json:"lengths,omitempty"`
	// Catalog says that there are other columns or tables now.
	Catalog bool `json:"catalog,omitempty"`
	// Gone says that the vault has ended, and nothing follows.
	Gone bool `json:"gone,omitempty"`
}

// hub looks for changes for all pages, as long as there are any.
type hub struct {
	v         *columnvault.Vault
	mu        sync.Mutex
	followers map[*follower]struct{}
	// looking says that look runs, and known that it has seen a first state.
	looking, known bool
}

// follower is a page that follows. Changes that it has not heard of are put
// together, so one that is slow costs nothing.
type follower struct {
	pending change
	wake    chan struct{}
}

func newHub(v *columnvault.Vault) *hub {
	return &hub{v: v, followers: map[*follower]struct{}{}}
}

// follow sends changes until the browser goes.
func (h *handler) follow(w *reply, r *http.Request, p *params) error {
	if p.err != nil {
		return p.err
	}
	f, err := h.live.join()
	if err != nil {
		return err
	}
	defer h.live.leave(f)
	s := w.events()
	if r.Method == http.MethodHead {
		return nil
	}
	if err := s.write([]byte(":\n\n")); err != nil {
		return err
	}
	idle := time.NewTicker(idleTime)
	defer idle.Stop()
	for {
		select {
		case <-r.Context().Done():
			return nil
		case <-idle.C:
			if err := s.write([]byte(":\n\n")); err != nil {
				return err
			}
		case <-f.wake:
			c := h.live.take(f)
			if err := s.send("change", c); err != nil || c.Gone {
				return err
			}
		}
	}
}

// join adds a page, and begins to look with the first one. Its first change is
// that there may be others columns than those it has seen: from then on it misses
// nothing.
func (h *hub) join() (*follower, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.followers) >= maxFollowers {
		return nil, refusal{http.StatusServiceUnavailable, "too many pages follow the vault"}
	}
	f := &follower{wake: make(chan struct{}, 1)}
	h.followers[f] = struct{}{}
	if h.known {
		f.tell(change{Catalog: true})
	}
	if !h.looking {
		h.looking = true
		go h.look()
	}
	return f, nil
}

func (h *hub) leave(f *follower) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.followers, f)
}

// take returns what a page has not heard of.
func (h *hub) take(f *follower) change {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := f.pending
	f.pending = change{}
	return c
}

// tell adds a change to what a page has not heard of.
func (f *follower) tell(c change) {
	if f.pending.Lengths == nil {
		f.pending.Lengths = map[string]int{}
	}
	maps.Copy(f.pending.Lengths, c.Lengths)
	f.pending.Catalog = f.pending.Catalog || c.Catalog
	f.pending.Gone = f.pending.Gone || c.Gone
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// tell tells all pages, if there is something to tell. Without pages nobody
// looks any more.
func (h *hub) tell(c *change) (looking bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for f := range h.followers {
		if c != nil {
			f.tell(*c)
		}
	}
	h.known = len(h.followers) > 0 && (h.known || c != nil)
	h.looking = len(h.followers) > 0
	return h.looking
}

// look asks a number whether anybody has written, and only then for the columns.
func (h *hub) look() {
	ticks := time.NewTicker(lookTime)
	defer ticks.Stop()
	ctx := context.Background()
	var seen *state
	for {
		now, err := seen.next(ctx, h.v)
		var c *change
		switch {
		case isGone(err):
			c = &change{Gone: true}
		case err != nil:
			now = nil // which is all that counts as known, until there is an answer
		case seen == nil:
			c = &change{Catalog: true}
		case now != seen:
			c = now.since(seen)
		}
		seen = now
		if !h.tell(c) {
			return
		}
		<-ticks.C
	}
}

// state is how a vault was.
type state struct {
	version, held int64
	columns       map[string]columnvault.ColumnInfo
	tables        []string
}

// next returns the state as it is now: the same one if nobody has written.
func (s *state) next(ctx context.Context, v *columnvault.Vault) (*state, error) {
	version, err := v.DataVersion(ctx)
	if err != nil {
		return nil, err
	}
	held := v.Stats().Held
	if s != nil && s.version == version && s.held == held {
		return s, nil
	}
	now := &state{version: version, held: held, columns: map[string]columnvault.ColumnInfo{}}
	err = v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		infos, err := tx.Columns(ctx)
		if err != nil {
			return err
		}
		for _, info := range infos {
			if !info.Hidden {
				now.columns[info.Name] = info
			}
		}
		now.tables, err = tx.Tables(ctx)
		return err
	})
	return now, err
}

// since says what has happened since an earlier state.
func (s *state) since(before *state) *change {
	c := &change{Lengths: map[string]int{}, Catalog: len(s.columns) != len(before.columns) || !slices.Equal(s.tables, before.tables)}
	for name, info := range s.columns {
		old := before.columns[name]
		if old.Len != info.Len && len(name) <= maxName { // others are not listed
			c.Lengths[address(name)] = info.Len
		}
		old.Len = info.Len
		c.Catalog = c.Catalog || old != info
	}
	return c
}

package viewer_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/viewer"
)

// slow is a browser that takes so many pieces of an answer and then no more: the
// next one waits until the test lets its time run out.
type slow struct {
	*httptest.ResponseRecorder
	takes   int
	stopped chan struct{} // closed when it takes no more
	late    chan struct{} // closed when the time is over

	deadline time.Time
	wrong    string
}

func newSlow(takes int) *slow {
	return &slow{ResponseRecorder: httptest.NewRecorder(), takes: takes, stopped: make(chan struct{}), late: make(chan struct{})}
}

func (s *slow) SetWriteDeadline(t time.Time) error {
	s.deadline = t
	return nil
}

func (s *slow) Write(b []byte) (int, error) {
	if left := time.Until(s.deadline); left <= 0 || left > 10*time.Second || len(b) > 256<<10 {
		s.wrong = "a piece has no deadline of its own, or is too large"
	}
	s.deadline = time.Time{}
	if s.takes--; s.takes >= 0 {
		return s.ResponseRecorder.Write(b)
	}
	close(s.stopped)
	<-s.late
	return 0, os.ErrDeadlineExceeded
}

// TestSlowBrowser: a browser that does not take its answer has some seconds for
// each piece of it, holds no turn and, but for the longest values, no snapshot,
// and no more than some such answers wait at a time.
func TestSlowBrowser(t *testing.T) {
	v := vaulttest.Open(t)
	vaulttest.Create(t, v, "text", dtype.Bytes, vaulttest.Bytes(1, 2<<20))
	vaulttest.Put(t, v.KV(), "large", string(vaulttest.Bytes(2, 2<<20)))
	vaulttest.Put(t, v.KV(), "longest", string(vaulttest.Bytes(3, 9<<20)))
	h := viewer.Handler(v, viewer.Options{Concurrent: 1})
	large := []string{"/content/element?column=text", "/content/key" + q("table", "kv", "key", key("large")), "/content/sql.csv" + q("statement", "SELECT hex(zeroblob(1000000))")}
	longest := "/content/key" + q("table", "kv", "key", key("longest"))
	for _, target := range append(large, longest) {
		var browsers []*slow
		var all sync.WaitGroup
		for range 8 {
			s := newSlow(2)
			browsers = append(browsers, s)
			all.Go(func() { h.ServeHTTP(s, httptest.NewRequest("GET", target, nil)) })
			<-s.stopped
		}
		if open := v.Stats().SnapshotsOpen; open > 0 && target != longest {
			t.Errorf("%s: %d snapshots are open", target, open)
		}
		if w := get(t, h, target); w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: the ninth has status %d", target, w.Code)
		}
		if w := get(t, h, "/api/overview"); w.Code != http.StatusOK {
			t.Errorf("%s: beside them a small answer has status %d", target, w.Code)
		}
		for _, s := range browsers {
			close(s.late)
		}
		all.Wait()
		for _, s := range browsers {
			if s.wrong != "" || s.Body.Len() != 512<<10 {
				t.Errorf("%s: %s, and %d bytes are sent", target, s.wrong, s.Body.Len())
			}
		}
		if w := get(t, h, target); w.Code != http.StatusOK {
			t.Errorf("%s: afterwards the status is %d", target, w.Code)
		}
	}
	vaulttest.Eventually(t, "no snapshot is open", func() bool { return v.Stats().SnapshotsOpen == 0 })
}

// TestSlowFollower: a page that does not take its changes ends when the time for
// one is over, and another goes on to hear them.
func TestSlowFollower(t *testing.T) {
	v := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "log", dtype.Int64)
	h := viewer.Handler(v, viewer.Options{})
	s := newSlow(1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.ServeHTTP(s, httptest.NewRequest("GET", "/api/live", nil))
	}()
	<-s.stopped
	server := httptest.NewServer(h)
	defer server.Close()
	ctx, cancel := context.WithCancel(vaulttest.Soon(t))
	defer cancel()
	changes := follow(t, ctx, server)
	<-changes
	vaulttest.Must(t, c.Append(ctx, 1, 2))
	for got := <-changes; got.Lengths["log"] != 2; {
		got = <-changes
	}
	close(s.late)
	<-ended
	if s.wrong != "" {
		t.Error(s.wrong)
	}
}

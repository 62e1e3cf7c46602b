package viewer_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/viewer"
)

func openBench(b *testing.B) *columnvault.Vault {
	v, err := columnvault.Open(b.Context(), b.TempDir()+"/bench.db", nil)
	vaulttest.Must(b, err)
	b.Cleanup(func() { v.Close() })
	return v
}

// change is an event of api/live.
type change struct {
	Lengths map[string]int
	Catalog bool
	Gone    bool
}

// follow listens to the changes of a server.
func follow(t *testing.T, ctx context.Context, server *httptest.Server) <-chan change {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/api/live", nil)
	vaulttest.Must(t, err)
	response, err := server.Client().Do(r)
	vaulttest.Must(t, err)
	if kind := response.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatalf("the type is %s", kind)
	}
	changes := make(chan change, 1000)
	go func() {
		defer response.Body.Close()
		defer close(changes)
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var c change
				if json.Unmarshal([]byte(data), &c) == nil {
					changes <- c
				}
			}
		}
	}()
	return changes
}

// TestFollow: all pages hear what another writer does, and the end of the vault.
func TestFollow(t *testing.T) {
	p := vaulttest.OpenPair(t, nil)
	other := vaulttest.Create(t, p.Other, "log", dtype.Int64)
	vaulttest.Create(t, p.Other, "still", dtype.Int64, 1)
	server := httptest.NewServer(viewer.Handler(p.V, viewer.Options{}))
	defer server.Close()
	ctx := vaulttest.Soon(t)
	first, second := follow(t, ctx, server), follow(t, ctx, server)
	for _, changes := range []<-chan change{first, second} {
		if c := <-changes; !c.Catalog {
			t.Fatalf("the first change is %+v", c)
		}
	}
	vaulttest.Must(t, other.Append(ctx, 1, 2, 3))
	for _, changes := range []<-chan change{first, second} {
		c := <-changes
		for c.Lengths["log"] != 3 { // a change of another kind may come before
			c = <-changes
		}
		if c.Catalog || len(c.Lengths) != 1 {
			t.Errorf("an append is the change %+v", c)
		}
	}
	vaulttest.Must(t, other.Set(ctx, 0, 7))
	if c := <-first; c.Catalog || len(c.Lengths) != 0 {
		t.Errorf("an element that is set is the change %+v", c)
	}
	vaulttest.Must(t, p.Other.Drop(ctx, "still"))
	if c := <-first; !c.Catalog {
		t.Errorf("a column that is dropped is the change %+v", c)
	}
	vaulttest.Must(t, p.V.Close())
	c, ok := <-first
	for ok && !c.Gone {
		c, ok = <-first
	}
	if !c.Gone {
		t.Error("the end of the vault is not told")
	}
}

// TestFollowersLeave: when the last page has gone, nobody looks any more, and a
// page that comes later hears changes again.
func TestFollowersLeave(t *testing.T) {
	v := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "log", dtype.Int64)
	server := httptest.NewServer(viewer.Handler(v, viewer.Options{}))
	defer server.Close()
	before := runtime.NumGoroutine()
	for range 3 {
		ctx, cancel := context.WithCancel(vaulttest.Soon(t))
		changes := follow(t, ctx, server)
		<-changes
		n, err := c.Len(ctx)
		vaulttest.Must(t, err)
		vaulttest.Must(t, c.Append(ctx, 1))
		got := <-changes
		for got.Lengths["log"] != n+1 {
			got = <-changes
		}
		cancel()
		server.CloseClientConnections()
	}
	vaulttest.Eventually(t, "nobody looks any more", func() bool { return runtime.NumGoroutine() <= before+2 })
}

// TestHeldRows: what a cache of the vault holds is heard of, too.
func TestHeldRows(t *testing.T) {
	v := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "log", dtype.Int64)
	vaulttest.Must(t, c.EnableCache(t.Context(), nil))
	server := httptest.NewServer(viewer.Handler(v, viewer.Options{}))
	defer server.Close()
	ctx, cancel := context.WithCancel(vaulttest.Soon(t))
	defer cancel()
	changes := follow(t, ctx, server)
	<-changes
	vaulttest.Must(t, c.Append(ctx, 1, 2))
	got := <-changes
	for got.Lengths["log"] != 2 {
		got = <-changes
	}
}

package pgserver

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy stands between a program and a server. It counts trips, and breaks
// connections when a test wants it to.
type Proxy struct {
	// DSN leads to the server through the proxy.
	DSN    string
	listen net.Listener
	to     string

	refuses atomic.Bool
	// delay is in nanoseconds.
	delay atomic.Int64

	mu    sync.Mutex
	links map[*link]struct{}
	gone  count
	// left is how many bytes still go to the server, or come from it, before all
	// connections break; below 0 they do not.
	left, leftBack int64
}

// link is a connection through the proxy.
type link struct {
	client, server net.Conn
	// waits says that the client has sent something and got no answer yet.
	waits bool
}

// NewProxy starts a proxy to the server that a DSN leads to.
func NewProxy(t testing.TB, dsn string) *Proxy {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	port := u.Port()
	if port == "" {
		port = "5432"
	}
	p := &Proxy{to: net.JoinHostPort(u.Hostname(), port), links: map[*link]struct{}{}, left: -1, leftBack: -1}
	if p.listen, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	u.Host = p.listen.Addr().String()
	q := u.Query()
	q.Set("sslmode", "disable") // what is encrypted cannot be counted
	u.RawQuery = q.Encode()
	p.DSN = u.String()
	go p.accept()
	t.Cleanup(func() {
		p.listen.Close()
		p.Break()
	})
	return p
}

func (p *Proxy) accept() {
	for {
		client, err := p.listen.Accept()
		if err != nil {
			return
		}
		if p.refuses.Load() {
			client.Close()
			continue
		}
		server, err := net.Dial("tcp", p.to)
		if err != nil {
			client.Close()
			continue
		}
		l := &link{client: client, server: server}
		p.mu.Lock()
		p.links[l] = struct{}{}
		p.mu.Unlock()
		go p.pump(l, server, client, true)
		go p.pump(l, client, server, false)
	}
}

// pump passes on what comes from one side.
func (p *Proxy) pump(l *link, to, from net.Conn, up bool) {
	defer p.end(l)
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if d := p.delay.Load(); d > 0 {
			time.Sleep(time.Duration(d))
		}
		pass, ok := p.passes(l, int64(n), up)
		if _, failed := to.Write(buf[:pass]); failed != nil || !ok || err != nil {
			return
		}
	}
}

// passes takes note of n bytes, and tells how many of them may pass and whether
// the connections live on.
func (p *Proxy) passes(l *link, n int64, up bool) (pass int64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	left, total := &p.leftBack, &p.gone.received
	if up {
		left, total = &p.left, &p.gone.sent
	}
	if n > 0 && up && !l.waits {
		p.gone.trips++
	}
	if n > 0 {
		l.waits = up
	}
	*total += n
	if *left < 0 || n < *left {
		if *left > 0 {
			*left -= n
		}
		return n, true
	}
	n = *left
	*left = -1
	return n, false
}

func (p *Proxy) end(l *link) {
	l.client.Close()
	l.server.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// Break breaks all connections.
func (p *Proxy) Break() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.client.Close()
		l.server.Close()
	}
}

// During counts what goes through while fn runs: trips, and bytes to and from
// the server.
func (p *Proxy) During(fn func()) (trips int, sent, received int64) {
	before := p.count()
	fn()
	now := p.count()
	return now.trips - before.trips, now.sent - before.sent, now.received - before.received
}

// count is how much has gone through.
type count struct {
	trips          int
	sent, received int64
}

func (p *Proxy) count() count {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone
}

// CutAfter breaks a connection when n more bytes have gone to the server.
func (p *Proxy) CutAfter(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = n
}

// CutAnswerAfter breaks a connection when n more bytes have come from the
// server.
func (p *Proxy) CutAnswerAfter(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leftBack = n
}

// Refuse takes no more connections, until Accept.
func (p *Proxy) Refuse() { p.refuses.Store(true) }

// Accept takes connections again.
func (p *Proxy) Accept() { p.refuses.Store(false) }

// Delay makes each direction of a trip take that long, from now on.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

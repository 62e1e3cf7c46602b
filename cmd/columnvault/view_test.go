package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestGate: only who has the token gets in, from this server's own addresses, and
// everybody else learns the same.
func TestGate(t *testing.T) {
	inside := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	g := newGate(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}, "127.0.0.1", inside)
	ask := func(host, target string, set func(r *http.Request)) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", target, nil)
		r.Host = host
		if set != nil {
			set(r)
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		return w
	}
	const own = "127.0.0.1:8080"
	in := ask(own, "/?token="+g.token, nil)
	cookies := in.Result().Cookies()
	if in.Code != http.StatusSeeOther || in.Header().Get("Location") != "/" || len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode {
		t.Fatalf("the token gives status %d, %v", in.Code, in.Header())
	}
	with := func(r *http.Request) { r.AddCookie(cookies[0]) }
	for _, host := range []string{own, "localhost:8080", "[::1]:8080"} {
		if w := ask(host, "/api/overview", with); w.Code != http.StatusTeapot {
			t.Errorf("%s gets status %d", host, w.Code)
		}
	}
	refused := ask(own, "/", nil)
	if refused.Code != http.StatusForbidden || strings.Contains(refused.Body.String(), g.token) {
		t.Fatalf("without a token the status is %d: %s", refused.Code, refused.Body)
	}
	for what, w := range map[string]*httptest.ResponseRecorder{
		"no cookie":           ask(own, "/api/overview", nil),
		"a wrong token":       ask(own, "/?token=A"+g.token[1:]+"A", nil),
		"a wrong cookie":      ask(own, "/", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: g.cookie, Value: "x"}) }),
		"a token elsewhere":   ask(own, "/api/overview?token="+g.token, nil),
		"a name of anybody":   ask("evil.example:8080", "/", with),
		"another port":        ask("127.0.0.1:8081", "/", with),
		"no port":             ask("127.0.0.1", "/", with),
		"another origin":      ask(own, "/", func(r *http.Request) { with(r); r.Header.Set("Origin", "http://evil.example") }),
		"an origin's port":    ask(own, "/", func(r *http.Request) { with(r); r.Header.Set("Origin", "http://127.0.0.1:8081") }),
		"an origin's scheme":  ask(own, "/", func(r *http.Request) { with(r); r.Header.Set("Origin", "https://"+own) }),
		"a neighbor's cookie": ask(own, "/", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "columnvault-8081", Value: g.token}) }),
		"an empty cookie":     ask(own, "/", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: g.cookie}) }),
		"an empty token":      ask(own, "/?token=", nil),
		"two tokens":          ask(own, "/?token=x&token="+g.token, nil),
		"a name at the end":   ask(own+".evil.example", "/", with),
		"a user's name":       ask("x@"+own, "/", with),
		"no host":             ask("", "/", with),
		"an asset":            ask(own, "/assets/main.js", nil),
		"what is not there":   ask(own, "/nothing", nil),
		"the origin of none":  ask(own, "/", func(r *http.Request) { with(r); r.Header.Set("Origin", "null") }),
		"both wrong":          ask("evil.example", "/?token=x", nil),
	} {
		if w.Code != refused.Code || w.Body.String() != refused.Body.String() || len(w.Result().Cookies()) > 0 {
			t.Errorf("%s gives status %d: %s", what, w.Code, w.Body)
		}
	}
	// The token that a browser is started with can be seen by others on the
	// machine, so it is good once.
	once := strings.TrimPrefix(g.onceAddress(), "http://"+own)
	if w := ask(own, once, nil); w.Code != http.StatusSeeOther {
		t.Errorf("the first use gives status %d", w.Code)
	}
	if w := ask(own, once, nil); w.Code != http.StatusForbidden {
		t.Errorf("the second use gives status %d", w.Code)
	}
}

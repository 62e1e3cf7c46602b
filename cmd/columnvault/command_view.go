package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/viewer"
)

type viewOptions struct {
	listen string
	open   bool
	quiet  bool
}

func newViewCommand(a *app) *cobra.Command {
	var o viewOptions
	cmd := &cobra.Command{
		Use:   "view DB [--listen ADDRESS] [--open]",
		Short: "Show what is in a vault, on a page in the browser",
		Long: `Serve a page that shows the vault: columns as plots and tables, keys as pictures
and text, answers to SQL, what the file takes, and all of it while other programs
go on writing. The page only reads, and needs nothing from the network. ctrl-C
ends it.

The address is printed, with a token without which nothing is shown: who has the
address can read the vault. By default only this machine can connect; --listen
with another address lets others in, over a connection that is not encrypted.`,
		Example: `  columnvault view weather.db
  columnvault view weather.db --open
  columnvault view weather.db --listen 127.0.0.1:8080`,
		RunE: func(cmd *cobra.Command, args []string) error { return runView(cmd.Context(), a, args[0], &o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "the `ADDRESS` and port; port 0 is one that is free")
	f.BoolVar(&o.open, "open", false, "open the page in the browser")
	f.BoolVar(&o.quiet, "quiet", false, "print the address and nothing else")
	return cmd
}

func runView(ctx context.Context, a *app, db string, o *viewOptions) error {
	host, _, err := net.SplitHostPort(o.listen)
	if err != nil {
		return usagef("--listen takes an address and a port, such as 127.0.0.1:8080")
	}
	return reading(ctx, db, func(v *columnvault.Vault) error {
		listener, err := net.Listen("tcp", o.listen)
		if err != nil {
			return err
		}
		defer listener.Close()
		g := newGate(listener.Addr().(*net.TCPAddr), host, viewer.Handler(v, viewer.Options{Title: filepath.Base(db)}))
		fmt.Fprintln(a.out, g.address())
		if err := a.out.Flush(); err != nil {
			return err
		}
		if !o.quiet {
			fmt.Fprintln(a.err, "columnvault: this address shows the vault, and whoever has it can read it; ctrl-C ends it")
		}
		if o.open {
			if err := openBrowser(g.onceAddress()); err != nil {
				a.warn(o.quiet, []string{"the browser cannot be opened: " + err.Error()})
			}
		}
		return serve(ctx, listener, g)
	})
}

// serve answers requests until ctx ends, which is no error.
func serve(ctx context.Context, listener net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    128 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          log.New(io.Discard, "", 0), // of connections that end early
	}
	stop := context.AfterFunc(ctx, func() {
		// Requests have the ctx, and so they end too.
		patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if server.Shutdown(patient) != nil {
			server.Close()
		}
	})
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// gate lets those in who have the token, and no page of another site.
type gate struct {
	token, cookie string
	once          atomic.Pointer[string] // a token that is good once, nil for none
	addr          netip.AddrPort
	host          string // of --listen
	next          http.Handler
}

func newGate(addr *net.TCPAddr, host string, next http.Handler) *gate {
	// Cookies do not tell ports of a machine apart, so each has its own.
	return &gate{token: rand.Text(), cookie: fmt.Sprintf("columnvault-%d", addr.Port), addr: addr.AddrPort(), host: host, next: next}
}

// address is what a person opens.
func (g *gate) address() string { return g.addressWith(g.token) }

// onceAddress is what a browser is started with. Everybody on the machine can see
// how programs were started, so it is good once.
func (g *gate) onceAddress() string {
	token := rand.Text()
	g.once.Store(&token)
	return g.addressWith(token)
}

func (g *gate) addressWith(token string) string {
	host := g.addr.Addr().Unmap().String()
	if g.addr.Addr().IsUnspecified() {
		host = "localhost"
	} else if g.host != "" {
		host = g.host
	}
	return fmt.Sprintf("http://%s/?token=%s", net.JoinHostPort(host, fmt.Sprint(g.addr.Port())), token)
}

// ServeHTTP implements [http.Handler].
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	given := r.URL.Query().Get("token")
	cookie, err := r.Cookie(g.cookie)
	switch {
	case !g.isOurs(r.Host) || r.Header.Get("Origin") != "" && r.Header.Get("Origin") != "http://"+r.Host:
		refuse(w)
	case err == nil && g.is(cookie.Value) && given == "":
		g.next.ServeHTTP(w, r)
	case r.URL.Path == "/" && (g.is(given) || g.isOnce(given)):
		http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		// The token must not stay in the address, which people pass on.
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/", http.StatusSeeOther)
	default:
		refuse(w)
	}
}

func (g *gate) is(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(g.token)) == 1
}

// isOnce tells whether a token is the one that is good once, and uses it up.
func (g *gate) isOnce(token string) bool {
	once := g.once.Load()
	return once != nil && subtle.ConstantTimeCompare([]byte(token), []byte(*once)) == 1 && g.once.CompareAndSwap(once, nil)
}

// refuse is the same for all that is refused, so that it tells nothing.
func refuse(w http.ResponseWriter) {
	http.Error(w, "open the address that columnvault view has printed", http.StatusForbidden)
}

// isOurs tells whether a Host is this server. A name that anybody could give to
// this address, so that a page of theirs may read the answers, is not.
func (g *gate) isOurs(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.Trim(host, "[]"), "80"
	}
	if port != fmt.Sprint(g.addr.Port()) {
		return false
	}
	_, err = netip.ParseAddr(name)
	return err == nil || strings.EqualFold(name, "localhost") || g.host != "" && strings.EqualFold(name, g.host)
}

// openBrowser opens an address as the system does.
func openBrowser(address string) error {
	switch runtime.GOOS {
	case "darwin":
		return exec.Command("open", address).Start()
	case "windows":
		return exec.Command("rundll32", "url.dll,FileProtocolHandler", address).Start()
	}
	return exec.Command("xdg-open", address).Start()
}

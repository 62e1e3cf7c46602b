package viewer_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"columnvault"
	"columnvault/dtype"
	"columnvault/viewer"
)

// A service shows its vault to those who are signed in.
func ExampleHandler() {
	dir, err := os.MkdirTemp("", "columnvault-")
	must(err)
	defer os.RemoveAll(dir)
	v, err := columnvault.Open(context.Background(), filepath.Join(dir, "temps.db"), nil)
	must(err)
	defer v.Close()
	ctx := context.Background()
	temps, err := columnvault.Create(ctx, v, "temps", dtype.Float64, nil)
	must(err)
	must(temps.Append(ctx, 20.5, 21, 19))

	signedIn := func(r *http.Request) bool { _, err := r.Cookie("session"); return err == nil }
	mux := http.NewServeMux()
	mux.Handle("/vault/", http.StripPrefix("/vault", viewer.Handler(v, viewer.Options{Title: "Temperatures", Authorize: signedIn})))
	server := httptest.NewServer(mux)
	defer server.Close()

	request, err := http.NewRequest("GET", server.URL+"/vault/api/plot?column=temps", nil)
	must(err)
	request.AddCookie(&http.Cookie{Name: "session", Value: "a"})
	response, err := http.DefaultClient.Do(request)
	must(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(err)
	fmt.Printf("%s", body)
	// Output:
	// {"length":3,"from":0,"to":3,"exact":true,"x":[0,1,2],"series":[{"column":"temps","y":[20.5,21,19]}]}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

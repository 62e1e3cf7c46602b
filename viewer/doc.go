// Package viewer shows what is in a vault on a local page: columns as plots and
// tables, keys as pictures and text, answers to SQL, and all of it while other
// programs go on writing.
//
//	http.Handle("/vault/", http.StripPrefix("/vault", viewer.Handler(v, viewer.Options{Authorize: allowed})))
//
// The page asks the handler for JSON and needs nothing from anywhere else. It
// only reads; docs/viewer.md describes what it shows, and what it costs.
package viewer

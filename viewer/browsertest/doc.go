// Package browsertest looks at the page of columnvault view in a real browser. It is
// a module of its own, for the library that drives the browser.
package browsertest

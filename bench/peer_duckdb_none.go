//go:build !cgo

package main

// duckdbPeers are none: DuckDB is C++.
func duckdbPeers() []Peer { return nil }

//go:build !linux

package pgserver

import "errors"

// Start starts a server, on Linux alone.
func Start() (*Server, error) { return nil, errors.New("only on Linux is one started") }

// Restart starts a server that was killed.
func (s *Server) Restart() error { return errors.New("only on Linux is one started") }

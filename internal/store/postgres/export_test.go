package postgres

import (
	"time"

	"columnvault/internal/store"
)

// LockFirst has a store lock a column before it reads it, from now on.
func LockFirst(s *Store, id store.ColumnID) {
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	s.known.paused[id] = paused{until: time.Now().Add(time.Hour), length: time.Hour}
}

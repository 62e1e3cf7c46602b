package sqlite

import "context"

// detached calls fn and waits for it, but not longer than until ctx is done: then
// fn goes on by itself, and late gets its error when it returns. It is for what
// SQLite does in one piece that nothing can end: to read a long log when the file
// is opened, and to move one. fn must have all that it uses to itself.
func detached(ctx context.Context, fn func() error, late func(error)) error {
	if ctx.Done() == nil {
		return fn()
	}
	done := make(chan error, 1)
	go func() { done <- fn() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		go func() { late(<-done) }()
		return ctx.Err()
	}
}

package fsck

import (
	"context"
	"runtime"

	"columnvault/internal/store"
)

// maxHeld is how many findings are held until the engine's own check has come to
// its end.
const maxHeld = 1000

// heldFinding is a finding, and whether it is about a column that cannot be
// changed.
type heldFinding struct {
	Finding
	fixed bool
}

// beside is the engine's own check in a goroutine and a snapshot of its own. It
// and decoding the elements read the whole file each, and neither needs the other.
type beside struct {
	done   chan struct{}
	cancel context.CancelFunc
	below  []store.Finding
	err    error
}

// startBeside begins the engine's own check, if everything is decoded meanwhile
// and the storage can be read twice at a time.
func (c *checker) startBeside(ctx context.Context) error {
	r, ok := c.r.(store.Sibling)
	if !ok || !c.o.Full || runtime.GOMAXPROCS(0) < 2 {
		return nil
	}
	snap, err := r.Sibling(ctx)
	if err != nil || snap == nil {
		return err
	}
	b := &beside{done: make(chan struct{})}
	ctx, b.cancel = context.WithCancel(ctx)
	c.beside = b
	go func() {
		defer close(b.done)
		defer snap.Close()
		b.below, b.err = snap.Verify(ctx, c.o.Full)
	}()
	return nil
}

// joinBeside waits for the engine's own check and reports what it has found, and
// after that what was held.
func (c *checker) joinBeside() error {
	b := c.beside
	if b == nil {
		return c.err
	}
	<-b.done
	c.endBeside()
	if b.err != nil {
		return b.err
	}
	err := c.report(b.below)
	held, fixed := c.held, c.fixed
	c.held = nil
	for _, f := range held {
		c.fixed = f.fixed
		c.send(f.Finding)
	}
	c.fixed = fixed
	if err == nil {
		err = c.err
	}
	return err
}

// endBeside ends the engine's own check, whatever it has come to.
func (c *checker) endBeside() {
	if c.beside != nil {
		c.beside.cancel()
		<-c.beside.done
		c.beside = nil
	}
}

package storetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"columnvault/internal/store"
)

// Counter is an engine that counts what is asked of another one, and how often
// a caller would have to wait for an answer if that were far away.
type Counter struct {
	store.Store

	mu    sync.Mutex
	count Counts
	// known are the names and IDs whose rows a distant engine would remember.
	known map[any]bool
}

// Counts is what was asked of an engine.
type Counts struct {
	// Calls is how often each method of Store, Reader and Tx was called.
	Calls map[string]int
	// Trips is how often a caller had to wait for an answer. That is:
	//
	//   - Every reading method is one trip.
	//   - Not so a Lookup that repeats one of the same transaction, and not so
	//     the first LastChunk after a Lookup of its column, which an engine can
	//     fetch together.
	//   - In a Read, Lookups of rows that the engine has seen before cost one
	//     trip if nothing else does: an engine can go on with the rows that it
	//     remembers, and see with the next answer whether they still hold.
	//   - Writes are collected. They are sent with the commit, which is one
	//     trip, and none if nothing was written.
	Trips int
	// Spans is how many ranges of bytes were read or written.
	Spans int
	// BytesRead and BytesWritten are those of chunks and values, as far as the
	// calls tell them.
	BytesRead, BytesWritten int64
}

// NewCounter returns an engine that counts what is asked of s.
func NewCounter(s store.Store) *Counter {
	return &Counter{Store: s, known: map[any]bool{}, count: Counts{Calls: map[string]int{}}}
}

// During returns what is asked while fn runs.
func (c *Counter) During(fn func() error) (Counts, error) {
	c.mu.Lock()
	c.count = Counts{Calls: map[string]int{}}
	c.mu.Unlock()
	err := fn()
	c.mu.Lock()
	defer c.mu.Unlock()
	count := c.count
	count.Calls = maps.Clone(count.Calls)
	return count, err
}

// Total is the number of all calls.
func (c Counts) Total() (n int) {
	for _, calls := range c.Calls {
		n += calls
	}
	return n
}

func (c Counts) String() string {
	var calls []string
	for _, method := range slices.Sorted(maps.Keys(c.Calls)) {
		calls = append(calls, fmt.Sprintf("%s %d", method, c.Calls[method]))
	}
	return fmt.Sprintf("%d trips, %d spans, %d bytes read and %d written, %s",
		c.Trips, c.Spans, c.BytesRead, c.BytesWritten, strings.Join(calls, ", "))
}

// Read implements store.Store.
func (c *Counter) Read(ctx context.Context) (store.Snapshot, error) {
	c.called("Read")
	snap, err := c.Store.Read(ctx)
	if err != nil {
		return nil, err
	}
	m := newMeter(c)
	m.guess = true
	return counted{tapped{r: snap, tap: m}, snap, m}, nil
}

// Snapshot implements store.Store.
func (c *Counter) Snapshot(ctx context.Context) (store.Snapshot, error) {
	c.called("Snapshot")
	snap, err := c.Store.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	m := newMeter(c)
	return counted{tapped{r: snap, tap: m}, snap, m}, nil
}

// counted is a Snapshot whose calls are counted.
type counted struct {
	store.Reader
	snap  store.Snapshot
	meter *meter
}

func (s counted) Close() error {
	s.meter.end()
	return s.snap.Close()
}

// Update implements store.Store.
func (c *Counter) Update(ctx context.Context, fn func(store.Tx) error) error {
	c.called("Update")
	return c.Store.Update(ctx, func(tx store.Tx) error {
		m := newMeter(c)
		err := fn(tapped{r: tx, tx: tx, tap: m})
		if err == nil {
			m.end()
		}
		return err
	})
}

// called counts a call of a method of Store.
func (c *Counter) called(method string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count.Calls[method]++
}

// meter counts the calls of one transaction.
type meter struct {
	c *Counter
	// guess says that rows which are remembered need no trip of their own, and
	// guessed that such rows are in use and not yet confirmed.
	guess, guessed bool
	wrote          bool
	// seen are the names and IDs looked up in this transaction, fetched the
	// columns whose last chunk comes without a trip.
	seen    map[any]bool
	fetched map[store.ColumnID]bool
}

func newMeter(c *Counter) *meter {
	return &meter{c: c, seen: map[any]bool{}, fetched: map[store.ColumnID]bool{}}
}

// end counts what the transaction still has to wait for.
func (m *meter) end() {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	if m.guessed || m.wrote {
		m.trip()
	}
}

// trip counts one. The caller has the mutex of the Counter.
func (m *meter) trip() {
	m.c.count.Trips++
	m.guessed = false
}

func (m *meter) before(call *call) error {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	count := &m.c.count
	count.Calls[call.method]++
	count.Spans += call.spans
	switch call.method {
	case "Lookup", "LookupID":
		m.lookup(call)
		return nil
	case "LastChunk":
		if !m.fetched[call.ids[0]] {
			m.trip()
		}
		delete(m.fetched, call.ids[0])
		return nil
	case "CreateColumn", "RenameColumn", "DropColumn", "SetAttrs":
		clear(m.c.known)
		clear(m.seen)
	case "CatalogVersion":
		return nil // an engine that is far away would tell it with the first answer
	case "ReadAt", "ReadAll", "GetAt":
		count.BytesRead += call.bytes
		m.trip()
		return nil
	case "Columns", "Verify", "Chunk", "Chunks", "Tables", "Table", "Get", "Size", "Count", "Scan":
		m.trip()
		return nil
	}
	m.wrote = true
	count.BytesWritten += call.bytes
	return nil
}

// keys are the names and IDs of a Lookup.
func (c *call) keys() (keys []any) {
	for _, name := range c.names {
		keys = append(keys, name)
	}
	for _, id := range c.ids {
		keys = append(keys, id)
	}
	return keys
}

// lookup counts a Lookup.
func (m *meter) lookup(call *call) {
	all := func(known map[any]bool) bool {
		return !slices.ContainsFunc(call.keys(), func(key any) bool { return !known[key] })
	}
	switch {
	case all(m.seen):
	case m.guess && all(m.c.known):
		m.guessed = true
	default:
		m.trip()
	}
	for _, key := range call.keys() {
		m.c.known[key], m.seen[key] = true, true
	}
}

func (m *meter) after(call *call) {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	for _, row := range call.rows {
		m.c.known[row.ID], m.c.known[row.Name] = true, true
		m.fetched[row.ID] = true
	}
}

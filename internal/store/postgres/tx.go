package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"columnvault/internal/store"
)

// tx is a transaction that writes.
type tx struct {
	reader
	ctx context.Context
	// c is its connection, once the first trip has begun it.
	c *conn
	// columns are those that it has looked up; one without an ID does not exist.
	columns map[store.ColumnID]*held
	names   map[string]store.ColumnID
	// prelock are columns that an earlier run has used. All of them are locked
	// first, in the order of their IDs, so that no two wait for each other.
	prelock []int64
	// version is that of the catalog when it was first looked at, or after own
	// changes; 0 before. absent says that it matters whether that changes.
	version uint64
	absent  bool
	// catalogLocked says that nobody else can change the catalog.
	catalogLocked bool
	// tables are key-value tables that the transaction has used.
	tables  map[string]*tableState
	writes  writes
	written bool
	// home is the one that the transaction changes, -1 before.
	home  int64
	found []store.Row

	aborted  error
	failed   error
	ended    bool
	onCommit []func()
}

// held is a column in a transaction.
type held struct {
	entry
	// locked says that it is locked on the server: until then it is remembered
	// only, and the first trip compares its revision.
	locked bool
	// raised says that its revision was raised.
	raised bool
}

// tableState is a key-value table in a transaction.
type tableState struct {
	locked, raised bool
	// exists says that it certainly does, in this home.
	exists bool
	home   int64
	// sizes are those of values that the transaction has made with PutZero.
	sizes map[string]value
}

var _ store.Tx = (*tx)(nil)

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	if s.opts.ReadOnly {
		return fmt.Errorf("%w: the vault was opened for reading only", store.ErrReadOnly)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer func() { s.turn <- struct{}{} }()
	if s.closed.Load() {
		return store.ErrClosed
	}
	start := time.Now()
	var prelock []int64
	for attempt := 0; ; attempt++ {
		t := &tx{ctx: ctx, columns: map[store.ColumnID]*held{}, names: map[string]store.ColumnID{}, tables: map[string]*tableState{}, prelock: prelock, home: -1}
		t.reader = reader{s: s, asker: t}
		t.writes.init()
		err := t.run(ctx, fn)
		if err == nil {
			s.commits.Add(1)
			for _, fn := range t.onCommit {
				fn()
			}
			return nil
		}
		s.rollbacks.Add(1)
		if !errors.Is(err, errConflict) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(start) > s.opts.BusyTimeout+s.opts.Settling {
			return fmt.Errorf("%w: others change the same again and again: %w", store.ErrBusy, err)
		}
		prelock = t.used()
		if attempt > 0 {
			time.Sleep(rand.N(time.Millisecond << min(attempt, 6)))
		}
	}
}

// run is one run of the function, with the commit.
func (t *tx) run(ctx context.Context, fn func(store.Tx) error) error {
	defer t.end() // also if fn panics
	err := fn(t)
	if t.failed != nil {
		return t.failed // whatever fn made of it
	}
	if err = cmp.Or(err, t.aborted, ctx.Err()); err != nil {
		return err
	}
	return t.commit(ctx)
}

// used are the columns that a run has used, in order.
func (t *tx) used() (ids []int64) {
	for id, h := range t.columns {
		if h.row.ID != 0 {
			ids = append(ids, int64(id))
		}
	}
	slices.Sort(ids)
	return ids
}

// end rolls back what was not committed, and gives the connection back.
func (t *tx) end() {
	t.ended = true
	c := t.c
	if c == nil {
		return
	}
	t.c = nil
	if c.pg.IsClosed() || c.broken {
		t.s.pool.give(c)
		return
	}
	if c.pg.PgConn().TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, _ = c.pg.Exec(ctx, `ROLLBACK`) // a connection that is still in it is not kept
	}
	t.s.pool.give(c)
}

func (t *tx) check(ctx context.Context) error {
	if t.ended {
		return store.ErrClosed
	}
	if t.failed != nil {
		return t.failed
	}
	return ctx.Err()
}

// ask sends statements after whatever has to come before them: the beginning,
// the locks, and the writes that were collected.
func (t *tx) ask(ctx context.Context, asked *trip) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	var all trip
	done, err := t.lead(ctx, &all)
	if err != nil {
		return err
	}
	all.append(asked)
	if err := t.c.send(ctx, &all); err != nil {
		return t.fail(ctx, err)
	}
	done()
	return nil
}

// append adds the statements of another trip.
func (t *trip) append(other *trip) {
	t.batch.QueuedQueries = append(t.batch.QueuedQueries, other.batch.QueuedQueries...)
	t.steps = append(t.steps, other.steps...)
}

// fail ends the transaction: the server takes no more statements in it.
func (t *tx) fail(ctx context.Context, err error) error {
	switch {
	case t.failed != nil:
		return t.failed
	case errors.Is(err, errStale):
		for id, h := range t.columns {
			if !h.locked {
				t.s.known.changed(id)
			}
		}
		err = errConflict
	case ours(err):
	case ctx.Err() == nil && t.c.used && t.c.pg.IsClosed():
		// The server had ended the connection before, or ends now. Nothing was
		// committed, and another connection tells which.
		err = fmt.Errorf("%w: %w", errConflict, err)
	default:
		err = explain(ctx, err)
	}
	t.failed = err
	return err
}

// ours tells whether an error is one of package store already, by a guard.
func ours(err error) bool {
	return errors.Is(err, store.ErrCorrupt) || errors.Is(err, errGone) || errors.Is(err, errConflict)
}

// errStale is the guard of what was remembered.
var errStale = errors.New("a remembered row has changed")

// lead adds what has to come before the statements of a trip. done takes note
// of it when the trip was made.
func (t *tx) lead(ctx context.Context, all *trip) (done func(), err error) {
	if t.c == nil {
		if t.c, err = t.s.pool.take(ctx); err != nil {
			t.failed = err
			return nil, err
		}
		all.add(nil, `BEGIN ISOLATION LEVEL READ COMMITTED`)
		if len(t.prelock) > 0 {
			all.add(nil, `SELECT 1 FROM columnvault_columns WHERE col_id = ANY($1)`+t.s.atColumns("col_id", t.prelock)+` ORDER BY col_id FOR UPDATE`, t.prelock)
		}
	}
	var ids, revs []int64
	for id, h := range t.columns {
		if !h.locked {
			ids = append(ids, int64(id))
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		revs = append(revs, t.columns[store.ColumnID(id)].rev)
	}
	if len(ids) > 0 {
		all.require(errStale, `SELECT 1 / (count(*) = $3)::int FROM (SELECT 1 FROM columnvault_columns c
			JOIN unnest($1::bigint[], $2::bigint[]) AS w (id, rev) ON c.col_id = w.id AND c.rev = w.rev WHERE c.col_id = ANY($1)`+t.s.atColumns("c.col_id", ids)+` ORDER BY c.col_id FOR UPDATE OF c) same`,
			ids, revs, int64(len(ids)))
	}
	var tables [][]byte
	var homes []int64
	for name, state := range t.tables {
		if !state.locked {
			tables, homes = append(tables, []byte(name)), append(homes, state.home)
		}
	}
	if len(tables) > 0 {
		all.add(nil, `SELECT 1 FROM columnvault_tables WHERE name = ANY($1)`+t.s.at("tbl_id", homes...)+` ORDER BY name FOR UPDATE`, tables)
	}
	t.sendWrites(all)
	return func() {
		for _, id := range ids {
			t.columns[store.ColumnID(id)].locked = true
		}
		for _, name := range tables {
			t.tables[string(name)].locked = true
		}
	}, nil
}

// commit sends what is left, with the commit.
func (t *tx) commit(ctx context.Context) error {
	remembers := t.absent
	for _, h := range t.columns {
		remembers = remembers || !h.locked
	}
	if !t.written && t.writes.empty() && !remembers {
		return nil // nothing to commit, and all that was read is locked
	}
	if err := t.sendFresh(ctx); err != nil {
		return err
	}
	var all trip
	if _, err := t.lead(ctx, &all); err != nil {
		return err
	}
	if t.absent && !t.catalogLocked {
		all.require(errAbsent, `SELECT 1 / count(*) FROM columnvault_vault WHERE catalog = $1`, int64(t.version))
	}
	var token []byte
	if t.written {
		token = newToken(t.home)
		all.add(nil, `INSERT INTO columnvault_commits (token) VALUES ($1)`, token)
		if t.s.commits.Load()%pruning == 0 {
			all.addPrune(t.home)
		}
	}
	all.add(nil, `COMMIT`)
	err := t.c.send(ctx, &all)
	if err == nil {
		t.remember()
		return nil
	}
	if errors.Is(err, errAbsent) {
		t.s.known.forget()
		return errConflict
	}
	if token == nil || ours(err) || errors.Is(err, errStale) || undone(err) || all.failed < len(all.steps)-1 && refused(err) {
		return t.fail(ctx, err)
	}
	c := t.c
	t.c = nil
	c.broken = true
	t.s.pool.give(c)
	err = t.s.outcome(ctx, token, explain(context.WithoutCancel(ctx), err))
	if err == nil {
		t.remember()
	}
	return err
}

// errAbsent is the guard of the version of the catalog.
var errAbsent = fmt.Errorf("%w: the catalog has changed", errConflict)

// remember keeps what the transaction knows when it has been committed.
func (t *tx) remember() {
	rows := map[store.ColumnID]entry{}
	for id, h := range t.columns {
		if h.row.ID != 0 {
			rows[id] = h.entry
		}
	}
	t.s.known.worked(rows)
	if t.version != 0 {
		t.s.known.remember(t.version, t.names, rows)
	} else {
		t.s.known.remember(t.s.known.catalog(), nil, rows)
	}
	for name, state := range t.tables {
		if state.exists {
			t.s.known.addTable(name, state.home)
		}
	}
}

func (t *tx) OnCommit(fn func()) { t.onCommit = append(t.onCommit, fn) }

func (t *tx) Abort(cause error) { t.aborted = cmp.Or(t.aborted, cause) }

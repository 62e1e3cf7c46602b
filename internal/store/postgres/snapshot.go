package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"columnvault/internal/store"
)

// snapshot is a Snapshot or a Read.
//
// A Snapshot is a transaction of the server from its beginning on. A Read is
// none as long as all that it needs of the catalog is remembered: then each of
// its trips shows one state, and all show the same if the revisions of all that
// it has seen are the same in each. When something has to be looked up, the
// Read becomes a transaction, which nothing can make begin again any more once
// its first trip has found what was remembered unchanged.
type snapshot struct {
	reader
	ctx context.Context
	// since is when it was opened.
	since time.Time
	// held says that the Read is a transaction, with c as its connection once it
	// has begun. whole has it begin in all homes at once.
	held, whole bool
	// lent says that it is a Snapshot that a caller has, who does not begin again.
	lent bool
	c    *conn
	// severed is c for the store, which closes its connection.
	severed atomic.Pointer[conn]
	// rows is what was looked up or remembered, and names the same by name.
	rows  map[store.ColumnID]entry
	names map[string]store.ColumnID
	// tables are revisions of the tables that were read, -1 for none.
	tables map[string]int64
	// ahead is what was read of columns beyond what was asked for.
	ahead map[store.ColumnID]*ahead
	// version is that of the catalog, if it matters, or 0.
	version uint64
	// unchecked says that no trip has compared all that is remembered.
	unchecked bool
	failed    error
	closed    bool
	found     []store.Row
	// mu lets streams of a large value be read, and closed, by several goroutines.
	mu sync.Mutex
}

var (
	_ store.Snapshot = (*snapshot)(nil)
	_ store.Vouched  = (*snapshot)(nil)
)

// Read implements store.Store. The server hears of it when something is asked.
func (s *Store) Read(ctx context.Context) (store.Snapshot, error) { return s.newSnapshot(ctx) }

func (s *Store) newSnapshot(ctx context.Context) (*snapshot, error) {
	if s.closed.Load() {
		return nil, store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &snapshot{ctx: ctx, since: time.Now()}
	r.reader = reader{s: s, asker: r}
	s.opened(r)
	return r, nil
}

// Snapshot implements store.Store.
//
// Where homes are apart, it begins in all of them at once. If one does not
// answer, it begins in each when it is first read there.
func (s *Store) Snapshot(ctx context.Context) (store.Snapshot, error) {
	for whole := s.apart; ; {
		r, err := s.newSnapshot(ctx)
		if err != nil {
			return nil, err
		}
		r.held, r.whole = true, whole
		_, err = r.CatalogVersion(ctx)
		if err == nil {
			r.lent = true
			return r, nil
		}
		unfit := r.Close()
		switch {
		case unfit == store.ErrAgain:
		case whole && errors.Is(err, store.ErrUnavailable):
			whole = false
		default:
			return nil, err
		}
	}
}

// check tells why nothing can be asked.
func (r *snapshot) check(ctx context.Context) error {
	switch {
	case r.closed || r.s.closed.Load():
		return store.ErrClosed
	case r.failed != nil:
		return r.failed
	}
	return ctx.Err()
}

func (r *snapshot) ask(ctx context.Context, t *trip) error {
	if err := r.check(ctx); err != nil {
		return err
	}
	if age := r.s.opts.MaxSnapshotAge; age > 0 && r.c != nil && time.Since(r.since) > age {
		r.failed = fmt.Errorf("%w: it was open for longer than %v", store.ErrSnapshotTooOld, age)
		return r.failed
	}
	c := r.c
	if c == nil {
		var err error
		if c, err = r.s.pool.take(ctx); err != nil {
			return err
		}
	}
	var all trip
	check := func() {}
	if r.held && r.c == nil {
		r.c = c
		r.severed.Store(c)
		all.add(nil, `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`)
		if age := r.s.opts.MaxSnapshotAge; age > 0 {
			// The server ends it even if this program has stopped.
			all.add(nil, fmt.Sprintf(`SET LOCAL idle_in_transaction_session_timeout = %d`, max(age.Milliseconds(), 1)))
		}
		if r.whole {
			all.add(nil, `SELECT count(*) FROM columnvault_columns WHERE rev < 0`) // which each home is asked
		}
		check = r.compare(&all)
	} else if !r.held {
		check = r.compare(&all)
	}
	all.batch.QueuedQueries = append(all.batch.QueuedQueries, t.batch.QueuedQueries...)
	all.steps = append(all.steps, t.steps...)
	err := c.send(ctx, &all)
	if r.c == nil {
		defer r.s.pool.give(c)
	}
	if err == nil {
		r.unchecked = false
		check()
		if r.failed == nil && !r.held {
			r.s.known.worked(r.rows)
		}
		return r.failed
	}
	stale := c.used && c.pg.IsClosed() && ctx.Err() == nil
	err = explain(ctx, err)
	switch {
	case r.s.closed.Load():
		return store.ErrClosed
	case r.lent && errors.Is(err, errConflict):
		r.failed = fmt.Errorf("%w: %w", store.ErrUnavailable, err)
		return r.failed
	case !r.lent && (stale || errors.Is(err, errConflict)):
		r.failed = store.ErrAgain
		return r.failed
	case r.held && ctx.Err() != nil:
		r.failed = fmt.Errorf("%w: the snapshot ended with a call that was canceled", store.ErrUnavailable)
	case r.held:
		r.failed = err
	}
	return err
}

// compare adds the statements that read what is remembered anew, and returns
// what compares it with their answers.
func (r *snapshot) compare(t *trip) (check func()) {
	version := int64(r.version)
	if r.version != 0 {
		t.add(func(rows pgx.Rows) error { return rows.Scan(&version) }, `SELECT catalog FROM columnvault_vault`)
	}
	revs := map[store.ColumnID]int64{}
	if len(r.rows) > 0 {
		var ids []int64
		for id := range r.rows {
			ids = append(ids, int64(id))
		}
		t.add(func(rows pgx.Rows) error {
			var id store.ColumnID
			var rev int64
			err := rows.Scan(&id, &rev)
			revs[id] = rev
			return err
		}, `SELECT col_id, rev FROM columnvault_columns WHERE col_id = ANY($1)`+r.s.atColumns("col_id", ids), ids)
	}
	tables := map[string]int64{}
	for table := range r.tables {
		tables[table] = -1
		t.add(func(rows pgx.Rows) error {
			var rev int64
			err := rows.Scan(&rev)
			tables[table] = rev
			return err
		}, `SELECT rev FROM columnvault_tables WHERE name = $1`+r.atTable("tbl_id", table), []byte(table))
	}
	return func() {
		if uint64(version) != r.version {
			r.s.known.moved(uint64(version))
			r.failed = store.ErrAgain
		}
		for id, e := range r.rows {
			if rev, ok := revs[id]; !ok || rev != e.rev {
				r.unfit(id)
			}
		}
		for table, seen := range r.tables {
			if seen != untouched && seen != tables[table] {
				r.unfit(table)
			}
			r.tables[table] = tables[table]
		}
	}
}

// untouched is the revision of a table of which nothing was read yet.
const untouched = -2

func (r *snapshot) unfit(what any) {
	r.s.known.changed(what)
	r.failed = store.ErrAgain
}

func (r *snapshot) touch(ctx context.Context, table string) error {
	if err := r.check(ctx); err != nil {
		return err
	}
	if err := r.learn(ctx, table); err != nil || r.held {
		return err
	}
	if r.s.known.contended(table) {
		r.held = true
		return nil
	}
	if r.tables == nil {
		r.tables = map[string]int64{}
	}
	if _, ok := r.tables[table]; !ok {
		r.tables[table] = untouched
	}
	return nil
}

// column is for IDs that were not looked up: nothing says then at which
// revision they are, and the Read becomes a transaction.
func (r *snapshot) column(ctx context.Context, id store.ColumnID) error {
	if err := r.check(ctx); err != nil {
		return err
	}
	if _, ok := r.rows[id]; !ok && !r.held {
		if e, ok := r.s.known.byID(id); ok {
			r.use(e)
		} else {
			r.held = true
		}
	}
	return nil
}

// use goes on with a row.
func (r *snapshot) use(e entry) {
	if r.rows == nil {
		r.rows = map[store.ColumnID]entry{}
	}
	if _, ok := r.rows[e.row.ID]; !ok {
		r.rows[e.row.ID] = e
		r.unchecked = r.unchecked || !r.held
	}
}

func (r *snapshot) lastKnown(id store.ColumnID) (entry, bool) {
	e, ok := r.rows[id]
	return e, ok && e.lastKnown && r.check(r.ctx) == nil
}

func (r *snapshot) Lookup(ctx context.Context, names ...string) ([]store.Row, error) {
	if err := r.check(ctx); err != nil {
		return nil, err
	}
	var missing [][]byte
	r.found = r.found[:0]
	for _, name := range names {
		id, ok := r.names[name]
		if !ok && r.c == nil {
			id, ok = r.recall(name)
		}
		if !ok {
			missing = append(missing, []byte(name))
		} else if id != 0 {
			r.found = append(r.found, r.rows[id].row)
		}
	}
	if len(missing) == 0 {
		return r.found, nil
	}
	found, err := r.lookUp(ctx, byNames, missing)
	if err != nil {
		return nil, err
	}
	for _, name := range missing {
		var row store.Row
		for _, e := range found {
			if e.row.Name == string(name) {
				row = best(row, e.row)
			}
		}
		r.names[string(name)] = row.ID
		if row.ID != 0 {
			r.found = append(r.found, row)
		}
	}
	r.s.known.remember(r.version, r.names, r.rows)
	return r.found, nil
}

// recall goes on with what is remembered of a name.
func (r *snapshot) recall(name string) (id store.ColumnID, ok bool) {
	e, version, ok := r.s.known.byName(name)
	if !ok || r.version != 0 && version != r.version {
		return 0, false
	}
	r.version = version
	if r.names == nil {
		r.names = map[string]store.ColumnID{}
	}
	r.names[name] = e.row.ID
	if e.row.ID != 0 {
		r.use(e)
	}
	r.unchecked = true
	return e.row.ID, true
}

// lookUp asks for rows, and for the last chunks of their columns.
func (r *snapshot) lookUp(ctx context.Context, where where, arg any) (found []entry, err error) {
	r.held = true
	version := int64(r.version)
	var t trip
	if version == 0 {
		t.add(func(rows pgx.Rows) error { return rows.Scan(&version) }, `SELECT catalog FROM columnvault_vault`)
	}
	t.addRows(&found, where.columns, arg)
	t.addLast(&found, where, arg)
	if err := r.ask(ctx, &t); err != nil {
		return nil, err
	}
	if r.names == nil {
		r.names = map[string]store.ColumnID{}
	}
	for i := range found {
		found[i].lastKnown = true
		r.use(found[i])
	}
	r.version = uint64(version)
	r.s.known.moved(r.version)
	return found, nil
}

func (r *snapshot) LookupID(ctx context.Context, ids ...store.ColumnID) ([]store.Row, error) {
	if err := r.check(ctx); err != nil {
		return nil, err
	}
	var missing []int64
	r.found = r.found[:0]
	for _, id := range ids {
		e, ok := r.rows[id]
		if !ok && r.c == nil {
			if e, ok = r.s.known.byID(id); ok {
				r.use(e)
			}
		}
		if ok {
			r.found = append(r.found, e.row)
		} else {
			missing = append(missing, int64(id))
		}
	}
	if len(missing) == 0 {
		return r.found, nil
	}
	found, err := r.lookUp(ctx, r.s.byIDs(missing), missing)
	if err != nil {
		return nil, err
	}
	r.s.known.remember(r.version, nil, r.rows)
	r.found = append(r.found, rowsOf(found)...)
	return r.found, nil
}

func (r *snapshot) Columns(ctx context.Context) ([]store.Row, error) {
	if err := r.check(ctx); err != nil {
		return nil, err
	}
	r.held = true
	all, err := r.listColumns(ctx, ``)
	return rowsOf(all), err
}

func (r *snapshot) CatalogVersion(ctx context.Context) (uint64, error) {
	if err := r.check(ctx); err != nil {
		return 0, err
	}
	if r.version != 0 {
		return r.version, nil
	}
	if version := r.s.known.catalog(); version != 0 && !r.held {
		r.version, r.unchecked = version, true
		return version, nil
	}
	r.held = true
	version := int64(0)
	var t trip
	t.add(func(rows pgx.Rows) error { return rows.Scan(&version) }, `SELECT catalog FROM columnvault_vault`)
	if err := r.ask(ctx, &t); err != nil {
		return 0, err
	}
	r.version = uint64(version)
	r.s.known.moved(r.version)
	return r.version, nil
}

func (r *snapshot) Tables(ctx context.Context) ([]store.Table, error) {
	if err := r.check(ctx); err != nil {
		return nil, err
	}
	r.held = true
	return r.listTables(ctx, ``)
}

func (r *snapshot) Verify(ctx context.Context, full bool) ([]store.Finding, error) {
	if err := r.check(ctx); err != nil {
		return nil, err
	}
	r.held = true
	return r.reader.Verify(ctx, full)
}

// GetAt may be called by several goroutines at a time.
func (r *snapshot) GetAt(ctx context.Context, table string, key, p []byte, offset int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reader.GetAt(ctx, table, key, p, offset)
}

// Close gives the connection back. Its transaction ends behind the caller's
// back: a Read that was one does not wait for that.
func (r *snapshot) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	var err error
	if r.unchecked && r.failed == nil {
		err = r.ask(r.ctx, &trip{})
	}
	r.closed = true
	r.s.ended(r)
	if c := r.c; c != nil {
		r.s.background.Go(func() {
			if !c.broken && !c.pg.IsClosed() {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				defer cancel()
				_, _ = c.pg.Exec(ctx, `ROLLBACK`) // a connection that is still in it is not kept
			}
			r.s.pool.give(c)
		})
	}
	if r.failed == store.ErrAgain {
		return r.failed
	}
	return err
}

// sever makes every further call fail, and one that waits for the server.
func (r *snapshot) sever() {
	if c := r.severed.Load(); c != nil {
		c.pg.PgConn().Conn().Close()
	}
}

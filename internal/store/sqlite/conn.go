package sqlite

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

// maxMemory is what the engine may take for one connection, beside what it maps
// of the file. SQLite assembles a row in memory up to three times over, so the
// largest chunk needs three times its size; address space is reserved at once,
// memory is taken when used.
const maxMemory = 1 << 30

// bigRow is the row size, in bytes, from which on a connection is closed after
// its transaction: the engine never gives memory back by itself.
const bigRow = 16 << 20

// maxStmts bounds the statements that a connection keeps prepared, and the
// texts of those about tables of pairs: a program may use any number of such
// tables. Our own statements are some 50, those about a table some 10.
const maxStmts = 500

// conn is a connection with its prepared statements. One goroutine uses it at
// a time.
type conn struct {
	db *sqlite3.Conn
	// stmts are the prepared statements by their texts, kvTexts the texts of
	// those about tables of pairs by format and table. See maxStmts.
	stmts   map[string]*sqlite3.Stmt
	kvTexts map[[2]string]string
	// statements counts the runs of prepared statements.
	statements uint64
	// blobs and catalog belong to the transaction that the connection is in.
	// Some of what they know outlives it: see refresh.
	blobs   *blobs
	catalog catalog
	lasts   map[store.ColumnID]store.Chunk // the last chunks of columns
	version int64
	// logPages is the number of pages in the write-ahead log after the last
	// commit of the writer, checkpointAt the number at which to move them.
	logPages, checkpointAt int
	pageSize               int64
	// path is that of the database, unless nobody can change that.
	path string
	// wal says that the connection uses a write-ahead log. files are those it
	// has open, looked is when their names were seen to be still theirs.
	wal    bool
	files  []held
	looked time.Time
	// log is the writer's log, whose commits are gathered.
	log *logFile
	// index tells of writers, once there is one. stamp is how it was when the
	// snapshot began that the connection is in; without stamped that is not
	// known.
	index   *walIndex
	stamp   walHeader
	stamped bool
	// aged is Store.version when the snapshot had got old, for one without a
	// stamp.
	aged int64
	// mapping is what of the file is mapped.
	mapping mapping
	// direct is for long reads.
	direct direct
	// recent says that a reader was here since the janitor was.
	recent bool
	// broken is the panic of the driver after which nothing may be done with
	// the connection but to throw it away.
	broken error
	// changed says that something may have been written since the transaction
	// began.
	changed bool
	// swollen says that a row of at least bigRow bytes passed through.
	swollen bool
	// padded is memory that pad uses again.
	padded []byte
}

// mode is the way a file is opened, as SQLite's URI parameters say it.
type mode string

const (
	modeCreate    mode = "mode=rwc"
	modeReadWrite mode = "mode=rw"
	modeReadOnly  mode = "mode=ro"
	modeImmutable mode = "mode=ro&immutable=1"
)

// uri names the file at an absolute path for SQLite. vfs is empty for the
// system's own files.
func uri(path string, m mode, vfs string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive letter
	}
	query := string(m)
	if m != modeImmutable {
		// What SQLite creates gets the permissions of the database.
		query += "&modeof=" + strings.ReplaceAll(url.QueryEscape(path), "+", "%20")
	}
	if vfs != "" {
		query += "&vfs=" + url.QueryEscape(vfs)
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: query}
	return u.String()
}

// connOptions are settings of every connection. A file may come from anybody,
// so they are what https://sqlite.org/security.html asks for, and no code that
// lies in the file runs: KohakuVault writes neither triggers nor views, and a
// vault keeps its chunks and its catalog in step by itself.
var connOptions = map[sqlite3.DBConfig]bool{
	// Plans must not depend on the values that are bound: SQLite would prepare
	// a statement anew, for ten times its cost, whenever one changes.
	sqlite3.DBCONFIG_ENABLE_QPSG:    true,
	sqlite3.DBCONFIG_DEFENSIVE:      true,
	sqlite3.DBCONFIG_TRUSTED_SCHEMA: false,
	sqlite3.DBCONFIG_ENABLE_TRIGGER: false,
	sqlite3.DBCONFIG_ENABLE_VIEW:    false,
	sqlite3.DBCONFIG_ENABLE_FKEY:    false,
}

// TestingTriggers lets the triggers in a file run on connections opened from
// now on. With them, tests make a write fail half-way.
var TestingTriggers atomic.Bool

// connLimits are the limits of every connection. What is in a file of another
// program may be large, but not without end, and none of it needs an attached
// database, but for VACUUM, which makes one. The time that SQLite takes to load
// the names of tables and indexes grows with the square of their number, and
// nothing ends that.
var connLimits = map[sqlite3.LimitCategory]int{
	sqlite3.LIMIT_LENGTH:              1_000_000_000,
	sqlite3.LIMIT_SQL_LENGTH:          1 << 20,
	sqlite3.LIMIT_COLUMN:              2000,
	sqlite3.LIMIT_EXPR_DEPTH:          200,
	sqlite3.LIMIT_COMPOUND_SELECT:     50,
	sqlite3.LIMIT_VDBE_OP:             100_000,
	sqlite3.LIMIT_FUNCTION_ARG:        100,
	sqlite3.LIMIT_ATTACHED:            1,
	sqlite3.LIMIT_LIKE_PATTERN_LENGTH: 50,
	sqlite3.LIMIT_VARIABLE_NUMBER:     100,
	sqlite3.LIMIT_TRIGGER_DEPTH:       1,
	sqlite3.LIMIT_WORKER_THREADS:      0,
	sqlite3.LIMIT_PARSER_DEPTH:        500,
	sqlite3.LIMIT_SCHEMA:              20_000,
	sqlite3.LIMIT_TRIGGER_STEPS:       1000,
}

// slowFunctions are those of SQLite's that take time in proportion to the
// product of two lengths, which nothing can end. A constraint, a generated
// column or an index of the file could call them; nothing here does. The number
// is that of their arguments.
var slowFunctions = map[string]int{
	"instr": 2, "replace": 3, "trim": 2, "ltrim": 2, "rtrim": 2, "unhex": 2, "json_patch": 2, "jsonb_patch": 2,
}

// forbid takes the slow functions away.
func (c *conn) forbid() error {
	for name, args := range slowFunctions {
		err := c.db.CreateFunction(name, args, sqlite3.DETERMINISTIC|sqlite3.INNOCUOUS, func(ctx sqlite3.Context, _ ...sqlite3.Value) {
			ctx.ResultError(fmt.Errorf("the function %s of the file does not run here", name))
		})
		if err != nil {
			return wrap(err)
		}
	}
	return nil
}

func openConn(ctx context.Context, name, pragmas string, memory int64) (_ *conn, err error) {
	c := &conn{stmts: map[string]*sqlite3.Stmt{}, catalog: newCatalog(), lasts: map[store.ColumnID]store.Chunk{},
		kvTexts: map[[2]string]string{}}
	c.blobs = newBlobs(c)
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	defer c.guard(&err, catchFaults())
	ctx = sqlite3.WithMaxMemory(ctx, memory)
	if c.db, err = sqlite3.OpenContext(ctx, name); err != nil {
		return nil, wrap(err)
	}
	for option, on := range connOptions {
		if option == sqlite3.DBCONFIG_ENABLE_TRIGGER {
			on = TestingTriggers.Load()
		}
		if _, err := c.db.Config(option, on); err != nil {
			return nil, wrap(err)
		}
	}
	for category, most := range connLimits {
		c.db.Limit(category, most)
	}
	if err := c.forbid(); err != nil {
		return nil, err
	}
	if err := c.exec(pragmas); err != nil {
		return nil, err
	}
	return c, nil
}

// catchFaults makes memory faults of this goroutine panics, and returns what
// guard needs to undo that. SQLite has the index of the log mapped, and what
// another program cuts off from that file must not end the process.
func catchFaults() (before bool) { return debug.SetPanicOnFault(true) }

// guard turns a panic of the driver into an error and marks the connection. It
// is deferred around everything that calls the driver and nothing that calls
// back into the caller's code, as
//
//	defer c.guard(&err, catchFaults())
func (c *conn) guard(err *error, before bool) {
	debug.SetPanicOnFault(before)
	if r := recover(); r != nil {
		c.broken = c.look() // if that tells why
		if c.broken == nil {
			c.broken = fmt.Errorf("%w: the SQLite engine stopped: %v", store.ErrUnavailable, r)
		}
		*err = c.broken
	}
}

// exec runs statements that return nothing, each prepared once.
func (c *conn) exec(sql string) (err error) {
	defer c.guard(&err, catchFaults())
	c.changed = true
	return wrap(c.db.Exec(sql))
}

// run executes a prepared statement that returns no rows.
func (c *conn) run(sql string, args ...any) (err error) {
	defer c.guard(&err, catchFaults())
	st, err := c.bind(sql, args)
	if err != nil {
		return err
	}
	c.changed = true
	err = st.Exec()
	// The bindings go at once: one of them may be a chunk.
	if e := st.ClearBindings(); err == nil {
		err = e
	}
	return wrap(err)
}

// query calls row for every row of a prepared statement.
func (c *conn) query(sql string, row func(st *sqlite3.Stmt), args ...any) error {
	return c.queryWhile(sql, func(st *sqlite3.Stmt) bool { row(st); return true }, args...)
}

// queryWhile is query, until row returns false.
func (c *conn) queryWhile(sql string, row func(st *sqlite3.Stmt) bool, args ...any) (err error) {
	defer c.guard(&err, catchFaults())
	st, err := c.bind(sql, args)
	if err != nil {
		return err
	}
	for st.Step() && row(st) {
	}
	err = st.Err()
	if e := st.Reset(); err == nil {
		err = e
	}
	return wrap(err)
}

func (c *conn) bind(sql string, args []any) (*sqlite3.Stmt, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	c.statements++
	st := c.stmts[sql]
	if st == nil {
		if len(c.stmts) >= maxStmts {
			c.closeStmts() // none is running: nothing prepares inside of a query
		}
		var err error
		if st, _, err = c.db.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT); err != nil {
			return nil, prepareError(sql, err)
		}
		c.stmts[sql] = st
	}
	for i, arg := range args {
		var err error
		switch arg := arg.(type) {
		case int64:
			err = st.BindInt64(i+1, arg)
		case string:
			err = st.BindText(i+1, arg)
		case []byte:
			err = st.BindBlob(i+1, arg)
		case sqlite3.ZeroBlob:
			err = st.BindZeroBlob(i+1, int64(arg))
		default:
			panic(fmt.Sprintf("no binding for %T", arg))
		}
		if err != nil {
			return nil, wrap(err)
		}
	}
	return st, nil
}

// integer returns the integer of a query for one row, or ErrNotFound.
func (c *conn) integer(sql string, args ...any) (n int64, err error) {
	found := false
	err = c.query(sql, func(st *sqlite3.Stmt) { n, found = st.ColumnInt64(0), true }, args...)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return n, err
}

// refresh is the first read of every transaction. It forgets what is known of
// the file if another connection has changed that since the last transaction,
// or if that was rolled back.
func (c *conn) refresh() error {
	version, err := c.integer(`PRAGMA data_version`)
	if err != nil || version != c.version {
		c.catalog.reset()
		clear(c.blobs.rowids)
		clear(c.lasts)
	}
	c.version = version
	return err
}

// close never fails in a way that a caller could do something about: what is
// committed is safe, and a broken connection is only forgotten.
func (c *conn) close() {
	c.closeDB()
	if c.broken != nil {
		for _, h := range slices.Backward(c.files) {
			unlock(h.file) // in case that the engine did not get that far
			h.file.Close()
		}
	}
}

// closeDB closes all that the connection has. After one panic of the driver, out
// of memory say, each of these may be another, and the rest has to be closed all
// the same: the files of the database above all, whose locks keep others out.
func (c *conn) closeDB() {
	if c.db == nil {
		return
	}
	c.index.close()
	c.index = nil
	c.blobs.close()
	for _, st := range c.stmts {
		c.closing(st.Close)
	}
	clear(c.stmts)
	c.closing(c.db.Close)
	c.db = nil
}

// closing calls a method of the driver that closes something.
func (c *conn) closing(fn func() error) (err error) {
	defer c.guard(&err, catchFaults())
	return fn()
}

// closeStmts closes all prepared statements.
func (c *conn) closeStmts() {
	for _, st := range c.stmts {
		st.Close()
	}
	clear(c.stmts)
}

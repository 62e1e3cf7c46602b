package query

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
)

// connector makes connections for a sql.DB.
type connector struct {
	vault   *columnvault.Vault
	options Options
}

func (c *connector) Connect(context.Context) (driver.Conn, error) {
	return &conn{vault: c.vault, options: c.options, ctx: context.Background()}, nil
}

func (c *connector) Driver() driver.Driver { return byName{} }

// byName stands for the driver that a vault cannot be opened with.
type byName struct{}

func (byName) Open(string) (driver.Conn, error) {
	return nil, fail(fmt.Errorf("%w: a vault has no data source name: use query.Open", columnvault.ErrUnsupported))
}

// conn is an engine and the snapshot that its statements read. The package
// database/sql sees to it that one goroutine uses it at a time.
//
// It does not use the driver for database/sql that the engine comes with: that
// registers a name which other drivers of SQLite register as well.
type conn struct {
	vault   *columnvault.Vault
	options Options
	// db has the tables of schema; it is nil before the first statement.
	db     *sqlite3.Conn
	schema *schema
	// engine counts the engines that there have been: statements of an earlier
	// one are prepared again.
	engine int
	// tx is the snapshot, while holds, which counts the rows that are open and
	// the transaction, is above 0.
	tx    *columnvault.Tx
	holds int
	// ctx is that of the call that the engine is in, and cause the error of a
	// table that was read in it.
	ctx   context.Context
	cause error
	// broken is the panic after which the connection is of no use.
	broken error
}

var (
	_ driver.ConnPrepareContext = (*conn)(nil)
	_ driver.ConnBeginTx        = (*conn)(nil)
	_ driver.QueryerContext     = (*conn)(nil)
	_ driver.Pinger             = (*conn)(nil)
	_ driver.Validator          = (*conn)(nil)
)

// call runs fn, which calls the engine, and makes its error that of the
// statement. It turns a panic into an error, and there is no other way to the
// engine.
func (c *conn) call(ctx context.Context, statement string, fn func() error) (err error) {
	if c.broken != nil {
		return c.broken
	}
	c.ctx, c.cause = ctx, nil
	defer func() {
		if r := recover(); r != nil {
			c.broken = panicError(r)
			err = c.broken
		}
	}()
	if c.db != nil {
		c.db.SetInterrupt(ctx)
	}
	err = fn()
	switch {
	case err == nil:
		return nil
	case c.cause != nil:
		err = fmt.Errorf("%w (%w)", c.cause, err)
	case ctx.Err() != nil && errors.Is(err, sqlite3.INTERRUPT):
		err = fmt.Errorf("%w (%w)", ctx.Err(), err)
	default:
		err = explain(err, statement, c.schema)
	}
	return fail(err)
}

// panicError is the error of a panic inside of the engine, which is also how it
// says that there is no more memory.
func panicError(r any) error {
	if strings.Contains(fmt.Sprint(r), "out of memory") {
		return fail(fmt.Errorf("%w: the statement needs more memory than Options.MaxMemory", ErrLimit))
	}
	return fail(fmt.Errorf("%w: the SQLite engine stopped: %v", columnvault.ErrUnavailable, r))
}

// hold begins a snapshot, unless there is one, and sees to it that the engine has
// the tables of its moment.
func (c *conn) hold(ctx context.Context) error {
	if c.broken != nil {
		return c.broken
	}
	if c.holds > 0 {
		c.holds++
		return nil
	}
	tx, err := c.vault.Snapshot(ctx)
	if err != nil {
		return err
	}
	c.tx, c.holds = tx, 1
	if err := c.look(ctx); err != nil {
		return errors.Join(err, c.release())
	}
	return nil
}

// release ends the snapshot when nothing holds it any more.
func (c *conn) release() error {
	if c.holds--; c.holds > 0 {
		return nil
	}
	err := c.tx.Close()
	c.tx = nil
	return err
}

// look makes another engine if there are other tables than before.
func (c *conn) look(ctx context.Context) error {
	s, err := readSchema(ctx, c.tx, c.schema)
	if err != nil {
		return err
	}
	same := c.db != nil && c.schema != nil && len(s.tables) == len(c.schema.tables) &&
		(len(s.tables) == 0 || s.tables[0] == c.schema.tables[0])
	c.schema = s
	if same {
		return nil
	}
	if err := c.closeEngine(); err != nil {
		return fail(err)
	}
	err = c.call(ctx, "", func() (err error) {
		c.engine++
		if c.db, err = openEngine(ctx, c.options.MaxMemory); err != nil {
			return err
		}
		for _, t := range s.tables {
			if err := c.addTable(t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		_ = c.closeEngine() // one that lacks tables must not be taken for ready
	}
	return err
}

// closeEngine gives back what the engine has taken. After a panic each step may
// end in another one, and is tried nevertheless: the memory of an engine that is
// not closed stays with the process.
func (c *conn) closeEngine() error {
	if c.db == nil {
		return nil
	}
	for _, st := range slices.Collect(c.db.Stmts()) {
		_ = attempt(st.Close) // which tells the error of its last run
	}
	err := attempt(c.db.Close)
	c.db = nil
	return err
}

// attempt calls fn, and makes a panic an error.
func attempt(fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicError(r)
		}
	}()
	return fn()
}

func (c *conn) Close() error {
	err := c.closeEngine()
	if c.holds > 0 {
		c.holds = 1
		err = errors.Join(err, c.release())
	}
	return err
}

// IsValid lets the pool throw away a connection whose engine has stopped.
func (c *conn) IsValid() bool { return c.broken == nil }

// Ping finds out whether the vault can be read.
func (c *conn) Ping(ctx context.Context) error {
	if err := c.hold(ctx); err != nil {
		return err
	}
	return c.release()
}

// Begin is never called: there is BeginTx.
func (c *conn) Begin() (driver.Tx, error) { return nil, driver.ErrSkip }

// BeginTx begins a snapshot for several statements. All transactions only read,
// at the highest level of isolation.
func (c *conn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	if err := c.hold(ctx); err != nil {
		return nil, err
	}
	return moment{c}, nil
}

// moment is a transaction.
type moment struct{ c *conn }

func (m moment) Commit() error   { return m.c.release() }
func (m moment) Rollback() error { return m.c.release() }

func (c *conn) Prepare(text string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), text)
}

func (c *conn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	if len(text) > maxSQL {
		return nil, fail(fmt.Errorf("%w: a statement of %d bytes, and the most is %d", ErrLimit, len(text), maxSQL))
	}
	if err := c.hold(ctx); err != nil {
		return nil, err
	}
	s := &stmt{c: c, text: text}
	err := s.prepare(ctx)
	if released := c.release(); err == nil && released != nil {
		err = errors.Join(released, s.Close())
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// QueryContext spares a query that is run once the snapshot of its preparation.
func (c *conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.hold(ctx); err != nil {
		return nil, err
	}
	defer c.release() // the rows hold it as well
	prepared, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	s := prepared.(*stmt)
	s.once = true
	r, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return r, nil
}

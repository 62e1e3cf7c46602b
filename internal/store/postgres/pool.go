package postgres

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"columnvault/internal/store"
)

const (
	// mostConnections is how many a store has at most at a time, unless the DSN
	// has another number as pool_max_conns. There is one for each snapshot that is
	// open, and one for writing.
	mostConnections = 50
	// mostIdle is how many are kept when nobody uses them.
	mostIdle = 16
)

// pool keeps connections that nobody uses at the moment.
type pool struct {
	config *pgx.ConnConfig
	// room has a token for each connection that may still be taken.
	room chan struct{}
	wait time.Duration
	// apart is homes=apart in the DSN.
	apart bool
	// broke is called when a connection has broken.
	broke func()

	mu     sync.Mutex
	idle   []*conn
	closed bool
}

// conn is a connection that one goroutine uses.
type conn struct {
	pg *pgx.Conn
	// used says that it was given back before: the server may have ended it
	// since.
	used bool
	// broken says that it must not be used any more.
	broken bool
}

func newPool(dsn string, opts Options) (*pool, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrInvalidArgument, err)
	}
	params := config.RuntimeParams
	// Statements that are sent together without a BEGIN see one state.
	params["default_transaction_isolation"] = "repeatable read"
	params["lock_timeout"] = fmt.Sprint(max(opts.BusyTimeout.Milliseconds(), 1))
	if params["application_name"] == "" {
		params["application_name"] = "columnvault"
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = max(opts.BusyTimeout, time.Second)
	}
	// A ctx that ends stops the statement and not the connection, so that the
	// answer to a commit is still heard.
	config.BuildContextWatcherHandler = func(pg *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: pg, DeadlineDelay: 2 * time.Second}
	}
	most := mostConnections
	if text, ok := params["pool_max_conns"]; ok {
		delete(params, "pool_max_conns")
		if most, err = strconv.Atoi(text); err != nil || most < 2 || most > 10_000 {
			return nil, fmt.Errorf("%w: pool_max_conns is a number from 2 on", store.ErrInvalidArgument)
		}
	}
	homes, apart := params["homes"]
	if delete(params, "homes"); apart && homes != "apart" {
		return nil, fmt.Errorf("%w: homes can only be apart", store.ErrInvalidArgument)
	}
	p := &pool{config: config, apart: apart, room: make(chan struct{}, most), wait: opts.BusyTimeout}
	for range most {
		p.room <- struct{}{}
	}
	return p, nil
}

// take returns a connection, which give has to be called with.
func (p *pool) take(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-p.room:
	default:
		late := time.NewTimer(p.wait)
		defer late.Stop()
		select {
		case <-p.room:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-late.C:
			return nil, fmt.Errorf("%w: all %d connections are in use", store.ErrBusy, cap(p.room))
		}
	}
	c, err := p.get(ctx)
	if err != nil {
		p.room <- struct{}{}
	}
	return c, err
}

func (p *pool) get(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, store.ErrClosed
	}
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	pg, err := pgx.ConnectConfig(ctx, p.config.Copy())
	if err != nil {
		return nil, explain(ctx, err)
	}
	return &conn{pg: pg}, nil
}

// give takes a connection back. One that is broken, or still in a transaction,
// is closed; if it broke, so are the idle ones, because what broke it was most
// likely the server.
func (p *pool) give(c *conn) {
	broken := c.broken || c.pg.IsClosed() // c is another's once it is idle
	c.broken = broken
	p.mu.Lock()
	var ended []*conn
	if broken {
		ended, p.idle = p.idle, nil
	}
	if broken || p.closed || len(p.idle) >= mostIdle || c.pg.PgConn().TxStatus() != 'I' {
		ended = append(ended, c)
	} else {
		c.used = true
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	p.room <- struct{}{}
	if broken {
		p.broke() // a server that crashed may have lost what says that it is old
	}
	for _, c := range ended {
		c.close()
	}
}

// close ends the connections that nobody uses. Others end when they are given
// back.
func (p *pool) close() {
	p.mu.Lock()
	ended := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, c := range ended {
		c.close()
	}
}

func (c *conn) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	c.pg.Close(ctx)
}

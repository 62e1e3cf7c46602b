package query

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
)

// stmt is a statement, prepared for one engine of its connection at a time.
type stmt struct {
	c      *conn
	text   string
	st     *sqlite3.Stmt
	engine int
	// once says that it is closed with its rows.
	once bool
}

var (
	_ driver.StmtQueryContext               = (*stmt)(nil)
	_ driver.StmtExecContext                = (*stmt)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
)

// prepare prepares the statement, unless the engine knows it already.
func (s *stmt) prepare(ctx context.Context) error {
	if s.st != nil && s.engine == s.c.engine {
		return nil
	}
	return s.c.call(ctx, s.text, func() error {
		st, tail, err := s.c.db.Prepare(s.text)
		if err != nil {
			return err
		}
		if st == nil {
			return fail(fmt.Errorf("%w: there is no statement", columnvault.ErrInvalidArgument))
		}
		if !st.ReadOnly() { // VACUUM asks no authorizer
			st.Close()
			return fail(fmt.Errorf("%w: queries only read", columnvault.ErrInvalidArgument))
		}
		if strings.Trim(tail, "; \t\r\n") != "" {
			next, _, err := s.c.db.Prepare(tail) // which may be a comment
			if err != nil || next != nil {
				next.Close()
				st.Close()
				return fail(fmt.Errorf("%w: more than one statement", columnvault.ErrInvalidArgument))
			}
		}
		s.st, s.engine = st, s.c.engine
		return nil
	})
}

func (s *stmt) Close() error {
	if s.st == nil || s.engine != s.c.engine || s.c.broken != nil {
		return nil // the engine has closed it
	}
	// How the last run ended is known already.
	return s.c.call(context.Background(), s.text, func() error { s.st.Close(); return nil })
}

// NumInput leaves counting to the binding, for which names count as well.
func (s *stmt) NumInput() int { return -1 }

func (s *stmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), named(args))
}

func (s *stmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), named(args))
}

func named(args []driver.Value) []driver.NamedValue {
	list := make([]driver.NamedValue, len(args))
	for i, v := range args {
		list[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return list
}

// ExecContext reads all rows.
func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	r, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	for err == nil {
		err = r.Next(nil)
	}
	if err == io.EOF {
		err = nil
	}
	return driver.RowsAffected(0), errors.Join(err, r.Close())
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := s.c.hold(ctx); err != nil {
		return nil, err
	}
	err := s.prepare(ctx)
	if err == nil {
		err = s.c.call(ctx, s.text, func() error { return s.bind(args) })
	}
	if err != nil {
		return nil, errors.Join(err, s.c.release())
	}
	r := &rows{stmt: s, ctx: ctx, names: make([]string, s.st.ColumnCount())}
	for i := range r.names {
		r.names[i] = s.st.ColumnName(i)
	}
	return r, nil
}

// bind gives the statement its arguments.
func (s *stmt) bind(args []driver.NamedValue) error {
	want := s.st.BindCount()
	bound := make([]bool, want+1)
	for _, arg := range args {
		ids := []int{arg.Ordinal}
		if arg.Name != "" {
			ids = ids[:0]
			for _, sign := range []string{":", "@", "$"} {
				if id := s.st.BindIndex(sign + arg.Name); id > 0 {
					ids = append(ids, id)
				}
			}
		}
		if len(ids) == 0 || ids[0] > want {
			return fail(fmt.Errorf("%w: the statement has no parameter for argument %d %s", columnvault.ErrInvalidArgument, arg.Ordinal, arg.Name))
		}
		for _, id := range ids {
			bound[id] = true
			if err := s.bindValue(id, arg.Value); err != nil {
				return err
			}
		}
	}
	for id := 1; id <= want; id++ {
		if !bound[id] {
			return fail(fmt.Errorf("%w: no argument for parameter %d of %d", columnvault.ErrInvalidArgument, id, want))
		}
	}
	return nil
}

func (s *stmt) bindValue(id int, v driver.Value) error {
	switch v := v.(type) {
	case int64:
		return s.st.BindInt64(id, v)
	case float64:
		return s.st.BindFloat(id, v)
	case bool:
		return s.st.BindBool(id, v)
	case string:
		return s.st.BindText(id, v)
	case []byte:
		return s.st.BindBlob(id, v)
	case time.Time:
		return s.st.BindText(id, string(appendTime(nil, v)))
	}
	return s.st.BindNull(id)
}

// rows are those of a statement, which holds the snapshot until they are closed.
type rows struct {
	*stmt
	ctx    context.Context
	names  []string
	closed bool
}

func (r *rows) Columns() []string { return r.names }

// ColumnTypeDatabaseTypeName is the type that the column of a table was declared
// with, and empty for other results.
func (r *rows) ColumnTypeDatabaseTypeName(i int) string {
	if r.c.broken != nil {
		return ""
	}
	return r.st.ColumnDeclType(i)
}

// Next goes to the next row, or returns io.EOF.
func (r *rows) Next(dest []driver.Value) error {
	more := false
	err := r.c.call(r.ctx, r.text, func() error {
		if more = r.st.Step(); !more {
			return r.st.Err()
		}
		for i := range dest {
			dest[i] = r.value(i)
		}
		return nil
	})
	if err == nil && !more {
		err = io.EOF
	}
	return err
}

// value is a field of the row, in memory of its own.
func (r *rows) value(i int) driver.Value {
	switch r.st.ColumnType(i) {
	case sqlite3.INTEGER:
		return r.st.ColumnInt64(i)
	case sqlite3.FLOAT:
		return r.st.ColumnFloat(i)
	case sqlite3.TEXT:
		return r.st.ColumnText(i)
	case sqlite3.BLOB:
		return r.st.ColumnBlob(i, []byte{})
	}
	return nil
}

// Close ends the statement and gives back its snapshot.
func (r *rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	var err error
	if r.c.broken == nil {
		err = r.c.call(context.Background(), r.text, func() error {
			_ = r.st.Reset() // which tells the error of the last step again
			return r.st.ClearBindings()
		})
	}
	if r.once {
		err = errors.Join(err, r.stmt.Close())
	}
	return errors.Join(err, r.c.release())
}

//go:build cgo

package main

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unsafe"

	capi "github.com/duckdb/duckdb-go-bindings"
	"github.com/duckdb/duckdb-go/v2"
)

func duckdbPeers() []Peer {
	return []Peer{{
		Name: "DuckDB", Class: Durable, Module: "github.com/duckdb/duckdb-go/v2", Synced: true,
		Durability: "survives power failure",
		Remark:     "a column for each field, the rowid is the position; Appender, reads by its chunks, many Sets by UPDATE FROM; to insert or delete is to write the table anew",
		Open:       openDuck,
		Import:     duckImport, Export: duckExport,
	}}
}

// duck is a database: one connection of database/sql, which writes, and one of
// the C interface, which reads.
type duck struct {
	db      *sql.DB
	conn    *sql.Conn
	handle  capi.Database
	reader  capi.Connection
	queries map[string]capi.PreparedStatement
	// The statements of a list. As long as they are open the database is, and
	// to open it again waits for that.
	insert, update *sql.Stmt
}

func openDuck(dir string) (Store, error) {
	path := filepath.Join(dir, "rows.duckdb")
	connector, err := duckdb.NewConnector(path, nil)
	if err != nil {
		return nil, err
	}
	s := &duck{db: sql.OpenDB(connector), queries: map[string]capi.PreparedStatement{}}
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return nil, err
	}
	var config capi.Config
	if capi.CreateConfig(&config) != capi.StateSuccess {
		return nil, errors.New("no configuration")
	}
	defer capi.DestroyConfig(&config)
	if capi.SetConfig(config, "duckdb_api", "go") != capi.StateSuccess {
		return nil, errors.New("no name of the interface")
	}
	var message string
	if capi.GetOrCreateFromCache(duckdb.GetInstanceCache(), path, &s.handle, config, &message) != capi.StateSuccess {
		return nil, errors.New(message)
	}
	if capi.Connect(s.handle, &s.reader) != capi.StateSuccess {
		return nil, errors.New("no second connection")
	}
	return s, nil
}

func (s *duck) Close() error {
	for _, q := range s.queries {
		capi.DestroyPrepare(&q)
	}
	capi.Disconnect(&s.reader)
	capi.Close(&s.handle)
	return errors.Join(s.finalize(), s.conn.Close(), s.db.Close())
}

func (s *duck) finalize() error {
	if s.insert == nil {
		return nil
	}
	return errors.Join(s.insert.Close(), s.update.Close())
}

func (s *duck) List(kind Kind) (any, error) {
	switch kind {
	case Ints:
		return newDuckList(s, "value BIGINT", duckRow[int64]{
			func(v int64) []driver.Value { return []driver.Value{v} },
			func(c capi.DataChunk, into []int64) { copy(into, duckVector[int64](c, 0, len(into))) },
		})
	case Floats:
		return newDuckList(s, "value DOUBLE", duckRow[float64]{
			func(v float64) []driver.Value { return []driver.Value{v} },
			func(c capi.DataChunk, into []float64) {
				copy(into, duckVector[float64](c, 0, len(into)))
			},
		})
	case Bytes:
		return newDuckList(s, "value BLOB", duckRow[[]byte]{
			func(v []byte) []driver.Value { return []driver.Value{v} },
			func(c capi.DataChunk, into [][]byte) {
				texts := duckVector[duckText](c, 0, len(into))
				for i := range texts {
					into[i] = []byte(texts[i].lent())
				}
			},
		})
	case Strings:
		return newDuckList(s, "value VARCHAR", duckRow[string]{
			func(v string) []driver.Value { return []driver.Value{v} },
			func(c capi.DataChunk, into []string) {
				texts := duckVector[duckText](c, 0, len(into))
				for i := range texts {
					into[i] = strings.Clone(texts[i].lent())
				}
			},
		})
	case Records, Rows:
		return newDuckList(s, "serial BIGINT, name VARCHAR, value DOUBLE, count BIGINT, good BOOLEAN", duckRow[Record]{
			func(v Record) []driver.Value { return []driver.Value{v.ID, v.Name, v.Value, v.Count, v.Good} },
			func(c capi.DataChunk, into []Record) {
				n := len(into)
				id, name, value := duckVector[int64](c, 0, n), duckVector[duckText](c, 1, n), duckVector[float64](c, 2, n)
				count, good := duckVector[int64](c, 3, n), duckVector[bool](c, 4, n)
				for i := range into {
					into[i] = Record{ID: id[i], Name: strings.Clone(name[i].lent()), Value: value[i], Count: count[i], Good: good[i]}
				}
			},
		})
	}
	return nil, errDash
}

// duckVector is the memory of a column of a chunk.
func duckVector[V any](c capi.DataChunk, column, n int) []V {
	data := capi.VectorGetData(capi.DataChunkGetVector(c, capi.IdxT(column)))
	return unsafe.Slice((*V)(data), n)
}

// duckText is duckdb_string_t of the C interface: up to 12 bytes lie inside of
// it, and more where a pointer after 4 of them leads.
type duckText struct {
	length uint32
	prefix [4]byte
	rest   uintptr
}

func (t *duckText) lent() string {
	if t.length <= 12 {
		return unsafe.String(&t.prefix[0], t.length)
	}
	return unsafe.String(*(**byte)(unsafe.Pointer(&t.rest)), t.length)
}

// duckRow makes arguments of an element, and elements of a chunk.
type duckRow[T any] struct {
	args func(T) []driver.Value
	take func(c capi.DataChunk, into []T)
}

type duckList[T any] struct {
	duckRow[T]
	*duck
	columns string
}

func newDuckList[T any](s *duck, columns string, row duckRow[T]) (*duckList[T], error) {
	l := &duckList[T]{duckRow: row, duck: s, columns: columns}
	if err := l.exec("CREATE TABLE IF NOT EXISTS rows (" + columns + ")"); err != nil {
		return nil, err
	}
	return l, l.prepare()
}

// names are those of the columns.
func (l *duckList[T]) names() (names []string) {
	for column := range strings.SplitSeq(l.columns, ", ") {
		name, _, _ := strings.Cut(column, " ")
		names = append(names, name)
	}
	return names
}

func (l *duckList[T]) prepare() (err error) {
	names := l.names()
	if l.insert, err = l.conn.PrepareContext(ctx, "INSERT INTO rows VALUES (?"+strings.Repeat(", ?", len(names)-1)+")"); err != nil {
		return err
	}
	l.update, err = l.conn.PrepareContext(ctx, "UPDATE rows SET "+strings.Join(names, " = ?, ")+" = ? WHERE rowid = ?")
	return err
}

func (l *duckList[T]) exec(text string) error {
	_, err := l.conn.ExecContext(ctx, text)
	return err
}

// inTx runs fn in a transaction.
func (l *duckList[T]) inTx(fn func() error) error {
	if err := l.exec("BEGIN"); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return errors.Join(err, l.exec("ROLLBACK"))
	}
	return l.exec("COMMIT")
}

// run runs a statement with an element's arguments, and others after them.
func (l *duckList[T]) run(s *sql.Stmt, v T, after ...any) error {
	var args []any
	for _, a := range l.args(v) {
		args = append(args, a)
	}
	_, err := s.ExecContext(ctx, append(args, after...)...)
	return err
}

func (l *duckList[T]) Len() (n int, err error) {
	return n, l.conn.QueryRowContext(ctx, "SELECT count(*) FROM rows").Scan(&n)
}

func (l *duckList[T]) Append(values []T) error {
	return l.AppendEach(values, func() {})
}

func (l *duckList[T]) AppendOne(v T) error { return l.run(l.insert, v) }

func (l *duckList[T]) AppendEach(values []T, held func()) error {
	return l.inTx(func() error {
		return l.appender("rows", func(a *duckdb.Appender) error {
			for _, v := range values {
				if err := a.AppendRow(l.args(v)...); err != nil {
					return err
				}
			}
			held()
			return nil
		})
	})
}

// appender runs fn with an appender to a table.
func (l *duckList[T]) appender(table string, fn func(a *duckdb.Appender) error) error {
	return l.conn.Raw(func(c any) error {
		a, err := duckdb.NewAppenderFromConn(c.(driver.Conn), "", table)
		if err != nil {
			return err
		}
		return errors.Join(fn(a), a.Close())
	})
}

// chunks runs a query of the reading connection and calls fn with what comes.
func (l *duckList[T]) chunks(text string, fn func(c capi.DataChunk, n int), args ...int) error {
	q, known := l.queries[text]
	if !known {
		if capi.Prepare(l.reader, text, &q) != capi.StateSuccess {
			return errors.New(capi.PrepareError(q))
		}
		l.queries[text] = q
	}
	for i, v := range args {
		capi.BindInt64(q, capi.IdxT(i+1), int64(v))
	}
	var r capi.Result
	defer capi.DestroyResult(&r)
	if capi.ExecutePreparedStreaming(q, &r) != capi.StateSuccess {
		return errors.New(capi.ResultError(&r))
	}
	for {
		c := capi.FetchChunk(r)
		if c.Ptr == nil {
			return nil
		}
		n := int(capi.DataChunkGetSize(c))
		fn(c, n)
		capi.DestroyDataChunk(&c)
		if n == 0 {
			return nil
		}
	}
}

func (l *duckList[T]) Read(into []T) error { return l.Slice(into, 0) }

func (l *duckList[T]) Slice(into []T, at int) error {
	done := 0
	err := l.chunks("SELECT "+strings.Join(l.names(), ", ")+" FROM rows WHERE rowid >= ? AND rowid < ?", func(c capi.DataChunk, n int) {
		l.take(c, into[done:done+n])
		done += n
	}, at, at+len(into))
	return whole(done, len(into), err)
}

func (l *duckList[T]) Runs(fn func([]T)) error {
	run := make([]T, duckdb.GetDataChunkCapacity())
	return l.chunks("SELECT "+strings.Join(l.names(), ", ")+" FROM rows", func(c capi.DataChunk, n int) {
		l.take(c, run[:n])
		fn(run[:n])
	})
}

func (l *duckList[T]) At(i int) (T, error) {
	var one [1]T
	err := l.Slice(one[:], i)
	return one[0], err
}

func (l *duckList[T]) View(fn func(Reader[T]) error) error {
	none := func(capi.DataChunk, int) {}
	if err := l.chunks("BEGIN", none); err != nil {
		return err
	}
	return errors.Join(fn(l), l.chunks("COMMIT", none))
}

func (l *duckList[T]) Set(i int, v T) error { return l.run(l.update, v, int64(i)) }

func (l *duckList[T]) SetMany(at []int, values []T) error {
	return l.inTx(func() error {
		if err := l.exec("CREATE OR REPLACE TEMP TABLE changed (position BIGINT, " + l.columns + ")"); err != nil {
			return err
		}
		if err := l.appender("changed", func(a *duckdb.Appender) error {
			for k, i := range at {
				if err := a.AppendRow(append([]driver.Value{int64(i)}, l.args(values[k])...)...); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		var sets []string
		for _, name := range l.names() {
			sets = append(sets, name+" = changed."+name)
		}
		return l.exec("UPDATE rows SET " + strings.Join(sets, ", ") + " FROM changed WHERE rows.rowid = changed.position")
	})
}

// renew puts the rows of a query in the place of all.
func (l *duckList[T]) renew(query string) error {
	if err := l.finalize(); err != nil {
		return err
	}
	if err := l.exec("CREATE OR REPLACE TABLE rows AS " + query); err != nil {
		return err
	}
	return l.prepare()
}

func (l *duckList[T]) Insert(i int, v T) error {
	var literals []string
	for k, a := range l.args(v) {
		_, kind, _ := strings.Cut(strings.Split(l.columns, ", ")[k], " ")
		literals = append(literals, duckLiteral(a)+"::"+kind)
	}
	return l.renew(fmt.Sprintf("(SELECT * FROM rows WHERE rowid < %d) UNION ALL (SELECT %s) UNION ALL (SELECT * FROM rows WHERE rowid >= %[1]d)",
		i, strings.Join(literals, ", ")))
}

// duckLiteral is a value as SQL writes it: a CREATE takes no parameters.
func duckLiteral(v driver.Value) string {
	switch v := v.(type) {
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case []byte:
		return fmt.Sprintf("unhex('%x')", v)
	}
	return fmt.Sprint(v)
}

func (l *duckList[T]) Delete(i int) error {
	return l.renew(fmt.Sprintf("SELECT * FROM rows WHERE rowid <> %d", i))
}

func (l *duckList[T]) Sum() (sum float64, err error) {
	return sum, l.conn.QueryRowContext(ctx, "SELECT sum(value)::DOUBLE FROM rows").Scan(&sum)
}

func (l *duckList[T]) MinMax() (low, high T, err error) {
	var both [2]T
	err = l.chunks("SELECT unnest([min(value), max(value)]) FROM rows", func(c capi.DataChunk, n int) {
		l.take(c, both[:n])
	})
	return both[0], both[1], err
}

func (l *duckList[T]) CountAtLeast(v T) (n int, err error) {
	return n, l.conn.QueryRowContext(ctx, "SELECT count(*) FROM rows WHERE value >= ?", any(l.args(v)[0])).Scan(&n)
}

func (l *duckList[T]) Ask(text string) (n int, err error) {
	found, err := l.conn.QueryContext(ctx, text)
	if err != nil {
		return 0, err
	}
	defer found.Close()
	for found.Next() {
		n++
	}
	return n, found.Err()
}

func duckImport(t Task) (int64, error) {
	return duckRun(t, "CREATE TABLE records AS SELECT * FROM read_csv("+duckLiteral(t.CSV)+", nullstr = ['', 'NA'])")
}

func duckExport(t Task, out string) (int64, error) {
	return duckRun(t, "COPY records TO "+duckLiteral(out)+" (HEADER)")
}

// duckRun runs a statement, from opening the file to closing it.
func duckRun(t Task, text string) (int64, error) {
	s, err := openDuck(t.Dir)
	if err != nil {
		return 0, err
	}
	_, err = s.(*duck).conn.ExecContext(ctx, text)
	if err := errors.Join(err, s.Close()); err != nil {
		return 0, err
	}
	return peakMemory()
}

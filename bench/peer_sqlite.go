package main

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

func sqlitePeers() []Peer {
	const (
		module = "github.com/ncruces/go-sqlite3"
		remark = "one row an element, its position the rowid; a write-ahead log, a page cache of 16 MiB, statements prepared once"
	)
	return []Peer{{
		Name: "SQLite", Class: Durable, Module: module, Remark: remark,
		Durability: "survives the end of the process; a power failure may undo the last commits, and leaves the file whole (synchronous=NORMAL)",
		Open:       func(dir string) (Store, error) { return openSQLite(dir, "NORMAL") },
		Import:     sqliteImport, Export: sqliteExport,
	}, {
		Name: "SQLite, FULL", Class: Durable, Module: module, Remark: remark, Synced: true, OnlySynced: true,
		Durability: "survives power failure (synchronous=FULL)",
		Open:       func(dir string) (Store, error) { return openSQLite(dir, "FULL") },
	}}
}

type sqlite struct {
	db *sqlite3.Conn
	// stmts are the statements of lists, which a connection cannot outlive.
	stmts []*sqlite3.Stmt
}

func openSQLite(dir, synchronous string) (Store, error) {
	db, err := sqlite3.Open(filepath.Join(dir, "rows.db"))
	if err != nil {
		return nil, err
	}
	return &sqlite{db: db}, db.Exec("PRAGMA journal_mode=WAL; PRAGMA cache_size=-16384; PRAGMA synchronous=" + synchronous)
}

func (s *sqlite) Close() error {
	for _, stmt := range s.stmts {
		if err := stmt.Close(); err != nil {
			return err
		}
	}
	return s.db.Close()
}

func (s *sqlite) List(kind Kind) (any, error) {
	switch kind {
	case Ints:
		return newSQLiteList(s, "value INTEGER", sqliteRow[int64]{
			func(s *sqlite3.Stmt, v int64) error { return s.BindInt64(2, v) },
			func(s *sqlite3.Stmt) int64 { return s.ColumnInt64(0) },
		})
	case Floats:
		return newSQLiteList(s, "value REAL", sqliteRow[float64]{
			func(s *sqlite3.Stmt, v float64) error { return s.BindFloat(2, v) },
			func(s *sqlite3.Stmt) float64 { return s.ColumnFloat(0) },
		})
	case Bytes:
		return newSQLiteList(s, "value BLOB", sqliteRow[[]byte]{
			func(s *sqlite3.Stmt, v []byte) error { return s.BindBlob(2, v) },
			func(s *sqlite3.Stmt) []byte { return s.ColumnBlob(0, nil) },
		})
	case Strings:
		return newSQLiteList(s, "value TEXT", sqliteRow[string]{
			func(s *sqlite3.Stmt, v string) error { return s.BindText(2, v) },
			func(s *sqlite3.Stmt) string { return s.ColumnText(0) },
		})
	case Records, Rows:
		return newSQLiteList(s, "serial INTEGER, name TEXT, value REAL, count INTEGER, good INTEGER", sqliteRow[Record]{bindRecord, scanRecord})
	}
	return nil, errDash
}

func bindRecord(s *sqlite3.Stmt, r Record) error {
	for _, err := range []error{s.BindInt64(2, r.ID), s.BindText(3, r.Name), s.BindFloat(4, r.Value), s.BindInt64(5, r.Count)} {
		if err != nil {
			return err
		}
	}
	return s.BindBool(6, r.Good)
}

func scanRecord(s *sqlite3.Stmt) Record {
	return Record{ID: s.ColumnInt64(0), Name: s.ColumnText(1), Value: s.ColumnFloat(2), Count: s.ColumnInt64(3), Good: s.ColumnBool(4)}
}

// sqliteRow binds an element from parameter 2 on, and makes one of the columns
// of a result.
type sqliteRow[T any] struct {
	bind func(*sqlite3.Stmt, T) error
	scan func(*sqlite3.Stmt) T
}

type sqliteList[T any] struct {
	sqliteRow[T]
	db                           *sqlite3.Conn
	insert, update, from, length *sqlite3.Stmt
	last                         int64
}

func newSQLiteList[T any](s *sqlite, columns string, row sqliteRow[T]) (*sqliteList[T], error) {
	if err := s.db.Exec("CREATE TABLE IF NOT EXISTS rows (position INTEGER PRIMARY KEY, " + columns + ")"); err != nil {
		return nil, err
	}
	l := &sqliteList[T]{sqliteRow: row, db: s.db}
	var names, marks []string
	for column := range strings.SplitSeq(columns, ", ") {
		name, _, _ := strings.Cut(column, " ")
		names = append(names, name)
		marks = append(marks, fmt.Sprint("?", len(names)+1))
	}
	all, given := strings.Join(names, ", "), strings.Join(marks, ", ")
	for _, q := range []struct {
		stmt **sqlite3.Stmt
		text string
	}{
		{&l.insert, "INSERT INTO rows (position, " + all + ") VALUES (?1, " + given + ")"},
		{&l.update, "UPDATE rows SET (" + all + ") = (" + given + ") WHERE position = ?1"},
		{&l.from, "SELECT " + all + " FROM rows WHERE position >= ? AND position < ? ORDER BY position"},
		{&l.length, "SELECT coalesce(max(position) + 1, 0) FROM rows"},
	} {
		var err error
		if *q.stmt, _, err = s.db.PrepareFlags(q.text, sqlite3.PREPARE_PERSISTENT); err != nil {
			return nil, err
		}
		s.stmts = append(s.stmts, *q.stmt)
	}
	n, err := l.Len()
	l.last = int64(n)
	return l, err
}

func (l *sqliteList[T]) Len() (int, error) {
	n := 0
	if l.length.Step() {
		n = l.length.ColumnInt(0)
	}
	return n, l.length.Reset()
}

// inTx runs fn in a transaction.
func (l *sqliteList[T]) inTx(fn func() error) (err error) {
	tx, err := l.db.BeginImmediate()
	if err != nil {
		return err
	}
	defer tx.End(&err)
	return fn()
}

func (l *sqliteList[T]) put(s *sqlite3.Stmt, i int64, v T) error {
	if err := s.BindInt64(1, i); err != nil {
		return err
	}
	if err := l.bind(s, v); err != nil {
		return err
	}
	return s.Exec()
}

func (l *sqliteList[T]) AppendOne(v T) error {
	err := l.put(l.insert, l.last, v)
	l.last++
	return err
}

func (l *sqliteList[T]) Append(values []T) error { return l.AppendEach(values, func() {}) }

func (l *sqliteList[T]) AppendEach(values []T, held func()) error {
	return l.inTx(func() error {
		for _, v := range values {
			if err := l.AppendOne(v); err != nil {
				return err
			}
		}
		held()
		return nil
	})
}

// rows calls fn with the elements from i up to j.
func (l *sqliteList[T]) rows(i, j int, fn func(T)) (err error) {
	if err := l.from.BindInt(1, i); err != nil {
		return err
	}
	if err := l.from.BindInt(2, j); err != nil {
		return err
	}
	for l.from.Step() {
		fn(l.scan(l.from))
	}
	return l.from.Reset()
}

func (l *sqliteList[T]) Read(into []T) error { return l.Slice(into, 0) }

func (l *sqliteList[T]) Slice(into []T, at int) error {
	n := 0
	err := l.rows(at, at+len(into), func(v T) {
		into[n] = v
		n++
	})
	return whole(n, len(into), err)
}

func (l *sqliteList[T]) Runs(fn func([]T)) error {
	var one [1]T
	return l.rows(0, math.MaxInt, func(v T) {
		one[0] = v
		fn(one[:])
	})
}

func (l *sqliteList[T]) At(i int) (T, error) {
	var one [1]T
	err := l.Slice(one[:], i)
	return one[0], err
}

func (l *sqliteList[T]) View(fn func(Reader[T]) error) (err error) {
	tx := l.db.Begin()
	defer tx.End(&err)
	return fn(l)
}

func (l *sqliteList[T]) Set(i int, v T) error { return l.put(l.update, int64(i), v) }

func (l *sqliteList[T]) SetMany(at []int, values []T) error {
	return l.inTx(func() error {
		for k, i := range at {
			if err := l.Set(i, values[k]); err != nil {
				return err
			}
		}
		return nil
	})
}

// Insert moves all that follows by a place, over negative positions, because
// SQLite compares each row with what is there at its moment.
func (l *sqliteList[T]) Insert(i int, v T) error {
	return l.inTx(func() error {
		if err := l.db.Exec(fmt.Sprintf("UPDATE rows SET position = -1 - position WHERE position >= %d; "+
			"UPDATE rows SET position = -position WHERE position < 0", i)); err != nil {
			return err
		}
		l.last++
		return l.put(l.insert, int64(i), v)
	})
}

func (l *sqliteList[T]) Delete(i int) error {
	return l.inTx(func() error {
		l.last--
		return l.db.Exec(fmt.Sprintf("DELETE FROM rows WHERE position = %d; UPDATE rows SET position = -position WHERE position > %d; "+
			"UPDATE rows SET position = -position - 1 WHERE position < 0", i, i))
	})
}

// query runs one that takes no parameter, and calls fn with each row.
func (l *sqliteList[T]) query(text string, fn func(*sqlite3.Stmt)) error {
	s, _, err := l.db.Prepare(text)
	if err != nil {
		return err
	}
	defer s.Close()
	for s.Step() {
		fn(s)
	}
	return s.Err()
}

func (l *sqliteList[T]) Sum() (sum float64, err error) {
	err = l.query("SELECT sum(value) FROM rows", func(s *sqlite3.Stmt) { sum = s.ColumnFloat(0) })
	return sum, err
}

func (l *sqliteList[T]) MinMax() (low, high T, err error) {
	if err := l.query("SELECT min(value) FROM rows", func(s *sqlite3.Stmt) { low = l.scan(s) }); err != nil {
		return low, high, err
	}
	err = l.query("SELECT max(value) FROM rows", func(s *sqlite3.Stmt) { high = l.scan(s) })
	return low, high, err
}

func (l *sqliteList[T]) CountAtLeast(v T) (n int, err error) {
	s, _, err := l.db.Prepare("SELECT count(*) FROM rows WHERE value >= ?2")
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if err := l.bind(s, v); err != nil {
		return 0, err
	}
	if s.Step() {
		n = s.ColumnInt(0)
	}
	return n, s.Err()
}

func (l *sqliteList[T]) Ask(text string) (n int, err error) {
	err = l.query(text, func(*sqlite3.Stmt) { n++ })
	return n, err
}

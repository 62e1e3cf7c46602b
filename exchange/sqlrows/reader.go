// Package sqlrows reads and writes the rows of tables in SQLite files of other
// programs.
package sqlrows

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
	"columnvault/internal/excerpt"
	"columnvault/internal/structured"
	"columnvault/internal/values"
)

// Options configure a [Reader].
type Options struct {
	// Columns are those that are read, in the order of the table; nil means all.
	Columns []string
}

// Reader is a table of a SQLite file as a source of rows, in the order of their
// rowids or keys. The types are those of the values that there are, which Begin
// counts: integers make i64, or bool where that is declared, numbers f64, text
// str and BLOBs bytes. Text is read as times or dates where DATE, DATETIME or
// TIMESTAMP is declared, if all of it can be, and as msgpack where JSON is. What
// is mixed becomes msgpack.
type Reader struct {
	*fit.Source
	rows *rows
}

// NewReader returns a source of the rows of a table. It opens the file with
// Begin, for reading, and reads all rows in one snapshot.
func NewReader(path, table string, o *Options) *Reader {
	if o == nil {
		o = &Options{}
	}
	r := &rows{path: path, table: table, o: *o, text: map[string]textState{}}
	return &Reader{fit.NewSource(r), r}
}

// Close closes the file, which is also closed after the last row.
func (r *Reader) Close() error { return r.rows.close() }

// rows are the rows of a table.
type rows struct {
	path, table string
	o           Options
	db          *sqlite3.Conn
	stmt        *sqlite3.Stmt
	columns     []*column
	// text says of columns whose text is no times or JSON after all, or times with
	// more than six digits of a second.
	text        map[string]textState
	done, total int64
}

// textState says as what text is read.
type textState uint8

const (
	asDeclared textState = iota
	asNanoseconds
	asText
)

// column is a column of the table.
type column struct {
	name, declared string
	field          exchange.Field
	moment         values.Moment
	json           bool
}

// maxLength bounds text and BLOBs in bytes.
const maxLength = 256 << 20

// open opens a file as one that anybody may have written.
func open(path string, flags sqlite3.OpenFlag) (db *sqlite3.Conn, err error) {
	defer fit.Guard(&err)
	if db, err = sqlite3.OpenFlags("file:"+escape(path), flags|sqlite3.OPEN_URI); err != nil {
		return nil, err
	}
	db.Limit(sqlite3.LIMIT_LENGTH, maxLength)
	for op, on := range map[sqlite3.DBConfig]bool{sqlite3.DBCONFIG_TRUSTED_SCHEMA: false, sqlite3.DBCONFIG_DEFENSIVE: true,
		sqlite3.DBCONFIG_ENABLE_TRIGGER: false, sqlite3.DBCONFIG_ENABLE_VIEW: false} {
		if _, err := db.Config(op, on); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	if err := db.Exec("PRAGMA cell_size_check = ON; PRAGMA busy_timeout = 10000"); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// escape makes a path part of a URI.
func escape(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}

// quote makes a name one of SQL.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func (r *rows) close() (err error) {
	defer fit.Guard(&err)
	if r.stmt != nil {
		err = r.stmt.Close()
		r.stmt = nil
	}
	if r.db != nil {
		err = errors.Join(err, r.db.Close())
		r.db = nil
	}
	return err
}

// Noted returns nothing.
func (*rows) Noted() map[string]exchange.Field { return nil }

// Progress is how many rows have been read.
func (r *rows) Progress() (done, total int64) { return r.done, r.total }

// Open goes to the first row.
func (r *rows) Open(ctx context.Context) (fields []exchange.Field, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	defer fit.Guard(&err)
	if err := r.close(); err != nil {
		return nil, err
	}
	if r.db, err = open(r.path, sqlite3.OPEN_READONLY); err != nil {
		return nil, err
	}
	r.db.SetInterrupt(ctx)
	if err := r.db.Exec("BEGIN"); err != nil {
		return nil, err
	}
	if err := r.find(); err != nil {
		return nil, err
	}
	if err := r.types(); err != nil {
		return nil, err
	}
	r.done = 0
	r.stmt, _, err = r.db.Prepare("SELECT " + r.list(func(c *column) string { return quote(c.name) }) + " FROM " + quote(r.table))
	if err != nil {
		return nil, err
	}
	for _, c := range r.columns {
		fields = append(fields, c.field)
	}
	return fields, nil
}

func (r *rows) list(each func(*column) string) string {
	parts := make([]string, len(r.columns))
	for i, c := range r.columns {
		parts[i] = each(c)
	}
	return strings.Join(parts, ", ")
}

// find finds the table and its columns.
func (r *rows) find() error {
	var tables []string
	err := each(r.db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'", func(s *sqlite3.Stmt) {
		tables = append(tables, s.ColumnText(0))
	})
	if err != nil {
		return err
	}
	if !slices.Contains(tables, r.table) {
		if len(tables) == 0 {
			return errors.New("the file has no tables")
		}
		return fmt.Errorf("the file has no table %s; its tables are %s", excerpt.Quote(r.table, excerpt.Name), excerpt.Few(tables))
	}
	stmt, _, err := r.db.Prepare("SELECT * FROM " + quote(r.table))
	if err != nil {
		return err
	}
	defer stmt.Close()
	var names []string
	for i := range stmt.ColumnCount() {
		names = append(names, stmt.ColumnName(i))
	}
	chosen, err := fit.Choose("table", names, r.o.Columns)
	if err != nil {
		return err
	}
	r.columns = nil
	for _, i := range chosen {
		r.columns = append(r.columns, &column{name: names[i], declared: strings.ToUpper(stmt.ColumnDeclType(i))})
	}
	return nil
}

func each(db *sqlite3.Conn, sql string, row func(*sqlite3.Stmt)) error {
	stmt, _, err := db.Prepare(sql)
	if err != nil {
		return err
	}
	for stmt.Step() {
		row(stmt)
	}
	return stmt.Close()
}

// counts are how many values of each kind a column has.
type counts struct{ nulls, integers, reals, texts, blobs, wide, bits int64 }

// types finds the types of the columns.
func (r *rows) types() error {
	for _, c := range r.columns {
		q := quote(c.name)
		kind := func(name string) string { return "total(typeof(" + q + ") = '" + name + "')" }
		whole := "typeof(" + q + ") = 'integer' AND " + q
		sql := "SELECT count(*), " + kind("null") + ", " + kind("integer") + ", " + kind("real") + ", " + kind("text") + ", " + kind("blob") +
			", total(" + whole + " NOT BETWEEN -9007199254740992 AND 9007199254740992), total(" + whole + " IN (0, 1)) FROM " + quote(r.table)
		var n counts
		err := each(r.db, sql, func(s *sqlite3.Stmt) {
			r.total = s.ColumnInt64(0)
			for i, to := range []*int64{&n.nulls, &n.integers, &n.reals, &n.texts, &n.blobs, &n.wide, &n.bits} {
				*to = int64(s.ColumnFloat(i + 1))
			}
		})
		if err != nil {
			return err
		}
		c.field, c.json = c.typeOf(n, r.text[c.name])
		c.field.Name, c.field.Meaning.Null = c.name, n.nulls > 0
		c.moment = values.NewMoment(c.field.Meaning)
	}
	return nil
}

// typeOf is the type of a column of such values.
func (c *column) typeOf(n counts, text textState) (f exchange.Field, json bool) {
	said := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(c.declared, w) })
	}
	f.Type = dtype.MsgPack[any]().Spec()
	values := n.integers + n.reals + n.texts + n.blobs
	switch {
	case values == 0: // by what is declared
		switch {
		case said("INT"):
			f.Type = dtype.Int64.Spec()
		case said("REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL"):
			f.Type = dtype.Float64.Spec()
		case said("BLOB"):
			f.Type = dtype.Bytes.Spec()
		default:
			f.Type = dtype.String.Spec()
		}
	case n.integers == values && said("BOOL") && n.bits == values:
		f.Type = dtype.Bool.Spec()
	case n.integers == values:
		f.Type = dtype.Int64.Spec()
	case n.integers+n.reals == values && n.wide == 0:
		f.Type = dtype.Float64.Spec()
	case n.blobs == values:
		f.Type = dtype.Bytes.Spec()
	case n.texts != values:
	case text != asText && said("DATETIME", "TIMESTAMP"):
		f.Type, f.Meaning.Time = dtype.Int64.Spec(), dtype.Microsecond
		if text == asNanoseconds {
			f.Meaning.Time = dtype.Nanosecond
		}
	case text != asText && said("DATE"):
		f.Type, f.Meaning.Date = dtype.Int64.Spec(), true
	case text != asText && said("JSON"):
		return f, true
	default:
		f.Type = dtype.String.Spec()
	}
	return f, false
}

// The bounds of a batch.
const (
	maxRows    = 64 << 10
	batchBytes = 4 << 20
)

// Next adds rows.
func (r *rows) Next(ctx context.Context, b *exchange.Batch) (err error) {
	defer fit.Guard(&err)
	if r.stmt == nil {
		return io.EOF
	}
	size := 0
	for b.Rows < maxRows && size < batchBytes {
		if !r.stmt.Step() { // another step would begin anew
			err := errors.Join(r.stmt.Err(), ctx.Err(), r.close())
			if err == nil && b.Rows == 0 {
				err = io.EOF
			}
			return err
		}
		for i, c := range r.columns {
			n, err := c.add(r.stmt, i, b.Columns[i])
			if err != nil && c.retry() {
				r.text[c.name] = asText
				if errors.Is(err, errDigits) {
					r.text[c.name] = asNanoseconds
				}
				return exchange.ErrRetype
			}
			if err != nil {
				return fit.At(r.done, c.name, err)
			}
			size += 8 + n
		}
		b.Rows++
		r.done++
	}
	return nil
}

// retry tells whether text of the column may be read in another way.
func (c *column) retry() bool { return c.moment.Is() || c.json }

// errDigits is that of a time with more digits than the unit has.
var errDigits = errors.New("a time has more than six digits of a second")

// add adds the value of a row, and returns its size if that varies.
func (c *column) add(s *sqlite3.Stmt, i int, to exchange.Column) (size int, err error) {
	kind := s.ColumnType(i)
	if kind == sqlite3.NULL {
		to.AddMissing()
		return 0, nil
	}
	switch v := to.(type) {
	case *exchange.Vector[bool]:
		v.Add(s.ColumnBool(i))
	case *exchange.Vector[int64]:
		if !c.moment.Is() {
			v.Add(s.ColumnInt64(i))
			return 0, nil
		}
		text := s.ColumnRawText(i)
		if t, ok := values.ParseISO(text); ok && t.Digits > 6 && c.field.Meaning.Time == dtype.Microsecond {
			return 0, errDigits
		}
		n, err := c.moment.ParseStored(text)
		if err != nil {
			return 0, err
		}
		v.Add(n)
	case *exchange.Vector[float64]:
		v.Add(s.ColumnFloat(i))
	case *exchange.Vector[string]:
		v.Add(s.ColumnText(i))
		return len(v.Values[len(v.Values)-1]), nil
	case *exchange.Vector[[]byte]:
		v.Add(append([]byte{}, s.ColumnRawBlob(i)...))
		return len(v.Values[len(v.Values)-1]), nil
	case *exchange.Vector[any]:
		return c.addAny(s, i, kind, v)
	}
	return 0, nil
}

func (c *column) addAny(s *sqlite3.Stmt, i int, kind sqlite3.Datatype, v *exchange.Vector[any]) (int, error) {
	switch kind {
	case sqlite3.INTEGER:
		v.Add(s.ColumnInt64(i))
	case sqlite3.FLOAT:
		v.Add(fit.Any(c.field, s.ColumnFloat(i)))
	case sqlite3.BLOB:
		raw := s.ColumnRawBlob(i)
		v.Add(fit.Any(c.field, append([]byte{}, raw...)))
		return len(raw), nil
	default:
		text := s.ColumnText(i)
		if !c.json {
			v.Add(text)
			return len(text), nil
		}
		var value any
		if err := structured.DecodeJSON([]byte(text), &value); err != nil {
			return 0, err
		}
		v.Add(value)
		return len(text), nil
	}
	return 0, nil
}

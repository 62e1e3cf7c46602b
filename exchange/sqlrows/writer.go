package sqlrows

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/internal/fit"
	"columnvault/internal/hint"
	"columnvault/internal/values"
)

// Writer writes rows to a new table of a SQLite file, which is made if it is not
// there, in one transaction. Integers, times as text, numbers, text and bytes
// are values of SQLite; vectors, msgpack and cbor are JSON text. SQLite itself
// makes NULL of NaN, and 0 of -0.
type Writer struct {
	path, table string
	db          *sqlite3.Conn
	stmt        *sqlite3.Stmt
	fields      []exchange.Field
	moments     []values.Moment
	printers    []values.Printer
	row         int64
	text        []byte
}

// NewWriter returns a sink that writes to a table. Begin opens the file. Close
// must be called in the end, whatever has happened.
func NewWriter(path, table string) *Writer { return &Writer{path: path, table: table} }

// Begin makes the table.
func (w *Writer) Begin(ctx context.Context, fields []exchange.Field) (err error) {
	defer fit.Guard(&err)
	if w.db, err = open(w.path, sqlite3.OPEN_READWRITE|sqlite3.OPEN_CREATE); err != nil {
		return err
	}
	w.db.SetInterrupt(ctx)
	w.fields = fields
	columns, holes := make([]string, len(fields)), make([]string, len(fields))
	for i, f := range fields {
		w.moments = append(w.moments, values.NewMoment(f.Meaning))
		w.printers = append(w.printers, values.NewPrinter(f.Type, dtype.Meaning{}))
		columns[i], holes[i] = quote(f.Name)+" "+declaration(f), "?"
	}
	if err := w.db.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	there := false
	lookup, _, err := w.db.Prepare("SELECT 1 FROM sqlite_schema WHERE name = ? COLLATE NOCASE")
	if err != nil {
		return err
	}
	if err := lookup.BindText(1, w.table); err != nil {
		return errors.Join(err, lookup.Close())
	}
	there = lookup.Step()
	if err := lookup.Close(); err != nil {
		return err
	}
	if there {
		return hint.Add(fmt.Errorf("%s already has a table %s", w.path, w.table), "take another name for the table")
	}
	if err := w.db.Exec("CREATE TABLE " + quote(w.table) + " (" + strings.Join(columns, ", ") + ")"); err != nil {
		return err
	}
	w.stmt, _, err = w.db.Prepare("INSERT INTO " + quote(w.table) + " VALUES (" + strings.Join(holes, ", ") + ")")
	return err
}

// declaration is the type of a column of the table.
func declaration(f exchange.Field) string {
	switch {
	case f.Meaning.Date:
		return "DATE"
	case f.Meaning.Time != 0:
		return "TIMESTAMP"
	}
	switch f.Type.Kind {
	case dtype.KindBool:
		return "BOOLEAN"
	case dtype.KindFloat16, dtype.KindFloat32, dtype.KindFloat64:
		return "REAL"
	case dtype.KindText:
		return "TEXT"
	case dtype.KindBytes:
		return "BLOB"
	case dtype.KindVector, dtype.KindMsgPack, dtype.KindCBOR:
		return "JSON TEXT" // JSON alone would turn the text of numbers into numbers
	}
	return "INTEGER"
}

// Write inserts the rows of a batch.
func (w *Writer) Write(ctx context.Context, b *exchange.Batch) (err error) {
	defer fit.Guard(&err)
	for row := range b.Rows {
		if row&1023 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for i, c := range b.Columns {
			if err := w.bind(i, c, row); err != nil {
				return fit.At(w.row, w.fields[i].Name, err)
			}
		}
		if err := w.stmt.Exec(); err != nil {
			return fmt.Errorf("row %d: %w", w.row, err)
		}
		w.row++
	}
	return nil
}

// bind sets a value of the row that is inserted.
func (w *Writer) bind(i int, c exchange.Column, row int) error {
	at := i + 1
	if c.IsMissing(row) {
		return w.stmt.BindNull(at)
	}
	switch v := c.(type) {
	case *exchange.Vector[bool]:
		return w.stmt.BindBool(at, v.Values[row])
	case *exchange.Vector[int8]:
		return w.stmt.BindInt64(at, int64(v.Values[row]))
	case *exchange.Vector[int16]:
		return w.stmt.BindInt64(at, int64(v.Values[row]))
	case *exchange.Vector[int32]:
		return w.stmt.BindInt64(at, int64(v.Values[row]))
	case *exchange.Vector[uint8]:
		return w.stmt.BindInt64(at, int64(v.Values[row]))
	case *exchange.Vector[uint16]:
		return w.stmt.BindInt64(at, int64(v.Values[row]))
	case *exchange.Vector[uint32]:
		return w.stmt.BindInt64(at, int64(v.Values[row]))
	case *exchange.Vector[uint64]:
		if v.Values[row] > math.MaxInt64 {
			return fmt.Errorf("%w: %d is larger than an integer of SQLite", dtype.ErrValue, v.Values[row])
		}
		return w.stmt.BindInt64(at, int64(v.Values[row]))
	case *exchange.Vector[int64]:
		if w.moments[i].Is() {
			w.text = w.moments[i].AppendBare(w.text[:0], v.Values[row])
			return w.stmt.BindRawText(at, w.text)
		}
		return w.stmt.BindInt64(at, v.Values[row])
	case *exchange.Vector[float32]:
		return w.stmt.BindFloat(at, float64(v.Values[row]))
	case *exchange.Vector[float64]:
		return w.stmt.BindFloat(at, v.Values[row])
	case *exchange.Vector[string]:
		return w.stmt.BindText(at, v.Values[row])
	case *exchange.Vector[[]byte]:
		if w.fields[i].Type.Kind == dtype.KindBytes {
			return w.stmt.BindBlob(at, v.Values[row])
		}
	}
	value := c.At(row)
	if value == nil {
		return w.stmt.BindNull(at)
	}
	w.text = w.printers[i].Append(w.text[:0], value)
	return w.stmt.BindRawText(at, w.text)
}

// End commits.
func (w *Writer) End(context.Context) (err error) {
	defer fit.Guard(&err)
	if err := w.stmt.Close(); err != nil {
		return err
	}
	w.stmt = nil
	return w.db.Exec("COMMIT")
}

// Close closes the file. What has not been committed by End is undone.
func (w *Writer) Close() (err error) {
	defer fit.Guard(&err)
	if w.db == nil {
		return nil
	}
	if w.stmt != nil {
		err = w.stmt.Close()
	}
	err = errors.Join(err, w.db.Close())
	w.db, w.stmt = nil, nil
	return err
}

package query

import (
	"context"
	"database/sql"
	"time"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
	"columnvault/dtype"
)

// field is a column of the vault under a cursor.
type field interface {
	// result gives the engine the element of the row that the cursor is at.
	result(ctx sqlite3.Context, at *span) error
}

// runs is a field whose elements are read in runs.
type runs[T any] struct {
	c   *conn
	col *columnvault.Column[T]
	set func(sqlite3.Context, T)
	// values are the elements from start on, which lie in buf.
	values []T
	start  int64
	buf    []T
	// size is how many elements were read last.
	size int64
}

// The lengths of runs: short ones where rows are read here and there, or few,
// and long ones where all are.
const (
	firstRun = 16
	longest  = 4096
)

func (r *runs[T]) result(ctx sqlite3.Context, at *span) error {
	i := uint64(at.at - r.start)
	if i >= uint64(len(r.values)) {
		if err := r.load(r.c.ctx, at); err != nil {
			return err
		}
		i = uint64(at.at - r.start)
	}
	r.set(ctx, r.values[i])
	return nil
}

// load reads the run that the cursor needs now, and what it will need next.
func (r *runs[T]) load(ctx context.Context, at *span) error {
	r.size = r.next(at)
	from, to := at.at, min(at.last+1, at.at+r.size)
	if at.down {
		from, to = max(at.first, at.at+1-r.size), at.at+1
	}
	if int64(len(r.buf)) < to-from {
		r.buf = make([]T, to-from)
	}
	for run, err := range r.col.RunsInto(ctx, r.buf[:to-from], int(from), int(to)) {
		if err != nil {
			r.values = nil
			return err
		}
		r.start, r.values = int64(run.Start), run.Values
		if at.at < r.start+int64(len(r.values)) {
			if r.start > from {
				r.size = int64(len(r.values)) // what came before was read for nothing
			}
			return nil
		}
	}
	r.values = nil
	return columnvault.ErrOutOfRange
}

// next is how long the next run should be: twice as long as the one before if
// the cursor has come from that, much shorter if it has jumped.
func (r *runs[T]) next(at *span) int64 {
	if r.size == 0 {
		return firstRun
	}
	gap := at.at - r.start - int64(len(r.values))
	if at.down {
		gap = r.start - 1 - at.at
	}
	if gap >= 0 && gap <= 2*r.size {
		return min(2*r.size, longest)
	}
	return max(1, r.size/8)
}

// newRuns opens a column with elements of a type.
func newRuns[T any](c *conn, col *columnvault.Column[any], t dtype.Type[T], set func(sqlite3.Context, T)) field {
	return &runs[T]{c: c, col: columnvault.As(col, t), set: set}
}

// newField opens a column whose elements may be missing if its meaning says so,
// and then are of the type null. That is not made here, where it would be compiled
// once more for every type.
func newField[T any, N sql.Null[T]](c *conn, col *columnvault.Column[any], t dtype.Type[T], null dtype.Type[N], set func(sqlite3.Context, T)) field {
	if !col.Meaning().Null {
		return newRuns(c, col, t, set)
	}
	return newRuns(c, col, null, func(ctx sqlite3.Context, n N) {
		if v := sql.Null[T](n); v.Valid {
			set(ctx, v.V)
		} else {
			ctx.ResultNull()
		}
	})
}

// declaredType is the type of a column in SQL. Columns of JSON have none, so that
// their values are compared as they are.
func (c *conn) declaredType(info columnvault.ColumnInfo) string {
	spec, err := dtype.ParseSpec(info.DType)
	if err != nil {
		return ""
	}
	m := info.Meaning
	switch spec.Kind {
	case dtype.KindFloat16, dtype.KindFloat32, dtype.KindFloat64:
		return " REAL"
	case dtype.KindText:
		return " TEXT"
	case dtype.KindBytes:
		return " BLOB"
	case dtype.KindMsgPack, dtype.KindCBOR, dtype.KindVector:
		return ""
	}
	if m.IsTime() && !c.options.NumericTimes {
		return " TEXT"
	}
	return " INTEGER"
}

// field opens a column of a table in the snapshot.
func (c *conn) field(t *table, i int) (field, error) {
	info := c.schema.infos[t.sources[i]]
	spec, err := dtype.ParseSpec(info.DType)
	if err != nil {
		return nil, err
	}
	col, err := c.tx.Column(c.ctx, info.Name)
	if err != nil {
		return nil, err
	}
	switch spec.Kind {
	case dtype.KindBool:
		return newField(c, col, dtype.Bool, dtype.Nullable(dtype.Bool), sqlite3.Context.ResultBool), nil
	case dtype.KindInt8:
		return newField(c, col, dtype.Int8, dtype.Nullable(dtype.Int8), setInteger), nil
	case dtype.KindInt16:
		return newField(c, col, dtype.Int16, dtype.Nullable(dtype.Int16), setInteger), nil
	case dtype.KindInt32:
		return newField(c, col, dtype.Int32, dtype.Nullable(dtype.Int32), setInteger), nil
	case dtype.KindInt64:
		return newField(c, col, dtype.Int64, dtype.Nullable(dtype.Int64), c.setInt64(info.Meaning)), nil
	case dtype.KindUint8:
		return newField(c, col, dtype.Uint8, dtype.Nullable(dtype.Uint8), setInteger), nil
	case dtype.KindUint16:
		return newField(c, col, dtype.Uint16, dtype.Nullable(dtype.Uint16), setInteger), nil
	case dtype.KindUint32:
		return newField(c, col, dtype.Uint32, dtype.Nullable(dtype.Uint32), setInteger), nil
	case dtype.KindUint64:
		return newField(c, col, dtype.Uint64, dtype.Nullable(dtype.Uint64), setUint64), nil
	case dtype.KindFloat16:
		return newField(c, col, dtype.Float16, dtype.Nullable(dtype.Float16), setFloat32), nil
	case dtype.KindFloat32:
		return newField(c, col, dtype.Float32, dtype.Nullable(dtype.Float32), setFloat32), nil
	case dtype.KindFloat64:
		return newField(c, col, dtype.Float64, dtype.Nullable(dtype.Float64), sqlite3.Context.ResultFloat), nil
	case dtype.KindText:
		if spec.Sized {
			return newRuns(c, col, dtype.FixedText(spec.Size, spec.Encoding), c.setText), nil
		}
		t := dtype.Text(spec.Encoding)
		return newField(c, col, t, dtype.Nullable(t), c.setText), nil
	case dtype.KindBytes:
		if spec.Sized {
			return newRuns(c, col, dtype.FixedBytes(spec.Size), c.setBytes), nil
		}
		return newRuns(c, col, dtype.Bytes, c.setBytes), nil
	case dtype.KindVector:
		return &runs[any]{c: c, col: col, set: c.setVector(spec)}, nil
	}
	return &runs[any]{c: c, col: col, set: c.setJSON}, nil
}

func setInteger[T int8 | int16 | int32 | uint8 | uint16 | uint32](ctx sqlite3.Context, v T) {
	ctx.ResultInt64(int64(v))
}

// setUint64: SQLite has no integers from 2^63 on, and takes them for floats.
func setUint64(ctx sqlite3.Context, v uint64) {
	if n := int64(v); n >= 0 {
		ctx.ResultInt64(n)
	} else {
		ctx.ResultFloat(float64(v))
	}
}

func setFloat32(ctx sqlite3.Context, v float32) { ctx.ResultFloat(float64(v)) }

// setInt64 is for integers that may be times or dates.
func (c *conn) setInt64(m dtype.Meaning) func(sqlite3.Context, int64) {
	if !m.IsTime() || c.options.NumericTimes {
		return sqlite3.Context.ResultInt64
	}
	var buf []byte
	return func(ctx sqlite3.Context, n int64) {
		at := instant(m, n)
		switch year := at.Year(); {
		case year < 0 || year > 9999:
			ctx.ResultInt64(n) // no time that has a text
			return
		case m.Date:
			buf = at.AppendFormat(buf[:0], time.DateOnly)
		default:
			buf = appendTime(buf[:0], at)
		}
		ctx.ResultRawText(buf)
	}
}

// instant is the time that an integer means.
func instant(m dtype.Meaning, n int64) time.Time {
	const day = 24 * 60 * 60
	switch {
	case m.Date:
		if n < -1e7 || n > 1e7 {
			n = 1e7 // beyond the years of a text, and no overflow
		}
		return time.Unix(n*day, 0).UTC()
	case m.Time == dtype.Second:
		if n < -1e12 || n > 1e12 {
			n = 1e12
		}
		return time.Unix(n, 0).UTC()
	case m.Time == dtype.Millisecond:
		return time.UnixMilli(n).UTC()
	case m.Time == dtype.Microsecond:
		return time.UnixMicro(n).UTC()
	}
	return time.Unix(0, n).UTC()
}

// appendTime writes a time as SQLite's own functions do, in UTC, but with all
// digits of the fraction. Such texts are in the order of the times.
func appendTime(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "2006-01-02 15:04:05.999999999")
}

// tooBig refuses values that the engine would refuse as well, but not before it
// has made room for them.
func (c *conn) tooBig(ctx sqlite3.Context, n int) bool {
	if int64(n) <= c.options.MaxMemory/4 {
		return false
	}
	ctx.ResultError(sqlite3.TOOBIG)
	return true
}

func (c *conn) setText(ctx sqlite3.Context, v string) {
	if !c.tooBig(ctx, len(v)) {
		ctx.ResultText(v)
	}
}

func (c *conn) setBytes(ctx sqlite3.Context, v []byte) {
	if v == nil {
		v = []byte{}
	}
	if !c.tooBig(ctx, len(v)) {
		ctx.ResultBlob(v)
	}
}

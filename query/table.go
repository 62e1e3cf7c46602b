package query

import (
	"fmt"
	"math"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// addTable makes a table known to the engine. It is declared when a statement
// names it for the first time.
func (c *conn) addTable(t *table) error {
	//lint:ignore SA1019 the method that takes its place needs Go 1.27
	return sqlite3.CreateModule(c.db, t.name, nil, func(db *sqlite3.Conn, _, _, _ string, _ ...string) (sqlite3.VTab, error) {
		if err := db.DeclareVTab(c.declaration(t)); err != nil {
			return nil, err
		}
		if t.pairs != "" {
			return &pairTable{c, t}, nil
		}
		return &columnTable{c, t}, nil
	})
}

// declaration tells the engine the columns of a table and their types.
func (c *conn) declaration(t *table) string {
	var b strings.Builder
	b.WriteString("CREATE TABLE x(")
	for i, name := range t.columns {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(sqlite3.QuoteIdentifier(name))
		switch {
		case t.pairs != "":
		case i == 0:
			b.WriteString(" INTEGER")
		default:
			b.WriteString(c.declaredType(c.schema.infos[t.sources[i-1]]))
		}
	}
	b.WriteByte(')')
	return b.String()
}

// columnTable is a table of columns.
type columnTable struct {
	c *conn
	t *table
}

// The ways to go through a table, as bits of what BestIndex tells Filter.
const (
	descending = 1 << iota
	skipping   // the last argument is how many rows to skip
)

// BestIndex takes over what is asked of the key, if anything is, and the order.
// The engine looks at each row again, so Filter may return too many.
func (t *columnTable) BestIndex(x *sqlite3.IndexInfo) error {
	shortest, _ := t.c.schema.length(t.t)
	rows := float64(shortest)
	var ops []byte
	offset, others := -1, false
	for i, con := range x.Constraint {
		switch con.Op {
		case sqlite3.INDEX_CONSTRAINT_OFFSET:
			if con.Usable {
				offset = i
			}
			continue
		case sqlite3.INDEX_CONSTRAINT_LIMIT:
			continue // the engine asks for no more rows than it wants
		}
		others = true
		if !con.Usable || con.Column > 0 {
			continue
		}
		switch con.Op {
		case sqlite3.INDEX_CONSTRAINT_EQ:
			rows = min(rows, 1)
			x.IdxFlags = sqlite3.INDEX_SCAN_UNIQUE
		case sqlite3.INDEX_CONSTRAINT_GT, sqlite3.INDEX_CONSTRAINT_GE, sqlite3.INDEX_CONSTRAINT_LT, sqlite3.INDEX_CONSTRAINT_LE:
			rows = max(1, rows/4)
		default:
			continue
		}
		ops = append(ops, byte(con.Op))
		x.ConstraintUsage[i].ArgvIndex = len(ops)
	}
	x.IdxStr = string(ops)
	sorted := len(x.OrderBy) == 0
	if !sorted && x.OrderBy[0].Column <= 0 {
		sorted = true // rows differ in the key, so what else they are ordered by does not count
		x.OrderByConsumed = true
		if x.OrderBy[0].Desc {
			x.IdxNum |= descending
		}
	}
	if offset >= 0 && sorted && !others {
		x.IdxNum |= skipping
		x.ConstraintUsage[offset] = sqlite3.IndexConstraintUsage{ArgvIndex: len(ops) + 1, Omit: true}
	}
	x.EstimatedRows = int64(rows)
	x.EstimatedCost = 10 + rows
	return nil
}

func (t *columnTable) Open() (sqlite3.VTabCursor, error) {
	shortest, _ := t.c.schema.length(t.t)
	return &columnCursor{c: t.c, t: t.t, rows: int64(shortest), fields: make([]field, len(t.t.sources))}, nil
}

// columnCursor goes through the rows of a table of columns.
type columnCursor struct {
	c      *conn
	t      *table
	rows   int64
	fields []field // nil until a value of the column is asked for
	span
}

// span are the rows that are still to come: those from at on, up to the last one
// or down to the first.
type span struct {
	at, first, last int64
	down            bool
}

// Filter begins at the first row that there may be.
func (cur *columnCursor) Filter(num int, ops string, args ...sqlite3.Value) error {
	cur.first, cur.last, cur.down = 0, cur.rows-1, num&descending != 0
	for i, op := range []byte(ops) {
		cur.narrow(sqlite3.IndexConstraintOp(op), args[i])
	}
	cur.at = cur.first
	if cur.down {
		cur.at = cur.last
	}
	if num&skipping != 0 {
		if skip := args[len(ops)].Int64(); skip > 0 {
			skip = min(skip, cur.rows)
			if cur.down {
				skip = -skip
			}
			cur.at += skip
		}
	}
	return nil
}

// narrow leaves out rows whose key does not compare so with a value. Values
// other than integers leave out nothing.
func (cur *columnCursor) narrow(op sqlite3.IndexConstraintOp, v sqlite3.Value) {
	if v.Type() != sqlite3.INTEGER {
		return
	}
	n := v.Int64()
	switch op {
	case sqlite3.INDEX_CONSTRAINT_EQ:
		cur.first, cur.last = max(cur.first, n), min(cur.last, n)
	case sqlite3.INDEX_CONSTRAINT_GT:
		if n == math.MaxInt64 {
			n-- // no row is that far
		}
		cur.first = max(cur.first, n+1)
	case sqlite3.INDEX_CONSTRAINT_GE:
		cur.first = max(cur.first, n)
	case sqlite3.INDEX_CONSTRAINT_LT:
		if n == math.MinInt64 {
			n++
		}
		cur.last = min(cur.last, n-1)
	case sqlite3.INDEX_CONSTRAINT_LE:
		cur.last = min(cur.last, n)
	}
}

func (cur *columnCursor) Next() error {
	if cur.down {
		cur.at--
	} else {
		cur.at++
	}
	return nil
}

func (cur *columnCursor) EOF() bool { return cur.at > cur.last || cur.at < cur.first }

func (cur *columnCursor) RowID() (int64, error) { return cur.at, nil }

func (cur *columnCursor) Column(ctx sqlite3.Context, n int) error {
	if n == 0 {
		ctx.ResultInt64(cur.at)
		return nil
	}
	f := cur.fields[n-1]
	if f == nil {
		var err error
		if f, err = cur.c.field(cur.t, n-1); err != nil {
			return cur.c.failed(err)
		}
		cur.fields[n-1] = f
	}
	if err := f.result(ctx, &cur.span); err != nil {
		return cur.c.failed(err)
	}
	return nil
}

// failed keeps the error of a table, of which the engine passes on the text
// alone.
func (c *conn) failed(err error) error {
	c.cause = err
	return fmt.Errorf("%w", err)
}

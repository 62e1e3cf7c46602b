package viewer

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/values"
	"columnvault/scan"
)

// maxRows is the most rows of an answer.
const maxRows = 500

// rows are elements of several columns at the same positions.
type rows struct {
	From int `json:"from"`
	// Length is that of the longest of the columns.
	Length  int         `json:"length"`
	Columns []rowColumn `json:"columns"`
}

type rowColumn struct {
	Column string `json:"column"`
	Len    int    `json:"len"`
	Cells  []any  `json:"cells"`
	Error  string `json:"error,omitempty"`
}

func (h *handler) rows(ctx context.Context, p *params) (any, error) {
	names, from, n := p.names("column"), p.position("from", 0), p.count("count", 100, 1, maxRows)
	if p.err != nil {
		return nil, p.err
	}
	out := rows{From: from}
	err := h.v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		for _, name := range names {
			col, err := cells(ctx, tx, name, from, n)
			if ctx.Err() != nil || isGone(err) {
				return err
			}
			if err != nil { // which is no matter of the other columns
				w := reply{path: h.v.Path()}
				col.Error = w.describe(err).Error
			}
			out.Length = max(out.Length, col.Len)
			out.Columns = append(out.Columns, col)
		}
		return nil
	})
	return out, err
}

func cells(ctx context.Context, tx *columnvault.Tx, name string, from, n int) (rowColumn, error) {
	out := rowColumn{Column: address(name), Cells: []any{}}
	c, err := open(ctx, tx, name)
	if err != nil {
		return out, err
	}
	out.Len = c.n
	from = min(from, c.n)
	// Runs, and not a slice, because elements may be large.
	for run, err := range c.RunsInto(ctx, nil, from, min(c.n, from+n)) {
		if err != nil {
			return out, err
		}
		for _, v := range run.Values {
			out.Cells = append(out.Cells, show(c.spec, c.meaning, v, cellRoom).cell())
		}
	}
	return out, nil
}

// element is one value, as large as the page can show it.
func (h *handler) element(ctx context.Context, p *params) (any, error) {
	name, at := p.name("column"), p.position("position", 0)
	if p.err != nil {
		return nil, p.err
	}
	var s shown
	err := h.v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		c, err := open(ctx, tx, name)
		if err != nil {
			return err
		}
		v, err := c.At(ctx, at)
		s = show(c.spec, c.meaning, v, valueRoom)
		return err
	})
	return s, err
}

// found is where something is.
type found struct {
	// Position is that of the element, -1 if there is none up to Next.
	Position int `json:"position"`
	// Next is where to go on looking, and Done says that this is the end.
	Next int  `json:"next"`
	Done bool `json:"done"`
}

// searchTime is how long a search goes on before it tells how far it is.
const searchTime = time.Second / 2

// The parts of columns that a search looks at in one snapshot.
const (
	searchNumbers = 1 << 20
	searchOthers  = 1 << 14
)

// find looks for the next element from a position on: one that equals a number,
// time or bool, or is at least or at most that, or a text that contains another.
func (h *handler) find(ctx context.Context, p *params) (any, error) {
	name, text, op := p.name("column"), p.text("value", maxText), p.text("op", 2)
	out := found{Position: -1, Next: p.position("from", 0)}
	if p.err != nil {
		return nil, p.err
	}
	for began := time.Now(); !out.Done && out.Position < 0 && time.Since(began) < searchTime; {
		err := h.v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			c, err := open(ctx, tx, name)
			if err != nil {
				return err
			}
			if kind := kindOf(c.spec, c.meaning); kind == "number" || kind == "time" {
				return out.number(ctx, c, op, text)
			}
			return out.other(ctx, c, text)
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// number looks at the next numbers.
func (f *found) number(ctx context.Context, c opened, op, text string) error {
	want, err := values.NewParser(c.spec, c.meaning).Parse([]byte(text))
	if err != nil {
		return badRequest("%s", values.Reason(err))
	}
	s, err := scan.Float64s(c.Column)
	if err != nil {
		return err
	}
	var fits func(v float64) bool
	limit, _ := numberOf(stored(c.meaning, want))
	switch {
	case want == nil || limit != limit:
		fits = func(v float64) bool { return v != v }
	case op == "eq" || op == "":
		fits = func(v float64) bool { return v == limit }
	case op == "ge":
		fits = func(v float64) bool { return v >= limit }
	case op == "le":
		fits = func(v float64) bool { return v <= limit }
	default:
		return badRequest("op is none of eq, ge and le")
	}
	end := min(c.n, max(f.Next, f.Next+searchNumbers))
	for run, err := range scan.Runs(ctx, s.Slice(min(f.Next, c.n), end)) {
		if err != nil {
			return err
		}
		for i, v := range run.Values {
			if !fits(v) {
				continue
			}
			same, err := c.really(ctx, run.Start+i, want, op)
			if err != nil {
				return err
			}
			if same {
				f.Position, f.Next = run.Start+i, run.Start+i+1
				return nil
			}
		}
	}
	f.Next, f.Done = max(f.Next, end), end >= c.n
	return nil
}

// really tells whether an integer that equals another as a float is that number:
// beyond 2^53 floats are coarser.
func (c opened) really(ctx context.Context, at int, want any, op string) (bool, error) {
	if wide := c.spec.Kind == dtype.KindInt64 || c.spec.Kind == dtype.KindUint64; !wide || want == nil || op == "ge" || op == "le" {
		return true, nil
	}
	got, err := c.At(ctx, at)
	if t, ok := got.(time.Time); ok {
		wanted, ok := want.(time.Time) // and not a number, as for times that no calendar has
		return ok && t.Equal(wanted), err
	}
	return fmt.Sprint(got) == fmt.Sprint(want), err
}

// stored is the number that stands for a time.
func stored(m dtype.Meaning, v any) any {
	t, ok := v.(time.Time)
	if !ok {
		return v
	}
	switch {
	case m.Date:
		return t.Unix() / 86400
	case m.Time == dtype.Second:
		return t.Unix()
	case m.Time == dtype.Millisecond:
		return t.UnixMilli()
	case m.Time == dtype.Microsecond:
		return t.UnixMicro()
	}
	return t.UnixNano()
}

// other looks at the next elements that are no numbers: for a text in texts and
// in JSON, and for digits in hexadecimal ones.
func (f *found) other(ctx context.Context, c opened, text string) error {
	end := min(c.n, f.Next+min(searchOthers, math.MaxInt-f.Next))
	for run, err := range c.RunsInto(ctx, nil, min(f.Next, c.n), end) {
		if err != nil {
			return err
		}
		for i, v := range run.Values {
			if strings.Contains(show(c.spec, c.meaning, v, room{math.MaxInt, 0}).Text, text) {
				f.Position, f.Next = run.Start+i, run.Start+i+1
				return nil
			}
		}
	}
	f.Next, f.Done = max(f.Next, end), end >= c.n
	return nil
}

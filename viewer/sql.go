package viewer

import (
	"context"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"columnvault/internal/excerpt"
	"columnvault/internal/values"
	"columnvault/query"
)

// The limits of answers to SQL.
const (
	maxResult = 1000     // rows that are shown
	maxCells  = 100_000  // and all their fields
	maxCSV    = 16 << 20 // bytes of CSV
)

// table is one that statements can read.
type table struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	// Rows is -1 if they are not counted.
	Rows int `json:"rows"`
}

var errNoSQL = refusal{http.StatusNotFound, "there is no such page"}

func (h *handler) tables(ctx context.Context, p *params) (any, error) {
	if p.err != nil || h.o.NoSQL {
		return nil, errNoSQL
	}
	found, err := query.Tables(ctx, h.v)
	all := []table{}
	var listed listing
	for _, t := range found {
		if !listed.has(t.Name) {
			continue
		}
		t.Columns = slices.DeleteFunc(t.Columns, func(name string) bool { return !listed.has(name) })
		all = append(all, table{t.Name, t.Columns, t.Rows})
	}
	return all, err
}

// result is the answer to a statement.
type result struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
	// Cut says that there are more rows.
	Cut bool `json:"cut"`
}

func (h *handler) sql(ctx context.Context, p *params) (any, error) {
	statement, n := p.text("statement", maxText), p.count("count", maxResult, 1, maxResult)
	if p.err != nil {
		return nil, p.err
	}
	out := result{Rows: [][]any{}}
	err := h.ask(ctx, statement, func(names []string) {
		for _, name := range names {
			out.Columns = append(out.Columns, excerpt.Shorten(name, cellRoom.text))
		}
	}, func(fields []any) (bool, error) {
		if out.Cut = len(out.Rows) == n || len(out.Rows)*len(fields) >= maxCells; out.Cut {
			return false, nil
		}
		row := make([]any, len(fields))
		for i, v := range fields {
			row[i] = resultCell(v)
		}
		out.Rows = append(out.Rows, row)
		return true, nil
	})
	return out, err
}

// ask runs a statement and calls row with what the rows hold until it has had
// enough.
func (h *handler) ask(ctx context.Context, statement string, head func(names []string), row func(fields []any) (more bool, err error)) error {
	if h.o.NoSQL {
		return errNoSQL
	}
	if statement == "" {
		return badRequest("the statement is empty")
	}
	db, err := query.Open(ctx, h.v, &query.Options{MaxMemory: h.o.MaxMemory})
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, statement)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	head(names)
	for fields, err := range query.Fields(rows) {
		if err != nil {
			return err
		}
		if more, err := row(fields); err != nil || !more {
			return err
		}
	}
	return nil
}

// resultCell is a field of a row as a cell.
func resultCell(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return string(values.AppendFloat(nil, v, 64))
	case []byte:
		return showBytes(v, cellRoom).cell()
	case string:
		return cut(shown{Kind: "text", Text: v, Size: len(v)}, cellRoom).cell()
	}
	return fmt.Sprint(v)
}

// csv sends the whole answer to a statement to be saved. It is complete before
// the first byte is sent, so a browser that is slow holds no snapshot.
func (h *handler) csv(w *reply, r *http.Request, p *params) error {
	statement := p.text("statement", maxText)
	if p.err != nil {
		return p.err
	}
	body := bounded{most: maxCSV}
	out := csv.NewWriter(&body)
	err := h.inTurn(r.Context(), func(ctx context.Context) error {
		return h.ask(ctx, statement, func(names []string) { out.Write(names) }, func(fields []any) (bool, error) {
			row := make([]string, len(fields))
			for i, v := range fields {
				switch v := v.(type) {
				case nil:
				case []byte:
					row[i] = hex.EncodeToString(v)
				default:
					row[i] = fmt.Sprint(v)
				}
			}
			return true, out.Write(row)
		})
	})
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	if err != nil {
		return err
	}
	w.attach("result.csv")
	return w.whole(http.StatusOK, "text/csv; charset=utf-8", body.Bytes())
}

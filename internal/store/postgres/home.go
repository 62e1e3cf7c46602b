package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"columnvault/internal/store"
)

// The home of a column, a key-value table or a large value is the highest bits
// of its ID, and that of a commit the first two bytes of its token. So the
// tables can be divided by ranges of their keys: see docs/cluster.md.
const homeShift = 48

func homeOf(id store.ColumnID) int64 { return int64(id) >> homeShift }

// shardedSQL tells whether chunks are on other servers.
const shardedSQL = `EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
	WHERE i.inhparent = to_regclass('columnvault_chunks') AND c.relkind = 'f')`

// at is a condition that says which homes a statement is about. A server that
// keeps them elsewhere finds that out before it runs the statement, and leaves
// the others alone. It is empty where all are in one place.
func (s *Store) at(field string, homes ...int64) string {
	if !s.apart || len(homes) == 0 {
		return ""
	}
	homes = slices.Compact(slices.Sorted(slices.Values(homes)))
	var ranges []string
	for _, home := range homes {
		ranges = append(ranges, fmt.Sprintf("%s >= %d AND %s < %d", field, home<<homeShift, field, (home+1)<<homeShift))
	}
	if len(ranges) == 1 {
		return " AND " + ranges[0]
	}
	return " AND (" + strings.Join(ranges, " OR ") + ")"
}

// atColumns is at for the homes of columns.
func (s *Store) atColumns(field string, ids []int64) string {
	if !s.apart {
		return ""
	}
	homes := make([]int64, len(ids))
	for i, id := range ids {
		homes[i] = homeOf(store.ColumnID(id))
	}
	return s.at(field, homes...)
}

// atColumn is at for that of a column.
func (s *Store) atColumn(field string, id store.ColumnID) string { return s.at(field, homeOf(id)) }

// atTable is at for the home of a table, which touch has found out.
func (r *reader) atTable(field, table string) string { return r.s.at(field, r.tableHome(table)) }

func (r *snapshot) tableHome(table string) int64 {
	home, _ := r.s.known.table(table)
	return home
}

func (t *tx) tableHome(table string) int64 {
	if state := t.tables[table]; state != nil {
		return state.home
	}
	return 0
}

// learn finds out where a table is, if that matters. Nothing is remembered of
// one that does not exist; the first pair would create it in the home 0.
func (r *reader) learn(ctx context.Context, table string) error {
	if _, known := r.s.known.table(table); known || !r.s.apart {
		return nil
	}
	var t trip
	t.add(func(rows pgx.Rows) error {
		var id store.ColumnID
		err := rows.Scan(&id)
		if err == nil {
			r.s.known.addTable(table, homeOf(id))
		}
		return err
	}, `SELECT tbl_id FROM columnvault_tables WHERE name = $1`, []byte(table))
	return r.ask(ctx, &t)
}

// enter says in which home the transaction is about to change something.
func (t *tx) enter(home int64) error {
	if t.home >= 0 && t.home != home && t.s.apart {
		return fmt.Errorf("%w, %d and %d", store.ErrCrossHome, t.home, home)
	}
	t.home = home
	return nil
}

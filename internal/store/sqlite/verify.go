package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

const (
	// maxFindings bounds the lines that SQLite's own check may give, and the
	// findings of each of ours.
	maxFindings = 100
	// maxUnused bounds the lines where all are about pages that nothing uses.
	maxUnused = 1 << 20
	// maxFinding bounds the length of a line, in bytes: it quotes names that are
	// in the file.
	maxFinding = 300
)

// Verify implements store.Reader. SQLite's own check reads every page, the
// bytes of chunks and values among them, without knowing what they should be.
// In full it also compares all indexes with their tables; otherwise we compare
// those of the vault, which takes less.
func (r *reader) Verify(ctx context.Context, full bool) (found []store.Finding, err error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	return r.verify(ctx, full)
}

// verify is Verify for who has entered.
func (r *reader) verify(ctx context.Context, full bool) (found []store.Finding, err error) {
	steps := []func() ([]store.Finding, error){r.verifyIndexes, r.verifyPairs, r.verifyOrphans, r.verifyNative, r.verifyFields, r.verifyTriggers}
	if full {
		steps = steps[1:] // SQLite compares the indexes
	}
	err = r.c.within(ctx, func() (err error) {
		if found, err = r.verifyPages(full); err != nil {
			return err
		}
		for _, verify := range steps {
			more, err := verify()
			if errors.Is(err, store.ErrCorrupt) {
				more, err = append(more, structureFinding(err)), nil
			}
			if err != nil {
				return err
			}
			found = append(found, more...)
		}
		found, err = r.blameIndexes(found, full)
		return err
	})
	return found, err
}

func structureFinding(err error) store.Finding {
	return store.Finding{Kind: store.FoundStructure, Damage: true, Text: excerpt.Line(err.Error(), maxFinding)}
}

// tree is what a b-tree of the file is.
type tree struct{ kind, name, table string }

// verifyPages runs SQLite's own check. That makes a finding of a page that could
// not be read, whatever the reason was, and others of what it did not see
// because of it: what a second look does not find was an error of the disk that
// has passed. It reads everything again, since SQLite follows a damaged page
// farther once it has it.
func (r *reader) verifyPages(full bool) (found []store.Finding, err error) {
	damage := func(f store.Finding) bool { return f.Kind != store.FoundUnused }
	found, err = r.checkPages(full, maxFindings)
	if err == nil && slices.ContainsFunc(found, damage) {
		if err := r.c.db.ReleaseMemory(); err != nil {
			return nil, err
		}
		found, err = r.checkPages(full, maxFindings)
	}
	if len(found) > maxFindings && !slices.ContainsFunc(found[:maxFindings], damage) {
		// SQLite speaks of them first, and there may be many.
		found, err = r.checkPages(full, maxUnused)
	}
	return found, err
}

// checkPages runs SQLite's check once, which stops after so many lines.
func (r *reader) checkPages(full bool, most int) (found []store.Finding, err error) {
	r.torn = nil
	trees := map[string]tree{}
	err = r.c.query(`SELECT rootpage, type, name, tbl_name FROM sqlite_schema`,
		func(st *sqlite3.Stmt) {
			trees[st.ColumnText(0)] = tree{st.ColumnText(1), st.ColumnText(2), st.ColumnText(3)}
		})
	check := `quick_check`
	if full {
		check = `integrity_check`
	}
	lines, unused := 0, 0
	line := func(line string) {
		if line == "ok" || line == "" || strings.HasPrefix(line, "*** in database") {
			return
		}
		lines++
		f := pageFinding(line, trees)
		if f.Kind == store.FoundUnused {
			if unused++; unused > maxFindings {
				return
			}
		}
		if f.Index != "" && strings.HasPrefix(line, "Tree ") {
			r.torn = append(r.torn, f.Index)
		}
		found = append(found, f)
	}
	if err == nil {
		err = r.c.query(fmt.Sprintf(`PRAGMA %s(%d)`, check, most), func(st *sqlite3.Stmt) {
			for text := range strings.Lines(st.ColumnText(0)) {
				line(strings.TrimSpace(text))
			}
		})
	}
	if errors.Is(err, store.ErrCorrupt) {
		found, err = append(found, structureFinding(err)), nil
	}
	if lines >= most {
		found = append(found, store.Finding{Kind: store.FoundStructure, Damage: true, Text: fmt.Sprintf("SQLite stopped its check after %d findings", most)})
	}
	return found, err
}

// pageFinding makes a finding of a line of SQLite's check, which calls tables
// and indexes by the numbers of their trees.
func pageFinding(line string, trees map[string]tree) store.Finding {
	f := store.Finding{Kind: store.FoundStructure, Damage: true}
	tail := func(sep string) string {
		_, name, _ := strings.Cut(line, sep)
		return name
	}
	switch {
	case strings.HasPrefix(line, "Tree "):
		number, where, _ := strings.Cut(line[len("Tree "):], " ")
		if t := trees[number]; t.name != "" {
			line, f.Table = t.kind+" "+t.name+": "+where, t.table
			if t.kind == "index" {
				f.Kind, f.Index = store.FoundIndex, t.name
			}
		}
	case strings.HasSuffix(line, ": never used"):
		f.Kind, f.Damage = store.FoundUnused, false // only wasted
	case strings.HasPrefix(line, "row "), strings.HasPrefix(line, "rowid not at end-of-record for row "):
		f.Kind, f.Index = store.FoundIndex, cmp.Or(tail(" missing from index "), tail(" of index "))
		if at := strings.LastIndex(line, " for index "); at > 0 {
			f.Index = line[at+len(" for index "):]
		}
	case strings.HasPrefix(line, "wrong # of entries in index "), strings.HasPrefix(line, "non-unique entry in index "):
		f.Kind, f.Index = store.FoundIndex, tail(" in index ")
	case strings.Contains(line, " value in "):
		f.Kind = store.FoundRow // a value that the column of the table does not take
		f.Table, _, _ = strings.Cut(tail(" value in "), ".")
	}
	for _, t := range trees {
		if t.kind == "index" && t.name == f.Index {
			f.Table = t.table
		}
	}
	if f.Kind == store.FoundIndex && f.Table == "" {
		f.Kind, f.Index = store.FoundStructure, ""
	}
	f.Text = "SQLite: " + excerpt.Line(line, maxFinding)
	return f
}

// verifyPairs looks for rows in tables of pairs that no key leads to: keys are
// BLOBs.
func (r *reader) verifyPairs() (found []store.Finding, err error) {
	tables, err := r.tables(func() error { return nil }) // a ctx interrupts all of Verify
	for _, t := range tables {
		if t.Kind != store.TablePlain {
			continue
		}
		table := t.Name
		n, e := r.c.integer(r.c.kvSQL(`SELECT count(*) FROM %s WHERE key < x'' OR key IS NULL`, table))
		switch {
		case errors.Is(e, store.ErrCorrupt):
			found = append(found, store.Finding{Kind: store.FoundStructure, Damage: true, Table: table, Text: excerpt.Line(e.Error(), maxFinding)})
		case e != nil:
			return found, e
		case n > 0:
			found = append(found, store.Finding{Kind: store.FoundRow, Damage: true, Table: table,
				Text: fmt.Sprintf("rows whose key is not a BLOB: %d; no program finds them", n)})
		}
	}
	return found, err
}

// verifyOrphans looks for chunks without a column.
func (r *reader) verifyOrphans() (found []store.Finding, err error) {
	for _, layout := range []store.Layout{store.LayoutV0, store.LayoutV1, store.LayoutNative} {
		err := r.c.query(chunksOf(idOf(layout, 1)).orphans, func(st *sqlite3.Stmt) {
			chunks, number := st.ColumnInt64(1), st.ColumnText(0)
			f := store.Finding{Kind: store.FoundOrphan, Bytes: st.ColumnInt64(2)}
			f.Text = fmt.Sprintf("chunks that belong to no column: %d, of the number %s", chunks, excerpt.Line(number, excerpt.Name))
			switch {
			case layout == store.LayoutV1:
				f.Kind, f.Table = store.FoundRow, "kvault_col_blocks" // only space: such a number is never given again
			case st.ColumnType(0) == sqlite3.INTEGER:
				f.Number = st.ColumnInt64(0)
				f.Column = idOf(layout, f.Number)
				fallthrough
			default:
				f.Text += "; a column created later could inherit them"
			}
			found = append(found, f)
		})
		if err != nil && !noTable(err) {
			return found, err
		}
	}
	return found, nil
}

// nativeRules are statements that count what is wrong with the tables of native
// columns.
var nativeRules = []struct {
	sql, text string
	damage    bool
}{
	{`SELECT count(*) FROM columnvault_runs AS r WHERE NOT EXISTS (SELECT 1 FROM columnvault_bytes AS b WHERE b.bytes_id = r.bytes_id)`,
		"chunks of native columns without bytes: %d", true},
	{`SELECT count(*) FROM columnvault_runs AS r JOIN columnvault_bytes AS b USING (bytes_id) WHERE octet_length(b.data) < r.capacity`,
		"chunks of native columns with fewer bytes than they say: %d", true},
	{`SELECT count(*) - count(DISTINCT bytes_id) FROM columnvault_runs`, "chunks of native columns that share their bytes with others: %d", true},
	{`SELECT count(*) FROM columnvault_bytes WHERE bytes_id NOT IN (SELECT bytes_id FROM columnvault_runs)`,
		"bytes that belong to no chunk of a native column: %d rows", false},
}

// verifyNative compares the tables of native columns with each other.
func (r *reader) verifyNative() (found []store.Finding, err error) {
	for _, rule := range nativeRules {
		n, err := r.c.integer(rule.sql)
		if noTable(err) {
			return nil, nil
		}
		if err != nil {
			return found, err
		}
		if n > 0 {
			found = append(found, store.Finding{Kind: store.FoundRow, Damage: rule.damage, Table: "columnvault_runs", Text: fmt.Sprintf(rule.text, n)})
		}
	}
	return found, nil
}

// verifyFields looks for fields of the catalog that this version does not know: what
// they say of a column is not heeded. Damage to the name of one that may be missing
// shows in nothing else.
func (r *reader) verifyFields() (found []store.Finding, err error) {
	for _, t := range columnTables {
		err := r.c.queryWhile(`SELECT name FROM pragma_table_xinfo(?)`, func(st *sqlite3.Stmt) bool {
			if name := st.ColumnText(0); !strings.Contains(t.fields, " "+strings.ToLower(name)+" ") {
				text := fmt.Sprintf("the table %q of the catalog has a field %.64q: this version does not know it, and does not heed what it says of columns", t.name, name)
				found = append(found, store.Finding{Kind: store.FoundRow, Table: t.name, Text: text})
			}
			return len(found) < maxFindings
		}, t.name)
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// verifyTriggers looks for triggers on the tables of the vault, which other
// programs run.
func (r *reader) verifyTriggers() (found []store.Finding, err error) {
	if TestingTriggers.Load() {
		return nil, nil
	}
	err = r.c.queryWhile(`SELECT name, tbl_name FROM sqlite_schema AS s WHERE type = 'trigger'
		AND (lower(tbl_name) IN ('kohakuvault_meta', 'col_meta', 'col_chunks', 'kvault_col_columns', 'kvault_col_blocks', 'kvault_col_data') OR `+isKV("s.tbl_name")+`)`,
		func(st *sqlite3.Stmt) bool {
			text := fmt.Sprintf("a trigger %.64q on the table %.64q: it does not run here, but in KohakuVault it does", st.ColumnText(0), st.ColumnText(1))
			found = append(found, store.Finding{Kind: store.FoundTrigger, Table: st.ColumnText(1), Text: text})
			return len(found) < maxFindings
		})
	return found, err
}

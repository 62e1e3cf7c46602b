package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

const (
	// maxFindings bounds the lines that SQLite's own check may give.
	maxFindings = 100
	// maxFinding bounds the length of one, in bytes: it quotes names that are
	// in the file.
	maxFinding = 300
)

// Verify implements store.Reader. SQLite's own check reads every page, the
// bytes of chunks and values among them, without knowing what they should be,
// and compares all indexes with their tables, in both directions.
func (r *reader) Verify(ctx context.Context) ([]store.Finding, error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	found, err := r.verifyPages()
	if err != nil {
		return found, err
	}
	for _, verify := range []func() ([]store.Finding, error){r.verifyOwners, r.verifyTriggers} {
		more, err := verify()
		if errors.Is(err, store.ErrCorrupt) {
			more, err = []store.Finding{{Damage: true, Text: err.Error()}}, nil
		}
		if err != nil {
			return found, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// verifyPages runs SQLite's own check.
func (r *reader) verifyPages() (found []store.Finding, err error) {
	trees := map[string]string{}
	err = r.c.query(`SELECT rootpage, type || ' ' || name FROM sqlite_schema`,
		func(st *sqlite3.Stmt) { trees[st.ColumnText(0)] = st.ColumnText(1) })
	if err == nil {
		err = r.c.query(fmt.Sprintf(`PRAGMA integrity_check(%d)`, maxFindings), func(st *sqlite3.Stmt) {
			for line := range strings.Lines(st.ColumnText(0)) {
				if f, ok := pageFinding(strings.TrimSpace(line), trees); ok {
					found = append(found, f)
				}
			}
		})
	}
	if errors.Is(err, store.ErrCorrupt) {
		found, err = append(found, store.Finding{Damage: true, Text: err.Error()}), nil
	}
	if len(found) >= maxFindings {
		found = append(found, store.Finding{Damage: true, Text: fmt.Sprintf("SQLite stopped its check after %d findings", maxFindings)})
	}
	return found, err
}

// pageFinding makes a finding of a line of SQLite's check, which calls tables
// and indexes by the numbers of their trees.
func pageFinding(line string, trees map[string]string) (store.Finding, bool) {
	if line == "ok" || line == "" || strings.HasPrefix(line, "*** in database") {
		return store.Finding{}, false
	}
	if rest, ok := strings.CutPrefix(line, "Tree "); ok {
		if tree, where, ok := strings.Cut(rest, " "); ok && trees[tree] != "" {
			line = trees[tree] + ": " + where
		}
	}
	if len(line) > maxFinding {
		line = strings.ToValidUTF8(line[:maxFinding], "") + "..."
	}
	// A page that nothing uses is only wasted.
	return store.Finding{Damage: !strings.HasSuffix(line, ": never used"), Text: "SQLite: " + line}, true
}

// verifyOwners looks for chunks without a column.
func (r *reader) verifyOwners() ([]store.Finding, error) {
	n, err := r.orphans()
	if err == nil && n == 0 {
		return nil, nil
	}
	text := fmt.Sprintf("chunks that belong to no column: %d; a column created later could inherit them", n)
	return []store.Finding{{Text: text}}, err
}

// verifyTriggers looks for triggers on the tables of the vault, which other
// programs run.
func (r *reader) verifyTriggers() (found []store.Finding, err error) {
	if TestingTriggers.Load() {
		return nil, nil
	}
	err = r.c.queryWhile(`SELECT name, tbl_name FROM sqlite_schema AS s WHERE type = 'trigger'
		AND (lower(tbl_name) IN ('kohakuvault_meta', 'col_meta', 'col_chunks') OR `+isKV("s.tbl_name")+`)`,
		func(st *sqlite3.Stmt) bool {
			text := fmt.Sprintf("a trigger %.64q on the table %.64q: it does not run here, but in KohakuVault it does", st.ColumnText(0), st.ColumnText(1))
			found = append(found, store.Finding{Text: text})
			return len(found) < maxFindings
		})
	return found, err
}

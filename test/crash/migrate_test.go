package crash

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// moving is how many rows the table has that is moved.
const moving = 3000

// layouts are those that columns are moved to, in turn.
var layouts = []int{1, 0, columnvault.Native, 1, columnvault.Native, 0}

// missingEvery is the i-th of floats of which every third is missing.
func missingEvery(i int) sql.Null[float64] {
	return sql.Null[float64]{V: float64(i%3) * 1.5, Valid: i%3 > 0}
}

// stageMoves makes two columns of a table, and one of its own.
func stageMoves(ctx context.Context, v *columnvault.Vault) error {
	o := vaulttest.Chunks(512, 8184)
	n, err := columnvault.Create(ctx, v, "moved.n", dtype.Int64, o)
	if err != nil {
		return err
	}
	s, err := columnvault.Create(ctx, v, "moved.s", dtype.String, o)
	if err != nil {
		return err
	}
	alone, err := columnvault.Create(ctx, v, "alone", dtype.Nullable(dtype.Float64), o)
	if err != nil {
		return err
	}
	all := vaulttest.Span(0, moving)
	texts := vaulttest.Sequence(moving, func(i int) string { return textOf(i, i%50 == 0) })
	return errors.Join(n.Append(ctx, all...), s.Append(ctx, texts...), alone.Append(ctx, vaulttest.Sequence(moving, missingEvery)...))
}

// moveOn moves the columns from layout to layout without end, and prints a line
// for each. Its arguments are the path and where to begin.
func moveOn(ctx context.Context, args []string) error {
	v, err := columnvault.Open(ctx, args[0], vaulttest.Patient())
	if err != nil {
		return err
	}
	at, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	for ; ; at++ {
		if _, err := v.Migrate(ctx, columnvault.MigrateOptions{To: layouts[at%len(layouts)]}); err != nil {
			return err
		}
		fmt.Println("moves", at)
	}
}

// checkMoved requires every element, each column once, and those of the table in
// one layout. It returns the layouts.
func checkMoved(ctx context.Context, v *columnvault.Vault) (seen string, err error) {
	err = v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		infos, err := tx.Columns(ctx)
		if err != nil {
			return err
		}
		layout := map[string]int{}
		for _, info := range infos {
			if _, twice := layout[info.Name]; twice || info.Hidden || info.Incomplete {
				return fmt.Errorf("the columns are %+v", infos)
			}
			layout[info.Name] = info.Layout
		}
		seen = fmt.Sprint(layout)
		if len(layout) != 3 || layout["moved.n"] != layout["moved.s"] {
			return fmt.Errorf("the columns are in the layouts %s", seen)
		}
		n, err := columnvault.Lookup(ctx, tx, "moved.n", dtype.Int64)
		if err != nil {
			return err
		}
		s, err := columnvault.Lookup(ctx, tx, "moved.s", dtype.String)
		if err != nil {
			return err
		}
		alone, err := columnvault.Lookup(ctx, tx, "alone", dtype.Nullable(dtype.Float64))
		if err != nil {
			return err
		}
		numbers, err := n.Slice(ctx, columnvault.Begin, columnvault.End)
		if err != nil || !slices.Equal(numbers, vaulttest.Span(0, moving)) {
			return fmt.Errorf("in %s the numbers are others: %w", seen, err)
		}
		i := 0
		for text, err := range s.Values(ctx) {
			if err != nil {
				return err
			}
			if text != textOf(i, i%50 == 0) {
				return fmt.Errorf("in %s, text %d is %q", seen, i, text)
			}
			i++
		}
		floats, err := alone.Slice(ctx, columnvault.Begin, columnvault.End)
		if err != nil || i != moving || !slices.Equal(floats, vaulttest.Sequence(moving, missingEvery)) {
			return fmt.Errorf("in %s there are %d texts, and floats of which some differ: %w", seen, i, err)
		}
		return nil
	})
	return seen, err
}

// TestKilledMoves kills a process that moves columns from layout to layout, at
// moments of chance, while another reads them in Views. Nobody ever sees a column
// by half, twice or not at all, nor a table in two layouts.
func TestKilledMoves(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.Must(t, stageMoves(t.Context(), v))
	random := rand.New(rand.NewPCG(campaign.seed, 7))
	seen := map[string]bool{}
	for run, at := 0, 0; run < campaign.of(5, 20, 400); run++ {
		p := start(t, "move", path, strconv.Itoa(at))
		for range 1 + random.IntN(3) {
			if !p.hear() {
				p.Wait()
				t.Fatal("the process has ended by itself")
			}
			state, err := checkMoved(t.Context(), v)
			vaulttest.Must(t, err)
			seen[state] = true
			count(partKill, "snapshots read beside a migration", 1)
		}
		time.Sleep(time.Duration(random.IntN(30_000)) * time.Microsecond)
		p.kill(t)
		count(partKill, "processes killed while they migrated", 1)
		at = p.said["moves"] + random.IntN(2)
		state, err := checkMoved(t.Context(), v)
		if err != nil {
			t.Fatalf("run %d with the seed %d: %v", run, campaign.seed, err)
		}
		seen[state] = true
		if run%5 == 4 {
			vaulttest.WantSound(t, v)
		}
	}
	if len(seen) < 3 {
		t.Errorf("the columns were seen in the layouts %v alone", seen)
	}
}

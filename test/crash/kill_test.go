package crash

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"columnvault/internal/vaulttest"
)

// upkeep are the operations that change nothing of what a vault holds, which
// recorders do between their records.
var upkeep = named("checkpoint", cutsLog, backUp, compact, "read")

// named is those of the operations.
func named(names ...string) (found []operation) {
	for _, op := range operations {
		if slices.Contains(names, op.name) {
			found = append(found, op)
		}
	}
	if len(found) != len(names) {
		panic(fmt.Sprintf("not all of %q are operations", names))
	}
	return found
}

// TestKilledWriters kills processes at moments of chance, one that writes or
// two at once, of which the second goes on for a while. What they have
// acknowledged must be there each time, and no half of anything.
func TestKilledWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	random := rand.New(rand.NewPCG(campaign.seed, 3))
	for run := range campaign.of(10, 50, 1000) {
		owners := []string{"a", "b"}[:1+run%2]
		players := make([]*player, len(owners))
		for i, own := range owners {
			players[i] = start(t, "record", path, strconv.Itoa(run), own)
		}
		for i, p := range players {
			for range 1 + random.IntN(20) {
				if !p.hear() {
					p.Wait()
					t.Fatalf("run %d: the writer %s has ended by itself", run, owners[i])
				}
			}
			time.Sleep(time.Duration(random.IntN(4000)) * time.Microsecond) // somewhere in what comes next
			p.kill(t)
			count(partKill, "processes killed", 1)
		}
		if !t.Run(fmt.Sprint("run ", run), func(t *testing.T) {
			v := vaulttest.OpenAt(t, path, nil)
			vaulttest.WantSound(t, v)
			for i, own := range owners {
				r, err := openRecords(t.Context(), v, own)
				vaulttest.Must(t, err)
				if err := r.check(t.Context(), players[i].said); err != nil {
					t.Errorf("writer %s: %v", own, err)
				}
			}
		}) {
			t.Fatalf("with the seed %d", campaign.seed)
		}
		if run%50 == 49 { // a small vault is more often in motion than a large one
			vaulttest.Must(t, os.Remove(path))
		}
	}
}

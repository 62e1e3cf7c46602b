package crash

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"columnvault"
	"columnvault/internal/vaulttest"
	"columnvault/internal/vaulttest/powerfs"
)

// recorded is the file system under the vaults of this file.
var recorded = powerfs.Register("recorded")

// story is a vault that was made and worked on, as its files saw it.
type story struct {
	events []powerfs.Event
	// states are what the vault held: at first, and after each operation. The
	// mark k says that the state k has been acknowledged.
	states []string
	names  []string
	// safe is the last state, up to each, that has been moved out of the log.
	safe     []int
	fullSync bool
}

// TestPowerLoss lets the power fail at every sync of a vault's life, and
// between: what has not been synced is dropped, kept, torn or arrives in
// another order. With FullSync the vault then holds all that was acknowledged,
// and without it what it held at some moment before, never something between:
// columns and pairs that a transaction wrote are there together. After a
// checkpoint that has cut the log there is no difference.
func TestPowerLoss(t *testing.T) {
	random := rand.New(rand.NewPCG(campaign.seed, 2))
	end := time.Now().Add(campaign.time)
	for round := 0; round < 4 || campaign.long && time.Now().Before(end); round++ {
		o := columnvault.Options{FullSync: round%2 == 0, PageSize: []int{512, 8192, 4096, 1024}[round/2%4], PageCacheBytes: 16 << 10}
		steps := campaign.of(6, 10, 40)
		told := tellStory(t, o, steps, random)
		told.loseAtSyncs(t, random)
		if t.Failed() {
			t.Fatalf("round %d of the seed %d, %+v: %q", round, campaign.seed, o, told.names)
		}
		count(partPower, "lives of a vault", 1)
	}
}

// tellStory works on a new vault, in steps of chance.
func tellStory(t *testing.T, o columnvault.Options, steps int, random *rand.Rand) *story {
	t.Helper()
	dir := t.TempDir()
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "test.db")
	told := &story{fullSync: o.FullSync}
	recorded.Take()
	var v *columnvault.Vault
	reopen := func() {
		var err error
		v, err = vaulttest.OpenOn("recorded", path, &o)
		vaulttest.Must(t, err)
	}
	reopen()
	defer func() { v.Close() }()
	note := func(name string, safe bool) {
		got, err := contents(t.Context(), v)
		vaulttest.Must(t, err)
		k := len(told.states)
		told.states, told.names = append(told.states, got), append(told.names, name)
		if k > 0 && !safe {
			told.safe = append(told.safe, told.safe[k-1])
		} else {
			told.safe = append(told.safe, k)
		}
		recorded.Mark(k)
	}
	note("open", false)
	vaulttest.Must(t, stage(t.Context(), v))
	note("stage", false)
	for range steps {
		if random.IntN(20) == 0 {
			vaulttest.Must(t, v.Close())
			reopen()
			note("close and open", true)
			continue
		}
		op := operations[random.IntN(len(operations))]
		err := op.do(t.Context(), v, path)
		if err != nil && !errors.Is(err, columnvault.ErrOutOfRange) && !errors.Is(err, columnvault.ErrInvalidArgument) {
			t.Fatalf("%s, after %q: %v", op.name, told.names, err)
		}
		note(op.name, op.name == cutsLog)
	}
	vaulttest.Must(t, v.Close())
	told.events = recorded.Take()
	return told
}

// loseAtSyncs opens what a disk may hold after a power failure: before each
// sync and after it, at each mark, and at some events between.
func (told *story) loseAtSyncs(t *testing.T, random *rand.Rand) {
	disk := powerfs.NewDisk()
	acknowledged := 0
	// A migration writes more than all else together.
	every := campaign.of(149, 83, max(3, len(told.events)/1500))
	for i, e := range told.events {
		if e.Kind == powerfs.Sync || random.IntN(every) == 0 {
			told.lose(t, disk, acknowledged, fmt.Sprint("before event ", i), random)
		}
		disk.Do(e)
		if e.Kind == powerfs.Mark {
			acknowledged = e.Mark
		}
		if e.Kind == powerfs.Sync || e.Kind == powerfs.Mark {
			told.lose(t, disk, acknowledged, fmt.Sprint("after event ", i), random)
		}
		if t.Failed() {
			return
		}
	}
}

// lose lets the power fail now, in one way or in all.
func (told *story) lose(t *testing.T, disk *powerfs.Disk, acknowledged int, when string, random *rand.Rand) {
	first, last := powerfs.Loss(0), powerfs.Losses-1
	if disk.Pending() == 0 {
		last = first
	} else if !campaign.long {
		first = powerfs.Loss(random.IntN(int(powerfs.Losses)))
		last = first
	}
	for loss := first; loss <= last; loss++ {
		path := writeImage(t, disk.Image(loss, random), random)
		got := contentsOf(t, path, &columnvault.Options{FullSync: told.fullSync})
		vaulttest.Must(t, os.RemoveAll(filepath.Dir(path)))
		count(partPower, "power failures, writes "+loss.String(), 1)
		least := told.safe[acknowledged]
		if told.fullSync {
			least = acknowledged
		}
		switch k := told.find(got, least, acknowledged+1); {
		case k < 0:
			t.Errorf("%s, writes %s: the vault holds\n%swhich is not a state from %d, %s, to %d", when, loss, got,
				least, told.names[least], acknowledged+1)
			return
		case k < acknowledged:
			count(partPower, "power failures that undid commits, without FullSync", 1)
		}
	}
}

// find is the last of the states from first to last that a vault may hold, or
// -1.
func (told *story) find(got string, first, last int) int {
	for k := min(last, len(told.states)-1); k >= first; k-- {
		if told.states[k] == got {
			return k
		}
	}
	return -1
}

// writeImage writes files into a new folder. The index of the log, which a
// power failure leaves behind as it happens to be, must not matter.
func writeImage(t *testing.T, image map[string][]byte, random *rand.Rand) (path string) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range image {
		vaulttest.Must(t, os.WriteFile(filepath.Join(dir, name), data, 0o666))
	}
	if random.IntN(3) == 0 {
		index := make([]byte, 32<<10)
		for i := range index {
			index[i] = byte(random.Uint32())
		}
		vaulttest.Must(t, os.WriteFile(filepath.Join(dir, "test.db-shm"), index, 0o666))
	}
	return filepath.Join(dir, "test.db")
}

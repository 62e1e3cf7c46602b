package crash

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"columnvault"
	"columnvault/internal/vaulttest"
)

// damagePage is the page size of the vaults that are damaged: small, so that
// they have pages of every kind.
const damagePage = 512

// TestDamagedFile flips bits in every page of a vault, most in those that are
// not data alone, and cuts it at every page. Every read gives the right value
// or an error, or Check finds something; but a bit in the bytes of values, or in
// what nothing else in the file says again, cannot be told from one that was
// written. Those are counted by what they are.
func TestDamagedFile(t *testing.T) {
	path := stageFile(t, &columnvault.Options{PageSize: damagePage})
	sound := newSpecimen(t, path)
	random := rand.New(rand.NewPCG(campaign.seed, 4))
	for page := 0; page < len(sound.main)/damagePage; page++ {
		flips := campaign.of(1, 1, 16)
		if sound.structured(page) {
			flips = campaign.of(2, 4, damagePage)
		}
		for i := range flips {
			at := page*damagePage + random.IntN(damagePage)
			if flips == damagePage {
				at = page*damagePage + i
			}
			if page == 0 && i < 100 && flips > 8 {
				at = i // all of the file's header
			}
			data := flip(sound.main, at, random)
			if !sound.examine(t, "bits flipped in the file", data, sound.log) {
				t.Fatalf("bit flipped in byte %d (page %d, byte %d), seed %d", at, page+1, at%damagePage, campaign.seed)
			}
		}
	}
	// A file of no bytes is one that SQLite, and so a vault, takes for new.
	for size := damagePage; size < len(sound.main); size += damagePage * campaign.of(16, 8, 1) {
		for _, extra := range []int{0, random.IntN(damagePage)} {
			if !sound.examine(t, "truncations of the file", sound.main[:size+extra], sound.log) {
				t.Fatalf("file cut to %d bytes", size+extra)
			}
		}
	}
}

// TestDamagedLog flips bits in a log that a killed process has left, and cuts
// it. SQLite takes a log as far as its checksums hold, so the vault then holds
// what it held after an earlier commit, and nobody can tell that there was
// more.
func TestDamagedLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "base.db")
	v := vaulttest.OpenAt(t, path, &columnvault.Options{PageSize: damagePage})
	vaulttest.Must(t, stage(t.Context(), v))
	_, err := v.Checkpoint(t.Context(), columnvault.CheckpointTruncate)
	vaulttest.Must(t, err)
	states := map[string]bool{wantContents(t, v): true}
	for _, op := range operations[:6] {
		vaulttest.Must(t, op.do(t.Context(), v, path))
		states[wantContents(t, v)] = true
	}
	path = copyVault(t, path, t.TempDir())
	sound := newSpecimen(t, path)
	if len(sound.log) == 0 {
		t.Fatal("there is no log")
	}
	random := rand.New(rand.NewPCG(campaign.seed, 5))
	try := func(what string, log []byte) {
		path := sound.write(t, sound.main, log)
		defer os.RemoveAll(filepath.Dir(path))
		v, err := columnvault.Open(t.Context(), path, nil)
		if err != nil {
			count(partDamage, what+": refused when it is opened", 1)
			return
		}
		defer v.Close()
		got, err := contents(t.Context(), v)
		found, e := vaulttest.Findings(t.Context(), v, columnvault.CheckOptions{Full: true})
		switch {
		case err != nil || e != nil || len(found) > 0:
			count(partDamage, what+": an error or a finding", 1)
		case !states[got]:
			t.Errorf("%s: the vault holds what it never held:\n%s", what, got)
		case got == sound.contents:
			count(partDamage, what+": all values right", 1)
		default:
			count(partDamage, what+": what was there after an earlier commit, which nothing can tell", 1)
		}
	}
	const frame = damagePage + 24
	step := campaign.of(frame*8, frame*2, 97)
	for at := 0; at < len(sound.log) && !t.Failed(); at += step {
		try("bits flipped in the log", flip(sound.log, min(at+random.IntN(step), len(sound.log)-1), random))
		try("truncations of the log", sound.log[:at])
	}
	for at := range 32 + 24 { // all of the log's header, and of the first frame's
		try("bits flipped in the log", flip(sound.log, at, random))
	}
}

func flip(data []byte, at int, random *rand.Rand) []byte {
	data = bytes.Clone(data)
	data[at] ^= 1 << random.IntN(8)
	return data
}

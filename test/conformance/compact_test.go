package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// waste gives a vault columns and tables of which most has been deleted.
func waste(t *testing.T, v *columnvault.Vault) {
	t.Helper()
	ctx := t.Context()
	random := rand.New(rand.NewPCG(3, 4))
	numbers := vaulttest.Create(t, v, "numbers", dtype.Int64, vaulttest.Span(0, 300_000)...)
	vaulttest.Must(t, numbers.Delete(ctx, 1000, 160_000))
	texts := vaulttest.Create(t, v, "texts", dtype.String)
	for range 10 {
		vaulttest.Must(t, texts.Append(ctx, vaulttest.Sequence(2000, func(int) string { return strings.Repeat("t", random.IntN(500)) })...))
		n, err := texts.Len(ctx)
		vaulttest.Must(t, err)
		vaulttest.Must(t, texts.Delete(ctx, n-1500, n-100))
	}
	gone := vaulttest.Create(t, v, "gone", dtype.Bytes, vaulttest.Blobs(2000, 1000)...)
	vaulttest.Must(t, gone.Clear(ctx))
	vaulttest.Create(t, v, "few", dtype.String, "a", "b")
	for _, kv := range []*columnvault.KV{v.KV(), v.KVTable("media")} {
		var pairs []columnvault.Pair
		for i := range 8000 {
			pairs = append(pairs, columnvault.Pair{Key: fmt.Appendf(nil, "key %06d", random.IntN(1_000_000)), Value: vaulttest.Bytes(i, random.IntN(400))})
		}
		vaulttest.Must(t, kv.PutMany(ctx, pairs...))
		vaulttest.Must(t, kv.Put(ctx, []byte("large"), bytes.Repeat([]byte("large"), 60_000)))
		vaulttest.Must(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			for _, p := range pairs[:6500] {
				if _, err := kv.In(tx).Delete(ctx, p.Key); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

// wantTight requires that the columns of a vault take little more than their
// elements.
func wantTight(t *testing.T, v *columnvault.Vault) {
	t.Helper()
	infos, err := v.Columns(t.Context())
	vaulttest.Must(t, err)
	for _, info := range infos {
		c, err := v.Column(t.Context(), info.Name)
		vaulttest.Must(t, err)
		s, err := c.Stat(t.Context())
		vaulttest.Must(t, err)
		if s.Capacity > s.Live+s.Live/20+64<<10 {
			t.Errorf("%s: %d bytes of elements take %d", info.Name, s.Live, s.Capacity)
		}
	}
}

func sizesOf(t *testing.T, v *columnvault.Vault) columnvault.FileSizes {
	t.Helper()
	s, err := v.FileSizes()
	vaulttest.Must(t, err)
	return s
}

func TestCompact(t *testing.T) {
	v := vaulttest.Open(t)
	waste(t, v)
	want := contents(t, v)
	_, err := v.Checkpoint(t.Context(), columnvault.CheckpointTruncate)
	vaulttest.Must(t, err)
	before := sizesOf(t, v)
	var last, total int64
	r, err := v.Compact(t.Context(), columnvault.CompactOptions{Progress: func(done, all int64) {
		if done < last || all < total || done > all {
			t.Errorf("progress goes from %d of %d to %d of %d", last, total, done, all)
		}
		last, total = done, all
	}})
	vaulttest.Must(t, err)
	after := sizesOf(t, v)
	if r.Before != before || r.After != after || r.Columns != 2 || r.Moved == 0 || len(r.Skipped) > 0 {
		t.Errorf("the result is %+v, and the sizes were %+v and are %+v", r, before, after)
	}
	if after.Free != 0 || after.Log != 0 || after.Main > before.Main/2 || last == 0 || last != total {
		t.Errorf("the sizes are %+v after %+v, the progress %d of %d", after, before, last, total)
	}
	if contents(t, v) != want {
		t.Error("the vault holds something else")
	}
	wantTight(t, v)
	vaulttest.WantSound(t, v)
	wantVacuumed(t, v, after.Main)

	// The second time there is nothing to do.
	data, err := os.ReadFile(v.Path())
	vaulttest.Must(t, err)
	r, err = v.Compact(t.Context(), columnvault.CompactOptions{})
	vaulttest.Must(t, err)
	again, err := os.ReadFile(v.Path())
	vaulttest.Must(t, err)
	if r.Moved != 0 || r.Columns != 0 || !bytes.Equal(data, again) {
		t.Errorf("the second time, %+v, and the file is equal: %t", r, bytes.Equal(data, again))
	}
}

// wantVacuumed requires that SQLite's VACUUM would not make the file much
// smaller.
func wantVacuumed(t *testing.T, v *columnvault.Vault, size int64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vacuumed.db")
	vaulttest.Must(t, v.Backup(t.Context(), path, columnvault.BackupOptions{}))
	vaulttest.ExecSQL(t, path, "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")
	info, err := os.Stat(path)
	vaulttest.Must(t, err)
	if size > info.Size()+info.Size()/50+64<<10 {
		t.Errorf("the file has %d bytes, and after VACUUM it would have %d", size, info.Size())
	}
}

// TestCompactTheirs rebuilds a file whose pages have no map, as KohakuVault
// makes them, beside readers of another vault.
func TestCompactTheirs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	vaulttest.Must(t, os.WriteFile(path, nil, 0o666))
	vaulttest.ExecSQL(t, path, `PRAGMA page_size = 4096`, `PRAGMA journal_mode = WAL`, `CREATE TABLE kohakuvault_meta (
                key TEXT PRIMARY KEY,
                value TEXT NOT NULL
            )`)
	v := vaulttest.OpenAt(t, path, nil)
	waste(t, v)
	want := contents(t, v)
	other := vaulttest.OpenAt(t, path, nil)
	numbers := vaulttest.Lookup(t, other, "numbers", dtype.Int64)
	vaulttest.WantAt(t, numbers, 500, 500) // its connection rests, with handles
	film, err := other.KV().OpenBlob(t.Context(), []byte("large"))
	vaulttest.Must(t, err)
	defer film.Close()
	vaulttest.Must(t, other.View(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		vaulttest.WantAt(t, numbers.In(tx), 500, 500)
		r, err := v.Compact(ctx, columnvault.CompactOptions{})
		vaulttest.Must(t, err)
		if r.After.Free != 0 {
			t.Errorf("the result is %+v", r)
		}
		vaulttest.WantAt(t, numbers.In(tx), 999, 999)
		return nil
	}))
	vaulttest.WantAt(t, numbers, 999, 999)
	if n, err := io.Copy(io.Discard, film); n != 300_000 || err != nil {
		t.Errorf("%d bytes of a value that was open: %v", n, err)
	}
	if contents(t, v) != want || contents(t, other) != want {
		t.Error("the vault holds something else")
	}
	wantTight(t, v)
	vaulttest.WantSound(t, v)
	vaulttest.Must(t, numbers.Append(t.Context(), 1))
	vaulttest.Must(t, vaulttest.Lookup(t, v, "texts", dtype.String).Append(t.Context(), "more"))
	vaulttest.WantSound(t, other)
	if got := vaulttest.QuerySQL(t, path, `PRAGMA auto_vacuum`); len(got) != 1 || got[0] != "2" {
		t.Errorf("auto_vacuum is %q", got)
	}
}

// TestCompactBesideOthers lets others read and write between all steps: what
// they have written is there, and what they read is right.
func TestCompactBesideOthers(t *testing.T) {
	v := vaulttest.Open(t)
	waste(t, v)
	want := contents(t, v)
	other := vaulttest.OpenAt(t, v.Path(), nil)
	texts := vaulttest.Lookup(t, other, "texts", dtype.String)
	gone := vaulttest.Lookup(t, v, "numbers", dtype.Int64)
	steps := 0
	vaulttest.Must(t, other.View(t.Context(), func(_ context.Context, tx *columnvault.Tx) error {
		_, err := v.Compact(t.Context(), columnvault.CompactOptions{Progress: func(int64, int64) {
			steps++
			vaulttest.Must(t, texts.Insert(t.Context(), 0, "new"))
			vaulttest.Must(t, texts.Delete(t.Context(), 0, 1))
			vaulttest.Must(t, texts.Append(t.Context(), fmt.Sprint("step ", steps)))
			if steps == 1 {
				vaulttest.Must(t, v.Rename(t.Context(), gone.Name(), "renamed"))
			}
			vaulttest.WantAt(t, texts.In(tx), 0, firstText(t, other))
		}})
		return err
	}))
	vaulttest.Must(t, v.Rename(t.Context(), "renamed", gone.Name()))
	vaulttest.Must(t, texts.Delete(t.Context(), -steps, columnvault.End))
	if steps < 2 || contents(t, v) != want {
		t.Errorf("after %d steps the vault holds something else", steps)
	}
	vaulttest.WantSound(t, v)
}

// TestCompactAtOnce compacts again and again while goroutines read, write and
// check at the same time; run it with the race detector. Each knows what its own
// column and pairs must hold, and all look whether what was there stays.
func TestCompactAtOnce(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	v := vaulttest.Open(t)
	waste(t, v)
	numbers := vaulttest.Lookup(t, v, "numbers", dtype.Int64)
	want, err := numbers.Slice(t.Context(), 0, columnvault.End)
	vaulttest.Must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var compacting, others sync.WaitGroup
	work := func(name string, do func(round int) error) {
		others.Go(func() {
			for round := range rounds {
				if err := do(round); err != nil {
					t.Errorf("%s, round %d: %v", name, round, err)
					return
				}
			}
		})
	}
	compacting.Go(func() {
		for ctx.Err() == nil {
			if _, err := v.Compact(ctx, columnvault.CompactOptions{}); err != nil && ctx.Err() == nil {
				t.Errorf("compact: %v", err)
			}
		}
	})
	for k := range 2 {
		c := vaulttest.Create(t, v, fmt.Sprint("of writer ", k), dtype.String)
		texts := func(round int) []string {
			return vaulttest.Sequence(600, func(i int) string { return strings.Repeat("w", (round+i)%300) })
		}
		work("writer", func(round int) error {
			key := fmt.Appendf(nil, "writer %d", k)
			err := errors.Join(c.Append(ctx, texts(round)...), v.KV().Put(ctx, key, bytes.Repeat(key, 1000*round)))
			if err != nil || round == 0 {
				return err
			}
			if err := c.Delete(ctx, 0, 600); err != nil {
				return err
			}
			got, err := c.Slice(ctx, 0, columnvault.End)
			if err == nil && !slices.Equal(got, texts(round)) {
				err = errors.New("the column holds something else")
			}
			value, e := v.KV().Get(ctx, key)
			if e == nil && !bytes.Equal(value, bytes.Repeat(key, 1000*round)) {
				e = errors.New("the pair holds something else")
			}
			return errors.Join(err, e)
		})
	}
	work("reader", func(int) error {
		got, err := numbers.Slice(ctx, 0, columnvault.End)
		if err == nil && !slices.Equal(got, want) {
			err = errors.New("the column holds something else")
		}
		return err
	})
	work("check", func(int) error {
		for f, err := range v.Check(ctx, columnvault.CheckOptions{Full: true}) {
			if err != nil || f.Severity == columnvault.SeverityDamage {
				return errors.Join(err, errors.New(f.Text))
			}
		}
		return nil
	})
	others.Wait()
	cancel()
	compacting.Wait()
	vaulttest.WantSound(t, v)
}

func firstText(t *testing.T, v *columnvault.Vault) string {
	t.Helper()
	s, err := vaulttest.Lookup(t, v, "texts", dtype.String).At(t.Context(), 0)
	vaulttest.Must(t, err)
	return s
}

func TestCompactEnds(t *testing.T) {
	v := vaulttest.Open(t)
	waste(t, v)
	want := contents(t, v)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := v.Compact(ctx, columnvault.CompactOptions{Progress: func(int64, int64) { cancel() }})
	vaulttest.WantErr(t, "cancelled", err, context.Canceled)
	if contents(t, v) != want {
		t.Error("the vault holds something else")
	}
	vaulttest.WantSound(t, v)
	vaulttest.WantErr(t, "in a transaction", v.View(t.Context(), func(ctx context.Context, _ *columnvault.Tx) error {
		_, err := v.Compact(ctx, columnvault.CompactOptions{})
		return err
	}), columnvault.ErrNested)
	reader := vaulttest.OpenAt(t, v.Path(), &columnvault.Options{ReadOnly: true})
	_, err = reader.Compact(t.Context(), columnvault.CompactOptions{})
	vaulttest.WantErr(t, "for reading", err, columnvault.ErrReadOnly)
	vaulttest.Must(t, v.Close())
	_, err = v.Compact(t.Context(), columnvault.CompactOptions{})
	vaulttest.WantErr(t, "closed", err, columnvault.ErrClosed)
}

// TestCompactHeld leaves alone what caches hold.
func TestCompactHeld(t *testing.T) {
	v := vaulttest.Open(t)
	waste(t, v)
	texts := vaulttest.Lookup(t, v, "texts", dtype.String)
	vaulttest.Must(t, v.EnableCache(t.Context(), vaulttest.CacheOf(1<<20, 1<<20)))
	vaulttest.Must(t, texts.Append(t.Context(), "held"))
	resume := v.PauseFlush()
	want := contents(t, v)
	_, err := v.Compact(t.Context(), columnvault.CompactOptions{})
	vaulttest.Must(t, err)
	resume()
	if contents(t, v) != want {
		t.Error("the vault holds something else")
	}
	_, err = v.Flush(t.Context())
	vaulttest.Must(t, err)
	if contents(t, v) != want {
		t.Error("after the flush the vault holds something else")
	}
}

// TestCompactDamage goes on beside a column that cannot be read.
func TestCompactDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	waste(t, v)
	vaulttest.ExecSQL(t, path, `DELETE FROM col_chunks WHERE col_id = (SELECT col_id FROM col_meta WHERE name = 'texts_data')`)
	r, err := v.Compact(t.Context(), columnvault.CompactOptions{})
	vaulttest.Must(t, err)
	if len(r.Skipped) != 1 || !errors.Is(r.Skipped[0], columnvault.ErrCorrupt) || !strings.Contains(r.Skipped[0].Error(), "texts") || r.Columns != 1 {
		t.Errorf("the result is %+v", r)
	}
}

// TestQueueDoesNotGrow appends to a queue and takes from its front, which stays
// as long as it is, over and over: what is deleted makes room for what comes.
// COLUMNVAULT_LONG makes it five million operations.
func TestQueueDoesNotGrow(t *testing.T) {
	operations := 60_000
	if os.Getenv("COLUMNVAULT_LONG") != "" {
		operations = 5_000_000
	}
	const length, batch = 5000, 50
	v := vaulttest.Open(t)
	random := rand.New(rand.NewPCG(7, 8))
	text := func(int) string { return strings.Repeat("q", random.IntN(200)) }
	texts := vaulttest.Create(t, v, "texts", dtype.String, vaulttest.Sequence(length, text)...)
	numbers := vaulttest.Create(t, v, "numbers", dtype.Int64, vaulttest.Span(0, length)...)
	grown := int64(0)
	for done := 0; done < operations; done += 2 * batch {
		vaulttest.Must(t, v.Update(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
			return errors.Join(
				texts.In(tx).Append(ctx, vaulttest.Sequence(batch, text)...), texts.In(tx).Delete(ctx, 0, batch),
				numbers.In(tx).Append(ctx, vaulttest.Span(done, done+batch)...), numbers.In(tx).Delete(ctx, 0, batch))
		}))
		switch size := sizesOf(t, v).Main; {
		case done < operations/10/batch*batch:
			grown = max(grown, size)
		case size > grown+2<<20:
			t.Fatalf("after %d operations the file has %d bytes, and before it had %d", done, size, grown)
		}
	}
	t.Logf("%d operations: the file has %d bytes, and had %d after a tenth", operations, sizesOf(t, v).Main, grown)
	vaulttest.WantSound(t, v)
}

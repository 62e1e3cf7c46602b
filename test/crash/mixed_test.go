package crash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// mixedProcesses and mixedWorkers are how many processes work on one file, and
// how many goroutines in each.
const (
	mixedProcesses = 4
	mixedWorkers   = 24
)

// TestEverythingAtOnce lets goroutines of this process, and then several
// processes, do everything at the same time: each goroutine knows what its own
// columns and pairs must hold, all append to columns that they share, and all
// look whether snapshots are whole. It ends when all have done their work,
// however long that takes; run it with the race detector.
func TestEverythingAtOnce(t *testing.T) {
	end := time.Now().Add(campaign.time)
	for round := 0; round == 0 || campaign.long && time.Now().Before(end); round++ {
		path := filepath.Join(t.TempDir(), fmt.Sprint("mixed ", round, ".db"))
		seed := campaign.seed + uint64(round)
		v := vaulttest.OpenAt(t, path, vaulttest.Patient())
		vaulttest.Must(t, stageMixed(t.Context(), v))
		each := campaign.of(5, 20, 200)
		vaulttest.Must(t, mix(t.Context(), v, 0, mixedWorkers, each, seed))
		workers := campaign.of(2, 6, mixedWorkers)
		var players []*player
		for p := range mixedProcesses {
			players = append(players, start(t, "mix", path, strconv.Itoa(1+p), strconv.Itoa(workers), strconv.Itoa(each), strconv.FormatUint(seed, 10)))
		}
		for _, p := range players {
			for p.hear() {
			}
			if err := p.Wait(); err != nil {
				t.Errorf("a process, with the seed %d: %v", seed, err)
			}
		}
		vaulttest.Must(t, checkMixed(t.Context(), v, mixedWorkers*each, workers*each))
		vaulttest.WantSound(t, v)
		vaulttest.Must(t, v.Close())
		count(partMixed, "operations of one process", mixedWorkers*each)
		count(partMixed, "operations of four processes at once", mixedProcesses*workers*each)
		if t.Failed() {
			return
		}
	}
}

// playMixed is the role of a process. Its arguments are the path, the number of
// the process, how many goroutines it has, how many operations each does, and
// a seed.
func playMixed(ctx context.Context, args []string) error {
	var n [3]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(args[1+i]); err != nil {
			return err
		}
	}
	seed, err := strconv.ParseUint(args[4], 10, 64)
	if err != nil {
		return err
	}
	v, err := columnvault.Open(ctx, args[0], vaulttest.Patient())
	if err != nil {
		return err
	}
	return errors.Join(mix(ctx, v, n[0], n[1], n[2], seed), v.Close())
}

// stageMixed makes what all share: a column and texts that everybody appends
// to, and a pair of columns that always agree with each other and with a pair.
func stageMixed(ctx context.Context, v *columnvault.Vault) error {
	return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		return errors.Join(create(ctx, tx, "shared", dtype.Int64), create(ctx, tx, "shared texts", dtype.String),
			create(ctx, tx, "left", dtype.Int64), create(ctx, tx, "right", dtype.Int64),
			v.KV().In(tx).Put(ctx, []byte("count"), []byte("0")))
	})
}

// mix does operations of chance in goroutines, and returns what was wrong.
func mix(ctx context.Context, v *columnvault.Vault, process, workers, each int, seed uint64) error {
	var wg sync.WaitGroup
	failed := make([]error, workers)
	for w := range workers {
		wg.Go(func() {
			worker, err := newWorker(ctx, v, process*1000+w, seed)
			for i := 0; i < each && err == nil; i++ {
				err = worker.work(ctx, i)
			}
			if err == nil {
				err = worker.verify(ctx)
			}
			if err != nil {
				failed[w] = fmt.Errorf("worker %d of process %d: %w", w, process, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(failed...)
}

// worker is a goroutine with what is its own: columns and pairs, and what they
// must hold.
type worker struct {
	v      *columnvault.Vault
	number int
	random *rand.Rand

	nums  *columnvault.Column[int64]
	texts *columnvault.Column[string]
	pairs *columnvault.KV

	wantNums  []int64
	wantTexts []string
	wantPairs map[string][]byte

	shared      *columnvault.Column[int64]
	sharedTexts *columnvault.Column[string]
	left, right *columnvault.Column[int64]
}

func newWorker(ctx context.Context, v *columnvault.Vault, number int, seed uint64) (*worker, error) {
	w := &worker{v: v, number: number, random: rand.New(rand.NewPCG(seed, uint64(number))), wantPairs: map[string][]byte{}}
	w.pairs = v.KVTable(fmt.Sprint("pairs ", number%5)) // some share a table
	var err [7]error
	w.nums, err[0] = columnvault.Ensure(ctx, v, fmt.Sprint("nums ", number), dtype.Int64, smallChunks)
	w.texts, err[1] = columnvault.Ensure(ctx, v, fmt.Sprint("texts ", number), dtype.String, smallChunks)
	w.shared, err[2] = columnvault.Lookup(ctx, v, "shared", dtype.Int64)
	w.sharedTexts, err[3] = columnvault.Lookup(ctx, v, "shared texts", dtype.String)
	w.left, err[4] = columnvault.Lookup(ctx, v, "left", dtype.Int64)
	w.right, err[5] = columnvault.Lookup(ctx, v, "right", dtype.Int64)
	if number%3 == 0 {
		err[6] = w.nums.EnableCache(ctx, vaulttest.CacheOf(4096, 900))
	}
	return w, errors.Join(err[:]...)
}

// mark is the number of an element of a shared column: whose it is, and which.
func (w *worker) mark(i int) int64 { return int64(w.number)<<32 + int64(i) }

// work is one operation of the worker on its own, one on what is shared, and
// one look at all.
func (w *worker) work(ctx context.Context, i int) error {
	if err := w.own(ctx); err != nil {
		return err
	}
	if err := w.together(ctx, i); err != nil {
		return err
	}
	if w.random.IntN(3) == 0 {
		return w.look(ctx)
	}
	return nil
}

// own changes what is the worker's own, and what it must hold.
func (w *worker) own(ctx context.Context) (err error) {
	n := len(w.wantNums)
	at := w.random.IntN(n + 1)
	to := at + w.random.IntN(n+1-at)
	values := vaulttest.Span(w.random.IntN(1000), 1000+w.random.IntN(200))
	text := string(vaulttest.Bytes(n, w.random.IntN(300)))
	key := vaulttest.Key(w.number<<16 + w.random.IntN(20))
	switch w.random.IntN(10) {
	case 0, 1:
		err = w.nums.Append(ctx, values...)
		w.wantNums = append(w.wantNums, values...)
	case 2:
		err = w.nums.Insert(ctx, at, values...)
		w.wantNums = slices.Insert(w.wantNums, at, values...)
	case 3:
		err = w.nums.Delete(ctx, at, to)
		w.wantNums = slices.Delete(w.wantNums, at, to)
	case 4:
		if at < n {
			err = w.nums.Set(ctx, at, -1)
			w.wantNums[at] = -1
		}
	case 5:
		at = w.random.IntN(len(w.wantTexts) + 1)
		err = w.texts.Insert(ctx, at, text, "", text)
		w.wantTexts = slices.Insert(w.wantTexts, at, text, "", text)
	case 6:
		if len(w.wantTexts) > 0 {
			at = w.random.IntN(len(w.wantTexts))
			err = w.texts.Set(ctx, at, text+text)
			w.wantTexts[at] = text + text
		}
	case 7:
		err = w.pairs.Put(ctx, key, []byte(text))
		w.wantPairs[string(key)] = []byte(text)
	case 8:
		value := bytes.Repeat([]byte(text), 20)
		err = w.pairs.PutFrom(ctx, key, int64(len(value)), bytes.NewReader(value))
		w.wantPairs[string(key)] = value
	case 9:
		_, err = w.pairs.Delete(ctx, key)
		delete(w.wantPairs, string(key))
	}
	if err != nil {
		return err
	}
	got, err := w.nums.Slice(ctx, at, to)
	if want := w.wantNums[min(at, len(w.wantNums)):min(max(at, to), len(w.wantNums))]; err == nil && !slices.Equal(got, want) {
		return fmt.Errorf("elements %d to %d of its own are %v, want %v", at, to, got, want)
	}
	return err
}

// together adds to what all share.
func (w *worker) together(ctx context.Context, i int) error {
	err := w.v.Batch(ctx, func(b *columnvault.Batch) error {
		return errors.Join(w.shared.AppendTo(b, w.mark(i)), w.sharedTexts.AppendTo(b, fmt.Sprint(w.mark(i))))
	})
	if err != nil {
		return err
	}
	return w.v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		n, err := w.left.In(tx).Len(ctx)
		return errors.Join(err, w.left.In(tx).Append(ctx, w.mark(i)), w.right.In(tx).Append(ctx, -w.mark(i)),
			w.v.KV().In(tx).Put(ctx, []byte("count"), strconv.AppendInt(nil, int64(n)+1, 10)))
	})
}

// look requires that a snapshot is whole.
func (w *worker) look(ctx context.Context) error {
	return w.v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		left, err1 := w.left.In(tx).Slice(ctx, -100, columnvault.End)
		right, err2 := w.right.In(tx).Slice(ctx, -100, columnvault.End)
		n, err3 := w.left.In(tx).Len(ctx)
		said, err4 := w.v.KV().In(tx).Get(ctx, []byte("count"))
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			return err
		}
		if len(left) != len(right) || string(said) != strconv.Itoa(n) {
			return fmt.Errorf("a snapshot has %d elements, of the last %d and %d, and says %s", n, len(left), len(right), said)
		}
		for i := range left {
			if left[i] != -right[i] {
				return fmt.Errorf("a snapshot has %d and %d at the same place", left[i], right[i])
			}
		}
		return nil
	})
}

// verify requires all that is the worker's own.
func (w *worker) verify(ctx context.Context) error {
	nums, err1 := w.nums.Slice(ctx, columnvault.Begin, columnvault.End)
	texts, err2 := w.texts.Slice(ctx, columnvault.Begin, columnvault.End)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if !slices.Equal(nums, w.wantNums) || !slices.Equal(texts, w.wantTexts) {
		return fmt.Errorf("%d numbers and %d texts are not the %d and %d of the model", len(nums), len(texts), len(w.wantNums), len(w.wantTexts))
	}
	found := 0
	for pair, err := range w.pairs.All(ctx, &columnvault.Range{From: vaulttest.Key(w.number << 16), To: vaulttest.Key((w.number + 1) << 16)}) {
		if err != nil {
			return err
		}
		if !bytes.Equal(pair.Value, w.wantPairs[string(pair.Key)]) {
			return fmt.Errorf("the pair %x holds something else", pair.Key)
		}
		found++
	}
	if found != len(w.wantPairs) {
		return fmt.Errorf("%d pairs, want %d", found, len(w.wantPairs))
	}
	return nil
}

// checkMixed requires of what is shared that each element is there once, those
// of one worker in their order, and the columns in step.
func checkMixed(ctx context.Context, v *columnvault.Vault, one, others int) error {
	var columns [3][]int64
	for i, name := range []string{"shared", "left", "right"} {
		if err := in(ctx, v, func(ctx context.Context, c *columnvault.Column[int64]) (err error) {
			columns[i], err = c.Slice(ctx, columnvault.Begin, columnvault.End)
			return err
		}, dtype.Int64, name); err != nil {
			return err
		}
		next := map[int64]int64{}
		for k, mark := range columns[i] {
			if i == 2 {
				mark = -mark
			}
			owner, number := mark>>32, mark&(1<<32-1)
			if number != next[owner] {
				return fmt.Errorf("%s[%d] is element %d of worker %d, want %d", name, k, number, owner, next[owner])
			}
			next[owner]++
		}
		if want := one + mixedProcesses*others; len(columns[i]) != want {
			return fmt.Errorf("%s has %d elements, want %d", name, len(columns[i]), want)
		}
	}
	return in(ctx, v, func(ctx context.Context, c *columnvault.Column[string]) error {
		texts, err := c.Slice(ctx, columnvault.Begin, columnvault.End)
		if err != nil {
			return err
		}
		if got, want := strings.Join(texts, " "), strings.Trim(fmt.Sprint(columns[0]), "[]"); got != want {
			return fmt.Errorf("the shared texts are not in step with the numbers")
		}
		return nil
	}, dtype.String, "shared texts")
}

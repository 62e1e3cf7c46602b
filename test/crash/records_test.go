package crash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// records is what one recorder fills: record i has the number i, and a text and
// a pair that follow from it. Beside them it streams files, and appends to a
// column through a cache.
type records struct {
	v     *columnvault.Vault
	nums  *columnvault.Column[int64]
	texts *columnvault.Column[string]
	pairs *columnvault.KV
	files *columnvault.KV
	held  *columnvault.Column[int64]
}

// heldCache bounds what may be lost of the column held.
var heldCache = vaulttest.CacheOf(2048, 600)

func openRecords(ctx context.Context, v *columnvault.Vault, own string) (*records, error) {
	r := &records{v: v, pairs: v.KVTable("pairs " + own), files: v.KVTable("files " + own)}
	small := vaulttest.Chunks(512, 8184)
	var err [3]error
	r.nums, err[0] = columnvault.Ensure(ctx, v, "nums "+own, dtype.Int64, small)
	r.texts, err[1] = columnvault.Ensure(ctx, v, "texts "+own, dtype.String, small)
	r.held, err[2] = columnvault.Ensure(ctx, v, "held "+own, dtype.Int64, small)
	return r, errors.Join(err[:]...)
}

// textOf is the text of a record; long says that it has been made longer.
func textOf(i int, long bool) string {
	if long {
		return strings.Repeat(fmt.Sprint(i, " "), 20)
	}
	return fmt.Sprint("record ", i)
}

// valueOf is the value of the pair of a record, fileOf a file.
func valueOf(i int) []byte { return vaulttest.Bytes(i, i%9*50) }
func fileOf(i int) []byte  { return vaulttest.Bytes(i, 3000+i%7*4000) }

// add adds records from i on, in the way that the round asks for, and returns
// when they are durable.
func (r *records) add(ctx context.Context, i, n, round int) error {
	switch round % 3 {
	case 0: // one transaction
		return r.v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			for k := i; k < i+n; k++ {
				if err := errors.Join(r.nums.In(tx).Append(ctx, int64(k)), r.texts.In(tx).Append(ctx, textOf(k, false)),
					r.pairs.In(tx).Put(ctx, vaulttest.Key(k), valueOf(k))); err != nil {
					return err
				}
			}
			return nil
		})
	case 1: // records in a cache that writes by itself now and then
		return r.v.Cached(ctx, vaulttest.CacheOf(4096, 300), func() error {
			for k := i; k < i+n; k++ {
				err := r.v.Batch(ctx, func(b *columnvault.Batch) error {
					return errors.Join(r.nums.AppendTo(b, int64(k)), r.texts.AppendTo(b, textOf(k, false)),
						r.pairs.PutTo(b, vaulttest.Key(k), valueOf(k)))
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	default: // before the last record, which is put back after it
		return r.v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			nums, texts := r.nums.In(tx), r.texts.In(tx)
			for k := i; k < i+n; k++ {
				if err := errors.Join(nums.Append(ctx, -1), nums.Insert(ctx, -1, int64(k)), vaulttest.ErrOf(nums.Pop(ctx, -1)),
					texts.Insert(ctx, k, textOf(k, false)), r.pairs.In(tx).Put(ctx, vaulttest.Key(k), valueOf(k))); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// record adds records without end and prints, after each round, how many are
// durable. In between it makes texts longer, streams files, appends through a
// cache, and looks after the vault. Its arguments are the path, a seed, and
// the name of what is its own.
func record(ctx context.Context, args []string) error {
	v, err := columnvault.Open(ctx, args[0], vaulttest.Patient())
	if err != nil {
		return err
	}
	r, err := openRecords(ctx, v, args[2])
	if err != nil {
		return err
	}
	seed, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(seed, 0))
	i, err := r.nums.Len(ctx)
	if err != nil {
		return err
	}
	files, err := r.files.Len(ctx)
	if err != nil {
		return err
	}
	held, err := r.held.Len(ctx)
	if err != nil {
		return err
	}
	if err := r.held.EnableCache(ctx, heldCache); err != nil {
		return err
	}
	for round := 0; ; round++ {
		n := 1 + random.IntN(40)
		if err := r.add(ctx, i, n, round); err != nil {
			return err
		}
		i += n
		fmt.Println("records", i)
		long := random.IntN(i)
		if err := r.texts.Set(ctx, long, textOf(long, true)); err != nil {
			return err
		}
		file := fileOf(files)
		if err := r.files.PutFrom(ctx, vaulttest.Key(files), int64(len(file)), bytes.NewReader(file)); err != nil {
			return err
		}
		files++
		fmt.Println("files", files)
		for range random.IntN(100) {
			if err := r.held.Append(ctx, int64(held)); err != nil {
				return err
			}
			held++
		}
		fmt.Println("held", held)
		if err := upkeep[random.IntN(len(upkeep))].do(ctx, v, args[0]); err != nil {
			return err
		}
	}
}

// check requires what a recorder has acknowledged, and no half of anything.
func (r *records) check(ctx context.Context, said map[string]int) error {
	nums, err := r.nums.Slice(ctx, columnvault.Begin, columnvault.End)
	if err != nil {
		return err
	}
	texts, err := r.texts.Slice(ctx, columnvault.Begin, columnvault.End)
	if err != nil {
		return err
	}
	n := 0
	for pair, err := range r.pairs.All(ctx, nil) {
		if err != nil {
			return err
		}
		if !bytes.Equal(pair.Key, vaulttest.Key(n)) || !bytes.Equal(pair.Value, valueOf(n)) {
			return fmt.Errorf("the pair of record %d is %x, %q", n, pair.Key, pair.Value)
		}
		n++
	}
	if len(nums) != len(texts) || len(nums) != n || n < said["records"] {
		return fmt.Errorf("%d numbers, %d texts and %d pairs, of which %d were acknowledged", len(nums), len(texts), n, said["records"])
	}
	for i := range nums {
		if nums[i] != int64(i) || texts[i] != textOf(i, false) && texts[i] != textOf(i, true) {
			return fmt.Errorf("record %d is %d, %q", i, nums[i], texts[i])
		}
	}
	files := 0
	for value, err := range r.files.Values(ctx, nil) {
		if err != nil {
			return err
		}
		if !bytes.Equal(value, fileOf(files)) {
			return fmt.Errorf("file %d holds something else", files)
		}
		files++
	}
	if files < said["files"] {
		return fmt.Errorf("%d files, of which %d were acknowledged", files, said["files"])
	}
	held, err := r.held.Slice(ctx, columnvault.Begin, columnvault.End)
	if err != nil {
		return err
	}
	for i, value := range held {
		if value != int64(i) {
			return fmt.Errorf("element %d of what was held is %d", i, value)
		}
	}
	if lost := said["held"] - len(held); 8*lost > heldCache.CapBytes {
		return fmt.Errorf("%d elements are lost that were held, and the cache holds %d bytes", lost, heldCache.CapBytes)
	} else if lost > 0 {
		count(partKill, "elements lost of caches, as documented", lost)
	}
	count(partKill, "records, files and elements verified", n+files+len(held))
	return nil
}

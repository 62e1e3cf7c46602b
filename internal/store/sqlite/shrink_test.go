package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
	"columnvault/internal/store/storetest"
)

// openTheirs opens a file whose pages have no map, with this many pairs of 100
// bytes and as many more that have been deleted.
func openTheirs(t *testing.T, pairs int) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.db")
	db, err := sqlite3.Open(path)
	check(t, err)
	check(t, db.Exec(fmt.Sprintf(createKV, "kv")))
	check(t, db.Close())
	s := openStoreAt(t, path, Options{})
	check(t, s.Update(t.Context(), func(tx store.Tx) error {
		for i := range 2 * pairs {
			if err := tx.Put(t.Context(), "kv", binary.BigEndian.AppendUint32(nil, uint32(i)), make([]byte, 100)); err != nil {
				return err
			}
		}
		return nil
	}))
	check(t, s.Update(t.Context(), func(tx store.Tx) error {
		for i := range pairs {
			if _, err := tx.Delete(t.Context(), "kv", binary.BigEndian.AppendUint32(nil, uint32(2*i))); err != nil {
				return err
			}
		}
		return nil
	}))
	_, err = s.Checkpoint(t.Context(), store.CheckpointTruncate)
	check(t, err)
	return s
}

// TestVacuumNeedsSpace refuses to rebuild a file where the disk has not twice
// its size, before anything is written.
func TestVacuumNeedsSpace(t *testing.T) {
	s := openTheirs(t, 4000)
	before, err := s.Sizes(t.Context())
	check(t, err)
	s.space = func(string) (uint64, bool, bool) { return 64 << 10, true, true }
	err = s.Shrink(t.Context(), store.ShrinkOptions{})
	if !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("without space the error is %v", err)
	}
	after, err := s.Sizes(t.Context())
	check(t, err)
	if after.Main != before.Main {
		t.Errorf("the sizes are %+v, and before they were %+v", after, before)
	}
	s.space = freeSpace
	check(t, s.Shrink(t.Context(), store.ShrinkOptions{}))
	after, err = s.Sizes(t.Context())
	check(t, err)
	if after.Main > before.Main*2/3 || after.Free != 0 || after.Log != 0 {
		t.Errorf("the sizes are %+v, and before they were %+v", after, before)
	}
}

// TestShrinkGoesOnWithRows requires that nothing of what connections remember
// of rows outlives a VACUUM, which numbers them anew.
func TestShrinkGoesOnWithRows(t *testing.T) {
	s := openTheirs(t, 4000)
	ctx := t.Context()
	var ids []store.ColumnID
	check(t, s.Update(ctx, func(tx store.Tx) error {
		for i := range 3 {
			row, err := tx.CreateColumn(ctx, store.Row{Name: fmt.Sprint("c", i), DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 64})
			if err != nil {
				return err
			}
			ids = append(ids, row.ID)
			for n := range 50 {
				if err := tx.PutChunk(ctx, row.ID, store.Chunk{Number: int64(n), Capacity: 64}, bytes.Repeat([]byte{byte(16*i + n)}, 64)); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	check(t, s.Update(ctx, func(tx store.Tx) error { return tx.DropColumn(ctx, ids[0]) })) // now rows are missing before the others
	read := func(r store.Reader) {
		t.Helper()
		for i := range 2 {
			for n := range 50 {
				got := make([]byte, 64)
				check(t, r.ReadAt(ctx, ids[i+1], []store.Span{{Chunk: int64(n), Data: got}}))
				if want := bytes.Repeat([]byte{byte(16*(i+1) + n)}, 64); !bytes.Equal(got, want) {
					t.Fatalf("chunk %d of column %d is %x, want %x", n, i+1, got, want)
				}
			}
		}
	}
	check(t, storetest.Read(ctx, s, func(r store.Reader) error { read(r); return nil }))
	check(t, s.Update(ctx, func(tx store.Tx) error { read(tx); return nil }))
	check(t, s.Shrink(ctx, store.ShrinkOptions{}))
	check(t, storetest.Read(ctx, s, func(r store.Reader) error { read(r); return nil }))
	check(t, s.Update(ctx, func(tx store.Tx) error {
		read(tx)
		return tx.WriteAt(ctx, ids[2], []store.Span{{Chunk: 7, Data: bytes.Repeat([]byte{32 + 7}, 64)}})
	}))
	check(t, storetest.Read(ctx, s, func(r store.Reader) error { read(r); return nil }))
}

// TestSparse compares the estimate with what writing the table anew saves.
func TestSparse(t *testing.T) {
	s := openTheirs(t, 3000)
	defer func(before int64) { maxReindex = before }(maxReindex)
	maxReindex = 1 << 10 // an index above it is left alone
	found, err := s.sparseTables(t.Context())
	check(t, err)
	if len(found) != 1 || !found[0].rows || found[0].keys {
		t.Fatalf("with a bound for indexes the sparse tables are %+v", found)
	}
	maxReindex = 1 << 20
	for _, want := range []int{1, 0} {
		_, err := s.Checkpoint(t.Context(), store.CheckpointTruncate)
		check(t, err)
		found, err := s.sparseTables(t.Context())
		check(t, err)
		if len(found) != want {
			t.Fatalf("the sparse tables are %+v", found)
		}
		if want > 0 && !found[0].keys {
			t.Error("the index is not sparse")
		}
		for _, table := range found {
			check(t, s.repack(t.Context(), table))
		}
	}
	check(t, storetest.Read(t.Context(), s, func(r store.Reader) error {
		n, err := r.Count(t.Context(), "kv")
		if n != 3000 {
			t.Errorf("%d pairs are left", n)
		}
		return err
	}))
}

package layout0

import (
	"errors"
	"math"
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
	"columnvault/internal/store/storetest"
)

// FuzzDamage gives a variable-size column an index, chunks and lengths of
// arbitrary content. Whatever is done with it, nothing may panic or take
// memory without bound, and errors must say that the file is corrupt.
func FuzzDamage(f *testing.F) {
	good := entry{Chunk: 0, Start: 0, End: 3}.Append(entry{Chunk: 0, Start: 3, End: 9}.Append(nil))
	f.Add(good, int64(2), []byte("abcdefghi"), int64(9), int64(16), int64(4092), int64(1), uint8(0))
	f.Add(good, int64(1<<60), []byte("abcdefghi"), int64(9), int64(1), int64(12), int64(-1), uint8(3))
	f.Add(entry{Chunk: 0, Start: 0, End: 1<<31 - 1}.Append(nil), int64(1), []byte("abc"), int64(3), int64(16), int64(4092), int64(0), uint8(5))
	f.Add(entry{Chunk: 5, Start: -4, End: -9}.Append(nil), int64(1), []byte{}, int64(1<<40), int64(0), int64(4092), int64(0), uint8(7))
	f.Add(good, int64(1<<58), []byte("abcdefghi"), int64(9), int64(16), int64(math.MaxInt64), int64(1), uint8(4))
	f.Add(good, int64(2), []byte("abcdefghi"), int64(9), int64(16), int64(1<<40), int64(1), uint8(5))
	f.Add(good, int64(1<<58), []byte("abcdefghi"), int64(9), int64(16), int64(12), int64(1), uint8(1))
	f.Fuzz(func(t *testing.T, index []byte, length int64, data []byte, used, least, most, i int64, op uint8) {
		if least > 1<<20 || len(index) > 1<<16 || len(data) > 1<<16 {
			return // what is to be tried is damage, not size
		}
		ctx := t.Context()
		s := storetest.Rerun(storetest.NewMemory())
		err := s.Update(ctx, func(tx store.Tx) error {
			d, err := tx.CreateColumn(ctx, store.Row{Name: "x_data", DType: "bytes", ElemSize: 1, MinChunk: least, MaxChunk: most})
			if err != nil {
				return err
			}
			x, err := tx.CreateColumn(ctx, store.Row{Name: "x_idx", DType: indexDType, ElemSize: EntrySize, MinChunk: least, MaxChunk: most})
			if err != nil {
				return err
			}
			return errors.Join(
				tx.PutChunk(ctx, d.ID, store.Chunk{Number: 0, Capacity: int64(len(data)), Used: used}, data),
				tx.PutChunk(ctx, x.ID, store.Chunk{Number: 0, Capacity: int64(len(index))}, index),
				tx.SetLength(ctx, x.ID, length))
		})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Update(ctx, func(tx store.Tx) error { return abuse(t, tx, i, op) })
		if err != nil && !errors.Is(err, store.ErrCorrupt) && !errors.Is(err, store.ErrTooLarge) && !errors.Is(err, errRange) {
			t.Fatalf("operation %d at %d: %v", op, i, err)
		}
	})
}

var errRange = errors.New("position outside of the column")

// abuse does one operation.
func abuse(t *testing.T, tx store.Tx, i int64, op uint8) error {
	ctx := t.Context()
	c, err := openVarSize(ctx, tx, 64<<10)
	if err != nil {
		return err
	}
	if err := c.Check(ctx, tx, func(column.Problem) {}); err != nil {
		return err
	}
	n := c.Len()
	if i < 0 || i > n {
		return errRange
	}
	few := min(n, i+3)
	values := column.Elements{Data: []byte("a longer value, and another"), Ends: []int{15, 27}}
	var b column.Elements
	switch op % 9 {
	case 0:
		_, err = c.Read(ctx, tx, &b, i, few, column.NoLimit)
	case 1:
		if err = c.Backed(ctx, tx, 0, n); err == nil {
			_, err = c.Read(ctx, tx, &b, i, n, 1<<20)
		}
	case 2:
		_, err = c.Before(ctx, tx, few, 100)
	case 3:
		err = c.Append(ctx, tx, values)
	case 4:
		err = c.Insert(ctx, tx, i, values)
	case 5:
		if i+2 > n {
			return errRange
		}
		err = c.Overwrite(ctx, tx, i, values)
	case 6:
		err = c.Delete(ctx, tx, i, few)
	case 7:
		_, err = c.Stat(ctx, tx)
	case 8:
		if n > 1<<20 {
			return errRange
		}
		err = column.Reverse(ctx, tx, c, 100)
	}
	return err
}

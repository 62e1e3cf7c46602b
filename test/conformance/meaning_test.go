package conformance_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// some is a value that is not missing.
func some[T any](v T) sql.Null[T] { return sql.Null[T]{V: v, Valid: true} }

// TestColumnsKeepWhatTheyMean writes columns of every meaning, closes the file,
// and reads them as what they were.
func TestColumnsKeepWhatTheyMean(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "a.db")
	v := vaulttest.OpenAt(t, path, nil)
	at := time.Date(2026, 7, 31, 12, 30, 0, 123456000, time.UTC)
	day := time.Date(2026, 7, 31, 0, 0, 0, 0, time.UTC)
	keep := func(name string, open func(columnvault.Scope)) {
		t.Helper()
		open(v)
		vaulttest.Must(t, v.Close())
		v = vaulttest.OpenAt(t, path, nil)
		vaulttest.WantSound(t, v)
		infos, err := v.Columns(ctx)
		vaulttest.Must(t, err)
		if got := infos[len(infos)-1]; fmt.Sprint(got.DType, " ", got.Meaning) != name {
			t.Errorf("listed is %s %v, want %s", got.DType, got.Meaning, name)
		}
	}
	keep("i64 time=us", func(in columnvault.Scope) {
		c := vaulttest.Create(t, in, "us", dtype.Timestamp(dtype.Microsecond, ""), at, at.Add(time.Nanosecond))
		vaulttest.WantColumn(t, c, at, at)
	})
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "us", dtype.Timestamp(dtype.Microsecond, "")), at, at)
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "us", dtype.Int64), at.UnixMicro(), at.UnixMicro())
	keep("i64 time=ns zone=UTC null", func(in columnvault.Scope) {
		vaulttest.Create(t, in, "ns", dtype.Nullable(dtype.Timestamp(dtype.Nanosecond, "UTC")), some(at), sql.Null[time.Time]{})
	})
	keep("i64 date", func(in columnvault.Scope) { vaulttest.Create(t, in, "date", dtype.Date, at) })
	keep("str:utf8 null", func(in columnvault.Scope) {
		vaulttest.Create(t, in, "text", dtype.Nullable(dtype.String), some(""), sql.Null[string]{}, some("x"))
	})
	keep("cbor null", func(in columnvault.Scope) {
		vaulttest.Create(t, in, "cbor", dtype.Nullable(dtype.CBOR[[]int]()), some([]int{1}), sql.Null[[]int]{})
	})
	keep("f64 null", func(in columnvault.Scope) {
		vaulttest.Create(t, in, "f64", dtype.Nullable(dtype.Float64), some(1.5), sql.Null[float64]{})
	})

	for name, want := range map[string][]any{
		"us": {at, at}, "ns": {at, nil}, "date": {day}, "text": {"", nil, "x"}, "cbor": {[]any{int64(1)}, nil}, "f64": {1.5, nil},
	} {
		c, err := v.Column(ctx, name)
		vaulttest.Must(t, err)
		vaulttest.WantColumn(t, c, want...)
		vaulttest.Must(t, c.Append(ctx, want...)) // the dynamic form takes what it gives
		vaulttest.WantColumn(t, c, append(want, want...)...)
	}
	text := vaulttest.Lookup(t, v, "text", dtype.Nullable(dtype.String))
	vaulttest.Must(t, text.Set(ctx, 0, sql.Null[string]{}))
	vaulttest.Must(t, text.Insert(ctx, 1, some("in"), sql.Null[string]{}))
	vaulttest.WantSlice(t, text, 0, 4, sql.Null[string]{}, some("in"), sql.Null[string]{}, sql.Null[string]{})
	vaulttest.WantErr(t, "Index of a missing value", vaulttest.ErrOf(text.Index(ctx, sql.Null[string]{})), columnvault.ErrNotFound)
	err := text.Append(ctx, some("fine"), some("\x00"))
	vaulttest.WantErrText(t, "append of what stands for a missing value", err, columnvault.ErrInvalidArgument, "value 1", "missing")
	vaulttest.WantErr(t, "create of nullable bytes",
		vaulttest.ErrOf(columnvault.Create(ctx, v, "no", dtype.Nullable(dtype.Bytes), nil)), columnvault.ErrInvalidArgument)
}

// TestOpeningAsSomethingElse tries codecs on columns of other meanings, in every
// way that opens a column, and with handles that are open already.
func TestOpeningAsSomethingElse(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	vaulttest.Create(t, v, "plain", dtype.Int64, 1)
	vaulttest.Create(t, v, "null", dtype.Nullable(dtype.Int64), some(int64(1)))
	vaulttest.Create(t, v, "time", dtype.Timestamp(dtype.Second, "UTC"), time.Unix(1, 0))
	for _, c := range []struct {
		column string
		opens  bool
		open   func(name string) error
	}{
		{"time", true, lookingUp(v, dtype.Timestamp(dtype.Second, "Europe/Berlin"))},
		{"time", true, lookingUp(v, dtype.Int64)},
		{"time", false, lookingUp(v, dtype.Timestamp(dtype.Millisecond, ""))},
		{"time", false, lookingUp(v, dtype.Nullable(dtype.Timestamp(dtype.Second, "")))},
		{"time", false, lookingUp(v, dtype.Date)},
		{"plain", false, lookingUp(v, dtype.Timestamp(dtype.Second, ""))},
		{"plain", false, lookingUp(v, dtype.Date)},
		{"plain", false, lookingUp(v, dtype.Nullable(dtype.Int64))},
		{"null", false, lookingUp(v, dtype.Int64)},
		{"null", true, lookingUp(v, dtype.Nullable(dtype.Int64))},
	} {
		err := c.open(c.column)
		if c.opens {
			vaulttest.Must(t, err)
			continue
		}
		vaulttest.WantErrText(t, c.column, err, columnvault.ErrDType, "i64")
		var e *columnvault.Error
		if !errors.As(err, &e) || e.Hint() == "" || e.Hint() == (&columnvault.Error{Err: columnvault.ErrDType}).Hint() {
			t.Errorf("%s: the hint of %v is %q", c.column, err, e.Hint())
		}
	}

	plain, err := v.Column(ctx, "plain")
	vaulttest.Must(t, err)
	number := vaulttest.Lookup(t, v, "plain", dtype.Int64)
	vaulttest.Must(t, vaulttest.ErrOf(v.Retype(ctx, "plain", dtype.Meaning{Null: true}, nil)))
	for what, err := range map[string]error{
		"dynamic": vaulttest.ErrOf(plain.Len(ctx)), "read": vaulttest.ErrOf(number.At(ctx, 0)), "append": number.Append(ctx, 2), "set": number.Set(ctx, 0, 2),
		"loop":   vaulttest.LoopErr(number.Values(ctx)),
		"ensure": vaulttest.ErrOf(columnvault.Ensure(ctx, v, "plain", dtype.Int64, nil)),
		"update": v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error { return number.In(tx).Append(ctx, 2) }),
	} {
		vaulttest.WantErr(t, what, err, columnvault.ErrDType)
	}
	vaulttest.WantLen(t, vaulttest.Lookup(t, v, "plain", dtype.Nullable(dtype.Int64)), 1)
}

func lookingUp[T any](v *columnvault.Vault, typ dtype.Type[T]) func(name string) error {
	return func(name string) error {
		c, err := columnvault.Lookup(context.Background(), v, name, typ)
		if err == nil {
			_, err = c.At(context.Background(), 0)
		}
		return err
	}
}

func TestRetype(t *testing.T) {
	inBoth(t, func(ctx context.Context, t *testing.T, in scope) {
		retype := in.(interface {
			Retype(ctx context.Context, name string, m dtype.Meaning, o *columnvault.RetypeOptions) (int, error)
		}).Retype
		null, turn := dtype.Meaning{Null: true}, &columnvault.RetypeOptions{Turn: true}
		many := make([]int64, 100_000)
		many[99_999] = math.MinInt64
		vaulttest.Create(t, in, "n", dtype.Int64, many...)

		_, err := retype(ctx, "n", null, nil)
		vaulttest.WantErr(t, "null over a value", err, columnvault.ErrTurned)
		_, err = retype(ctx, "n", dtype.Meaning{Time: dtype.Second}, nil)
		vaulttest.WantErr(t, "a time out of range", err, columnvault.ErrInvalidArgument)
		vaulttest.WantIndex(t, err, 99_999)
		vaulttest.WantColumn(t, vaulttest.Lookup(t, in, "n", dtype.Int64), many...) // nothing has changed

		var done, total int64
		missing, err := retype(ctx, "n", dtype.Meaning{Time: dtype.Second, Zone: "UTC", Null: true}, &columnvault.RetypeOptions{
			Turn: true, Progress: func(d, t int64) { done, total = d, t }})
		if missing != 1 || err != nil || done != 800_000 || total != 800_000 {
			t.Errorf("%d missing, %v, after %d of %d bytes", missing, err, done, total)
		}
		vaulttest.WantAt(t, vaulttest.Lookup(t, in, "n", dtype.Nullable(dtype.Timestamp(dtype.Second, ""))), -1, sql.Null[time.Time]{})
		if infos, err := in.Columns(ctx); err != nil || infos[0].Meaning.String() != "time=s zone=UTC null" {
			t.Errorf("listed as %+v, %v", infos, err)
		}
		_, err = retype(ctx, "n", dtype.Meaning{}, nil)
		vaulttest.WantErr(t, "missing elements as values", err, columnvault.ErrTurned)
		vaulttest.Must(t, vaulttest.ErrOf(retype(ctx, "n", dtype.Meaning{}, turn)))
		vaulttest.WantColumn(t, vaulttest.Lookup(t, in, "n", dtype.Int64), many...)

		vaulttest.Create(t, in, "f", dtype.Float64, 1, math.NaN())
		if missing, err := retype(ctx, "f", null, nil); missing != 1 || err != nil {
			t.Errorf("NaN: %d missing, %v", missing, err)
		}
		vaulttest.Create(t, in, "s", dtype.String, "a", "", "\x00")
		if missing, err := retype(ctx, "s", null, turn); missing != 1 || err != nil {
			t.Errorf("text: %d missing, %v", missing, err)
		}
		vaulttest.WantColumn(t, vaulttest.Lookup(t, in, "s", dtype.Nullable(dtype.String)), some("a"), some(""), sql.Null[string]{})
		for name, m := range map[string]dtype.Meaning{"s": {Date: true}, "f": {Time: dtype.Second}, "n": {Zone: "UTC"}} {
			_, err = retype(ctx, name, m, nil)
			vaulttest.WantErr(t, name+" as "+m.String(), err, columnvault.ErrInvalidArgument)
		}
		_, err = retype(ctx, "none", null, nil)
		vaulttest.WantErr(t, "a column that is not there", err, columnvault.ErrNotFound)
	})
}

// TestCachesAndMeanings: what is held is of a dtype, whatever it means. A meaning
// that changes is seen by the next append after what is held has been written.
func TestCachesAndMeanings(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	at := func(n int64) time.Time { return time.Unix(n, 0).UTC() }
	times := vaulttest.Create(t, p.V, "at", dtype.Timestamp(dtype.Second, ""), at(1))
	numbers := vaulttest.Lookup(t, p.V, "at", dtype.Int64)
	vaulttest.Must(t, p.V.EnableCache(ctx, nil))
	vaulttest.Must(t, times.Append(ctx, at(2)))
	vaulttest.Must(t, numbers.Append(ctx, 3))
	vaulttest.Must(t, p.V.Batch(ctx, func(b *columnvault.Batch) error {
		return errors.Join(times.AppendTo(b, at(4)), numbers.AppendTo(b, 5))
	}))
	vaulttest.WantColumn(t, times, at(1), at(2), at(3), at(4), at(5))
	if n := vaulttest.LenOnDisk(t, p, "at"); n != 1 {
		t.Errorf("%d elements are on disk", n)
	}

	// Another vault changes the meaning; what is held goes into the column.
	vaulttest.Must(t, vaulttest.ErrOf(p.Other.Retype(ctx, "at", dtype.Meaning{Time: dtype.Millisecond}, nil)))
	vaulttest.Must(t, times.Append(ctx, at(6)))
	vaulttest.Must(t, vaulttest.ErrOf(p.V.Flush(ctx)))
	vaulttest.WantOnDisk(t, p, numbers, dtype.Int64, 1, 2, 3, 4, 5, 6)
	vaulttest.WantErr(t, "append of the old meaning", times.Append(ctx, at(7)), columnvault.ErrDType)
	vaulttest.Must(t, numbers.Append(ctx, 8))

	// So does this one, which writes what is held first.
	vaulttest.Must(t, vaulttest.ErrOf(p.V.Retype(ctx, "at", dtype.Meaning{Date: true}, nil)))
	vaulttest.WantOnDisk(t, p, numbers, dtype.Int64, 1, 2, 3, 4, 5, 6, 8)
	vaulttest.WantErr(t, "append of the old meaning", times.Append(ctx, at(9)), columnvault.ErrDType)
	vaulttest.Must(t, numbers.Append(ctx, 10))
	vaulttest.Must(t, p.V.Rename(ctx, "at", "day"))
	vaulttest.WantLen(t, vaulttest.Lookup(t, p.Other, "day", dtype.Date), 8)
	vaulttest.WantSound(t, p.V)
}

// TestHostileAttrs puts attrs into a file that are wrong, contradict the dtype
// or are those of other versions. They keep nobody from a column.
func TestHostileAttrs(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "a.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.Create(t, v, "i", dtype.Int64, 5)
	vaulttest.Create(t, v, "s", dtype.String, "five")
	vaulttest.Create(t, v, "b", dtype.Bytes, []byte("five"))
	vaulttest.Must(t, v.Close())
	vaulttest.ExecSQL(t, path, `ALTER TABLE col_meta ADD COLUMN columnvault_attrs TEXT`)
	for _, attrs := range []string{`'time=us date'`, `'time=us time=s null'`, `'date time=us color=red'`, `x'ff00ff'`, `17`, `1.5`,
		`'zone=../../../etc/passwd'`, `'time=parsec'`, `replace(hex(zeroblob(100000)), '00', 'null ')`, `char(10, 0, 955)`, `''`} {
		vaulttest.ExecSQL(t, path, `UPDATE col_meta SET columnvault_attrs = `+attrs)
		v := vaulttest.OpenAt(t, path, nil)
		for name, want := range map[string]any{"i": int64(5), "s": "five", "b": []byte("five")} {
			c, err := v.Column(ctx, name)
			if err != nil {
				t.Fatalf("%s of %s: %v", name, attrs, err)
			}
			vaulttest.WantColumn(t, c, want)
			vaulttest.Must(t, c.Append(ctx, want))
			vaulttest.Must(t, c.Truncate(ctx, 1))
		}
		vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "i", dtype.Int64), 5)
		vaulttest.Must(t, v.Close())
	}

	// What another version has written is kept.
	vaulttest.ExecSQL(t, path, `UPDATE col_meta SET columnvault_attrs = 'color=red time=ms' WHERE name = 'i'`)
	v = vaulttest.OpenAt(t, path, nil)
	vaulttest.Must(t, vaulttest.ErrOf(v.Retype(ctx, "i", dtype.Meaning{Date: true}, nil)))
	vaulttest.Must(t, v.Close())
	vaulttest.WantValues(t, "attrs", vaulttest.QuerySQL(t, path, `SELECT columnvault_attrs FROM col_meta WHERE name = 'i'`), []string{"date color=red"})
}

// TestReadOnlyWithoutAttrs reads a file that has no place for attrs, and one
// that has.
func TestReadOnlyWithoutAttrs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.Create(t, v, "i", dtype.Int64, 5)
	reader := vaulttest.OpenAt(t, path, &columnvault.Options{ReadOnly: true})
	vaulttest.WantColumn(t, vaulttest.Lookup(t, reader, "i", dtype.Int64), 5)
	_, err := reader.Retype(t.Context(), "i", dtype.Meaning{Date: true}, nil)
	vaulttest.WantErr(t, "Retype", err, columnvault.ErrReadOnly)
	vaulttest.Must(t, vaulttest.ErrOf(v.Retype(t.Context(), "i", dtype.Meaning{Date: true}, nil)))
	vaulttest.WantColumn(t, vaulttest.Lookup(t, reader, "i", dtype.Date), time.Date(1970, 1, 6, 0, 0, 0, 0, time.UTC))
}

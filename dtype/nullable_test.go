package dtype

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// checkNullable is checkType for elements that may be missing; gen draws values
// of which some may be what stands for that.
func checkNullable[T any](t *testing.T, typ Type[T], gen *rapid.Generator[T]) {
	t.Helper()
	nullable := Nullable(typ)
	checkDrawn(t, nullable, func(t *rapid.T) (v sql.Null[T]) {
		if v.Valid = rapid.Bool().Draw(t, "valid"); v.Valid {
			v.V = gen.Filter(func(v T) bool {
				_, err := nullable.Append(nil, sql.Null[T]{V: v, Valid: true})
				return err == nil
			}).Draw(t, "value")
		}
		return v
	})
}

func TestNullableRoundTrip(t *testing.T) {
	checkNullable(t, Bool, rapid.Bool())
	checkNullable(t, Int8, rapid.Int8())
	checkNullable(t, Int16, rapid.Int16())
	checkNullable(t, Int32, rapid.Int32())
	checkNullable(t, Int64, rapid.Int64())
	checkNullable(t, Uint8, rapid.Uint8())
	checkNullable(t, Uint16, rapid.Uint16())
	checkNullable(t, Uint32, rapid.Uint32())
	checkNullable(t, Uint64, rapid.Uint64())
	checkNullable(t, Float16, rapid.Map(rapid.Uint16(), halfOf))
	checkNullable(t, Float32, rapid.Float32())
	checkNullable(t, Float64, rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(-1)})))
	for e := UTF8; e <= Latin1; e++ {
		checkNullable(t, Text(e), genText(e, 20))
	}
	checkNullable(t, MsgPack[[]string](), rapid.SliceOf(rapid.String()))
	checkNullable(t, CBOR[map[string]int](), rapid.MapOf(rapid.String(), rapid.Int()))
	checkNullable(t, FixedMsgPack[int64](12), rapid.Int64())
	checkNullable(t, FixedCBOR[bool](3), rapid.Bool())
	checkNullable(t, Timestamp(Microsecond, ""), rapid.Map(rapid.Int64(), func(n int64) time.Time { return time.UnixMicro(n).UTC() }))
	checkNullable(t, Date, rapid.Map(rapid.Int64Range(-1e6, 1e6), func(n int64) time.Time { return time.Unix(n*secondsPerDay, 0).UTC() }))
}

// checkNone wants the bytes that stand for a missing element, others that mean
// the same, and the values that are refused for it.
func checkNone[T any](t *testing.T, typ Type[T], stored string, also []string, refused ...T) {
	t.Helper()
	nullable := Nullable(typ)
	t.Run(fmt.Sprint(typ, " ", nullable.Meaning()), func(t *testing.T) {
		// What lies in V does not count.
		for _, v := range append([]T{*new(T)}, refused...) {
			if b, err := nullable.Append([]byte("."), sql.Null[T]{V: v}); err != nil || string(b) != "."+stored {
				t.Errorf("a missing element is stored as %x (%v), want %x", b, err, stored)
			}
		}
		for _, b := range append([]string{stored}, also...) {
			if v, err := nullable.Decode([]byte(b)); err != nil || v.Valid {
				t.Errorf("%x is read as %v (%v)", b, v, err)
			}
			all := make([]sql.Null[T], 2)
			all[0].Valid, all[1].Valid = true, true
			if err := nullable.DecodeAll(all, []byte(b+b), []int{len(b), 2 * len(b)}); err != nil || all[0].Valid || all[1].Valid {
				t.Errorf("%x twice is read as %v (%v)", b, all, err)
			}
			if v, err := nullable.Meaning().Type(typ.Spec()).Decode([]byte(b)); err != nil || v != nil {
				t.Errorf("%x is %v (%v) in the dynamic form", b, v, err)
			}
		}
		for _, v := range refused {
			value := sql.Null[T]{V: v, Valid: true}
			b, err := nullable.Append([]byte("."), value)
			if !errors.Is(err, ErrValue) || !strings.Contains(err.Error(), "missing") || string(b) != "." {
				t.Errorf("the value %v is stored as %x (%v)", v, b, err)
			}
			var bad *ElementError
			some := make([]sql.Null[T], 700)
			some[600] = value
			if _, _, err := nullable.AppendAll(nil, nil, some); !errors.As(err, &bad) || bad.Index != 600 || !errors.Is(err, ErrValue) {
				t.Errorf("the value %v at 600 of many: %v", v, err)
			}
			if _, err := nullable.Match(value); !errors.Is(err, ErrValue) {
				t.Errorf("Match of %v: %v", v, err)
			}
		}
		if match, err := nullable.Match(sql.Null[T]{}); len(match) > 0 || err != nil {
			t.Errorf("a missing element matches %x (%v)", match, err)
		}
	})
}

func TestNone(t *testing.T) {
	checkNone(t, Bool, "\x02", nil)
	checkNone(t, Int8, "\x80", nil, math.MinInt8)
	checkNone(t, Int16, "\x00\x80", nil, math.MinInt16)
	checkNone(t, Int32, "\x00\x00\x00\x80", nil, math.MinInt32)
	checkNone(t, Int64, "\x00\x00\x00\x00\x00\x00\x00\x80", nil, math.MinInt64)
	checkNone(t, Uint8, "\xff", nil, math.MaxUint8)
	checkNone(t, Uint16, "\xff\xff", nil, math.MaxUint16)
	checkNone(t, Uint32, "\xff\xff\xff\xff", nil, math.MaxUint32)
	checkNone(t, Uint64, strings.Repeat("\xff", 8), nil, math.MaxUint64)
	checkNone(t, Float16, "\x00\x7e", []string{"\x01\x7c", "\xff\xff"}, float32(math.NaN()))
	checkNone(t, Float32, "\x00\x00\xc0\x7f", []string{"\x01\x00\x80\xff"}, float32(math.NaN()))
	checkNone(t, Float64, "\x00\x00\x00\x00\x00\x00\xf8\x7f", []string{"\x01\x00\x00\x00\x00\x00\xf0\xff"}, math.NaN())
	checkNone(t, String, "\x00", nil, "\x00")
	checkNone(t, Text(UTF16BE), "\x00\x00", nil, "\x00")
	checkNone(t, MsgPack[*int](), "\xc0", nil, nil)
	checkNone(t, CBOR[any](), "\xf6", []string{"\xf7"}, nil)
	checkNone(t, FixedCBOR[[]int](3), "\xf6\x00\x00", []string{"\xf7xx"}, nil)
	checkNone(t, Timestamp(Second, ""), "\x00\x00\x00\x00\x00\x00\x00\x80", nil, time.Unix(math.MinInt64, 0))
	checkNone(t, Date, "\x00\x00\x00\x00\x00\x00\x00\x80", nil)
}

func TestNotNullable(t *testing.T) {
	refuse := func(typ interface {
		Err() error
		String() string
	}, words string) {
		t.Helper()
		if err := typ.Err(); !errors.Is(err, ErrSyntax) || !strings.Contains(err.Error(), words) {
			t.Errorf("nullable %v: %v", typ, err)
		}
	}
	refuse(Nullable(Bytes), "text without a size")
	refuse(Nullable(FixedBytes(4)), "text without a size")
	refuse(Nullable(FixedText(4, UTF8)), "text without a size")
	refuse(Nullable[[]float32](Vector[float32](3)), "text without a size")
	refuse(Nullable(Tensors[int8]()), "text without a size")
	refuse(Nullable(FixedBytes(-1)), "between 0")
	refuse(Nullable(Nullable(Int64)), "already")
	if _, err := Nullable(Bytes).Append(nil, sql.Null[[]byte]{}); !errors.Is(err, ErrSyntax) {
		t.Errorf("an append to nullable bytes: %v", err)
	}
}

// Of a column that may miss elements, the others are checked.
func TestNullableWithCheck(t *testing.T) {
	empty := errors.New("empty")
	nullable := Nullable[map[string]int](MsgPack[map[string]int]().WithCheck(func(v any) error {
		if len(v.(map[string]any)) == 0 {
			return empty
		}
		return nil
	}))
	if _, err := nullable.Append(nil, sql.Null[map[string]int]{}); err != nil {
		t.Error(err)
	}
	for n, want := range map[string]error{"": empty, "a": nil} {
		v := map[string]int{}
		if n != "" {
			v[n] = 1
		}
		_, err := nullable.Append(nil, sql.Null[map[string]int]{V: v, Valid: true})
		if !errors.Is(err, want) || want != nil && !errors.Is(err, ErrValue) {
			t.Errorf("%v: got %v, want %v", v, err, want)
		}
	}
}

func TestNullableAllocations(t *testing.T) {
	const n = 1000
	buf := make([]byte, 0, 100*n)
	floats, times := make([]sql.Null[float64], n), make([]sql.Null[time.Time], n)
	check := func(name string, f func()) {
		t.Helper()
		if got := testing.AllocsPerRun(10, f); got > 1 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
	number, moment := Nullable(Float64), Nullable(Timestamp(Microsecond, "Europe/Berlin"))
	check("AppendAll of numbers", func() { _, _, _ = number.AppendAll(buf, nil, floats) })
	check("DecodeAll of numbers", func() { _ = number.DecodeAll(floats, buf[:8*n], nil) })
	check("AppendAll of times", func() { _, _, _ = moment.AppendAll(buf, nil, times) })
	check("DecodeAll of times", func() { _ = moment.DecodeAll(times, buf[:8*n], nil) })
}

func TestChange(t *testing.T) {
	look := func(typ interface{ Spec() Spec }, from, to Meaning, data []byte, ends []int, n int) (Change, error) {
		c := Change{Spec: typ.Spec(), From: from, To: to}
		err := c.Look(data, ends, n)
		return c, err
	}
	null := Meaning{Null: true}
	ints, _, _ := Int64.AppendAll(nil, nil, []int64{1, math.MinInt64, -1, math.MinInt64})
	if c, err := look(Int64, Meaning{}, null, ints, nil, 4); c.Missing != 2 || c.Turned != 2 || err != nil {
		t.Errorf("to null: %+v, %v", c, err)
	}
	if c, err := look(Int64, null, Meaning{Null: true, Date: true}, ints, nil, 4); c.Missing != 2 || c.Turned != 0 || err != nil {
		t.Errorf("null to null: %+v, %v", c, err)
	}
	if c, err := look(Int64, null, Meaning{}, ints, nil, 4); c.Missing != 0 || c.Turned != 2 || err != nil {
		t.Errorf("from null: %+v, %v", c, err)
	}
	var bad *ElementError
	if _, err := look(Int64, Meaning{}, Meaning{Time: Second}, ints, nil, 4); !errors.As(err, &bad) || bad.Index != 1 || !errors.Is(err, ErrValue) {
		t.Errorf("the lowest number as a time: %v", err)
	}
	for _, c := range []struct {
		m           Meaning
		first, last int64
	}{
		{Meaning{Date: true}, -719528, 2932896}, {Meaning{Time: Second}, -62167219200, 253402300799},
		{Meaning{Time: Millisecond}, -62167219200000, 253402300799999}, {Meaning{Time: Microsecond}, -62167219200000000, 253402300799999999},
	} {
		typ := c.m.Type(Int64.Spec())
		for n, want := range map[int64]bool{c.first - 1: false, c.first: true, c.last: true, c.last + 1: false, math.MaxInt64: false} {
			b, _ := Int64.Append(nil, n)
			if _, err := look(Int64, Meaning{}, c.m, b, nil, 1); (err == nil) != want {
				t.Errorf("%v of %d: %v", c.m, n, err)
			}
			if v, err := typ.Decode(b); want && (err != nil || v.(time.Time).Year() < 0 || v.(time.Time).Year() > 9999) {
				t.Errorf("%d is read as %v (%v)", n, v, err)
			}
		}
	}
	if _, err := look(Int64, Meaning{}, Meaning{Time: Nanosecond}, bytes.Repeat([]byte{0xff}, 8), nil, 1); err != nil {
		t.Error(err)
	}
	nan, _ := Float64.Append(nil, math.NaN())
	if c, err := look(Float64, Meaning{}, null, nan, nil, 1); c.Missing != 1 || c.Turned != 0 || err != nil {
		t.Errorf("NaN: %+v, %v", c, err)
	}
	if c, err := look(String, Meaning{}, null, []byte("a\x00\x00\x00"), []int{1, 2, 4}, 3); c.Missing != 1 || c.Turned != 1 || err != nil {
		t.Errorf("text: %+v, %v", c, err)
	}
	if c, err := look(Bool, Meaning{}, null, []byte{0, 1, 2}, nil, 3); c.Missing != 1 || c.Turned != 0 || err != nil {
		t.Errorf("bool: %+v, %v", c, err)
	}
	if _, err := look(Bool, Meaning{}, null, []byte{0, 1, 3}, nil, 3); !errors.As(err, &bad) || bad.Index != 2 {
		t.Errorf("the byte 3 as a bool: %v", err)
	}
	if _, err := look(Bool, null, Meaning{}, []byte{2}, nil, 1); !errors.As(err, &bad) {
		t.Errorf("the byte 2 as a bool: %v", err)
	}
	if c, err := look(MsgPack[any](), Meaning{}, null, []byte{0xc0, 1}, []int{1, 2}, 2); c.Missing != 1 || c.Turned != 0 || err != nil {
		t.Errorf("msgpack: %+v, %v", c, err)
	}
}

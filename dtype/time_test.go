package dtype

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

// genCounts draws numbers that are stored, with the ends of the range.
func genCounts() *rapid.Generator[int64] {
	return rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, -1, math.MaxInt64, math.MinInt64 + 1, -62135596800, -1e9, 999_999_999}))
}

func TestTimesRoundTrip(t *testing.T) {
	for u := Second; u <= Nanosecond; u++ {
		typ := Timestamp(u, "Europe/Berlin").(moment)
		gen := rapid.Map(genCounts(), func(n int64) time.Time {
			v, err := typ.time(n)
			if err != nil {
				panic(err)
			}
			return v
		})
		checkType[time.Time](t, typ, gen)
		for _, n := range []int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64} {
			v, err := typ.Decode(binary.LittleEndian.AppendUint64(nil, uint64(n)))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := typ.count(v); err != nil || got != n {
				t.Errorf("%v: %d is read as %v, which is %d (%v)", u, n, v, got, err)
			}
		}
	}
	checkType(t, Date, rapid.Map(rapid.Int64Range(-1e6, 1e7), func(n int64) time.Time { return time.Unix(n*secondsPerDay, 0).UTC() }))
}

func TestTimestamp(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
	for u, want := range map[Unit]int64{Second: -1, Millisecond: -1, Microsecond: -1, Nanosecond: -1} {
		b, err := Timestamp(u, "").Append(nil, at.In(berlin))
		if got := int64(binary.LittleEndian.Uint64(b)); got != want || err != nil {
			t.Errorf("%v in %v is %d (%v), want %d: times are cut toward the past", at, u, got, err, want)
		}
	}
	v, err := Timestamp(Millisecond, "Europe/Berlin").Decode(binary.LittleEndian.AppendUint64(nil, 1_752_000_000_123))
	if got := v.Format(time.RFC3339Nano); got != "2025-07-08T20:40:00.123+02:00" || err != nil {
		t.Errorf("read in its zone: %s (%v)", got, err)
	}
	for _, late := range []time.Time{{}, time.Date(2263, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(math.MaxInt64, 0), time.Unix(-9223372037, 145224191), time.Unix(9223372036, 854775808)} {
		if b, err := Timestamp(Nanosecond, "").Append(nil, late); !errors.Is(err, ErrValue) {
			t.Errorf("%v in nanoseconds: %x (%v)", late, b, err)
		}
	}
	for _, bad := range []Type[time.Time]{Timestamp(0, ""), Timestamp(9, ""), Timestamp(Second, "Nowhere"), Timestamp(Second, "Local"), Timestamp(Second, "a b"), Timestamp(Second, "../zone")} {
		if _, err := bad.Append(nil, at); !errors.Is(bad.Err(), ErrSyntax) || !errors.Is(err, ErrSyntax) {
			t.Errorf("%v: %v, %v", bad.Meaning(), bad.Err(), err)
		}
	}
	if s := Timestamp(Second, "UTC").String(); s != "i64" {
		t.Errorf("the dtype is %s", s)
	}
	// In a file the machine may lack the zone.
	there := Meaning{Time: Second, Zone: "Nowhere/Yet"}.Type(Int64.Spec())
	if v, err := there.Decode(make([]byte, 8)); err != nil || v != time.Unix(0, 0).UTC() {
		t.Errorf("of an unknown zone: %v (%v)", v, err)
	}
	if _, err := there.Append(nil, int64(5)); !errors.Is(err, ErrValue) || !strings.Contains(err.Error(), "Int64") {
		t.Errorf("a number as a time: %v", err)
	}
}

func TestDate(t *testing.T) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	evening := time.Date(2026, 7, 31, 23, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		at   time.Time
		want string
	}{{evening, "2026-07-31"}, {evening.In(tokyo), "2026-08-01"}, {time.Time{}, "0001-01-01"}, {time.Date(1969, 12, 31, 1, 0, 0, 0, time.UTC), "1969-12-31"}} {
		b, err := Date.Append(nil, c.at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Date.Decode(b)
		if err != nil || got.Format(time.DateOnly) != c.want || got.Location() != time.UTC || got.Hour() != 0 {
			t.Errorf("%v is the date %v (%v), want %s", c.at, got, err, c.want)
		}
	}
	for _, n := range []int64{math.MinInt64, math.MaxInt64, maxDay + 1} {
		if v, err := Date.Decode(binary.LittleEndian.AppendUint64(nil, uint64(n))); !errors.Is(err, ErrData) {
			t.Errorf("%d days are %v (%v)", n, v, err)
		}
	}
	if b, err := Date.Append(nil, time.Unix(math.MinInt64, 0)); err == nil {
		if _, err := Date.Decode(b); err != nil {
			t.Errorf("a date was stored that cannot be read: %v", err)
		}
	}
}

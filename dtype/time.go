package dtype

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Timestamp is the dtype i64 with times as its values: the number of units since
// the beginning of 1970 in UTC, negative before that. Microseconds reach from
// -290308 to +294247, nanoseconds from 1677 to 2262.
//
// What is finer than the unit is cut off, toward the past; a time outside of
// what the unit reaches is an [ErrValue]. Times are read in the zone, by its
// name in the IANA database; "" is UTC. A name that the machine does not know
// is an [ErrSyntax] of Err, but in a file it means UTC. (Import time/tzdata
// where the machine has no database.)
func Timestamp(u Unit, zone string) Type[time.Time] {
	m := Meaning{Time: u, Zone: zone}
	t := newMoment(Spec{Kind: KindInt64}, m)
	if u == 0 {
		t.err = fmt.Errorf("%w: a Timestamp without a unit", ErrSyntax)
	}
	if err := checkZone(zone); t.err == nil {
		t.err = err
	}
	return t
}

// Date is the dtype i64 with dates as its values: the number of days since
// 1970-01-01, negative before that. In Go a date is midnight in UTC. Of a time
// the date is stored that it shows in its own zone.
var Date Type[time.Time] = newMoment(Spec{Kind: KindInt64}, Meaning{Date: true})

// moment is the codec of times and dates.
type moment struct {
	*base
	unit Unit // 0: days
	zone *time.Location
}

func newMoment(s Spec, m Meaning) moment {
	t := moment{newBase(s), m.Time, loadZone(m.Zone)}
	t.meaning = m
	if t.err == nil {
		t.err = m.Check(s)
	}
	return t
}

// perSecond are the units in a second.
var perSecond = [...]int64{Second: 1, Millisecond: 1e3, Microsecond: 1e6, Nanosecond: 1e9}

const secondsPerDay = 24 * 60 * 60

// maxDay is the largest number of days whose seconds can be counted.
const maxDay = math.MaxInt64 / secondsPerDay

// count returns the number that is stored for v.
func (t moment) count(v time.Time) (int64, error) {
	if t.unit == 0 {
		year, month, day := v.Date()
		date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
		if date.Year() != year {
			return 0, fmt.Errorf("%w: the year %d is outside of what a date can hold", ErrValue, year)
		}
		return date.Unix() / secondsPerDay, nil
	}
	per := perSecond[t.unit]
	seconds, part := v.Unix(), int64(v.Nanosecond())/(1e9/per)
	if seconds < 0 { // so that the lowest number can be reached
		seconds, part = seconds+1, part-per
	}
	n := seconds*per + part
	if seconds > math.MaxInt64/per || seconds < math.MinInt64/per || seconds > 0 && n < 0 || seconds < 0 && n > 0 {
		return 0, fmt.Errorf("%w: the year %d is outside of what i64 reaches in %v", ErrValue, v.Year(), t.unit)
	}
	return n, nil
}

// time returns the time of a stored number.
func (t moment) time(n int64) (time.Time, error) {
	switch t.unit {
	case Second:
		return time.Unix(n, 0).In(t.zone), nil
	case Millisecond:
		return time.UnixMilli(n).In(t.zone), nil
	case Microsecond:
		return time.UnixMicro(n).In(t.zone), nil
	case Nanosecond:
		return time.Unix(0, n).In(t.zone), nil
	}
	if n > maxDay || n < -maxDay {
		return time.Time{}, fmt.Errorf("%w: %d days are more than a date can hold: read the column as Int64", ErrData, n)
	}
	return time.Unix(n*secondsPerDay, 0).UTC(), nil
}

func (t moment) Append(dst []byte, v time.Time) ([]byte, error) {
	if err := t.Err(); err != nil {
		return dst, err
	}
	n, err := t.count(v)
	if err != nil {
		return dst, err
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(n)), nil
}

func (t moment) AppendAll(dst []byte, ends []int, vs []time.Time) ([]byte, []int, error) {
	return appendEach(t, slices.Grow(dst, 8*len(vs)), ends, vs)
}

func (t moment) Decode(src []byte) (time.Time, error) {
	if err := t.Err(); err != nil {
		return time.Time{}, err
	}
	src, err := t.element(src)
	if err != nil {
		return time.Time{}, err
	}
	return t.time(int64(binary.LittleEndian.Uint64(src)))
}

func (t moment) DecodeAll(dst []time.Time, data []byte, _ []int) error {
	if err := t.Err(); err != nil {
		return err
	}
	if _, err := newElements(t.size, len(dst), data, nil); err != nil {
		return err
	}
	for i := range dst {
		var err error
		if dst[i], err = t.time(int64(binary.LittleEndian.Uint64(data[8*i:]))); err != nil {
			return &ElementError{i, err}
		}
	}
	return nil
}

// Bytes returns nil, because a time is more than a number in memory.
func (moment) Bytes([]time.Time) []byte { return nil }

func (t moment) Match(v time.Time) ([][]byte, error) { return matchOne(t, v) }

// maxZone is the longest name of a zone, in bytes. The longest in the database
// has 32.
const maxZone = 64

// isZoneName tells whether a word may be the name of a time zone.
func isZoneName(s string) bool {
	const others = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/"
	return s != "" && len(s) <= maxZone && strings.Trim(s, others) == ""
}

// zones holds the time zones that have been loaded, by name.
var zones sync.Map

// findZone loads a time zone, for which the package time reads files. Local is
// none: it is another one on each machine.
func findZone(name string) (*time.Location, bool) {
	if name == "" {
		return time.UTC, true
	}
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), true
	}
	if !isZoneName(name) || name == time.Local.String() {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	zones.Store(name, zone)
	return zone, true
}

// loadZone returns a time zone, or UTC if it is not known.
func loadZone(name string) *time.Location {
	if zone, ok := findZone(name); ok {
		return zone
	}
	return time.UTC
}

func checkZone(name string) error {
	if _, ok := findZone(name); !ok {
		return fmt.Errorf("%w: the time zone %s is not known here: want a name such as Europe/Berlin", ErrSyntax, quote(name))
	}
	return nil
}

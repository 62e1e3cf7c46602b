package values

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"columnvault/dtype"
)

// Moment reads and prints times and dates: as RFC 3339 has them, and those
// outside of the years 0 to 9999, which it does not have, as the numbers that
// are stored.
type Moment struct {
	meaning dtype.Meaning
	t       dtype.Type[any]
	zone    *time.Location
}

// NewMoment returns the Moment of a meaning, which need not be one of times.
func NewMoment(m dtype.Meaning) Moment {
	f := Moment{meaning: m}
	if f.Is() {
		f.meaning.Null = false
		f.t = f.meaning.Type(dtype.Int64.Spec())
		if epoch, err := f.Time(0); err == nil {
			f.zone = epoch.Location()
		}
	}
	return f
}

// Is tells whether the meaning is one of times or dates.
func (f Moment) Is() bool { return f.meaning.IsTime() }

// Show puts times and dates in the place of numbers that are stored. What is no
// int64, and a number that no date reaches, stays.
func (f Moment) Show(numbers ...*any) {
	for _, v := range numbers {
		if n, ok := (*v).(int64); ok {
			if t, err := f.Time(n); err == nil {
				*v = t
			}
		}
	}
}

// Time returns the time that is stored as a number.
func (f Moment) Time(n int64) (time.Time, error) {
	v, err := f.t.Decode(binary.LittleEndian.AppendUint64(nil, uint64(n)))
	if err != nil {
		return time.Time{}, err
	}
	return v.(time.Time), nil
}

// layouts are those of times that parse reads. Without an offset a time is one
// in the zone of the column.
var layouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", time.DateOnly}

// parse reads a time or a date, with or without the quotes of JSON, or the
// number that is stored.
func (f Moment) parse(text []byte) (any, error) {
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return f.Time(n)
	}
	word := string(text)
	if n := len(word); n >= 2 && word[0] == '"' && word[n-1] == '"' {
		word = word[1 : n-1]
	}
	if f.meaning.Date {
		v, err := time.Parse(time.DateOnly, word)
		if err != nil {
			return nil, fmt.Errorf("%s is not a date such as 2026-07-31", Excerpt(text))
		}
		return v, nil
	}
	for _, layout := range layouts {
		if v, err := time.ParseInLocation(layout, word, f.zone); err == nil {
			return v, nil
		}
	}
	return nil, fmt.Errorf("%s is not a time such as 2026-07-31T12:00:00Z", Excerpt(text))
}

// append prints a time or a date.
func (f Moment) append(dst []byte, v time.Time) []byte {
	if year := v.Year(); year < 0 || year > 9999 {
		stored, err := f.t.Append(nil, v)
		if err != nil {
			panic(err) // it has been read from there
		}
		return strconv.AppendInt(dst, int64(binary.LittleEndian.Uint64(stored)), 10)
	}
	layout := time.RFC3339Nano
	if f.meaning.Date {
		layout = time.DateOnly
	}
	if _, offset := v.Zone(); offset%60 != 0 {
		v = v.UTC() // RFC 3339 has no seconds for the offsets of long ago
	}
	return append(v.AppendFormat(append(dst, '"'), layout), '"')
}

// plain returns what needs no time zone.
func (f Moment) plain(n int64) (t ISO, ok bool) {
	if !f.meaning.Date && f.zone != time.UTC {
		return ISO{}, false
	}
	return isoOf(n, f.meaning)
}

// AppendStored prints the time of a stored number as JSON.
func (f Moment) AppendStored(dst []byte, n int64) []byte {
	if t, ok := f.plain(n); ok {
		return append(t.Append(append(dst, '"')), '"')
	}
	v, err := f.Time(n)
	if err != nil {
		return strconv.AppendInt(dst, n, 10)
	}
	return f.append(dst, v)
}

// AppendBare prints the time of a stored number without quotes.
func (f Moment) AppendBare(dst []byte, n int64) []byte {
	if t, ok := f.plain(n); ok {
		return t.Append(dst)
	}
	start := len(dst)
	dst = f.AppendStored(dst, n)
	if dst[start] == '"' {
		dst = append(dst[:start], dst[start+1:len(dst)-1]...)
	}
	return dst
}

// ParseStored reads a time or a date as the number that is stored.
func (f Moment) ParseStored(text []byte) (int64, error) {
	if iso, ok := ParseISO(text); ok && (f.meaning.Date == iso.Date) && (iso.Date || iso.Zoned || f.zone == time.UTC) {
		if n, ok := iso.Stored(f.meaning); ok {
			return n, nil
		}
	}
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return n, nil
	}
	v, err := f.parse(text)
	if err != nil {
		return 0, err
	}
	stored, err := f.t.Append(nil, v)
	if err != nil {
		return 0, errors.New(Reason(err))
	}
	return int64(binary.LittleEndian.Uint64(stored)), nil
}

package values

import (
	"math"

	"columnvault/dtype"
)

// ISO is a date or a time as ISO 8601 writes it, in a strict form:
//
//	2026-07-31
//	2026-07-31T12:00:00.25Z    or a blank for the T
//	2026-07-31 12:00+02:00     or without an offset
//
// Seconds may be missing, and have up to nine digits after the point.
type ISO struct {
	// Date says that there is no time of day.
	Date bool
	// Zoned says that there is an offset, or Z. Otherwise it counts as UTC.
	Zoned bool
	// Seconds since 1970 and Nanos are the instant.
	Seconds int64
	Nanos   int64
	// Digits is the number of those after the point.
	Digits int
}

// two reads two digits; it is not below 100 if they are none.
func two(text []byte, at int) int {
	a, b := text[at]-'0', text[at+1]-'0'
	if a > 9 || b > 9 {
		return 100
	}
	return int(a)*10 + int(b)
}

// ParseISO reads a date or a time of the years 0 to 9999.
func ParseISO(text []byte) (t ISO, ok bool) {
	if len(text) < 10 || len(text) > 35 || text[4] != '-' || text[7] != '-' {
		return ISO{}, false
	}
	century, year, month, day := two(text, 0), two(text, 2), two(text, 5), two(text, 8)
	if century > 99 || year > 99 || month < 1 || month > 12 || day < 1 {
		return ISO{}, false
	}
	year += 100 * century
	if day > daysIn(year, month) {
		return ISO{}, false
	}
	t.Seconds = int64(daysSince1970(year, month, day)) * 86400
	if len(text) == 10 {
		t.Date = true
		return t, true
	}
	if len(text) < 16 || text[10] != 'T' && text[10] != ' ' || text[13] != ':' {
		return ISO{}, false
	}
	hour, minute, second := two(text, 11), two(text, 14), 0
	rest := text[16:]
	if len(rest) >= 3 && rest[0] == ':' {
		second = two(rest, 1)
		rest = rest[3:]
		if len(rest) > 0 && rest[0] == '.' {
			if t.Nanos, t.Digits = fraction(rest[1:]); t.Digits == 0 {
				return ISO{}, false
			}
			rest = rest[1+t.Digits:]
		}
	}
	if hour > 23 || minute > 59 || second > 59 {
		return ISO{}, false
	}
	t.Seconds += int64(hour*3600 + minute*60 + second)
	switch {
	case len(rest) == 0:
		return t, true
	case len(rest) == 1 && rest[0] == 'Z':
		t.Zoned = true
		return t, true
	case len(rest) != 6 || rest[0] != '+' && rest[0] != '-' || rest[3] != ':':
		return ISO{}, false
	}
	hour, minute = two(rest, 1), two(rest, 4)
	if hour > 23 || minute > 59 {
		return ISO{}, false
	}
	offset := int64(hour*3600 + minute*60)
	if rest[0] == '-' {
		offset = -offset
	}
	t.Seconds -= offset
	t.Zoned = true
	return t, true
}

// fraction reads up to nine digits as a part of a second. It returns no digits
// if there are more.
func fraction(text []byte) (nanos int64, digits int) {
	for digits < len(text) && text[digits]-'0' <= 9 {
		if digits == 9 {
			return 0, 0
		}
		nanos = 10*nanos + int64(text[digits]-'0')
		digits++
	}
	for i := digits; i < 9; i++ {
		nanos *= 10
	}
	return nanos, digits
}

// daysIn is the number of days of a month.
func daysIn(year, month int) int {
	switch {
	case month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	case month == 2:
		return 28
	case month == 4, month == 6, month == 9, month == 11:
		return 30
	}
	return 31
}

// daysSince1970 counts the days of the proleptic Gregorian calendar. Years begin
// in March here, so that the leap day is the last.
func daysSince1970(year, month, day int) int {
	year += 400 // so that nothing is negative
	if month <= 2 {
		year--
		month += 12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - (719468 + 146097)
}

// perSecond are the units of times in a second.
var perSecond = [...]int64{dtype.Second: 1, dtype.Millisecond: 1e3, dtype.Microsecond: 1e6, dtype.Nanosecond: 1e9}

// Stored returns the number that a column of this meaning stores, if it reaches
// that far. What is finer than the unit is cut off, toward the past.
func (t ISO) Stored(m dtype.Meaning) (n int64, ok bool) {
	if m.Date {
		return t.Seconds / 86400, t.Date && t.Seconds%86400 == 0
	}
	per := perSecond[m.Time]
	if t.Seconds > math.MaxInt64/per-1 || t.Seconds < math.MinInt64/per+1 {
		return 0, false
	}
	return t.Seconds*per + t.Nanos/(1e9/per), true
}

// Append prints a date, or a time in UTC, as ISO 8601 writes it, with as many
// digits after the point as it needs. The year must be one from 0 to 9999.
func (t ISO) Append(dst []byte) []byte {
	days := floorDiv(t.Seconds, 86400)
	year, month, day := dateOf(int(days))
	dst = appendTwo(appendTwo(dst, year/100), year%100)
	dst = appendTwo(append(dst, '-'), month)
	dst = appendTwo(append(dst, '-'), day)
	if t.Date {
		return dst
	}
	second := int(t.Seconds - days*86400)
	dst = appendTwo(append(dst, 'T'), second/3600)
	dst = appendTwo(append(dst, ':'), second/60%60)
	dst = appendTwo(append(dst, ':'), second%60)
	if t.Nanos > 0 {
		dst = append(dst, '.')
		for rest, place := t.Nanos, int64(1e8); rest > 0; place /= 10 {
			dst = append(dst, '0'+byte(rest/place))
			rest %= place
		}
	}
	return append(dst, 'Z')
}

// appendTwo prints a number below 100 in two digits.
func appendTwo(dst []byte, n int) []byte { return append(dst, '0'+byte(n/10), '0'+byte(n%10)) }

// floorDiv divides toward the past.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// The first and the last second of the years 0 to 9999.
const firstSecond, lastSecond = -62167219200, 253402300799

// isoOf returns the date or the time of a stored number, if it is in the years 0
// to 9999.
func isoOf(n int64, m dtype.Meaning) (t ISO, ok bool) {
	if t.Date = m.Date; m.Date {
		if n < firstSecond/86400 || n > lastSecond/86400 {
			return ISO{}, false
		}
		t.Seconds = n * 86400
		return t, true
	}
	per := perSecond[m.Time]
	t.Seconds = floorDiv(n, per)
	t.Nanos = (n - t.Seconds*per) * (1e9 / per)
	return t, t.Seconds >= firstSecond && t.Seconds <= lastSecond
}

// dateOf is the reverse of daysSince1970.
func dateOf(days int) (year, month, day int) {
	days += 719468 + 146097 // since March of the year -400, so that nothing is negative
	era, days := days/146097, days%146097
	ofEra := (days - days/1460 + days/36524 - days/146096) / 365
	days -= 365*ofEra + ofEra/4 - ofEra/100
	fromMarch := (5*days + 2) / 153
	day = days - (153*fromMarch+2)/5 + 1
	year, month = 400*era+ofEra-400, fromMarch+3
	if month > 12 {
		year, month = year+1, month-12
	}
	return year, month, day
}

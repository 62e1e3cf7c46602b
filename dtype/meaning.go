package dtype

import (
	"fmt"
	"strings"
)

// Meaning is what the elements of a column mean beyond their dtype. It is not
// part of the dtype: the file keeps it beside that, as [Attrs], and programs
// that do not know of it see the plain elements. The zero Meaning is none.
type Meaning struct {
	// Time says that an i64 counts units since the beginning of 1970 in UTC; see
	// [Timestamp]. 0 says that it does not.
	Time Unit
	// Zone is the time zone in which times are shown, by its name in the IANA
	// database, such as Europe/Berlin. Empty, and a zone that the machine does
	// not know, mean UTC. It changes nothing about the instants.
	Zone string
	// Date says that an i64 counts days since 1970-01-01; see [Date].
	Date bool
	// Null says that elements may be missing; see [Nullable].
	Null bool
}

// Unit is the unit of times that are stored as integers.
type Unit uint8

// The units.
const (
	Second Unit = 1 + iota
	Millisecond
	Microsecond
	Nanosecond
)

var unitNames = [...]string{Second: "s", Millisecond: "ms", Microsecond: "us", Nanosecond: "ns"}

// String returns the name of the unit in attrs: s, ms, us or ns.
func (u Unit) String() string {
	if u == 0 || u > Nanosecond {
		return fmt.Sprintf("Unit(%d)", uint8(u))
	}
	return unitNames[u]
}

// ParseMeaning reads the words of [Attrs] that a person has written: unlike
// those in files, they must all be known, and the zone too. An error is an
// [ErrSyntax].
func ParseMeaning(words string) (Meaning, error) {
	m, rest, err := Attrs(words).parse()
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%w: unknown word %s: want time=s, time=ms, time=us, time=ns, zone=NAME, date or null", ErrSyntax, quote(rest[0]))
	}
	if err == nil {
		err = m.checkWords()
	}
	if err == nil {
		err = checkZone(m.Zone)
	}
	if err != nil {
		return Meaning{}, err
	}
	return m, nil
}

// String returns the words that stand for m in [Attrs], which [ParseMeaning]
// reads.
func (m Meaning) String() string {
	var words []string
	if m.Time != 0 {
		words = append(words, "time="+m.Time.String())
	}
	if m.Zone != "" {
		words = append(words, "zone="+m.Zone)
	}
	if m.Date {
		words = append(words, "date")
	}
	if m.Null {
		words = append(words, "null")
	}
	return strings.Join(words, " ")
}

// Check returns an [ErrSyntax] if elements of the dtype cannot have this
// meaning.
func (m Meaning) Check(s Spec) error {
	if err := m.checkWords(); err != nil {
		return err
	}
	if m.IsTime() && s.Kind != KindInt64 {
		return fmt.Errorf("%w: times and dates are columns of i64, and not of %s", ErrSyntax, s.shown())
	}
	if _, ok := noneOf(s); m.Null && !ok {
		return fmt.Errorf("%w: %s has no value to stand for a missing one: use numbers, bool, text without a size, msgpack or cbor", ErrSyntax, s.shown())
	}
	return nil
}

// checkWords is Check as far as it does not depend on the dtype.
func (m Meaning) checkWords() error {
	switch {
	case m.Time > Nanosecond:
		return fmt.Errorf("%w: unknown unit of time %d", ErrSyntax, m.Time)
	case m.Time != 0 && m.Date:
		return fmt.Errorf("%w: a column is of times or of dates, and not of both", ErrSyntax)
	case m.Zone != "" && m.Time == 0:
		return fmt.Errorf("%w: a zone without time=s, ms, us or ns", ErrSyntax)
	case m.Zone != "" && !isZoneName(m.Zone):
		return fmt.Errorf("%w: %s is not the name of a time zone", ErrSyntax, quote(m.Zone))
	}
	return nil
}

// IsTime tells whether the elements are times or dates.
func (m Meaning) IsTime() bool { return m.Time != 0 || m.Date }

// Opens tells whether a codec of this meaning may open a column of that one, if
// the dtypes agree. Times and dates may be opened as plain integers, and times
// be shown in another zone; otherwise the two must be the same.
func (m Meaning) Opens(column Meaning) bool {
	return m.Null == column.Null && (!m.IsTime() || m.Time == column.Time && m.Date == column.Date)
}

// Attrs is the text in which a file keeps the [Meaning] of a column, beside its
// dtype: words between blanks.
//
//	time=s time=ms time=us time=ns   integers are times in this unit
//	zone=NAME                        and shown in this time zone
//	date                             integers are days
//	null                             elements may be missing
//
// Other words are those of other versions. They are kept, and have no meaning
// here.
type Attrs string

// maxAttrs is the longest text that means anything, in bytes.
const maxAttrs = 1 << 10

// Meaning returns what the text means for a column of the dtype. Words that
// contradict each other or the dtype mean nothing, for all of the text; see
// [Attrs.Check].
func (a Attrs) Meaning(s Spec) Meaning {
	if a == "" {
		return Meaning{}
	}
	m, _, err := a.parse()
	if m.Time == 0 {
		m.Zone = "" // the unit may be one of another version
	}
	if err != nil || m.Check(s) != nil {
		return Meaning{}
	}
	return m
}

// Check says why the text means less than it says for a column of the dtype:
// an [ErrSyntax], or nil.
func (a Attrs) Check(s Spec) error {
	m, _, err := a.parse()
	if err == nil {
		err = m.Check(s)
	}
	return err
}

// With returns the text with m in place of what it means. Unknown words stay,
// unless there are too many.
func (a Attrs) With(m Meaning) Attrs {
	_, rest, _ := a.parse()
	words := rest
	if known := m.String(); known != "" {
		words = append([]string{known}, rest...)
	}
	if text := strings.Join(words, " "); len(text) <= maxAttrs {
		return Attrs(text)
	}
	return Attrs(m.String())
}

// parse reads the known words and returns the others.
func (a Attrs) parse() (m Meaning, rest []string, err error) {
	if len(a) > maxAttrs {
		return Meaning{}, nil, fmt.Errorf("%w: attrs of more than %d bytes", ErrSyntax, maxAttrs)
	}
	for word := range strings.SplitSeq(string(a), " ") {
		name, value, _ := strings.Cut(word, "=")
		unit := parseUnit(value)
		switch {
		case word == "":
		case word == "date":
			m.Date = true
		case word == "null":
			m.Null = true
		case name == "time" && unit != 0:
			if m.Time != 0 && m.Time != unit {
				err = fmt.Errorf("%w: two units of time, %v and %v", ErrSyntax, m.Time, unit)
			}
			m.Time = unit
		case name == "zone" && isZoneName(value):
			if m.Zone != "" && m.Zone != value {
				err = fmt.Errorf("%w: two time zones, %s and %s", ErrSyntax, m.Zone, value)
			}
			m.Zone = value
		default:
			rest = append(rest, word)
		}
	}
	return m, rest, err
}

func parseUnit(name string) Unit {
	for u := Second; u <= Nanosecond; u++ {
		if name == unitNames[u] {
			return u
		}
	}
	return 0
}

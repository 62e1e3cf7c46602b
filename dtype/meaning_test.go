package dtype

import (
	"errors"
	"strings"
	"testing"
)

func spec(t testing.TB, dtype string) Spec {
	t.Helper()
	s, err := ParseSpec(dtype)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAttrs(t *testing.T) {
	for _, c := range []struct {
		dtype, attrs string
		want         Meaning
		hazard       string // what Check says, empty if nothing
	}{
		{"i64", "", Meaning{}, ""},
		{"i64", "time=us", Meaning{Time: Microsecond}, ""},
		{"i64", "  time=s   zone=Europe/Berlin null ", Meaning{Time: Second, Zone: "Europe/Berlin", Null: true}, ""},
		{"i64", "zone=Etc/GMT+1 time=ns", Meaning{Time: Nanosecond, Zone: "Etc/GMT+1"}, ""},
		{"i64", "time=ms zone=Nowhere/At_all", Meaning{Time: Millisecond, Zone: "Nowhere/At_all"}, ""},
		{"i64", "date null", Meaning{Date: true, Null: true}, ""},
		{"i64", "date date time=ps color=red null=no", Meaning{Date: true}, ""},
		{"u8", "null", Meaning{Null: true}, ""},
		{"str:utf16le", "null", Meaning{Null: true}, ""},
		{"msgpack:9", "null", Meaning{Null: true}, ""},
		{"i64", "zone=UTC", Meaning{}, "without time"},
		{"i64", "time=us time=us", Meaning{Time: Microsecond}, ""},
		{"i64", "time=us time=ms null", Meaning{}, "two units"},
		{"i64", "time=us zone=UTC zone=Asia/Tokyo", Meaning{}, "two time zones"},
		{"i64", "time=us date", Meaning{}, "not of both"},
		{"i64", "time=us\tnull", Meaning{}, ""},
		{"i64", "zone=../../etc/passwd time=s", Meaning{Time: Second}, ""},
		{"str", "time=us", Meaning{}, "not of str:utf8"},
		{"i32", "date", Meaning{}, "not of i32"},
		{"f64", "time=s null", Meaning{}, "not of f64"},
		{"bytes", "null", Meaning{}, "no value"},
		{"str:8", "null", Meaning{}, "no value"},
		{"vec:f32:3", "null", Meaning{}, "no value"},
		{"msgpack:0", "null", Meaning{}, "no value"},
		{"i64", "null " + strings.Repeat("x", 2000), Meaning{}, "more than"},
		{"i64", "\xff\x00 null", Meaning{Null: true}, ""},
	} {
		s := spec(t, c.dtype)
		if got := Attrs(c.attrs).Meaning(s); got != c.want {
			t.Errorf("%s %q means %+v, want %+v", c.dtype, c.attrs, got, c.want)
		}
		err := Attrs(c.attrs).Check(s)
		if (err == nil) != (c.hazard == "") || err != nil && (!errors.Is(err, ErrSyntax) || !strings.Contains(err.Error(), c.hazard)) {
			t.Errorf("%s %q: Check says %v, want %q", c.dtype, c.attrs, err, c.hazard)
		}
	}
}

func TestAttrsKeepWhatTheyDoNotKnow(t *testing.T) {
	m := Meaning{Time: Microsecond, Zone: "Asia/Tokyo", Null: true}
	for attrs, want := range map[Attrs]Attrs{
		"":                               "time=us zone=Asia/Tokyo null",
		"date color=red x":               "time=us zone=Asia/Tokyo null color=red x",
		"time=ps null  time=s":           "time=us zone=Asia/Tokyo null time=ps",
		Attrs(strings.Repeat("x", 1020)): "time=us zone=Asia/Tokyo null",
		Attrs(strings.Repeat("x", 4000)): "time=us zone=Asia/Tokyo null",
	} {
		if got := attrs.With(m); got != want {
			t.Errorf("%.40q with %v is %q, want %q", attrs, m, got, want)
		}
	}
	if got := Attrs("time=us other").With(Meaning{}); got != "other" {
		t.Errorf("without a meaning: %q", got)
	}
}

func TestParseMeaning(t *testing.T) {
	for _, words := range []string{"", "time=us", "time=ns zone=Europe/Berlin null", "date null"} {
		if m, err := ParseMeaning(words); err != nil || m.String() != words {
			t.Errorf("%q is %q (%v)", words, m, err)
		}
	}
	for words, want := range map[string]string{
		"time":                   `unknown word "time"`,
		"tiem=us":                `unknown word "tiem=us"`,
		"time=m":                 "want time=s",
		"time=us zone=Berlin":    `"Berlin" is not known`,
		"time=us zone=Local":     `"Local" is not known`,
		"time=us zone=../x":      "unknown word",
		"zone=UTC":               "without time",
		"time=us date":           "not of both",
		"time=us\nnull":          "unknown word",
		"time=us time=s":         "two units",
		strings.Repeat("x", 2e3): "more than",
	} {
		if m, err := ParseMeaning(words); !errors.Is(err, ErrSyntax) || !strings.Contains(err.Error(), want) || m != (Meaning{}) {
			t.Errorf("%.40q is %q (%v), want an error that says %q", words, m, err, want)
		}
	}
}

func TestOpens(t *testing.T) {
	plain, null := Meaning{}, Meaning{Null: true}
	us, ms, date := Meaning{Time: Microsecond}, Meaning{Time: Millisecond}, Meaning{Date: true}
	berlin := Meaning{Time: Microsecond, Zone: "Europe/Berlin"}
	usNull := Meaning{Time: Microsecond, Null: true}
	for _, c := range []struct {
		codec, column Meaning
		want          bool
	}{
		{plain, plain, true}, {plain, us, true}, {plain, date, true}, {plain, null, false}, {plain, usNull, false},
		{null, null, true}, {null, usNull, true}, {null, plain, false}, {null, us, false},
		{us, us, true}, {us, berlin, true}, {berlin, us, true}, {us, ms, false}, {us, plain, false}, {us, date, false}, {us, usNull, false},
		{date, date, true}, {date, plain, false}, {date, us, false}, {usNull, usNull, true}, {usNull, us, false},
	} {
		if got := c.codec.Opens(c.column); got != c.want {
			t.Errorf("%q opens a column of %q: %v, want %v", c.codec, c.column, got, c.want)
		}
	}
}

// FuzzAttrs: any text means something for every dtype, or nothing; what it
// means is written so that it is read again, and unknown words stay.
func FuzzAttrs(f *testing.F) {
	for _, attrs := range []string{"", "time=us zone=Europe/Berlin null", "date x", "time=s time=ms", "zone=a", "null  \x00\xff", "time=ps", "date\f"} {
		for i := range fuzzDTypes {
			f.Add(attrs, uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, text string, i uint8) {
		s := spec(t, fuzzDTypes[int(i)%len(fuzzDTypes)])
		a := Attrs(text)
		m := a.Meaning(s)
		if err := m.Check(s); err != nil {
			t.Fatalf("%q means %q, which does not fit: %v", text, m, err)
		}
		if typ := m.Type(s); typ.Err() != nil || typ.Meaning() != m || typ.Spec().String() != s.String() {
			t.Fatalf("the codec of %q is of %q (%v)", text, typ.Meaning(), typ.Err())
		}
		if a.Check(s) != nil {
			return
		}
		again := a.With(m)
		if again.Meaning(s) != m || again.With(m) != again || len(again) > max(len(text), maxAttrs) {
			t.Fatalf("%q becomes %q, which means %q", text, again, again.Meaning(s))
		}
	})
}

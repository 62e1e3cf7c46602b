package excerpt_test

import (
	"errors"
	"strings"
	"testing"

	"columnvault/internal/excerpt"
)

func TestQuote(t *testing.T) {
	for _, c := range []struct {
		text    string
		longest int
		want    string
	}{
		{"", 3, `""`},
		{"abc", 3, `"abc"`},
		{"abcd", 3, `"abc"...`},
		{"a\x1b\n", 3, `"a\x1b\n"`},
		{"aé", 3, `"aé"`},
		{"aéb", 2, `"a"...`}, // not half of a character
		{"日本", 5, `"日"...`},
		{"\x80\x80\x80\x80\x80\x80", 5, `"\x80"...`},
		{"\x80\x80", 1, `""...`},
		{strings.Repeat("x", 1<<20), 4, `"xxxx"...`},
	} {
		if got := excerpt.Quote(c.text, c.longest); got != c.want {
			t.Errorf("%.20q, %d: got %s, want %s", c.text, c.longest, got, c.want)
		}
		if got := excerpt.Quote([]byte(c.text), c.longest); got != c.want {
			t.Errorf("the bytes %.20q, %d: got %s, want %s", c.text, c.longest, got, c.want)
		}
	}
}

func TestShorten(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "abcd": "abcd", "abcde": "abc…", "日本日本": "日本日本", "日本日本日": "日本日…",
		"\xff\xff\xff\xff": "\xff\xff\xff\xff", "\xff\xff\xff\xff\xff": "\xff\xff\xff…",
	} {
		if got := excerpt.Shorten(text, 4); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain": "plain", `"é"`: `"é"`, "\x1b[31m": `\x1b[31m`, "a\tb": `a\tb`, "\xff": `\xff`, "\ufffd": "�",
		"\u202e": `\u202e`,
	} {
		if got := excerpt.Printable(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestError(t *testing.T) {
	kind := errors.New("kind")
	err := excerpt.Error(errors.Join(kind, errors.New(strings.Repeat("x", 1<<20))))
	if text := err.Error(); len(text) > 2000 || !strings.HasPrefix(text, "kind\nxxx") || !errors.Is(err, kind) {
		t.Errorf("%d bytes: %.100s", len(text), text)
	}
}

package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"columnvault"
)

func runProgram(t *testing.T, ctx context.Context, in io.Reader, args ...string) string {
	t.Helper()
	var out strings.Builder
	if err := run(ctx, in, &out, args); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.db")
	runProgram(t, t.Context(), strings.NewReader("one\ntwo\n"), path)
	runProgram(t, t.Context(), strings.NewReader("three\n"), path)
	var texts []string
	for line := range strings.Lines(runProgram(t, t.Context(), nil, path, "last", "1h")) {
		stamp, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if _, err := time.Parse(time.RFC3339Nano, stamp); err != nil {
			t.Error(err)
		}
		texts = append(texts, text)
	}
	if want := []string{"one", "two", "three"}; !slices.Equal(texts, want) {
		t.Errorf("lines %q, want %q", texts, want)
	}
	if got := runProgram(t, t.Context(), nil, path, "keep", "1h"); got != "deleted: 0\n" {
		t.Error(got)
	}
	if got := runProgram(t, t.Context(), nil, path, "keep", "-1h"); got != "deleted: 3\n" {
		t.Error(got)
	}
}

// TestInterrupt: what was read when the program is told to end is written.
func TestInterrupt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.db")
	ctx, stop := context.WithCancel(t.Context())
	in, lines := io.Pipe()
	go func() {
		fmt.Fprintln(lines, "read")
		io.WriteString(lines, "half") // returns when the program waits for more
		stop()
	}()
	runProgram(t, ctx, in, path)
	in.Close()
	if got := runProgram(t, t.Context(), nil, path, "last", "1h"); !strings.HasSuffix(got, " read\n") {
		t.Errorf("the log has %q", got)
	}
}

// TestClockSetBack: times ascend, whatever the clock says.
func TestClockSetBack(t *testing.T) {
	v, err := columnvault.Open(t.Context(), filepath.Join(t.TempDir(), "log.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	l, err := openLogger(t.Context(), v, nil)
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour).Truncate(time.Microsecond).UTC()
	l.last = later
	if err := l.Log(t.Context(), "early"); err != nil {
		t.Fatal(err)
	}
	var got []Record
	err = l.Since(t.Context(), later, func(r Record) error { got = append(got, r); return nil })
	if err != nil || len(got) != 1 || got[0] != (Record{later, "early"}) {
		t.Errorf("records %v, %v", got, err)
	}
}

// BenchmarkLog measures a record, and BenchmarkSince the last thousand of a
// million.
func BenchmarkLog(b *testing.B) {
	l := benchLogger(b, 0)
	for b.Loop() {
		if err := l.Log(b.Context(), "a line of some forty characters, as they are"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSince(b *testing.B) {
	l := benchLogger(b, 1_000_000)
	last, err := l.times.At(b.Context(), -1000)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		n := 0
		if err := l.Since(b.Context(), time.UnixMicro(last), func(Record) error { n++; return nil }); err != nil || n < 1000 {
			b.Fatal(n, err)
		}
	}
}

func benchLogger(b *testing.B, records int) *Logger {
	b.Helper()
	v, err := columnvault.Open(b.Context(), filepath.Join(b.TempDir(), "log.db"), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { v.Close() })
	l, err := openLogger(b.Context(), v, nil)
	for range records {
		if err == nil {
			err = l.Log(b.Context(), "a line of some forty characters, as they are")
		}
	}
	if err != nil {
		b.Fatal(err)
	}
	return l
}

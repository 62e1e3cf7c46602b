package report

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestTheSameIsToldOnceAMinute(t *testing.T) {
	var out bytes.Buffer
	l := New(slog.New(slog.NewTextHandler(&out, nil)), "a.db")
	now := time.Unix(0, 0)
	l.now = func() time.Time { return now }
	tell := func(what string) (said string) {
		out.Reset()
		l.TellOnce(slog.LevelError, FlushFailed, what)
		return out.String()
	}
	if got := tell("disk"); !strings.Contains(got, `msg="flush failed" path=a.db`) {
		t.Errorf("the first time: %q", got)
	}
	for range 3 {
		now = now.Add(quiet / 4)
		if got := tell("disk"); got != "" {
			t.Errorf("again: %q", got)
		}
	}
	now = now.Add(quiet / 4)
	if got := tell("disk"); !strings.Contains(got, "repeated=3") {
		t.Errorf("a minute later: %q", got)
	}
	if got := tell("gone"); got == "" || strings.Contains(got, "repeated") {
		t.Errorf("something else: %q", got)
	}
	if !l.Over(FlushFailed) || l.Over(FlushFailed) {
		t.Error("what is over is over once")
	}
	if got := tell("gone"); got == "" {
		t.Error("nothing is told after it was over")
	}
}

func TestNoLogger(t *testing.T) {
	l := New(nil, "a.db")
	l.Tell(slog.LevelInfo, FlushWorks)
	l.TellOnce(slog.LevelInfo, FlushWorks, "")
	if l.Over(FlushWorks) {
		t.Error("nothing was told")
	}
}

// Package report tells an operator what the caller of an operation does not
// hear, or hears too late: in a few messages that do not change from version to
// version, and not the same one again and again.
package report

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// The messages. Options.Logger of the root package lists them with their
// attributes.
const (
	FlushFailed      = "flush failed"
	FlushWorks       = "flush works again"
	LogLong          = "write-ahead log is long"
	SnapshotEnded    = "snapshot ended for its age"
	FileReplaced     = "file replaced"
	CommitUnknown    = "outcome of a commit unknown"
	CheckpointFailed = "checkpoint failed"
	RebuildFailed    = "rebuild failed"
)

// quiet is how long a message is kept back that says the same as the last one.
const quiet = time.Minute

// Log writes the messages about one vault. A nil Log is silent. It is safe for
// concurrent use.
type Log struct {
	to  *slog.Logger
	now func() time.Time

	mu   sync.Mutex
	told map[string]*told
}

// told is what a message said the last time.
type told struct {
	what string
	when time.Time
	// kept counts those that were kept back since.
	kept int
}

// New returns a Log that writes to a logger, or nil if that is nil.
func New(to *slog.Logger, path string) *Log {
	if to == nil {
		return nil
	}
	return &Log{to: to.With(slog.String("path", path)), now: time.Now, told: map[string]*told{}}
}

// Tell writes a message. It must not be called with a lock that an operation of
// the vault may want, because nobody knows what the logger does.
func (l *Log) Tell(level slog.Level, message string, attrs ...slog.Attr) {
	if l != nil {
		l.to.LogAttrs(context.Background(), level, message, attrs...)
	}
}

// TellOnce is Tell, unless the same message was written less than a minute ago
// and was about the same. The next one says how many were kept back.
func (l *Log) TellOnce(level slog.Level, message, what string, attrs ...slog.Attr) {
	if l == nil {
		return
	}
	if kept, again := l.fresh(message, what); again {
		if kept > 0 {
			attrs = append(attrs, slog.Int("repeated", kept))
		}
		l.Tell(level, message, attrs...)
	}
}

func (l *Log) fresh(message, what string) (kept int, again bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, last := l.now(), l.told[message]
	if last != nil && last.what == what && now.Sub(last.when) < quiet {
		last.kept++
		return 0, false
	}
	if last != nil {
		kept = last.kept
	}
	l.told[message] = &told{what: what, when: now}
	return kept, true
}

// Over forgets that a message was written, and tells whether one was.
func (l *Log) Over(message string) bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, was := l.told[message]
	delete(l.told, message)
	return was
}

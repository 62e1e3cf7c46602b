package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"columnvault/internal/report"
	"columnvault/internal/store"
)

// messages is a slog.Handler that keeps what it is told, as text.
type messages struct {
	mu  sync.Mutex
	all []string
}

func (m *messages) Enabled(context.Context, slog.Level) bool { return true }
func (m *messages) WithAttrs([]slog.Attr) slog.Handler       { return m }
func (m *messages) WithGroup(string) slog.Handler            { return m }
func (m *messages) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, text)
	return nil
}

// saying returns the messages that begin with a text.
func (m *messages) saying(text string) (some []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, message := range m.all {
		if strings.HasPrefix(message, text) {
			some = append(some, message)
		}
	}
	return some
}

func logTo(m *messages) *report.Log { return report.New(slog.New(m), "vault.db") }

func put(t *testing.T, s *Store, size int) {
	t.Helper()
	check(t, s.Update(t.Context(), func(tx store.Tx) error {
		return tx.Put(t.Context(), "kv", []byte("key"), make([]byte, size))
	}))
}

func TestStatsOfWriters(t *testing.T) {
	s := openStore(t, Options{})
	before := s.Stats()
	put(t, s, 100_000)
	failed := errors.New("failed")
	if err := s.Update(t.Context(), func(store.Tx) error { return failed }); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	func() {
		defer func() { recover() }()
		s.Update(t.Context(), func(store.Tx) error { panic(failed) })
	}()
	st := s.Stats()
	if st.Commits-before.Commits != 1 || st.Rollbacks-before.Rollbacks != 2 {
		t.Errorf("after a commit, an error and a panic: %+v", st)
	}
	pages := st.LogPages - before.LogPages
	if pages < 13 || pages > 20 || st.LogBytes-before.LogBytes != pages*(8192+24) {
		t.Errorf("%d pages and %d bytes were written for 100,000 bytes", pages, st.LogBytes-before.LogBytes)
	}
	info, err := os.Stat(s.path + "-wal")
	check(t, err)
	if st.LogSize != info.Size() {
		t.Errorf("the log has %d bytes, not %d", info.Size(), st.LogSize)
	}
}

func TestStatsOfCheckpoints(t *testing.T) {
	s := openStore(t, Options{})
	put(t, s, 100_000)
	done, err := s.Checkpoint(t.Context(), store.CheckpointPassive)
	check(t, err)
	if st := s.Stats(); st.Checkpoints != 1 || st.CheckpointPages != int64(done.Moved) || st.CheckpointsBehindUsers != 0 {
		t.Errorf("after a checkpoint of %d pages: %+v", done.Moved, st)
	}
	snap, err := s.Snapshot(t.Context())
	check(t, err)
	put(t, s, 100_000)
	put(t, s, 50_000)
	s.opts.BusyTimeout = time.Nanosecond
	held, err := s.Checkpoint(t.Context(), store.CheckpointRestart)
	check(t, err)
	if st := s.Stats(); !held.Busy || st.Checkpoints != 2 || st.CheckpointsBehindUsers != 1 {
		t.Errorf("beside a snapshot: %+v, %+v", held, st)
	}
	check(t, snap.Close())
	before := s.Stats().CheckpointPages
	pages := s.writer.logPages
	s.opts.BusyTimeout = time.Minute
	cut, err := s.Checkpoint(t.Context(), store.CheckpointTruncate)
	check(t, err)
	st := s.Stats()
	if cut.Busy || st.LogSize != 0 || st.CheckpointsFailed != 0 || st.CheckpointPages <= before || st.CheckpointPages > int64(done.Moved+pages) {
		t.Errorf("a log of %d pages was cut: %+v, %+v; before it %d were moved", pages, cut, st, before)
	}
}

func TestStatsOfSnapshots(t *testing.T) {
	m := &messages{}
	s := openStore(t, Options{Log: logTo(m)})
	put(t, s, 1)
	before := s.Stats()
	old, err := s.Snapshot(t.Context())
	check(t, err)
	old.(*snapshot).born = time.Now().Add(-time.Hour)
	check(t, readRow(t.Context(), s))
	st := s.Stats()
	if st.Snapshots-before.Snapshots != 2 || st.SnapshotsOpen != 1 || st.OldestSnapshot < time.Hour || st.SnapshotsEnded != 0 {
		t.Errorf("with a snapshot that is an hour old: %+v", st)
	}
	put(t, s, 2)
	s.clean()
	if st = s.Stats(); st.SnapshotsEnded != 1 {
		t.Errorf("after it was ended: %+v", st)
	}
	if told := m.saying(report.SnapshotEnded); len(told) != 1 || !strings.Contains(told[0], "limit=1m0s") {
		t.Errorf("the operator was told %q", m.all)
	}
	check(t, old.Close())
	if st = s.Stats(); st.SnapshotsOpen != 0 || st.OldestSnapshot != 0 {
		t.Errorf("after it was closed: %+v", st)
	}
}

func TestStatsOfWaits(t *testing.T) {
	s := openStore(t, Options{})
	other := openStoreAt(t, s.path, Options{})
	inside, end, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		ended <- s.Update(t.Context(), func(store.Tx) error { close(inside); <-end; return nil })
	}()
	<-inside
	for _, waiter := range []*Store{s, other} {
		waiter.opts.BusyTimeout = time.Millisecond
		if err := waiter.Update(t.Context(), func(store.Tx) error { return nil }); !errors.Is(err, store.ErrBusy) {
			t.Error(err)
		}
	}
	close(end)
	check(t, <-ended)
	if st := s.Stats(); st.WaitTurn <= 0 || st.WaitLock != 0 {
		t.Errorf("waited beside the own writer: %+v", st)
	}
	if st := other.Stats(); st.WaitTurn != 0 || st.WaitLock <= 0 {
		t.Errorf("waited beside another's writer: %+v", st)
	}
}

// TestLongLogIsTold: once for every size that is twice as large as the last.
func TestLongLogIsTold(t *testing.T) {
	m := &messages{}
	s := openStore(t, Options{Log: logTo(m), BusyTimeout: time.Millisecond})
	put(t, s, 1)
	s.longLog = 1 << 20
	snap, err := s.Snapshot(t.Context())
	check(t, err)
	for range 40 {
		put(t, s, 100_000)
		s.writer.checkpointAt = 0
		pages := s.writer.logPages
		s.writer.logPages += 2 * checkpointPages // as if it were so long that it is drained
		s.keepLogShort(t.Context(), s.writer)()
		s.writer.logPages = pages
	}
	told := m.saying(report.LogLong)
	if len(told) != 1 || !strings.Contains(told[0], "snapshots_open=1") {
		t.Errorf("%d messages about a log of %d pages: %q", len(told), s.writer.logPages, told)
	}
	check(t, snap.Close())
}

func TestReplacedFileIsTold(t *testing.T) {
	m := &messages{}
	s := openStore(t, Options{Log: logTo(m)})
	check(t, os.Rename(s.path, s.path+".old"))
	for range 3 {
		if err := appendRow(t.Context(), s, "a"); !errors.Is(err, store.ErrReplaced) {
			t.Error(err)
		}
		s.writer.looked = time.Time{}
	}
	if told := m.saying(report.FileReplaced); len(told) != 1 || !strings.Contains(told[0], "error=") {
		t.Errorf("the operator was told %q", m.all)
	}
}

// TestCheckpointFailureIsTold: the first of a row of failures.
func TestCheckpointFailureIsTold(t *testing.T) {
	m := &messages{}
	s := openStore(t, Options{Log: logTo(m)})
	for range 3 {
		s.countCheckpoint(store.Checkpoint{}, store.ErrUnavailable)
	}
	if n := s.Stats().CheckpointsFailed; n != 3 || len(m.saying(report.CheckpointFailed)) != 1 {
		t.Errorf("of %d failures the operator was told %q", n, m.all)
	}
}

// TestCountingTakesNoMemory: what is counted costs no allocation, for a reader
// in a snapshot that rests as for a writer.
func TestCountingTakesNoMemory(t *testing.T) {
	s := openStore(t, Options{})
	put(t, s, 1)
	c := s.writer
	for name, count := range map[string]func(){
		"the end of a transaction": func() { s.countEnd(&tx{reader: reader{c: c}, committed: true}, nil) },
		"a checkpoint":             func() { s.countCheckpoint(store.Checkpoint{}, nil) },
	} {
		base := 0.0
		if name == "the end of a transaction" {
			base = 1 // the tx made here
		}
		if n := testing.AllocsPerRun(100, count); n > base {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

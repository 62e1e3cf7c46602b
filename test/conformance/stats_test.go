package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	. "columnvault/internal/vaulttest"
)

// TestStatsCountElements: every way to write counts what was committed, and
// nothing else.
func TestStatsCountElements(t *testing.T) {
	ctx := t.Context()
	v := Open(t)
	numbers := Create(t, v, "numbers", dtype.Int64, 0, 1, 2)
	texts := Create(t, v, "texts", dtype.String)
	for _, step := range []struct {
		name            string
		elements, pairs int64
		do              func() error
	}{
		{"Append", 2, 0, func() error { return numbers.Append(ctx, 3, 4) }},
		{"Append of text", 1, 0, func() error { return texts.Append(ctx, "a") }},
		{"AppendSeq", 2, 0, func() error {
			return texts.AppendSeq(ctx, func(yield func(string) bool) { _ = yield("b") && yield("c") })
		}},
		{"Insert", 1, 0, func() error { return texts.Insert(ctx, 0, "d") }},
		{"Set", 1, 0, func() error { return numbers.Set(ctx, 0, 9) }},
		{"SetSlice", 2, 0, func() error { return numbers.SetSlice(ctx, 0, 2, []int64{7, 8}) }},
		{"SetEach", 2, 0, func() error { return numbers.SetEach(ctx, []int{1, 0}, []int64{7, 8}) }},
		{"Delete", 0, 0, func() error { return numbers.Delete(ctx, 0, 1) }},
		{"Put", 0, 1, func() error { return v.KV().Put(ctx, []byte("k"), []byte("v")) }},
		{"PutValue", 0, 1, func() error { return v.KV().PutValue(ctx, []byte("k"), 1) }},
		{"PutFrom", 0, 1, func() error { return v.KV().PutFrom(ctx, []byte("k"), 5, strings.NewReader("value")) }},
		{"a transaction that fails", 0, 0, func() error {
			failed := v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				Must(t, numbers.In(tx).Append(ctx, 1))
				return context.Canceled
			})
			if failed == nil {
				t.Error("it did not fail")
			}
			return nil
		}},
	} {
		before := v.Stats()
		Must(t, step.do())
		after := v.Stats()
		if e, p := after.ElementsWritten-before.ElementsWritten, after.PairsWritten-before.PairsWritten; e != step.elements || p != step.pairs {
			t.Errorf("%s: %d elements and %d pairs are counted, want %d and %d", step.name, e, p, step.elements, step.pairs)
		}
	}
	if st := v.Stats(); st.Rollbacks != 1 || st.LogPages == 0 || st.LogSize == 0 {
		t.Errorf("%+v", st)
	}
}

func TestStatsOfCaches(t *testing.T) {
	ctx := t.Context()
	v := Open(t)
	numbers := Create(t, v, "numbers", dtype.Int64)
	Must(t, v.EnableCache(ctx, nil))
	Must(t, numbers.Append(ctx, 1, 2, 3))
	Must(t, v.KV().Put(ctx, []byte("key"), []byte("value")))
	st := v.Stats()
	if st.Held != 4 || st.HeldBytes < 3*8+8 || st.Flushes != 0 || st.ElementsWritten != 0 {
		t.Errorf("while it is held: %+v", st)
	}
	Must(t, ErrOf(v.Flush(ctx)))
	st = v.Stats()
	if st.Held != 0 || st.HeldBytes != 0 || st.Flushes != 1 || st.Flushed != 4 || st.ElementsWritten != 3 || st.PairsWritten != 1 {
		t.Errorf("after the flush: %+v", st)
	}
	// A transaction of its own that fails is no flush that fails.
	Must(t, numbers.Append(ctx, 4))
	v.Update(ctx, func(context.Context, *columnvault.Tx) error { return columnvault.ErrUnavailable })
	if st = v.Stats(); st.FlushesFailed != 0 || st.Held != 1 {
		t.Errorf("after another transaction has failed: %+v", st)
	}
}

// journal is where a logger writes in a test.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// entries are the messages so far with this text.
func (j *journal) entries(t *testing.T, message string) (found []map[string]any) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range bytes.Lines(j.text.Bytes()) {
		var entry map[string]any
		Must(t, json.Unmarshal(line, &entry))
		if entry["msg"] == message {
			found = append(found, entry)
		}
	}
	return found
}

func openLogging(t *testing.T, path string, o columnvault.Options) (*columnvault.Vault, *journal) {
	t.Helper()
	j := &journal{}
	o.Logger = slog.New(slog.NewJSONHandler(j, nil))
	return OpenAt(t, path, &o), j
}

// TestFailedFlushIsLogged: once while the reason stays, and when it is over. A
// flush that is tried all the time does not fill the journal.
func TestFailedFlushIsLogged(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "vault.db")
	v, j := openLogging(t, path, *Impatient())
	numbers := Create(t, v, "numbers", dtype.Int64)
	Must(t, v.EnableCache(ctx, &columnvault.CacheOptions{FlushInterval: time.Millisecond}))
	release := BlockWriters(t, path)
	Must(t, numbers.Append(ctx, 1, 2))
	Eventually(t, "three flushes fail", func() bool { return v.Stats().FlushesFailed >= 3 })
	told := j.entries(t, "flush failed")
	if len(told) != 1 || !reflect.DeepEqual(told[0]["names"], []any{"numbers"}) || told[0]["held"] != 2.0 || told[0]["path"] != path {
		t.Errorf("of %d failures is told: %v", v.Stats().FlushesFailed, told)
	}
	release()
	Eventually(t, "the flush succeeds", func() bool { return v.Stats().Held == 0 })
	Eventually(t, "that is told", func() bool { return len(j.entries(t, "flush works again")) == 1 })
}

// TestLoggerOfOneColumn: what cannot be written for a reason of its own is
// named, and not what could be.
func TestLoggerOfOneColumn(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "vault.db")
	v, j := openLogging(t, path, columnvault.Options{})
	sound := Create(t, v, "sound", dtype.Int64)
	lost := Create(t, v, "lost", dtype.Int64)
	Must(t, v.EnableCache(ctx, nil))
	Must(t, sound.Append(ctx, 1))
	Must(t, lost.Append(ctx, 1))
	Must(t, OpenAt(t, path, nil).Drop(ctx, "lost"))
	for range 3 {
		if _, err := v.Flush(ctx); err == nil {
			t.Error("a flush into a column that is gone succeeds")
		}
	}
	told := j.entries(t, "flush failed")
	if len(told) != 1 || !reflect.DeepEqual(told[0]["names"], []any{"lost"}) {
		t.Errorf("is told: %v", told)
	}
	v.DiscardPending()
}

func TestReplacedFileIsLogged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	v, j := openLogging(t, path, columnvault.Options{})
	numbers := Create(t, v, "numbers", dtype.Int64)
	Must(t, os.Rename(path, path+".old"))
	time.Sleep(2 * time.Millisecond) // a writer looks no more often
	for range 2 {
		WantErr(t, "an append", numbers.Append(t.Context(), 1), columnvault.ErrReplaced)
	}
	if told := j.entries(t, "file replaced"); len(told) != 1 {
		t.Errorf("is told: %v", told)
	}
}

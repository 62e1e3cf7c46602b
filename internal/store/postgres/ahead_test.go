package postgres_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"columnvault/internal/store"
	"columnvault/internal/store/postgres"
	"columnvault/internal/vaulttest/pgserver"
)

const aheadChunk = 4 << 10

// aheadColumn makes a column of n chunks with gaps between their numbers, of which
// some were written in part, and one is larger than the column says. It returns
// their bytes by number.
func aheadColumn(t *testing.T, s store.Store, n int64) (id store.ColumnID, numbers []int64, data map[int64][]byte) {
	t.Helper()
	ctx := t.Context()
	data = map[int64][]byte{}
	err := s.Update(ctx, func(tx store.Tx) error {
		c, err := tx.CreateColumn(ctx, store.Row{Name: "a", DType: "u8", ElemSize: 1, MinChunk: aheadChunk, MaxChunk: aheadChunk})
		if err != nil {
			return err
		}
		id, numbers = c.ID, numbers[:0]
		for k := range n {
			number, size := k*k-50, int64(aheadChunk)
			if k == n/2 {
				size *= 3
			}
			p := bytes.Repeat([]byte{byte(k), byte(k >> 8)}, int(size/2))
			if k%5 == 0 {
				clear(p[100:])
			}
			numbers, data[number] = append(numbers, number), p
			if err := tx.PutChunk(ctx, id, store.Chunk{Number: number, Capacity: size}, bytes.TrimRight(p, "\x00")); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return id, numbers, data
}

// snapshots are the two kinds: those that begin again, and those that do not.
func snapshots(t *testing.T, s store.Store, fn func(t *testing.T, r store.Snapshot)) {
	for name, open := range map[string]func() (store.Snapshot, error){
		"Read":     func() (store.Snapshot, error) { return s.Read(t.Context()) },
		"Snapshot": func() (store.Snapshot, error) { return s.Snapshot(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			r, err := open()
			if err == nil {
				_, err = r.Lookup(t.Context(), "a")
			}
			if err != nil {
				t.Fatal(err)
			}
			fn(t, r)
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAhead reads parts of chunks in all orders, more often one after the other.
func TestAhead(t *testing.T) {
	ctx, s := t.Context(), open(t)
	defer s.Close()
	id, numbers, data := aheadColumn(t, s, 300)
	snapshots(t, s, func(t *testing.T, r store.Snapshot) {
		rnd := rand.New(rand.NewPCG(1, 2))
		k := 0
		for range 1500 {
			var spans []store.Span
			for range 1 + rnd.IntN(3) {
				switch rnd.IntN(60) {
				case 0:
					k = rnd.IntN(len(numbers))
				case 1:
					k = max(0, k-rnd.IntN(10))
				}
				chunk := data[numbers[k]]
				from := rnd.IntN(len(chunk) + 1)
				spans = append(spans, store.Span{Chunk: numbers[k], Offset: int64(from), Data: make([]byte, rnd.IntN(len(chunk)-from+1))})
				k = (k + rnd.IntN(2)) % len(numbers)
			}
			if err := r.ReadAt(ctx, id, spans); err != nil {
				t.Fatal(err)
			}
			for _, s := range spans {
				if !bytes.Equal(s.Data, data[s.Chunk][s.Offset:][:len(s.Data)]) {
					t.Fatalf("%d bytes at %d of chunk %d are others", len(s.Data), s.Offset, s.Chunk)
				}
			}
		}
	})
	// The same column may be asked for twice in a call.
	snapshots(t, s, func(t *testing.T, r store.Snapshot) {
		for k := 0; k < 100; k += 2 {
			a, b := store.Span{Chunk: numbers[k], Data: make([]byte, 10)}, store.Span{Chunk: numbers[k+1], Data: make([]byte, 10)}
			if err := r.ReadAll(ctx, []store.ColumnSpans{{Column: id, Spans: []store.Span{a}}, {Column: id, Spans: []store.Span{b}}}); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a.Data, data[a.Chunk][:10]) || !bytes.Equal(b.Data, data[b.Chunk][:10]) {
				t.Fatalf("chunk %d or the next are others", a.Chunk)
			}
		}
	})
	// What is not there is ErrCorrupt, also in a chunk that was read ahead.
	snapshots(t, s, func(t *testing.T, r store.Snapshot) {
		for k := range 20 {
			if err := r.ReadAt(ctx, id, []store.Span{{Chunk: numbers[k], Data: make([]byte, 10)}}); err != nil {
				t.Fatal(err)
			}
		}
		for _, span := range []store.Span{{Chunk: numbers[20], Offset: aheadChunk, Data: make([]byte, 1)}, {Chunk: numbers[20], Offset: -1}, {Chunk: numbers[20] - 1, Data: make([]byte, 1)}} {
			if err := r.ReadAt(ctx, id, []store.Span{span}); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%d bytes at %d of chunk %d: %v", len(span.Data), span.Offset, span.Chunk, err)
			}
		}
	})
}

// TestAheadCost: one chunk after the other comes in few trips. Who leaves chunks
// out, or goes back, gets nothing that was not asked for, and who stops early not
// much more than there was.
func TestAheadCost(t *testing.T) {
	ctx := t.Context()
	p := pgserver.NewProxy(t, pgserver.DSN(t))
	s := openAt(t, p.DSN, postgres.Options{})
	defer s.Close()
	const n = 1000
	id, numbers, _ := aheadColumn(t, s, n)
	for _, test := range []struct {
		name  string
		first int
		step  int
		reads int
		trips int
		bytes int64
	}{
		{"all", 0, 1, n, 12, (n + 2) * aheadChunk},
		{"each second", 0, 2, n / 2, n / 2, n / 2 * aheadChunk},
		{"backward", n - 1, -1, 100, 100, 100 * aheadChunk},
		{"the first 50", 0, 1, 50, 6, 130 * aheadChunk},
	} {
		r, err := s.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.LookupID(ctx, id); err != nil {
			t.Fatal(err)
		}
		trips, _, received := p.During(func() {
			buf := make([]byte, aheadChunk)
			for k := range test.reads {
				if err := r.ReadAt(ctx, id, []store.Span{{Chunk: numbers[test.first+k*test.step], Data: buf}}); err != nil {
					t.Fatal(err)
				}
			}
		})
		// A statement is prepared in a trip of its own, and has some bytes of its own.
		if trips > test.trips+2 || received > test.bytes+int64(trips)*500 {
			t.Errorf("%s: %d trips and %d bytes, more than %d and %d", test.name, trips, received, test.trips, test.bytes)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

package layout0

import (
	"math/rand/v2"
	"strings"
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// bigValue is a value of n bytes that tells which it is.
func bigValue(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for k := range b {
		b[k] = 'a' + byte(rng.IntN(26))
	}
	return string(b)
}

// fill appends values of about size bytes.
func (l *list) fill(rng *rand.Rand, count, size int) {
	l.t.Helper()
	values := make([]string, count)
	for k := range values {
		values[k] = bigValue(rng, size/2+rng.IntN(size))
	}
	l.change(func(tx store.Tx, c *VarSize) error { return c.Append(l.t.Context(), tx, encode(values)) })
	l.values = append(l.values, values...)
}

// TestStrayWritesLittle: an element that grows inside a large chunk costs its
// own bytes and an index entry, and so does its growing further. The gap in the
// numbers behind a chunk is used up at some time, and the run then laid out anew.
func TestStrayWritesLittle(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		l := newList(t, s)
		rng := rand.New(rand.NewPCG(1, 2))
		l.fill(rng, 12_000, 100)
		little, much := 0, 0
		for n := range 200 {
			i := 100 + 37*n // far from each other, all in the first two chunks
			for grow := range 3 {
				value := bigValue(rng, 200+100*grow)
				_, counts := l.count(func(tx store.Tx, c *VarSize) error {
					return c.Overwrite(t.Context(), tx, int64(i), encode([]string{value}))
				})
				l.values[i] = value
				if counts.BytesWritten < 1000 {
					little++
				} else {
					much++
				}
			}
		}
		if much > 8 || little < 590 {
			t.Errorf("%d Sets wrote little and %d a chunk", little, much)
		}
		l.want()
	})
}

// TestStraysGoBack: compacting brings strays back, and leaves nothing else
// behind.
func TestStraysGoBack(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		l := newList(t, s)
		rng := rand.New(rand.NewPCG(1, 2))
		l.fill(rng, 9_000, 100)
		for n := range 40 {
			l.set(200+101*n, bigValue(rng, 300))
		}
		before := len(l.want())
		l.compact()
		if after := len(l.want()); before < 42 || after > 3 {
			t.Errorf("%d chunks before and %d after it", before, after)
		}
	})
}

// TestStraysModel: whatever is done around strays, the column is the list that
// it should be, keeps the rules of the format, and no chunk is left behind.
func TestStraysModel(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		engines(t, func(t *testing.T, s store.Store) {
			rng := rand.New(rand.NewPCG(uint64(seed), 7))
			l := newListOf(t, s, Bounds{Min: 4096, Max: 60_000})
			l.fill(rng, 700, 200)
			center := 100
			for step := range 150 {
				if step%20 == 0 {
					center = rng.IntN(len(l.values))
				}
				near := func() int { return max(0, min(len(l.values)-1, center+rng.IntN(30)-15)) }
				anywhere := func() int { return rng.IntN(len(l.values)) }
				switch rng.IntN(12) {
				case 0, 1, 2:
					l.set(anywhere(), bigValue(rng, 300+rng.IntN(400)))
				case 3, 4, 5:
					l.set(near(), bigValue(rng, 300+rng.IntN(400)))
				case 6:
					l.set(near(), strings.Repeat("s", rng.IntN(300)))
				case 7:
					l.insert(near(), bigValue(rng, rng.IntN(300)), "")
				case 8:
					i := near()
					l.delete(i, min(len(l.values), i+1+rng.IntN(4)))
				case 9:
					i := near()
					l.delete(i, min(len(l.values), i+rng.IntN(60)))
				case 10:
					l.fill(rng, rng.IntN(60), 200)
				case 11:
					i := near()
					n := min(len(l.values)-i, 1+rng.IntN(5))
					values := make([]string, n)
					for k := range values {
						values[k] = bigValue(rng, rng.IntN(500))
					}
					l.set(i, values...)
				}
				if len(l.values) < 50 {
					l.fill(rng, 300, 200)
				}
				if step%10 == 0 {
					l.sound()
				}
			}
			l.sound()
			l.compact()
		})
	}
}

// sound is want without the rules that are for speed alone: that the elements of
// a chunk can be told from its extent.
func (l *list) sound() {
	l.t.Helper()
	l.change(func(tx store.Tx, c *VarSize) error {
		var b column.Elements
		if _, err := c.Read(l.t.Context(), tx, &b, 0, c.Len(), column.NoLimit); err != nil {
			return err
		}
		got := decode(b)
		if len(got) != len(l.values) {
			l.t.Fatalf("%d elements, want %d", len(got), len(l.values))
		}
		for k := range got {
			if got[k] != l.values[k] {
				l.t.Fatalf("element %d is %q, want %q", k, got[k], l.values[k])
			}
		}
		return c.Check(l.t.Context(), tx, func(p column.Problem) { l.t.Errorf("check: %s", p.Text) })
	})
	if l.t.Failed() {
		l.t.FailNow()
	}
}

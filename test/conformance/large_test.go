package conformance_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// openWith opens a new vault whose loops read so many bytes at once.
func openWith(t *testing.T, buffer int) *columnvault.Vault {
	t.Helper()
	v, err := columnvault.Open(t.Context(), filepath.Join(t.TempDir(), "vault.db"), &columnvault.Options{ReadBytes: buffer})
	vaulttest.Must(t, err)
	t.Cleanup(func() { v.Close() })
	return v
}

// TestBackwardOverEmptyElements fills the buffer exactly, beside more empty
// elements than are looked up at once.
func TestBackwardOverEmptyElements(t *testing.T) {
	want := make([]string, 70_000)
	want[0] = strings.Repeat("x", 100)
	c := vaulttest.CreateWith(t, openWith(t, 100), "a", dtype.String, nil, want...)
	got := vaulttest.Collect(t, c.Backward(t.Context()))
	slices.Reverse(want)
	vaulttest.WantValues(t, "backward", got, want)
}

// TestRunsStayWithinTheBuffer has an element beyond the buffer where the
// entries that are looked up at once end.
func TestRunsStayWithinTheBuffer(t *testing.T) {
	values := make([]string, 64<<10+1)
	values[0] = "x"
	values[64<<10] = strings.Repeat("y", 4<<20)
	c := vaulttest.CreateWith(t, openWith(t, 1000), "a", dtype.String, nil, values...)
	for chunk, err := range c.Runs(t.Context()) {
		vaulttest.Must(t, err)
		if n := len(chunk.Values); n > 1 && len(chunk.Values[n-1]) > 1000 {
			t.Errorf("a run of %d elements ends with one of %d bytes", n, len(chunk.Values[n-1]))
		}
	}
}

func TestColumnsOfMostlyEmptyElements(t *testing.T) {
	values := make([]string, 200_000)
	for i := range values {
		if i%9973 == 0 {
			values[i] = strings.Repeat("z", 100)
		}
	}
	v := openWith(t, 100)
	c := vaulttest.CreateWith(t, v, "a", dtype.String, nil, values...)
	vaulttest.WantColumn(t, c, values...)
	into := make([]string, 150_000)
	n, err := c.Read(t.Context(), into, 10)
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "read", into[:n], values[10:10+150_000])
	stepped, err := c.SliceStep(t.Context(), columnvault.End, columnvault.Begin, -1)
	vaulttest.Must(t, err)
	slices.Reverse(values)
	vaulttest.WantValues(t, "backwards", stepped, values)
	vaulttest.Must(t, c.Reverse(t.Context()))
	vaulttest.WantColumn(t, c, values...)
	vaulttest.WantSound(t, v)
}

// TestSetInSparseColumn gives single elements of an empty million a value: the
// others must not be moved for it.
func TestSetInSparseColumn(t *testing.T) {
	v := openWith(t, 0)
	const n, sets = 1_000_000, 20
	c := vaulttest.CreateWith(t, v, "a", dtype.String, nil, make([]string, n)...)
	rnd := rand.New(rand.NewPCG(1, 2))
	memory := memoryOf(func() {
		for range sets {
			vaulttest.Must(t, c.Set(t.Context(), rnd.IntN(n), "note"))
		}
	})
	if memory/sets > 8<<20 {
		t.Errorf("a Set takes %d MiB of memory", memory>>20/sets)
	}
	vaulttest.WantSound(t, v)
}

// TestRandomChangesOfLongColumns changes columns of more elements than any
// window has, at random.
func TestRandomChangesOfLongColumns(t *testing.T) {
	for _, test := range []struct {
		most  int     // bytes of a chunk
		empty float64 // part of the elements
	}{{240, 0.999}, {12000, 0.5}, {12000, 0}} {
		t.Run(fmt.Sprintf("%d bytes, %v empty", test.most, test.empty), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(uint64(test.most), 7))
			value := func(int) string {
				switch {
				case rnd.Float64() < test.empty:
					return ""
				case rnd.IntN(2000) == 0:
					return strings.Repeat(fmt.Sprint(rnd.IntN(10)), test.most+rnd.IntN(3)-1)
				}
				return fmt.Sprint(rnd.IntN(1 << rnd.IntN(40)))
			}
			v := openWith(t, 100_000)
			want := vaulttest.Sequence(100_000, value)
			c := vaulttest.CreateWith(t, v, "a", dtype.String, vaulttest.Chunks(24, test.most), want...)
			for op := range 5 {
				i := rnd.IntN(len(want))
				j := min(len(want), i+rnd.IntN(20_000))
				some := vaulttest.Sequence(j-i, value)
				switch op {
				case 0:
					vaulttest.Must(t, c.Insert(t.Context(), i, some...))
					want = slices.Insert(want, i, some...)
				case 1:
					vaulttest.Must(t, c.SetSlice(t.Context(), i, j, some))
					copy(want[i:], some)
				case 2:
					vaulttest.Must(t, c.Delete(t.Context(), i, j))
					want = slices.Delete(want, i, j)
				case 3:
					vaulttest.Must(t, c.Append(t.Context(), some...))
					want = append(want, some...)
				case 4:
					vaulttest.Must(t, c.Reverse(t.Context()))
					slices.Reverse(want)
				}
			}
			vaulttest.WantColumn(t, c, want...)
			vaulttest.WantSound(t, v)
		})
	}
}

// TestMaximumBeyondAnyRow takes files of KohakuVault whose columns were made
// with a maximum above what a row can hold.
func TestMaximumBeyondAnyRow(t *testing.T) {
	for _, most := range []int{1 << 31, 1 << 40, 1<<63 - 1} {
		numbers := vaulttest.Sequence(1000, func(i int) int64 { return int64(i) })
		words := vaulttest.Sequence(1000, func(i int) string { return fmt.Sprintf("word %d", i) })
		v := damaged(t, func(v *columnvault.Vault) {
			vaulttest.CreateWith(t, v, "n", dtype.Int64, nil)
			vaulttest.CreateWith(t, v, "s", dtype.String, nil)
		}, fmt.Sprintf(`UPDATE col_meta SET max_chunk_bytes = %d / elem_size / 12 * 12 * elem_size`, most))
		n, s := vaulttest.Lookup(t, v, "n", dtype.Int64), vaulttest.Lookup(t, v, "s", dtype.String)
		for range 2 {
			vaulttest.Must(t, n.Append(t.Context(), numbers...))
			vaulttest.Must(t, s.Append(t.Context(), words...))
		}
		vaulttest.Must(t, n.Insert(t.Context(), 7, -1))
		vaulttest.Must(t, s.Insert(t.Context(), 7, "inserted"))
		vaulttest.Must(t, s.Set(t.Context(), 9, "a longer text than before"))
		vaulttest.Must(t, n.Delete(t.Context(), 0, 1))
		vaulttest.Must(t, s.Delete(t.Context(), 0, 1))
		wantNumbers := slices.Insert(slices.Concat(numbers, numbers), 7, -1)
		wantWords := slices.Insert(slices.Concat(words, words), 7, "inserted")
		wantWords[9] = "a longer text than before"
		vaulttest.WantColumn(t, n, wantNumbers[1:]...)
		vaulttest.WantColumn(t, s, wantWords[1:]...)
		found := vaulttest.Found(t, v, columnvault.CheckOptions{})
		if len(found) > 1 || len(found) == 1 && found[0].Severity == columnvault.SeverityDamage { // the two maxima of the pair differ
			t.Errorf("a maximum of %d: %+v", most, found)
		}
		if st, err := n.Stat(t.Context()); err != nil || st.Capacity > 1<<16 {
			t.Errorf("a maximum of %d: 2000 numbers take %+v, %v", most, st, err)
		}
	}
}

// TestChunkAsLargeAsARow has the one chunk of a column as large as can be
// written.
func TestChunkAsLargeAsARow(t *testing.T) {
	const most = 400 << 20
	v := damaged(t, func(v *columnvault.Vault) { vaulttest.CreateWith(t, v, "n", dtype.Int64, nil, 1, 2, 3) },
		`UPDATE col_meta SET max_chunk_bytes = 1 << 31, length = 400 * (1 << 20) / 8`, `UPDATE col_chunks SET actual_size = 400 * (1 << 20)`)
	c := vaulttest.Lookup(t, v, "n", dtype.Int64)
	vaulttest.WantErrText(t, "append", c.Append(t.Context(), 1), columnvault.ErrTooLarge, fmt.Sprint(most), "a maximum of 2147483648", "smaller chunks")
	vaulttest.WantSlice(t, c, 0, 3, 1, 2, 3)
}

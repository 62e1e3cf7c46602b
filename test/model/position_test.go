package model_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// The rules of Python's lists for positions and slices, as plain as can be.

// pyIndex is where list[i] is, if there is such an element.
func pyIndex(n, i int) (at int, ok bool) {
	if i < 0 {
		i += n
	}
	return i, 0 <= i && i < n
}

// pyBounds is slice(i, j, step).indices(n). Bounds outside of the list are
// moved to its nearest end.
func pyBounds(n, i, j, step int) (from, to int) {
	lowest, highest := 0, n
	if step < 0 {
		lowest, highest = -1, n-1
	}
	move := func(k int) int {
		if k < 0 {
			k += n
		}
		return max(lowest, min(k, highest))
	}
	return move(i), move(j)
}

// pySlice is list[i:j:step].
func pySlice[T any](list []T, i, j, step int) (picked []T) {
	from, to := pyBounds(len(list), i, j, step)
	step = max(-len(list)-1, min(step, len(list)+1)) // larger steps only overflow
	for k := from; step > 0 && k < to || step < 0 && k > to; k += step {
		picked = append(picked, list[k])
	}
	return picked
}

// pyRange is the part of the list that is list[i:j], empty at i if j is less.
func pyRange(n, i, j int) (from, to int) {
	from, to = pyBounds(n, i, j, 1)
	return from, max(from, to)
}

// kinds runs a property on columns of every kind: with chunks of a few
// elements, in vaults that read one element at once, a few, or all.
func kinds(t *testing.T, property func(rt *rapid.T, l list)) {
	var vaults []*columnvault.Vault
	for _, buffer := range []int{1, 64, 0} {
		vaults = append(vaults, vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{ReadBytes: buffer}))
	}
	for _, kind := range []struct {
		dtype string
		o     *columnvault.ColumnOptions
		value func(i int) any
	}{
		{"i64", vaulttest.Chunks(16, 64), func(i int) any { return int64(i) }},
		{"bytes:3", vaulttest.Chunks(1, 31), func(i int) any { return []byte{byte(i), byte(i >> 8), 7} }},
		{"str", vaulttest.Chunks(12, 60), func(i int) any { return fmt.Sprint(i, "abcdefghijklmnopqrstuvwxyz"[:i%23]) }},
		{"msgpack", nil, func(i int) any { return []any{int64(i), "text"} }},
	} {
		t.Run(kind.dtype, func(t *testing.T) {
			typ, err := dtype.Parse(kind.dtype)
			vaulttest.Must(t, err)
			lists := vaulttest.Sequence(len(vaults), func(i int) list {
				return list{vaults[i], vaulttest.CreateWith(t, vaults[i], kind.dtype, typ, kind.o), kind.value}
			})
			rapid.Check(t, func(rt *rapid.T) {
				property(rt, lists[rapid.IntRange(0, len(lists)-1).Draw(rt, "vault")])
			})
			for _, v := range vaults {
				vaulttest.WantSound(t, v)
			}
		})
	}
}

// list is a column under test.
type list struct {
	v *columnvault.Vault
	c *columnvault.Column[any]
	// value is the element with number i, which no other is equal to.
	value func(i int) any
}

// fill gives the column up to most new elements and returns them.
func (l list) fill(rt *rapid.T, most int) []any {
	values := vaulttest.Sequence(rapid.IntRange(0, most).Draw(rt, "n"), l.value)
	vaulttest.Must(rt, l.c.Clear(rt.Context()))
	vaulttest.Must(rt, l.c.Append(rt.Context(), values...))
	return values
}

// fresh is up to most elements that are not in the column yet.
func (l list) fresh(rt *rapid.T, most int) []any {
	return vaulttest.Sequence(rapid.IntRange(0, most).Draw(rt, "new"), func(i int) any { return l.value(10_000 + i) })
}

// inView runs fn on the column in a View.
func (l list) inView(rt *rapid.T, fn func(c *columnvault.Column[any])) {
	vaulttest.Must(rt, l.v.View(rt.Context(), func(_ context.Context, tx *columnvault.Tx) error { fn(l.c.In(tx)); return nil }))
}

// position draws positions in and around a column of n elements, and numbers
// that overflow when something is added to them.
func position(rt *rapid.T, n int, label string) int {
	return rapid.OneOf(
		rapid.IntRange(-n-3, n+3),
		rapid.SampledFrom([]int{0, -1, n - 1, n, n + 1, -n, -n - 1, columnvault.Begin, columnvault.Begin + 1, columnvault.End - 1, columnvault.End}),
	).Draw(rt, label)
}

// wantRange requires that err is an ErrOutOfRange if and only if ok is false.
func wantRange(rt *rapid.T, what string, err error, ok bool) {
	rt.Helper()
	if ok && err != nil || !ok && !errors.Is(err, columnvault.ErrOutOfRange) {
		rt.Fatalf("%s: error %v, and the position exists: %v", what, err, ok)
	}
}

func TestPositionAt(t *testing.T) {
	kinds(t, func(rt *rapid.T, l list) {
		want := l.fill(rt, 40)
		i := position(rt, len(want), "i")
		at, ok := pyIndex(len(want), i)
		value, err := l.c.At(rt.Context(), i)
		wantRange(rt, "At", err, ok)
		if ok && !reflect.DeepEqual(value, want[at]) {
			rt.Errorf("At(%d) is %v, want %v", i, value, want[at])
		}
	})
}

func TestPositionSet(t *testing.T) {
	kinds(t, func(rt *rapid.T, l list) {
		want := l.fill(rt, 40)
		i := position(rt, len(want), "i")
		at, ok := pyIndex(len(want), i)
		wantRange(rt, "Set", l.c.Set(rt.Context(), i, l.value(10_000)), ok)
		if ok {
			want[at] = l.value(10_000)
		}
		vaulttest.WantColumn(rt, l.c, want...)
	})
}

func TestPositionPop(t *testing.T) {
	kinds(t, func(rt *rapid.T, l list) {
		want := l.fill(rt, 40)
		i := position(rt, len(want), "i")
		at, ok := pyIndex(len(want), i)
		value, err := l.c.Pop(rt.Context(), i)
		wantRange(rt, "Pop", err, ok)
		if ok {
			if !reflect.DeepEqual(value, want[at]) {
				rt.Errorf("Pop(%d) is %v, want %v", i, value, want[at])
			}
			want = slices.Delete(want, at, at+1)
		}
		vaulttest.WantColumn(rt, l.c, want...)
	})
}

func TestPositionTake(t *testing.T) {
	kinds(t, func(rt *rapid.T, l list) {
		values := l.fill(rt, 40)
		positions := vaulttest.Sequence(rapid.IntRange(0, 6).Draw(rt, "count"), func(k int) int {
			return position(rt, len(values), fmt.Sprint("position ", k))
		})
		var want []any
		missing := -1
		for k, i := range positions {
			at, ok := pyIndex(len(values), i)
			if !ok {
				missing = k
				break
			}
			want = append(want, values[at])
		}
		got, err := l.c.Take(rt.Context(), positions)
		wantRange(rt, "Take", err, missing < 0)
		if missing < 0 {
			vaulttest.WantValues(rt, fmt.Sprint("Take of ", positions), got, want)
			return
		}
		var e *columnvault.Error
		if !errors.As(err, &e) || e.Index != positions[missing] || got != nil {
			rt.Errorf("Take of %v gives %v and %v, want an error that names %d", positions, got, err, positions[missing])
		}
	})
}

func TestPositionSlice(t *testing.T) {
	kinds(t, func(rt *rapid.T, l list) {
		values := l.fill(rt, 100)
		l.inView(rt, func(c *columnvault.Column[any]) {
			for k := range 10 {
				i, j := position(rt, len(values), fmt.Sprint("i", k)), position(rt, len(values), fmt.Sprint("j", k))
				vaulttest.WantSlice(rt, c, i, j, pySlice(values, i, j, 1)...)
			}
		})
	})
}

// steps are those at which SliceStep may change its way, and those that
// overflow.
var steps = []int{1, -1, 2, -2, 3, -3, 63, 64, 65, -63, -64, -65, math.MinInt, math.MinInt + 1, math.MaxInt}

func wantStep(t vaulttest.TB, c *columnvault.Column[any], values []any, i, j, step int) {
	t.Helper()
	got, err := c.SliceStep(t.Context(), i, j, step)
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, fmt.Sprintf("%d values [%d:%d:%d]", len(values), i, j, step), got, pySlice(values, i, j, step))
}

func TestPositionSliceStep(t *testing.T) {
	kinds(t, func(rt *rapid.T, l list) {
		values := l.fill(rt, 300)
		l.inView(rt, func(c *columnvault.Column[any]) {
			for k := range 10 {
				i, j := position(rt, len(values), fmt.Sprint("i", k)), position(rt, len(values), fmt.Sprint("j", k))
				step := rapid.OneOf(rapid.SampledFrom(steps), rapid.IntRange(1, 400), rapid.IntRange(-400, -1)).Draw(rt, fmt.Sprint("step", k))
				wantStep(rt, c, values, i, j, step)
			}
		})
	})
}

// TestPositionSliceStepAll tries all bounds and steps of short columns.
func TestPositionSliceStepAll(t *testing.T) {
	v := vaulttest.Open(t)
	typ, err := dtype.Parse("i64")
	vaulttest.Must(t, err)
	for _, n := range []int{0, 1, 2, 5} {
		values := vaulttest.Sequence(n, func(i int) any { return int64(i) })
		c := vaulttest.CreateWith(t, v, fmt.Sprint(n), typ, vaulttest.Chunks(16, 16), values...)
		all := []int{columnvault.Begin, columnvault.Begin + 1, columnvault.End - 1, columnvault.End}
		for i := -n - 2; i <= n+2; i++ {
			all = append(all, i)
		}
		vaulttest.Must(t, v.View(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
			for _, i := range all {
				for _, j := range all {
					for _, step := range steps {
						wantStep(t, c.In(tx), values, i, j, step)
					}
					got, err := c.In(tx).SliceStep(ctx, i, j, 0)
					vaulttest.WantErr(t, "step 0", err, columnvault.ErrInvalidArgument)
					if got != nil {
						t.Errorf("step 0 gives %v", got)
					}
				}
			}
			return nil
		}))
	}
}

func TestPositionDelete(t *testing.T) {
	kinds(t, func(rt *rapid.T, l list) {
		want := l.fill(rt, 60)
		i, j := position(rt, len(want), "i"), position(rt, len(want), "j")
		vaulttest.Must(rt, l.c.Delete(rt.Context(), i, j))
		from, to := pyRange(len(want), i, j)
		vaulttest.WantColumn(rt, l.c, slices.Delete(want, from, to)...)
	})
}

func TestPositionSetSlice(t *testing.T) {
	kinds(t, func(rt *rapid.T, l list) {
		want := l.fill(rt, 60)
		i, j := position(rt, len(want), "i"), position(rt, len(want), "j")
		from, to := pyRange(len(want), i, j)
		values := l.fresh(rt, 60)
		if rapid.Bool().Draw(rt, "fitting") {
			values = vaulttest.Sequence(to-from, func(i int) any { return l.value(10_000 + i) })
		}
		err := l.c.SetSlice(rt.Context(), i, j, values)
		if len(values) == to-from {
			vaulttest.Must(rt, err)
			copy(want[from:to], values)
		} else if !errors.Is(err, columnvault.ErrInvalidArgument) {
			rt.Errorf("SetSlice(%d, %d) of %d by %d values: %v", i, j, to-from, len(values), err)
		}
		vaulttest.WantColumn(rt, l.c, want...)
	})
}

func TestPositionSetEach(t *testing.T) {
	kinds(t, func(rt *rapid.T, l list) {
		want := l.fill(rt, 300)
		count := rapid.SampledFrom([]int{0, 1, 2, 5, 200}).Draw(rt, "count")
		positions := vaulttest.Sequence(count, func(k int) int { return position(rt, len(want), fmt.Sprint("position ", k)) })
		if count == 200 && len(want) > 0 { // so that none is missing
			positions = vaulttest.Sequence(count, func(k int) int { return (k*7)%(2*len(want)) - len(want) })
		}
		values := vaulttest.Sequence(count, func(k int) any { return l.value(20_000 + k) })
		missing := -1
		changed := slices.Clone(want)
		for k, i := range positions {
			at, ok := pyIndex(len(want), i)
			if !ok {
				missing, changed = k, want
				break
			}
			changed[at] = values[k]
		}
		err := l.c.SetEach(rt.Context(), positions, values)
		wantRange(rt, "SetEach", err, missing < 0)
		var e *columnvault.Error
		if missing >= 0 && (!errors.As(err, &e) || e.Index != positions[missing]) {
			rt.Errorf("SetEach at %v: %v, want an error that names %d", positions, err, positions[missing])
		}
		vaulttest.WantColumn(rt, l.c, changed...)
		if err := l.c.SetEach(rt.Context(), positions, append(values, l.value(0))); !errors.Is(err, columnvault.ErrInvalidArgument) {
			rt.Errorf("SetEach with a value too many: %v", err)
		}
	})
}

func TestPositionInsert(t *testing.T) {
	kinds(t, func(rt *rapid.T, l list) {
		want := l.fill(rt, 60)
		i := position(rt, len(want), "i")
		values := l.fresh(rt, 20)
		vaulttest.Must(rt, l.c.Insert(rt.Context(), i, values...))
		at, _ := pyBounds(len(want), i, i, 1)
		vaulttest.WantColumn(rt, l.c, slices.Insert(want, at, values...)...)
	})
}

// TestPositionTruncate: a length is no position, so negative ones are refused.
func TestPositionTruncate(t *testing.T) {
	kinds(t, func(rt *rapid.T, l list) {
		want := l.fill(rt, 60)
		n := position(rt, len(want), "length")
		ok := 0 <= n && n <= len(want)
		wantRange(rt, "Truncate", l.c.Truncate(rt.Context(), n), ok)
		if ok {
			want = want[:n]
		}
		vaulttest.WantColumn(rt, l.c, want...)
	})
}

func TestPositionReverse(t *testing.T) {
	kinds(t, func(rt *rapid.T, l list) {
		want := l.fill(rt, 60)
		slices.Reverse(want)
		vaulttest.Must(rt, l.c.Reverse(rt.Context()))
		vaulttest.WantColumn(rt, l.c, want...)
	})
}

// TestPositionLoops: Backward is Values from the end, and Chunks is Values in
// pieces that say where they begin.
func TestPositionLoops(t *testing.T) {
	kinds(t, func(rt *rapid.T, l list) {
		want := l.fill(rt, 100)
		l.inView(rt, func(c *columnvault.Column[any]) {
			vaulttest.WantValues(rt, "Values", vaulttest.Collect(rt, c.Values(rt.Context())), want)
			backward := vaulttest.Collect(rt, c.Backward(rt.Context()))
			slices.Reverse(backward)
			vaulttest.WantValues(rt, "Backward", backward, want)
			var whole []any
			for _, chunk := range vaulttest.Collect(rt, c.Runs(rt.Context())) {
				if chunk.Start != len(whole) || len(chunk.Values) == 0 {
					rt.Errorf("a chunk of %d values at %d, after %d values", len(chunk.Values), chunk.Start, len(whole))
				}
				whole = append(whole, chunk.Values...)
			}
			vaulttest.WantValues(rt, "Chunks", whole, want)
		})
	})
}

// TestPositionSearch: few different values, so that they come more than once.
func TestPositionSearch(t *testing.T) {
	kinds(t, func(rt *rapid.T, l list) {
		ctx := rt.Context()
		number := rapid.IntRange(0, 5)
		want := vaulttest.Sequence(rapid.IntRange(0, 40).Draw(rt, "n"), func(k int) any { return l.value(number.Draw(rt, fmt.Sprint("element ", k))) })
		vaulttest.Must(rt, l.c.Clear(ctx))
		vaulttest.Must(rt, l.c.Append(ctx, want...))
		value := l.value(number.Draw(rt, "value"))
		same := func(v any) bool { return reflect.DeepEqual(v, value) }
		wantFound(rt, l.c, value, slices.IndexFunc(want, same), len(slices.DeleteFunc(slices.Clone(want), func(v any) bool { return !same(v) })))

		err := l.c.Remove(ctx, value)
		if at := slices.IndexFunc(want, same); at >= 0 {
			vaulttest.Must(rt, err)
			want = slices.Delete(want, at, at+1)
		} else if !errors.Is(err, columnvault.ErrNotFound) {
			rt.Errorf("Remove of what is not there: %v", err)
		}
		vaulttest.WantColumn(rt, l.c, want...)
	})
}

// wantFound requires what Index, Contains and Count say of a value that is
// there so many times, first at position at, or -1.
func wantFound[T any](t vaulttest.TB, c *columnvault.Column[T], value T, at, times int) {
	t.Helper()
	ctx := t.Context()
	i, err := c.Index(ctx, value)
	if i != at || at < 0 && !errors.Is(err, columnvault.ErrNotFound) || at >= 0 && err != nil {
		t.Errorf("Index of %v is %d, %v, want %d", value, i, err, at)
	}
	if found, err := c.Contains(ctx, value); found != (at >= 0) || err != nil {
		t.Errorf("Contains %v: %v, %v, want %v", value, found, err, at >= 0)
	}
	if n, err := c.Count(ctx, value); n != times || err != nil {
		t.Errorf("Count of %v is %d, %v, want %d", value, n, err, times)
	}
}

// TestPositionSearchFloats: as for Go and Python, the zeros are equal and NaN
// equals nothing. Their bytes in the file say otherwise.
func TestPositionSearchFloats(t *testing.T) {
	v := vaulttest.Open(t)
	t.Run("f64", func(t *testing.T) { searchFloats(t, v, "f64", dtype.Float64) })
	t.Run("f32", func(t *testing.T) { searchFloats(t, v, "f32", dtype.Float32) })
	t.Run("f16", func(t *testing.T) { searchFloats(t, v, "f16", dtype.Float16) })
}

func searchFloats[T float32 | float64](t *testing.T, v *columnvault.Vault, name string, typ dtype.Type[T]) {
	negative := T(math.Copysign(0, -1))
	nan, inf := T(math.NaN()), T(math.Inf(1))
	special := []T{0, negative, nan, inf, -inf, 1, -1.5, 65504}
	c := vaulttest.CreateWith(t, v, name, typ, vaulttest.Chunks(16, 64))
	rapid.Check(t, func(rt *rapid.T) {
		ctx := rt.Context()
		values := rapid.SliceOfN(rapid.SampledFrom(special), 0, 40).Draw(rt, "values")
		vaulttest.Must(rt, c.Clear(ctx))
		vaulttest.Must(rt, c.Append(ctx, values...))
		for _, x := range special {
			n := 0
			for _, y := range values {
				if x == y {
					n++
				}
			}
			wantFound(rt, c, x, slices.Index(values, x), n)
		}
	})

	t.Run("remove", func(t *testing.T) {
		vaulttest.Must(t, c.Clear(t.Context()))
		vaulttest.Must(t, c.Append(t.Context(), nan, negative, 1, 0))
		vaulttest.WantErr(t, "Remove of NaN", c.Remove(t.Context(), nan), columnvault.ErrNotFound)
		vaulttest.Must(t, c.Remove(t.Context(), 0)) // the first zero, which is the negative one
		vaulttest.WantSlice(t, c, 1, columnvault.End, 1, 0)
		vaulttest.Must(t, c.Remove(t.Context(), negative))
		vaulttest.WantSlice(t, c, 1, columnvault.End, 1)
		vaulttest.WantErr(t, "Remove of zero", c.Remove(t.Context(), 0), columnvault.ErrNotFound)
		vaulttest.WantLen(t, c, 2)
	})
}

// TestPositionSearchRefuses: what the dtype cannot hold is no value to look
// for.
func TestPositionSearchRefuses(t *testing.T) {
	ctx := t.Context()
	c := vaulttest.Create(t, vaulttest.Open(t), "values", dtype.FixedText(4, dtype.ASCII), "ab", "abcd", "")
	wantFound(t, c, "ab", 0, 1)
	wantFound(t, c, "", 2, 1)
	wantFound(t, c, "abc", -1, 0)
	wantFound(t, c, "ab\x00", 0, 1) // stored, it is the same as "ab"
	for _, value := range []string{"too long", "é"} {
		i, err := c.Index(ctx, value)
		vaulttest.WantErr(t, "Index", err, columnvault.ErrInvalidArgument)
		if i != -1 {
			t.Errorf("Index gives %d with an error", i)
		}
		_, err = c.Contains(ctx, value)
		vaulttest.WantErr(t, "Contains", err, columnvault.ErrInvalidArgument)
		_, err = c.Count(ctx, value)
		vaulttest.WantErr(t, "Count", err, columnvault.ErrInvalidArgument)
		vaulttest.WantErr(t, "Remove", c.Remove(ctx, value), columnvault.ErrInvalidArgument)
	}
	vaulttest.WantColumn(t, c, "ab", "abcd", "")
}

// TestPositionRead: Read fills what there is, from a position moved to the
// nearest end, and leaves the rest of the slice alone.
func TestPositionRead(t *testing.T) {
	kinds(t, func(rt *rapid.T, l list) {
		values := l.fill(rt, 60)
		untouched := any("untouched")
		at := position(rt, len(values), "at")
		into := vaulttest.Sequence(rapid.IntRange(0, 70).Draw(rt, "room"), func(int) any { return untouched })
		whole := append(into, untouched)[:len(into)] // with room after its end
		from, _ := pyRange(len(values), at, at)
		want := slices.Concat(values[from:], vaulttest.Sequence(71, func(int) any { return untouched }))
		n, err := l.c.Read(rt.Context(), whole, at)
		vaulttest.Must(rt, err)
		if n != min(len(into), len(values)-from) {
			rt.Errorf("Read gives %d values, from %d of %d into %d", n, from, len(values), len(into))
		}
		vaulttest.WantValues(rt, "read", whole[:n], want[:n])
		for k, value := range whole[n : len(into)+1] {
			if value != untouched {
				rt.Errorf("Read of %d values has written at %d of %d", n, n+k, len(into))
			}
		}
	})
}

// TestPositionReadNumbers is Read into the memory of numbers, which takes
// another way.
func TestPositionReadNumbers(t *testing.T) {
	for _, buffer := range []int{1, 24, 0} {
		v := vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{ReadBytes: buffer})
		values := vaulttest.Span(0, 50)
		c := vaulttest.CreateWith(t, v, "values", dtype.Int64, vaulttest.Chunks(16, 64), values...)
		rapid.Check(t, func(rt *rapid.T) {
			at := position(rt, len(values), "at")
			into := vaulttest.Sequence(rapid.IntRange(0, 60).Draw(rt, "room"), func(int) int64 { return -1 })
			from, _ := pyRange(len(values), at, at)
			want := slices.Clone(into)
			count := copy(want, values[from:])
			n, err := c.Read(rt.Context(), into, at)
			vaulttest.Must(rt, err)
			if n != count {
				rt.Errorf("Read gives %d values, want %d", n, count)
			}
			vaulttest.WantValues(rt, "read", into, want)
		})
	}
}

// TestPositionFlat: rows of fixed vectors lie back to back in one slice.
func TestPositionFlat(t *testing.T) {
	for _, buffer := range []int{1, 30, 0} {
		v := vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{ReadBytes: buffer})
		const row = 6
		c := vaulttest.CreateWith(t, v, "values", dtype.Type[[]float32](dtype.Vector[float32](2, 3)), vaulttest.Chunks(16, 128))
		rapid.Check(t, func(rt *rapid.T) {
			ctx := rt.Context()
			flat := vaulttest.Sequence(row*rapid.IntRange(0, 30).Draw(rt, "rows"), func(i int) float32 { return float32(i) + 0.5 })
			vaulttest.Must(rt, c.Clear(ctx))
			vaulttest.Must(rt, columnvault.AppendFlat(ctx, c, flat))
			vaulttest.WantColumn(rt, c, slices.Collect(slices.Chunk(flat, row))...)

			at := position(rt, len(flat)/row, "at")
			into := make([]float32, rapid.IntRange(0, 200).Draw(rt, "room"))
			from, _ := pyRange(len(flat)/row, at, at)
			want := make([]float32, len(into))
			count := min(len(into)/row, len(flat)/row-from)
			copy(want, flat[from*row:(from+count)*row])
			rows, err := columnvault.ReadFlat(ctx, c, into, at)
			vaulttest.Must(rt, err)
			if rows != count {
				rt.Errorf("ReadFlat gives %d rows from %d of %d into %d numbers, want %d", rows, from, len(flat)/row, len(into), count)
			}
			vaulttest.WantValues(rt, "numbers", into, want)
		})
	}
}

// TestPositionFlatRefuses: rows of no fixed length, and a slice that is no
// whole number of rows.
func TestPositionFlatRefuses(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	varsize := vaulttest.Create(t, v, "varsize", dtype.Type[[]int16](dtype.Vector[int16]()), []int16{1}, []int16{2, 3})
	vaulttest.WantErr(t, "AppendFlat", columnvault.AppendFlat(ctx, varsize, []int16{4, 5}), columnvault.ErrInvalidArgument)
	_, err := columnvault.ReadFlat(ctx, varsize, make([]int16, 2), 0)
	vaulttest.WantErr(t, "ReadFlat", err, columnvault.ErrInvalidArgument)
	vaulttest.WantColumn(t, varsize, []int16{1}, []int16{2, 3})

	lists := vaulttest.Create(t, v, "lists", dtype.Type[[]int16](dtype.MsgPack[[]int16]()), []int16{1, 2})
	vaulttest.WantErr(t, "AppendFlat to lists", columnvault.AppendFlat(ctx, lists, []int16{4, 5}), columnvault.ErrInvalidArgument)

	fixed := vaulttest.Create(t, v, "fixed", dtype.Type[[]int16](dtype.Vector[int16](2)), []int16{1, 2})
	vaulttest.WantErr(t, "AppendFlat of half a row", columnvault.AppendFlat(ctx, fixed, []int16{3, 4, 5}), columnvault.ErrInvalidArgument)
	vaulttest.Must(t, columnvault.AppendFlat(ctx, fixed, nil))
	vaulttest.WantColumn(t, fixed, []int16{1, 2})
}

// TestReturnedValuesBelongToTheCaller: what was returned belongs to the caller.
// Changing it changes neither the column nor what is returned later.
func TestReturnedValuesBelongToTheCaller(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{ReadBytes: 16})
	want := vaulttest.Blobs(20, 9)
	for name, typ := range map[string]dtype.Type[[]byte]{"varsize": dtype.Bytes, "fixed": dtype.FixedBytes(9)} {
		c := vaulttest.Create(t, v, name, typ, want...)
		kept := vaulttest.Collect(t, c.Values(ctx))
		kept = append(kept, vaulttest.Collect(t, c.Backward(ctx))...)
		slices.Reverse(kept[20:])
		for chunk, err := range c.Runs(ctx) {
			vaulttest.Must(t, err)
			kept = append(kept, chunk.Values...)
		}
		vaulttest.WantValues(t, name, kept, slices.Concat(want, want, want))
		for _, value := range kept {
			copy(value, bytes.Repeat([]byte("!"), len(value)))
		}
		vaulttest.WantColumn(t, c, want...)
	}
}

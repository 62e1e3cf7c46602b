package model_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/engine"
	"columnvault/internal/vaulttest"
)

// TestMetamorphic does the same to a Go slice and to columns that are used in
// different ways: cached or not, through two vaults in turn, closed and opened
// again, inside transactions, typed and dynamic, over engines other than a
// SQLite file, and moved from layout to layout. Every answer must be the same.
func TestMetamorphic(t *testing.T) {
	dir := t.TempDir()
	dtypes := []func(t *rapid.T, dir string){
		same(dtype.Int64, func(n int) int64 { return int64(n)*1e12 - 5 }),
		same(dtype.Bool, func(n int) bool { return n%2 == 0 }),
		same(dtype.Float32, func(n int) float32 { return float32(n) / 3 }),
		same(dtype.FixedText(12, dtype.UTF8), func(n int) string { return fmt.Sprint(n) }),
		same(dtype.Vector[float32](3), func(n int) []float32 { return []float32{float32(n), 0.5, -1} }),
		same(dtype.String, func(n int) string { return fmt.Sprintf("%0*d", n*7%90, n) }),
		same(dtype.Text(dtype.UTF16LE), func(n int) string { return fmt.Sprintf("%*d", n*7%40+1, n) }),
		same(dtype.Bytes, func(n int) []byte { return slices.Repeat([]byte{byte(n)}, n*n%200) }),
		same(dtype.MsgPack[map[string]any](), func(n int) map[string]any {
			return map[string]any{"n": int64(n), "list": slices.Repeat([]any{"x", nil, 0.5}, n%5)}
		}),
		same(dtype.CBOR[any](), func(n int) any { return slices.Repeat([]any{int64(n)}, n%30) }),
		same(dtype.Tensors[int16](), func(n int) dtype.Tensor[int16] {
			return dtype.Tensor[int16]{Shape: []int{2, n % 20}, Data: make([]int16, 2*(n%20))}
		}),
		same(dtype.Timestamp(dtype.Millisecond, "UTC"), func(n int) time.Time { return time.UnixMilli(int64(n) * 1e9).UTC() }),
		same(dtype.Nullable(dtype.Float64), func(n int) sql.Null[float64] { return orMissing(n, float64(n)/3) }),
		same(dtype.Nullable(dtype.Date), func(n int) sql.Null[time.Time] { return orMissing(n, time.Unix(int64(n)*86400, 0).UTC()) }),
		same(dtype.Nullable(dtype.Bool), func(n int) sql.Null[bool] { return orMissing(n, n%2 == 0) }),
		same(dtype.Nullable(dtype.String), func(n int) sql.Null[string] { return orMissing(n, fmt.Sprintf("%0*d", n*7%50, n)) }),
	}
	checks := 0
	rapid.Check(t, func(t *rapid.T) {
		checks++
		rapid.SampledFrom(dtypes).Draw(t, "dtype")(t, filepath.Join(dir, fmt.Sprint(checks)))
	})
}

// same is the test for columns of one dtype, whose values are made of numbers.
func same[T any](typ dtype.Type[T], value func(n int) T) func(t *rapid.T, dir string) {
	return func(t *rapid.T, dir string) {
		bounds := rapid.SampledFrom([]*columnvault.ColumnOptions{vaulttest.Chunks(16, 40), vaulttest.Chunks(16, 512), vaulttest.Chunks(512, 4096), nil}).Draw(t, "chunks")
		vaulttest.Must(t, os.Mkdir(dir, 0o777))
		var doors []*door[T]
		for _, way := range []string{"plain", "cached", "cached column", "two vaults", "reopened", "in a transaction", "dynamic", "rerun", "conflict", "native", "native cached", "native zstd", "moved"} {
			d := &door[T]{way: way, typ: typ, bounds: inLayout(way, bounds), path: filepath.Join(dir, way)}
			d.open(t)
			defer d.close(t)
			doors = append(doors, d)
		}
		var model []T
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			s := drawCall(t, len(model))
			var want string
			model, want = onSlice(s, model, value)
			for _, d := range doors {
				if got := d.do(t, s, value); got != want {
					t.Fatalf("%v, %s: %+v gives %s, want %s", typ, d.way, s, got, want)
				}
			}
		}
		for _, d := range doors {
			vaulttest.WantColumn(t, d.column(t), model...)
			d.close(t)
			d.open(t)
			vaulttest.WantColumn(t, d.column(t), model...)
			vaulttest.WantSound(t, d.vaults[0])
		}
	}
}

// inLayout makes the options those of a native column, if the way is one of such.
func inLayout(way string, o *columnvault.ColumnOptions) *columnvault.ColumnOptions {
	if !strings.HasPrefix(way, "native") {
		return o
	}
	native := columnvault.ColumnOptions{Layout: columnvault.Native}
	if o != nil {
		native.MaxChunk = o.MaxChunk
	}
	if way == "native zstd" {
		native.Compression = columnvault.Zstd
	}
	return &native
}

// call is one call on a column. What its numbers mean depends on the call.
type call struct {
	op      string
	i, j, k int
	values  []int
}

func drawCall(t *rapid.T, n int) call {
	position := rapid.OneOf(rapid.IntRange(-n-2, n+2), rapid.SampledFrom([]int{0, -1, n, n - 1, columnvault.Begin, columnvault.End}))
	ops := []string{"append", "append", "append", "append many", "insert", "set", "set slice", "delete", "truncate", "clear",
		"pop", "remove", "reverse", "len", "at", "slice", "slice step", "take", "index", "count", "read"}
	s := call{op: rapid.SampledFrom(ops).Draw(t, "op")}
	s.i, s.j = position.Draw(t, "i"), position.Draw(t, "j")
	s.k = rapid.SampledFrom([]int{-70, -3, -1, 1, 2, 100}).Draw(t, "k")
	most := 3
	switch s.op {
	case "append many":
		most = 150
	case "set slice":
		most = 0
		if from, to := pythonRange(s.i, s.j, n); rapid.Bool().Draw(t, "fits") {
			s.values = vaulttest.Sequence(to-from, func(int) int { return rapid.IntRange(0, 200).Draw(t, "value") })
		}
	}
	for range rapid.IntRange(0, most).Draw(t, "count") {
		s.values = append(s.values, rapid.IntRange(0, 200).Draw(t, "value"))
	}
	return s
}

// reads tells whether the call changes nothing.
func (s call) reads() bool {
	return slices.Contains([]string{"len", "at", "slice", "slice step", "take", "index", "count", "read"}, s.op)
}

// one is the value of a call that takes a single one.
func (s call) one() int {
	if len(s.values) == 0 {
		return 0
	}
	return s.values[0]
}

// pythonRange is what list[i:j] covers.
func pythonRange(i, j, n int) (from, to int) {
	from, to = pythonBound(i, n), pythonBound(j, n)
	return from, max(from, to)
}

func pythonBound(i, n int) int {
	if i < 0 {
		i += n
	}
	return max(0, min(i, n))
}

// orMissing is a value, or none for some numbers.
func orMissing[T any](n int, v T) sql.Null[T] {
	if n%3 == 0 {
		return sql.Null[T]{}
	}
	return sql.Null[T]{V: v, Valid: true}
}

// plain is a value as the dynamic form of a column gives it: an sql.Null is its
// value or nil. missing says that it has none.
func plain(v any) (value any, missing bool) {
	null := reflect.ValueOf(v)
	if null.Kind() != reflect.Struct || !strings.HasPrefix(null.Type().Name(), "Null[") {
		return v, false
	}
	if !null.FieldByName("Valid").Bool() {
		return nil, true
	}
	return null.FieldByName("V").Interface(), false
}

// words are a value, or a list of them, in words that are the same for all ways
// to a column.
func words(v any) string {
	if list := reflect.ValueOf(v); list.Kind() == reflect.Slice && list.Type().Elem().Kind() == reflect.Struct {
		v = vaulttest.Sequence(list.Len(), func(i int) any { value, _ := plain(list.Index(i).Interface()); return value })
	}
	v, _ = plain(v)
	return fmt.Sprintf("%v", v)
}

// answer is what a call gives, in words that are the same for all.
func answer(value any, err error) string {
	for _, kind := range []error{columnvault.ErrOutOfRange, columnvault.ErrNotFound, columnvault.ErrInvalidArgument} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	if err != nil {
		return err.Error()
	}
	return words(value)
}

// onSlice does the call to a slice.
func onSlice[T any](s call, model []T, value func(n int) T) (after []T, said string) {
	n := len(model)
	given := vaulttest.Sequence(len(s.values), func(i int) T { return value(s.values[i]) })
	from, to := pythonRange(s.i, s.j, n)
	at := s.i
	if at < 0 {
		at += n
	}
	outside := at < 0 || at >= n
	equal := func(a, b T) bool {
		_, missing := plain(b)
		return !missing && words(a) == words(b) // a missing value equals nothing
	}
	index := slices.IndexFunc(model, func(x T) bool { return equal(x, value(s.one())) })
	switch s.op {
	case "append", "append many":
		return append(model, given...), answer(nil, nil)
	case "insert":
		return slices.Insert(model, from, given...), answer(nil, nil)
	case "delete":
		return slices.Delete(model, from, to), answer(nil, nil)
	case "clear":
		return nil, answer(nil, nil)
	case "reverse":
		slices.Reverse(model)
		return model, answer(nil, nil)
	case "len":
		return model, answer(n, nil)
	case "slice":
		return model, answer(append([]T{}, model[from:to]...), nil)
	case "read":
		return model, answer(append([]T{}, model[from:min(from+7, n)]...), nil)
	case "slice step":
		picked := []T{}
		for _, at := range pythonSteps(s.i, s.j, s.k, n) {
			picked = append(picked, model[at])
		}
		return model, answer(picked, nil)
	case "count":
		count := 0
		for _, x := range model {
			if equal(x, value(s.one())) {
				count++
			}
		}
		return model, answer(count, nil)
	case "index", "remove":
		switch {
		case index < 0:
			return model, answer(nil, columnvault.ErrNotFound)
		case s.op == "remove":
			return slices.Delete(model, index, index+1), answer(nil, nil)
		}
		return model, answer(index, nil)
	case "set slice":
		if len(given) != to-from {
			return model, answer(nil, columnvault.ErrInvalidArgument)
		}
		copy(model[from:to], given)
		return model, answer(nil, nil)
	case "truncate":
		if s.i < 0 || s.i > n {
			return model, answer(nil, columnvault.ErrOutOfRange)
		}
		return model[:s.i], answer(nil, nil)
	case "take":
		if outside {
			return model, answer(nil, columnvault.ErrOutOfRange)
		}
		return model, answer([]T{model[at], model[0], model[n-1]}, nil)
	}
	if outside {
		return model, answer(nil, columnvault.ErrOutOfRange)
	}
	switch s.op {
	case "at":
		return model, answer(model[at], nil)
	case "set":
		model[at] = value(s.one())
		return model, answer(nil, nil)
	case "pop":
		popped := model[at]
		return slices.Delete(model, at, at+1), answer(popped, nil)
	}
	panic("no such call: " + s.op)
}

// pythonSteps is the positions of list[i:j:step].
func pythonSteps(i, j, step, n int) (positions []int) {
	if step > 0 {
		from, to := pythonRange(i, j, n)
		for at := from; at < to; at += step {
			positions = append(positions, at)
		}
		return positions
	}
	down := func(i int) int {
		if i < 0 {
			i += n
		}
		return max(-1, min(i, n-1))
	}
	for at := down(i); at > down(j); at += step {
		positions = append(positions, at)
	}
	return positions
}

// door is a way to a column.
type door[T any] struct {
	way    string
	typ    dtype.Type[T]
	bounds *columnvault.ColumnOptions
	path   string
	vaults []*columnvault.Vault
	steps  int
	layout int // of the column, where it is moved
}

func (d *door[T]) open(t *rapid.T) {
	count := 1
	switch d.way {
	case "two vaults":
		count = 2
	case "moved":
		defer d.move(t, d.layout) // Ensure finds the column in either
	}
	for range count {
		// Buffers and caches so small that their edges are met.
		v, err := vaulttest.OpenOver(d.engine(), d.path, &columnvault.Options{ReadBytes: 100})
		vaulttest.Must(t, err)
		d.vaults = append(d.vaults, v)
		c, err := columnvault.Ensure(t.Context(), v, "values", d.typ, d.bounds)
		vaulttest.Must(t, err)
		switch d.way {
		case "cached", "native cached":
			vaulttest.Must(t, v.EnableCache(t.Context(), vaulttest.CacheOf(400, 100)))
		case "cached column":
			vaulttest.Must(t, c.EnableCache(t.Context(), vaulttest.CacheOf(300, 50)))
		}
	}
}

// engine is what the column lies in.
func (d *door[T]) engine() vaulttest.Engine {
	switch d.way {
	case "rerun":
		return vaulttest.Engines()["rerun sqlite"]
	case "conflict":
		return vaulttest.Conflict()
	}
	return engine.Open
}

func (d *door[T]) close(t *rapid.T) {
	for _, v := range d.vaults {
		vaulttest.Must(t, v.Close())
	}
	d.vaults = nil
}

// column opens the column, through the one vault and the other in turn.
func (d *door[T]) column(t *rapid.T) *columnvault.Column[T] {
	return vaulttest.Lookup(t, d.vaults[d.steps%len(d.vaults)], "values", d.typ)
}

// do does the call, and says what the column says.
func (d *door[T]) do(t *rapid.T, s call, value func(n int) T) (said string) {
	ctx := t.Context()
	d.steps++
	switch d.way {
	case "reopened":
		if d.steps%4 == 0 {
			d.close(t)
			d.open(t)
		}
	case "in a transaction":
		v := d.vaults[0]
		begin := v.Update
		if s.reads() && d.steps%2 == 0 {
			begin = v.View
		}
		vaulttest.Must(t, begin(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			said = onColumn(ctx, s, vaulttest.Lookup(t, tx, "values", d.typ), value)
			return nil
		}))
		return said
	case "dynamic":
		c, err := d.vaults[0].Column(ctx, "values")
		vaulttest.Must(t, err)
		return onColumn(ctx, s, c, func(n int) any { return value(n) })
	case "moved":
		to := []int{0, columnvault.Native}[d.steps%2]
		if s.reads() {
			to = 1
		}
		d.move(t, to)
	}
	return onColumn(ctx, s, d.column(t), value)
}

// move moves the column to another layout. In layout 1 it cannot be written.
func (d *door[T]) move(t *rapid.T, to int) {
	ctx, v := t.Context(), d.vaults[0]
	if d.layout == 1 {
		err := d.column(t).Truncate(ctx, 0)
		if n, lengthErr := d.column(t).Len(ctx); lengthErr != nil || n > 0 && !errors.Is(err, columnvault.ErrReadOnly) {
			t.Fatalf("in layout 1, writing gives %v", errors.Join(err, lengthErr))
		}
	}
	if d.layout == to {
		return
	}
	moved, err := v.Migrate(ctx, columnvault.MigrateOptions{To: to})
	vaulttest.Must(t, err)
	if len(moved) != 1 {
		t.Fatalf("to layout %d go the columns %q", to, moved)
	}
	d.layout = to
}

// onColumn does the call to a column.
func onColumn[T any](ctx context.Context, s call, c *columnvault.Column[T], value func(n int) T) string {
	given := vaulttest.Sequence(len(s.values), func(i int) T { return value(s.values[i]) })
	one := value(s.one())
	switch s.op {
	case "append", "append many":
		return answer(nil, c.Append(ctx, given...))
	case "insert":
		return answer(nil, c.Insert(ctx, s.i, given...))
	case "set":
		return answer(nil, c.Set(ctx, s.i, one))
	case "set slice":
		return answer(nil, c.SetSlice(ctx, s.i, s.j, given))
	case "delete":
		return answer(nil, c.Delete(ctx, s.i, s.j))
	case "truncate":
		return answer(nil, c.Truncate(ctx, s.i))
	case "clear":
		return answer(nil, c.Clear(ctx))
	case "reverse":
		return answer(nil, c.Reverse(ctx))
	case "remove":
		return answer(nil, c.Remove(ctx, one))
	case "pop":
		return said(c.Pop(ctx, s.i))
	case "len":
		return said(c.Len(ctx))
	case "at":
		return said(c.At(ctx, s.i))
	case "slice":
		return said(c.Slice(ctx, s.i, s.j))
	case "slice step":
		return said(c.SliceStep(ctx, s.i, s.j, s.k))
	case "take":
		return said(c.Take(ctx, []int{s.i, 0, -1}))
	case "index":
		return said(c.Index(ctx, one))
	case "count":
		return said(c.Count(ctx, one))
	case "read":
		into := make([]T, 7)
		n, err := c.Read(ctx, into, s.i)
		return answer(into[:n], err)
	}
	panic("no such call: " + s.op)
}

func said[Y any](value Y, err error) string { return answer(value, err) }

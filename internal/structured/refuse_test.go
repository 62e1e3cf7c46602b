package structured

import (
	"encoding/json"
	"math"
	"math/big"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"
)

// checkRefused tries to store v and wants an error that says all of want.
func checkRefused[T any](t *testing.T, v T, want ...string) {
	t.Helper()
	for _, f := range formats {
		b, err := encode(f, v)
		if err == nil {
			t.Errorf("%v: %T is stored as %x", f, v, b)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%v: %T: the error %q does not say %q", f, v, err, w)
			}
		}
	}
}

func TestTypesRefused(t *testing.T) {
	type inner struct {
		When []map[string]*time.Time
	}
	checkRefused(t, struct{ In inner }{}, "In.When[][]", "time.Time", "UnixNano")
	checkRefused(t, struct{ Raw json.RawMessage }{}, "Raw", "json.RawMessage", "base64")
	checkRefused(t, []byte(nil), "[]uint8")
	checkRefused(t, [16]byte{}, "[16]uint8")
	checkRefused(t, map[int]string{}, "map[int]string", "keys")
	checkRefused(t, make(chan int), "chan int")
	checkRefused(t, func() {}, "func()")
	checkRefused(t, 1i, "complex128")
	checkRefused(t, []complex64{}, "[]: ", "complex64")
	checkRefused(t, unsafe.Pointer(nil), "unsafe.Pointer")
	checkRefused(t, big.NewInt(1), "big.Int", "no exported field")
	checkRefused(t, struct{ time.Time }{}, "time.Time")
	checkRefused(t, struct {
		*hidden
	}{}, "hidden", "unexported")
	checkRefused(t, struct {
		sync.Mutex
		n int
	}{}, "no exported field")

	// The same as the dynamic value of an interface.
	type holder struct {
		X any `json:"x"`
	}
	checkRefused(t, holder{[]any{1, []byte("x")}}, "x[1]", "[]uint8")
	checkRefused(t, holder{map[string]any{"k": time.Unix(0, 0)}}, "x.k", "time.Time")
	checkRefused(t, holder{map[any]any{}}, "x", "keys")
	checkRefused(t, holder{struct{ A, B any }{1, 1i}}, "x.B", "complex128")
	checkRefused[any](t, func() {}, "func()")
}

func TestValuesRefused(t *testing.T) {
	type holder struct {
		F float32           `json:"f"`
		L []float64         `json:"l"`
		M map[string]string `json:"m"`
	}
	checkRefused(t, holder{F: float32(math.NaN())}, "f: NaN")
	checkRefused(t, holder{L: []float64{0, math.Inf(1)}}, "l[1]: NaN and infinities")
	checkRefused(t, holder{M: map[string]string{"a": "\xff"}}, "m.a: ", "UTF-8")
	checkRefused(t, holder{M: map[string]string{"\xff": "a"}}, "UTF-8")
	checkRefused[any](t, math.Inf(-1), "infinities")
	checkRefused[any](t, map[string]any{"a": "\xed\xa0\x80"}, "a: ", "UTF-8") // a surrogate
	checkRefused[any](t, map[string]any{"\xff": 1}, "UTF-8")
	for _, n := range []json.Number{"18446744073709551616", "-9223372036854775809", "1e999", "NaN", "inf", "0x10", "1_0", "x", " 1", "0x1p-2"} {
		checkRefused[any](t, n, "json.Number")
	}
}

func TestDepth(t *testing.T) {
	nested := func(n int) any {
		var v any = []any{}
		for i := 1; i < n; i++ {
			if i%2 == 0 {
				v = []any{v}
			} else {
				v = map[string]any{"a": v}
			}
		}
		return v
	}
	type list struct{ Next *list }
	chain := func(n int) (l list) {
		for range n - 1 {
			l = list{Next: &list{l.Next}}
		}
		return l
	}
	for f, max := range map[Format]int{MsgPack: 1023, CBOR: 256} {
		b, err := encode(f, nested(max))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decode[any](f, b); err != nil {
			t.Error(err)
		}
		if _, err := encode(f, nested(max+1)); err == nil {
			t.Errorf("%v: %d levels are stored", f, max+1)
		}
		b, err = encode(f, chain(max))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decode[list](f, b); err != nil {
			t.Error(err)
		}
		if _, err := encode(f, chain(max+1)); err == nil {
			t.Errorf("%v: %d levels of structs are stored", f, max+1)
		}

		// One level more on the way in, in every place that descends.
		array, object := byte(0x91), "\x81\xa4Next"
		if f == CBOR {
			array, object = 0x81, "\xa1\x64Next"
		}
		deep := append(make([]byte, 0, max+2), []byte(strings.Repeat(string([]byte{array}), max+1))...)
		deep = append(deep, 0)
		type slices []slices
		type pointers *pointers
		for name, err := range map[string]error{
			"any":      second(decode[any](f, deep)),
			"slice":    second(decode[slices](f, deep)),
			"struct":   second(decode[list](f, []byte(strings.Repeat(object, max+1)+"\x00"))),
			"map":      second(decode[map[string]any](f, []byte(strings.Repeat(object, max+1)+"\x00"))),
			"skip":     second(decode[struct{}](f, append([]byte(object), deep...))),
			"pointers": second(decode[pointers](f, []byte{1})),
		} {
			if err == nil || !strings.Contains(err.Error(), "inside each other") {
				t.Errorf("%v: too deep a %s: %v", f, name, err)
			}
		}
	}
}

func second[A, B any](_ A, b B) B { return b }

// Values that contain themselves run into the limit of depth, not out of stack.
func TestCycles(t *testing.T) {
	type node struct{ Next *node }
	loop := &node{}
	loop.Next = loop
	checkRefused(t, loop, "contains itself")

	list := []any{nil}
	list[0] = list
	checkRefused[any](t, list, "contains itself")

	type slices []slices
	self := slices{nil}
	self[0] = self
	checkRefused(t, self, "contains itself")

	object := map[string]any{}
	object["me"] = object
	checkRefused[any](t, object, "contains itself")

	type maps map[string]maps
	typed := maps{}
	typed["me"] = typed
	checkRefused(t, typed, "contains itself")

	var pointed any
	pointed = &pointed
	checkRefused(t, pointed, "contains itself")

	type pointers *pointers
	var p pointers
	p = &p
	checkRefused(t, p, "contains itself")
}

// Lengths in the data are not believed: memory grows with what is really there.
func TestHostileLengths(t *testing.T) {
	type wide struct {
		Next []wide
		_    [1 << 12]byte
	}
	// 900 arrays inside each other, each announcing as many elements as there
	// are bytes left.
	var deep []byte
	for i := range 900 {
		n := 1<<20 - 3*i
		deep = append(deep, 0xdd, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	deep = append(deep, make([]byte, 1<<20)...)
	allocated := func(run func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	for name, run := range map[string]func() error{
		"any":    func() error { return second(decode[any](MsgPack, deep[:len(deep)-1<<19])) },
		"struct": func() error { return second(decode[wide](MsgPack, append([]byte("\x81\xa4Next"), deep...))) },
	} {
		var err error
		if n := allocated(func() { err = run() }); n > 256<<20 {
			t.Errorf("%s: %d MiB allocated for 1.5 MiB of data", name, n>>20)
		}
		if err == nil {
			t.Errorf("%s: hostile data are accepted", name)
		}
	}
}

// Many types that all refer to each other compile in no time: each is compiled
// once, not once on every way to it.
func TestCompileManyTypes(t *testing.T) {
	type g[T any] struct{ A, B, C, D *T }
	type t1 struct{ A, B g[g[g[g[int]]]] }
	type t2 struct{ A, B, C, D g[t1] }
	type t3 struct{ A, B, C, D g[t2] }
	type t4 struct{ A, B, C, D g[t3] }
	type t5 struct{ A, B, C, D g[t4] }
	type t6 struct{ A, B, C, D g[t5] }
	type t7 struct{ A, B, C, D g[t6] }
	type t8 struct{ A, B, C, D g[t7] }
	type t9 struct{ A, B, C, D g[t8] }
	for _, f := range formats {
		if _, err := encode(f, t9{}); err != nil {
			t.Error(err)
		}
	}
}

func TestConcurrentCompile(t *testing.T) {
	type inner struct{ Self []*inner }
	type outer struct{ In inner }
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for _, f := range formats {
				b, err := encode(f, outer{inner{[]*inner{{}, nil}}})
				if err == nil {
					_, err = decode[outer](f, b)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

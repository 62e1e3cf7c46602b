package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Kind is what the elements of a list are.
type Kind string

const (
	Ints    Kind = "i64"
	Floats  Kind = "f64"
	Bytes   Kind = "100 B"
	Strings Kind = "strings"
	Records Kind = "records"          // one value each, where a peer can do that
	Rows    Kind = "records by field" // a column for each field, where a peer can do that
)

// Record is an element of Records and Rows.
type Record struct {
	ID    int64   `msgpack:"id" columnvault:"id" parquet:"id,plain"`
	Name  string  `msgpack:"name" columnvault:"name" parquet:"name,plain"`
	Value float64 `msgpack:"value" columnvault:"value" parquet:"value,plain"`
	Count int64   `msgpack:"count" columnvault:"count" parquet:"count,plain"`
	Good  bool    `msgpack:"good" columnvault:"good" parquet:"good,plain"`
}

// values makes the elements of a kind, and the bytes that stand for them in
// stores that know bytes only.
type values[T any] struct {
	kind Kind
	// at is the element with which position i begins.
	at func(i int) T
	// changed is the element for a Set, which differs from all others and has
	// size bytes in place of 100, if elements of the kind vary in size.
	changed func(i, size int) T
	equal   func(a, b T) bool
	append  func(dst []byte, v T) []byte
	// decode may return a value that lies in src, and own makes it the
	// caller's.
	decode func(src []byte) T
	own    func(v T) T
	// size is that of every element, 0 if it varies.
	size int
	// sizes are those to which elements are set.
	sizes []int
}

// mix makes of a number one that looks like chance, always the same.
func mix(i int) uint64 {
	x := uint64(i) + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func same[T any](v T) T { return v }

var ints = values[int64]{
	kind:    Ints,
	at:      func(i int) int64 { return int64(mix(i) % 1_000_000) },
	changed: func(i, _ int) int64 { return 1_000_000 + int64(i) },
	equal:   func(a, b int64) bool { return a == b },
	append:  func(dst []byte, v int64) []byte { return binary.LittleEndian.AppendUint64(dst, uint64(v)) },
	decode:  func(src []byte) int64 { return int64(binary.LittleEndian.Uint64(src)) },
	own:     same[int64],
	size:    8,
	sizes:   []int{8},
}

var floats = values[float64]{
	kind:    Floats,
	at:      func(i int) float64 { return float64(mix(i)>>11) / (1 << 53) },
	changed: func(i, _ int) float64 { return 1.5 + float64(i) },
	equal:   func(a, b float64) bool { return a == b },
	append:  func(dst []byte, v float64) []byte { return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v)) },
	decode:  func(src []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(src)) },
	own:     same[float64],
	size:    8,
	sizes:   []int{8},
}

var blobs = values[[]byte]{
	kind: Bytes,
	at:   func(i int) []byte { return noise(mix(i), 100) },
	changed: func(i, size int) []byte {
		b := noise(mix(i), size)
		b[0] = byte(size)
		binary.LittleEndian.PutUint64(b[1:], uint64(i))
		return b
	},
	equal:  func(a, b []byte) bool { return string(a) == string(b) },
	append: func(dst []byte, v []byte) []byte { return append(dst, v...) },
	decode: same[[]byte],
	own:    slices.Clone[[]byte],
	size:   100,
	sizes:  []int{100, 60, 130},
}

// noise is n bytes that look like chance.
func noise(x uint64, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		if i%8 == 0 {
			x = mix(int(x))
		}
		b[i] = byte(x >> (i % 8 * 8))
	}
	return b
}

var words = []string{"amber", "birch", "cobalt", "dune", "ember", "fjord", "granite", "harbor", "iris", "juniper", "kelp", "lichen"}

var texts = values[string]{
	kind: Strings,
	at: func(i int) string {
		x := mix(i)
		return fmt.Sprintf("%s %s %d", words[x%12], words[x/12%12], x/144%1000)
	},
	changed: func(i, size int) string {
		return fmt.Sprintf("%0*d", size/6, i) // 16, 10 and 21 letters
	},
	equal:  func(a, b string) bool { return a == b },
	append: func(dst []byte, v string) []byte { return append(dst, v...) },
	decode: func(src []byte) string { return string(src) },
	own:    strings.Clone,
	sizes:  []int{100, 60, 130},
}

var records = values[Record]{
	kind: Records,
	at: func(i int) Record {
		x := mix(i)
		return Record{ID: int64(i), Name: words[x%12], Value: float64(x>>40) / 16, Count: int64(x >> 8 % 1000), Good: x&1 == 0}
	},
	changed: func(i, _ int) Record {
		return Record{ID: int64(i), Name: "changed", Value: float64(i) + 0.25, Count: int64(i), Good: true}
	},
	equal: func(a, b Record) bool { return a == b },
	append: func(dst []byte, v Record) []byte {
		good := byte(0)
		if v.Good {
			good = 1
		}
		dst = binary.LittleEndian.AppendUint64(dst, uint64(v.ID))
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Value))
		dst = binary.LittleEndian.AppendUint64(dst, uint64(v.Count))
		return append(append(dst, good), v.Name...)
	},
	decode: func(src []byte) Record {
		return Record{
			ID:    int64(binary.LittleEndian.Uint64(src)),
			Value: math.Float64frombits(binary.LittleEndian.Uint64(src[8:])),
			Count: int64(binary.LittleEndian.Uint64(src[16:])),
			Good:  src[24] == 1,
			Name:  string(src[25:]),
		}
	},
	own:   same[Record],
	sizes: []int{100},
}

// rows are records that are kept by field.
var rows = func() values[Record] {
	v := records
	v.kind = Rows
	return v
}()

// first returns the first n elements.
func (v values[T]) first(n int) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = v.at(i)
	}
	return all
}

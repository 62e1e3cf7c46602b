package vaulttest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"
)

// Sequence is n values, each made of its position.
func Sequence[T any](n int, value func(i int) T) []T {
	values := make([]T, n)
	for i := range values {
		values[i] = value(i)
	}
	return values
}

// Span is the numbers from up to, not including, to.
func Span(from, to int) []int64 {
	return Sequence(to-from, func(i int) int64 { return int64(from + i) })
}

// Texts is n texts of different lengths, the first of them empty.
func Texts(n int) []string {
	return Sequence(n, func(i int) string { return strings.Repeat(fmt.Sprint(i, " "), i%7) })
}

// Bytes is n bytes that tell which element they are of.
func Bytes(i, n int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "<%d>", i), n)[:n]
}

// Blobs is n values of [Bytes], each of this size.
func Blobs(n, size int) [][]byte {
	return Sequence(n, func(i int) []byte { return Bytes(i, size) })
}

// Key is a key that sorts as its number does.
func Key(i int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(i)) }

// Endless is a source of bytes without end that costs as little as one can.
type Endless struct{}

var endlessPiece = bytes.Repeat([]byte("columns and pairs"), 1<<12)

func (Endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		n += copy(p[n:], endlessPiece)
	}
	return n, nil
}

// Collect gathers what an iterator yields.
func Collect[T any](t TB, seq func(yield func(T, error) bool)) (values []T) {
	t.Helper()
	for value, err := range seq {
		Must(t, err)
		values = append(values, value)
	}
	return values
}

// LoopOver calls body with the number of each value that an iterator yields,
// as long as that returns true, and returns the error that ends the loop.
func LoopOver[T any](seq func(yield func(T, error) bool), body func(n int) bool) error {
	n := 0
	for _, err := range seq {
		if err != nil {
			return err
		}
		if !body(n) {
			break
		}
		n++
	}
	return nil
}

// LoopErr is the error that ends a loop.
func LoopErr[T any](seq func(yield func(T, error) bool)) error {
	return LoopOver(seq, func(int) bool { return true })
}

// WantValues requires the same values in the same order.
func WantValues[T any](t TB, what string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("%s: the value at %d is %#v, want %#v", what, i, got[i], want[i])
		}
	}
}

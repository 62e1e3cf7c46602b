package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"columnvault"
)

// TestLongKeyList lists more keys than are aligned at once.
func TestLongKeyList(t *testing.T) {
	db := filepath.Join(t.TempDir(), "a.db")
	v, err := columnvault.Open(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	var pairs []columnvault.Pair
	var table, lines strings.Builder
	table.WriteString("key       size  encoding\n")
	for i := range 2*listRows + 1 {
		key := fmt.Sprintf("key %04d", i)
		pairs = append(pairs, columnvault.Pair{Key: columnvault.Key(key), Value: make([]byte, i%100)})
		fmt.Fprintf(&table, "%s  %4d  raw\n", key, i%100)
		fmt.Fprintf(&lines, `{"key":"%s","size":%d,"encoding":"raw"}`+"\n", key, i%100)
	}
	if err := v.KV().PutMany(t.Context(), pairs...); err != nil {
		t.Fatal(err)
	}
	if got := columnvaultCommand(t, "kv", "ls", db); got != table.String() {
		t.Errorf("got\n%.300s", got)
	}
	if got := columnvaultCommand(t, "kv", "ls", db, "--json"); got != lines.String() {
		t.Errorf("got\n%.300s", got)
	}
}

// TestStreamLarge stores and writes more than is in memory at once.
func TestStreamLarge(t *testing.T) {
	db := filepath.Join(t.TempDir(), "a.db")
	value := make([]byte, 3*copyPiece+1)
	for i := range value {
		value[i] = byte(i * i >> 8)
	}
	var out, stderr bytes.Buffer
	if code := run(t.Context(), []string{"kv", "put", db, "x"}, bytes.NewReader(value), &out, &stderr); code != exitOK {
		t.Fatal(stderr.String())
	}
	if got := columnvaultCommand(t, "kv", "cat", db, "x"); got != string(value) {
		t.Errorf("%d bytes come back as %d others", len(value), len(got))
	}
	if got := columnvaultCommand(t, "kv", "cat", db, "x", "--range", "-300000:-1"); got != string(value[len(value)-300000:len(value)-1]) {
		t.Errorf("the range has %d other bytes", len(got))
	}
}

package crash

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// each is how many elements every writer adds.
const each = 300

// countBeside adds numbered elements of its own to a column that others write too,
// one at a time, and sets one after each. It prints nothing.
func countBeside(ctx context.Context, args []string) error {
	v, err := columnvault.Open(ctx, args[0], nil)
	if err != nil {
		return err
	}
	defer v.Close()
	c, err := columnvault.Lookup(ctx, v, "shared", dtype.Int64)
	if err != nil {
		return err
	}
	own, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	marks, err := columnvault.Lookup(ctx, v, "marks", dtype.Int64)
	if err != nil {
		return err
	}
	for i := range each {
		if err := c.Append(ctx, int64(own*each+i)); err != nil {
			return err
		}
		if err := marks.Set(ctx, own, int64(i+1)); err != nil {
			return err
		}
		if _, err := c.Slice(ctx, -50, columnvault.End); err != nil {
			return err
		}
	}
	return nil
}

// stock is a program that knows the format, and of this project nothing. It
// does what countBeside does by SQL alone.
const stock = `
import sqlite3, struct, sys
path, own, each = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
db = sqlite3.connect(path, timeout=60, isolation_level=None)

def column(name):
    return db.execute("SELECT col_id, length, max_chunk_bytes FROM col_meta WHERE name = ?", (name,)).fetchone()

def write(col, most, position, value):
    chunk, offset = divmod(position * 8, most)
    row = db.execute("SELECT data FROM col_chunks WHERE col_id = ? AND chunk_idx = ?", (col, chunk)).fetchone()
    data = bytearray(row[0]) if row else bytearray(64)
    while len(data) < offset + 8:
        data.extend(bytes(min(len(data), most - len(data))))
    data[offset : offset + 8] = struct.pack("<q", value)
    db.execute(
        "INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT DO UPDATE SET data = ?3, actual_size = ?4",
        (col, chunk, bytes(data), len(data)),
    )

for i in range(each):
    db.execute("BEGIN IMMEDIATE")
    col, length, most = column("shared")
    write(col, most, length, own * each + i)
    db.execute("UPDATE col_meta SET length = ? WHERE col_id = ?", (length + 1, col))
    db.execute("COMMIT")
    db.execute("BEGIN IMMEDIATE")
    col, length, most = column("marks")
    write(col, most, own, i + 1)
    db.execute("COMMIT")
`

// TestWritersBesideEachOther: two processes of ours and one of stock SQLite
// append to a column, set elements of another and read, all at the same time.
// Every element is there once, in the order of its writer.
func TestWritersBesideEachOther(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // if a writer fails, the rest never comes
	defer cancel()
	path := filepath.Join(t.TempDir(), "test.db")
	v, err := columnvault.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	small := &columnvault.ColumnOptions{MinChunk: 64, MaxChunk: 1024}
	c, err := columnvault.Create(ctx, v, "shared", dtype.Int64, small)
	if err != nil {
		t.Fatal(err)
	}
	marks, err := columnvault.Create(ctx, v, "marks", dtype.Int64, small)
	if err != nil {
		t.Fatal(err)
	}
	writers := 2
	var stockCmd *exec.Cmd
	if python, err := exec.LookPath("python3"); err == nil {
		stockCmd = exec.Command(python, "-c", stock, path, strconv.Itoa(writers), strconv.Itoa(each))
		stockCmd.Stderr = os.Stderr
		writers++
	} else {
		t.Log("there is no python3, so no process of stock SQLite takes part")
	}
	if err := marks.Append(ctx, make([]int64, writers)...); err != nil {
		t.Fatal(err)
	}
	var cmds []*exec.Cmd
	for own := range 2 {
		cmds = append(cmds, start(t, "count", path, strconv.Itoa(own)).Cmd)
	}
	if stockCmd != nil {
		if err := stockCmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, stockCmd)
	}
	watch(ctx, t, c, writers)
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	values, err := c.Slice(ctx, columnvault.Begin, columnvault.End)
	if err != nil {
		t.Fatal(err)
	}
	if err := inOrder(values, writers); err != nil || len(values) != writers*each {
		t.Errorf("%d elements at the end, want %d: %v", len(values), writers*each, err)
	}
	final, err := marks.Slice(ctx, columnvault.Begin, columnvault.End)
	if err != nil {
		t.Fatal(err)
	}
	for own, mark := range final {
		if mark != each {
			t.Errorf("writer %d has left the mark %d, want %d", own, mark, each)
		}
	}
	vaulttest.WantSound(t, v)
}

// watch reads the column beside its writers until it has all elements.
func watch(ctx context.Context, t *testing.T, c *columnvault.Column[int64], writers int) {
	t.Helper()
	for seen := 0; seen < writers*each; {
		values, err := c.Slice(ctx, columnvault.Begin, columnvault.End)
		if err != nil {
			t.Fatal(err)
		}
		if len(values) < seen {
			t.Fatalf("%d elements were there, and now %d", seen, len(values))
		}
		seen = len(values)
		if err := inOrder(values, writers); err != nil {
			t.Fatal(err)
		}
	}
}

// inOrder reports an element that is missing, doubled or out of order.
func inOrder(values []int64, writers int) error {
	next := make([]int64, writers)
	for i, v := range values {
		own := int(v) / each
		if own < 0 || own >= writers || v != int64(own*each)+next[own] {
			return fmt.Errorf("element %d is %d, out of order", i, v)
		}
		next[own]++
	}
	return nil
}

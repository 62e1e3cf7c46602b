package sqlite

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

// The benchmarks here are what the driver costs by itself, with the pragmas of
// this package and its file of the log, and without anything of it above: the
// floor that the benchmarks of the root package are to be compared with.

var pageSizes = []int{4096, 8192, 16384}

func benchConn(b *testing.B, pageSize int) *conn {
	b.Helper()
	s := &Store{path: filepath.Join(b.TempDir(), "bench.db"), mode: modeCreate,
		opts: Options{PageSize: pageSize, PageCacheBytes: defaultCacheBytes, BusyTimeout: DefaultBusyTimeout}}
	c, err := s.openWriter(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.close)
	return c
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkDriverCommit is the smallest transaction, one row of eight bytes, and
// the smallest that an append to a column can be: the bytes lie on one page and
// the length on another.
func BenchmarkDriverCommit(b *testing.B) {
	for _, size := range pageSizes {
		for pages := 1; pages <= 2; pages++ {
			b.Run(fmt.Sprintf("%d/%d pages", size, pages), func(b *testing.B) {
				c := benchConn(b, size)
				for _, table := range []string{"t", "u"} {
					must(b, c.exec(fmt.Sprintf(`CREATE TABLE %s (a INTEGER PRIMARY KEY, b BLOB); INSERT INTO %[1]s VALUES (1, zeroblob(100))`, table)))
				}
				value := make([]byte, 8)
				for i := uint64(0); b.Loop(); i++ {
					binary.LittleEndian.PutUint64(value, i)
					must(b, c.run(`BEGIN IMMEDIATE`))
					must(b, c.run(`UPDATE t SET b = ? WHERE a = 1`, value))
					if pages == 2 {
						must(b, c.run(`UPDATE u SET b = ? WHERE a = 1`, value))
					}
					must(b, c.commit())
				}
			})
		}
	}
}

// BenchmarkDriverBulk writes 80 MB in chunks of 1 MiB in one transaction, by
// BLOB writes and as bound values, and moves them into the file, as happens
// after a long transaction.
func BenchmarkDriverBulk(b *testing.B) {
	const chunks, chunk = 76, 1 << 20
	data := make([]byte, chunk)
	for i := range data {
		data[i] = byte(i * i)
	}
	for _, size := range pageSizes {
		for _, bound := range []bool{false, true} {
			name := fmt.Sprintf("%d/blob", size)
			if bound {
				name = fmt.Sprintf("%d/bound", size)
			}
			b.Run(name, func(b *testing.B) {
				b.SetBytes(chunks * chunk)
				for b.Loop() {
					b.StopTimer()
					c := benchConn(b, size)
					b.StartTimer()
					must(b, c.run(`BEGIN IMMEDIATE`))
					for i := range int64(chunks) {
						if bound {
							must(b, c.run(`INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size) VALUES (1, ?, ?, 1048576)`, i, data))
							continue
						}
						must(b, c.run(`INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size) VALUES (1, ?, zeroblob(1048576), 1048576)`, i))
						blob, err := c.db.OpenBlob("main", "col_chunks", "data", i+1, true)
						must(b, err)
						for p := data; len(p) > 0; p = p[blobPiece:] {
							_, err := blob.Write(p[:blobPiece])
							must(b, err)
						}
						must(b, blob.Close())
					}
					must(b, c.run(`COMMIT`))
					_, err := c.checkpoint(store.CheckpointPassive)
					must(b, err)
				}
			})
		}
	}
}

// BenchmarkDriverValue writes a value of 900 MB into a table of pairs: zeros,
// BLOB writes over them, the commit and the checkpoint that follows it.
func BenchmarkDriverValue(b *testing.B) {
	const size = 900_000_000
	data := make([]byte, blobPiece)
	for i := range data {
		data[i] = byte(i * i)
	}
	b.SetBytes(size)
	for b.Loop() {
		b.StopTimer()
		c := benchConn(b, defaultPageSize)
		must(b, c.exec(fmt.Sprintf(createKV, "kv")))
		b.StartTimer()
		must(b, c.run(`BEGIN IMMEDIATE`))
		must(b, c.run(`INSERT INTO kv (key, value) VALUES (x'01', ?)`, sqlite3.ZeroBlob(size)))
		blob, err := c.db.OpenBlob("main", "kv", "value", 1, true)
		must(b, err)
		for left := size; left > 0; left -= len(data) {
			_, err := blob.Write(data[:min(left, len(data))])
			must(b, err)
		}
		must(b, blob.Close())
		must(b, c.run(`COMMIT`))
		_, err = c.checkpoint(store.CheckpointPassive)
		must(b, err)
		b.StopTimer()
		path := c.db.Filename("main").String()
		c.close()
		must(b, os.Remove(path))
		b.StartTimer()
	}
}

// BenchmarkDriverGet reads 256 bytes at random keys of 100,000, in one
// transaction.
func BenchmarkDriverGet(b *testing.B) {
	const keys = 100_000
	c := benchConn(b, defaultPageSize)
	must(b, c.exec(fmt.Sprintf(createKV, "kv")))
	must(b, c.run(`BEGIN IMMEDIATE`))
	for i := range uint64(keys) {
		must(b, c.run(`INSERT INTO kv (key, value) VALUES (?, ?)`, binary.BigEndian.AppendUint64(nil, i), make([]byte, 256)))
	}
	must(b, c.run(`COMMIT`))
	must(b, c.run(`BEGIN`))
	st, _, err := c.db.Prepare(`SELECT value FROM kv WHERE key = ?`)
	must(b, err)
	defer st.Close()
	var value []byte
	for b.Loop() {
		must(b, st.BindBlob(1, binary.BigEndian.AppendUint64(nil, rand.Uint64N(keys))))
		if !st.Step() {
			b.Fatal("the key is missing")
		}
		value = st.ColumnBlob(0, value[:0])
		must(b, st.Reset())
	}
}

package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"columnvault"
	"columnvault/internal/vaulttest"
)

// header is what bytes get that begin as a header does.
const header = "\x89K\x01\x00\x00\x00\x00\x00VK"

// streamed is n bytes that differ wherever two of them could be confused.
func streamed(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return p
}

// streamSizes are sizes around that of a header, of a piece that a stream moves
// at once, and of what SQLite may hold in one row in memory.
var streamSizes = []int{0, 1, 9, 10, 11, 20, 300, 128<<10 - 1, 256 << 10, 256<<10 + 1, 256<<10 + 10, 1 << 20, 16<<20 - 1, 16 << 20, 17 << 20}

// openBlob opens a value and closes it with the test.
func openBlob(t *testing.T, kv *columnvault.KV, key string) *columnvault.Blob {
	t.Helper()
	b, err := kv.OpenBlob(t.Context(), columnvault.Key(key))
	vaulttest.Must(t, err)
	t.Cleanup(func() { b.Close() })
	return b
}

// wantBlob requires the whole value of a key, by Get and as a stream.
func wantBlob(t *testing.T, kv *columnvault.KV, key string, want []byte) {
	t.Helper()
	got, err := kv.Get(t.Context(), columnvault.Key(key))
	vaulttest.Must(t, err)
	if !bytes.Equal(got, want) {
		t.Fatalf("Get gives %d bytes, which are not the %d that were put", len(got), len(want))
	}
	b := openBlob(t, kv, key)
	var copied bytes.Buffer
	n, err := b.WriteTo(&copied)
	vaulttest.Must(t, err)
	if b.Size() != int64(len(want)) || n != b.Size() || !bytes.Equal(copied.Bytes(), want) {
		t.Fatalf("the blob has %d bytes, which are not the %d that were put", n, len(want))
	}
	vaulttest.Must(t, b.Close())
}

// TestStreamsComeBack: what is put as a whole can be read as a stream, and the
// other way round, in the file and in the cache, with and without the magic of
// a header.
func TestStreamsComeBack(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	kv := v.KV()
	for _, size := range streamSizes {
		for _, begin := range []string{"", "\x89K", header, header + header} {
			value := append([]byte(begin), streamed(size)...)[:size]
			vaulttest.Must(t, kv.PutFrom(ctx, []byte("stream"), int64(size), iotest.HalfReader(bytes.NewReader(value))))
			wantBlob(t, kv, "stream", value)
			vaulttest.Must(t, kv.Put(ctx, []byte("whole"), value))
			wantBlob(t, kv, "whole", value)
			if size <= 1<<20 {
				vaulttest.Must(t, v.Cached(ctx, nil, func() error {
					vaulttest.Must(t, kv.Put(ctx, []byte("cached"), value))
					wantBlob(t, kv, "cached", value)
					return nil
				}))
				wantBlob(t, kv, "cached", value)
			} else {
				vaulttest.Must(t, vaulttest.ErrOf(kv.Delete(ctx, []byte("cached"))))
			}
			for p, err := range kv.All(ctx, nil) {
				vaulttest.Must(t, err)
				if !bytes.Equal(p.Value, value) {
					t.Fatalf("%d bytes: All gives others for %q", size, p.Key)
				}
			}
		}
	}
	vaulttest.Must(t, v.Close())
	// A value gets a header only where one could be seen in it.
	rows := vaulttest.QuerySQL(t, path, `SELECT length(value), hex(substr(value, 1, 12)) FROM kv`)
	for _, row := range rows {
		if want := fmt.Sprintf("%d %X", 17<<20+len(header), header+"\x89K"); row != want {
			t.Errorf("stored: %s, want %s", row, want)
		}
	}
}

// TestBlobReader holds a Blob to what package io says of readers.
func TestBlobReader(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	kv := v.KV()
	for _, size := range []int{0, 1, 9, 10, 11, 1000, 20_000} {
		for _, begin := range []string{"", header} {
			value := append([]byte(begin), streamed(size)...)[:size]
			vaulttest.Must(t, kv.PutFrom(ctx, []byte("key"), int64(size), bytes.NewReader(value)))
			vaulttest.Must(t, v.Cached(ctx, nil, func() error {
				vaulttest.Must(t, kv.Put(ctx, []byte("held"), value))
				for _, key := range []string{"key", "held"} {
					b := openBlob(t, kv, key)
					if err := iotest.TestReader(b, value); err != nil {
						t.Errorf("%s, %d bytes: %v", key, size, err)
					}
					vaulttest.Must(t, b.Close())
				}
				return nil
			}))
		}
	}
	vaulttest.Must(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		vaulttest.Put(t, kv.In(tx), "new", "a value of the transaction's own")
		b, err := kv.In(tx).OpenBlob(ctx, []byte("new"))
		vaulttest.Must(t, err)
		vaulttest.Must(t, iotest.TestReader(b, []byte("a value of the transaction's own")))
		return b.Close()
	}))
	_, err := kv.OpenBlob(ctx, []byte("missing"))
	vaulttest.WantErr(t, "OpenBlob of no key", err, columnvault.ErrNotFound)
	vaulttest.WantKey(t, err, "missing")
}

func TestBlobRanges(t *testing.T) {
	ctx := t.Context()
	kv := vaulttest.Open(t).KV()
	value := append([]byte(header), streamed(600_000)...)
	vaulttest.Must(t, kv.Put(ctx, []byte("key"), value))
	b := openBlob(t, kv, "key")
	for _, offset := range []int{0, 1, 5, 10, 4096, 262_143, len(value) - 1, len(value)} {
		for _, n := range []int{0, 1, 9, 8192, 300_000} {
			p := make([]byte, n)
			got, err := b.ReadAt(p, int64(offset))
			want := min(n, len(value)-offset)
			if got != want || !bytes.Equal(p[:got], value[offset:offset+want]) || (err == io.EOF) != (want < n) || err != nil && err != io.EOF {
				t.Errorf("ReadAt of %d bytes at %d: %d, %v", n, offset, got, err)
			}
			section, err := io.ReadAll(io.NewSectionReader(b, int64(offset), int64(n)))
			if err != nil || !bytes.Equal(section, value[offset:offset+want]) {
				t.Errorf("the section of %d bytes at %d has %d, %v", n, offset, len(section), err)
			}
		}
	}
	if n, err := b.ReadAt(make([]byte, 1), 1<<62); n != 0 || err != io.EOF {
		t.Errorf("ReadAt far past the end: %d, %v", n, err)
	}
	vaulttest.WantErr(t, "ReadAt before the start", vaulttest.ErrOf(b.ReadAt(make([]byte, 1), -1)), columnvault.ErrInvalidArgument)
	vaulttest.WantErr(t, "Seek before the start", vaulttest.ErrOf(b.Seek(-1, io.SeekStart)), columnvault.ErrInvalidArgument)
	vaulttest.WantErr(t, "Seek from nowhere", vaulttest.ErrOf(b.Seek(0, 3)), columnvault.ErrInvalidArgument)
	at, err := b.Seek(-5, io.SeekEnd)
	vaulttest.Must(t, err)
	rest, err := io.ReadAll(b)
	vaulttest.Must(t, err)
	if at != int64(len(value)-5) || !bytes.Equal(rest, value[len(value)-5:]) {
		t.Errorf("after Seek to %d there are %x", at, rest)
	}
}

// TestBlobConcurrent reads a value from many goroutines at a time.
func TestBlobConcurrent(t *testing.T) {
	kv := vaulttest.Open(t).KV()
	value := streamed(500_000)
	vaulttest.Must(t, kv.Put(t.Context(), []byte("key"), value))
	b := openBlob(t, kv, "key")
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			p := make([]byte, 10_000)
			for i := range 20 {
				offset := (g*61_000 + i*24_001) % (len(value) - len(p))
				if _, err := b.ReadAt(p, int64(offset)); err != nil || !bytes.Equal(p, value[offset:offset+len(p)]) {
					t.Errorf("ReadAt %d: %v", offset, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestBlobIsOneMoment: a Blob shows the value as it was when it was opened,
// until it or the vault is closed. Then it says so.
func TestBlobIsOneMoment(t *testing.T) {
	ctx := t.Context()
	for _, held := range []bool{false, true} {
		t.Run(fmt.Sprintf("held=%v", held), func(t *testing.T) {
			v := vaulttest.Open(t)
			kv := v.KV()
			if held {
				vaulttest.Must(t, v.EnableCache(ctx, nil))
			}
			old := streamed(400_000)
			vaulttest.Must(t, kv.Put(ctx, []byte("key"), old))
			b := openBlob(t, kv, "key")
			for _, change := range []func() error{
				func() error { return kv.Put(ctx, []byte("key"), []byte("short")) },
				func() error { return kv.PutFrom(ctx, []byte("key"), 500_000, vaulttest.Endless{}) },
				func() error { return vaulttest.ErrOf(v.Flush(ctx)) },
				func() error { return vaulttest.ErrOf(kv.Delete(ctx, []byte("key"))) },
				func() error { return kv.Clear(ctx) },
			} {
				vaulttest.Must(t, change())
				got, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
				vaulttest.Must(t, err)
				if !bytes.Equal(got, old) {
					t.Fatalf("the blob has %d bytes that are not those from before", len(got))
				}
			}
			p := make([]byte, 10)
			vaulttest.Must(t, b.Close())
			vaulttest.WantErr(t, "ReadAt after Close", vaulttest.ErrOf(b.ReadAt(p, 0)), columnvault.ErrClosed)
			vaulttest.WantErr(t, "Read after Close", vaulttest.ErrOf(b.Read(p)), columnvault.ErrClosed)
			vaulttest.WantErr(t, "WriteTo after Close", vaulttest.ErrOf(b.WriteTo(io.Discard)), columnvault.ErrClosed)
			vaulttest.Must(t, b.Close())

			vaulttest.Must(t, kv.Put(ctx, []byte("key"), old))
			flushAll(t, v)
			b = openBlob(t, kv, "key")
			vaulttest.Must(t, v.Close())
			vaulttest.WantErr(t, "ReadAt after the vault was closed", vaulttest.ErrOf(b.ReadAt(p, 0)), columnvault.ErrClosed)
			vaulttest.Must(t, b.Close())
		})
	}
	t.Run("transaction", func(t *testing.T) {
		v := vaulttest.Open(t)
		vaulttest.Put(t, v.KV(), "key", "value")
		for name, in := range map[string]func(context.Context, func(context.Context, *columnvault.Tx) error) error{"View": v.View, "Update": v.Update} {
			var b *columnvault.Blob
			vaulttest.Must(t, in(ctx, func(ctx context.Context, tx *columnvault.Tx) (err error) {
				b, err = v.KV().In(tx).OpenBlob(ctx, []byte("key"))
				return err
			}))
			vaulttest.WantErr(t, "ReadAt after the "+name, vaulttest.ErrOf(b.ReadAt(make([]byte, 1), 0)), columnvault.ErrClosed)
			vaulttest.Must(t, b.Close())
		}
	})
	t.Run("ctx", func(t *testing.T) {
		kv := vaulttest.Open(t).KV()
		vaulttest.Put(t, kv, "key", "value")
		ctx, cancel := context.WithCancel(ctx)
		b, err := kv.OpenBlob(ctx, []byte("key"))
		vaulttest.Must(t, err)
		defer b.Close()
		cancel()
		vaulttest.WantErr(t, "ReadAt after the end of the ctx", vaulttest.ErrOf(b.ReadAt(make([]byte, 1), 0)), context.Canceled)
	})
}

// TestBlobInUpdate: a Blob whose key the transaction itself changes reads what
// the key has by then, or says that it cannot.
func TestBlobInUpdate(t *testing.T) {
	v := vaulttest.Open(t)
	vaulttest.Put(t, v.KV(), "key", "0123456789")
	vaulttest.Must(t, v.Update(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		kv := v.KV().In(tx)
		b, err := kv.OpenBlob(ctx, []byte("key"))
		vaulttest.Must(t, err)
		p := make([]byte, 5)
		read := func(want string) {
			t.Helper()
			if _, err := b.ReadAt(p, 5); err != nil || string(p) != want {
				t.Errorf("ReadAt gives %q, %v, want %q", p, err, want)
			}
		}
		read("56789")
		vaulttest.Put(t, kv, "other", "value")
		read("56789")
		vaulttest.Put(t, kv, "key", "abcdefghij and more")
		read("fghij")
		vaulttest.Put(t, kv, "key", "short")
		vaulttest.WantErrText(t, "ReadAt of a value that is shorter now", vaulttest.ErrOf(b.ReadAt(p, 5)), columnvault.ErrCorrupt, "there are 5 bytes")
		vaulttest.WantDelete(t, kv, "key", true)
		vaulttest.WantErr(t, "ReadAt of a key that is gone", vaulttest.ErrOf(b.ReadAt(p, 5)), columnvault.ErrNotFound)
		return nil
	}))
}

// TestBlobKeepsNoSnapshot: neither closing a Blob nor failing to open one
// leaves a snapshot open.
func TestBlobKeepsNoSnapshot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.Put(t, v.KV(), "key", "value")
	vaulttest.Must(t, openBlob(t, v.KV(), "key").Close())
	vaulttest.WantErr(t, "OpenBlob of no key", vaulttest.ErrOf(v.KV().OpenBlob(t.Context(), []byte("missing"))), columnvault.ErrNotFound)
	vaulttest.Put(t, v.KV(), "key", "another")
	wantNoSnapshot(t, path)
}

// shortWriter takes less than it is given, and says nothing.
type shortWriter struct{ bytes.Buffer }

func (w *shortWriter) Write(p []byte) (int, error) { return w.Buffer.Write(p[:len(p)/2]) }

// failingWriter fails after n bytes.
type failingWriter struct {
	bytes.Buffer
	n int
}

func (w *failingWriter) Write(p []byte) (int, error) {
	n, _ := w.Buffer.Write(p[:min(len(p), w.n-w.Len())])
	if n < len(p) {
		return n, vaulttest.ErrOwn
	}
	return n, nil
}

// TestBlobWriteToFails: after a writer has failed, the Blob goes on after what
// was written.
func TestBlobWriteToFails(t *testing.T) {
	kv := vaulttest.Open(t).KV()
	value := streamed(700_000)
	vaulttest.Must(t, kv.Put(t.Context(), []byte("key"), value))
	b := openBlob(t, kv, "key")
	failing := &failingWriter{n: 300_001}
	if n, err := b.WriteTo(failing); n != 300_001 || err != vaulttest.ErrOwn {
		t.Errorf("WriteTo a writer that fails: %d, %v", n, err)
	}
	short := &shortWriter{}
	if n, err := b.WriteTo(short); n != int64(short.Len()) || err != io.ErrShortWrite {
		t.Errorf("WriteTo a writer that takes half: %d, %v", n, err)
	}
	rest, err := io.ReadAll(b)
	vaulttest.Must(t, err)
	if got := slices.Concat(failing.Bytes(), short.Bytes(), rest); !bytes.Equal(got, value) {
		t.Errorf("the three parts are %d bytes and not the value", len(got))
	}
}

// counted counts what is read from a source.
type counted struct {
	io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// TestPutFromFails: a source that ends early or fails leaves the key as it was,
// also in a transaction whose function ignores the error.
func TestPutFromFails(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	kv := v.KV()
	vaulttest.Put(t, kv, "key", "old")
	for _, size := range []int{1, 5, 10, 11, 300, 600_000} {
		for _, begin := range []string{"", header} {
			value := append([]byte(begin), streamed(size)...)[:size]
			for _, n := range []int{0, size / 2, size - 1} {
				for _, key := range []string{"key", "new"} {
					what := fmt.Sprintf("%d of %d bytes for %s", n, size, key)
					err := kv.PutFrom(ctx, []byte(key), int64(size), bytes.NewReader(value[:n]))
					vaulttest.WantErrText(t, what, err, columnvault.ErrInvalidArgument, fmt.Sprintf("after %d of %d bytes", n, size))
					vaulttest.WantErr(t, what, err, io.ErrUnexpectedEOF)
					vaulttest.WantKey(t, err, key)
					broken := func() io.Reader {
						return io.MultiReader(bytes.NewReader(value[:n]), iotest.ErrReader(vaulttest.ErrOwn))
					}
					err = kv.PutFrom(ctx, []byte(key), int64(size), broken())
					vaulttest.WantErrText(t, what, err, vaulttest.ErrOwn, "reading the source")
					vaulttest.WantPairs(t, kv, "key", "old")
					if n < min(size, 10) {
						continue // nothing has begun
					}
					err = v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
						vaulttest.Put(t, kv.In(tx), "other", "value")
						vaulttest.WantErr(t, what, kv.In(tx).PutFrom(ctx, []byte(key), int64(size), broken()), vaulttest.ErrOwn)
						return nil
					})
					if !errors.Is(err, vaulttest.ErrOwn) {
						t.Errorf("Update of half a value returns %v", err)
					}
					vaulttest.WantPairs(t, kv, "key", "old")
				}
			}
		}
	}
	vaulttest.WantErr(t, "a size below 0", kv.PutFrom(ctx, []byte("key"), -1, vaulttest.Endless{}), columnvault.ErrInvalidArgument)
	vaulttest.WantPairs(t, kv, "key", "old")
}

// TestPutFromReadsNoMore: what follows the value stays in the source.
func TestPutFromReadsNoMore(t *testing.T) {
	ctx := t.Context()
	kv := vaulttest.Open(t).KV()
	source := strings.NewReader("first" + header + "second")
	vaulttest.Must(t, kv.PutFrom(ctx, []byte("1"), 5, source))
	vaulttest.Must(t, kv.PutFrom(ctx, []byte("2"), int64(len(header)+3), source))
	vaulttest.Must(t, kv.PutFrom(ctx, []byte("3"), 0, source))
	vaulttest.Must(t, kv.PutFrom(ctx, []byte("4"), 3, source))
	vaulttest.WantPairs(t, kv, "1", "first", "2", header+"sec", "3", "", "4", "ond")
}

// TestPutFromBlob copies a value from key to key, in the same table and in the
// same transaction.
func TestPutFromBlob(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	kv := v.KV()
	value := streamed(900_000)
	vaulttest.Must(t, kv.Put(ctx, []byte("from"), value))
	b := openBlob(t, kv, "from")
	vaulttest.Must(t, kv.PutFrom(ctx, []byte("to"), b.Size(), b))
	wantBlob(t, kv, "to", value)
	vaulttest.Must(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		b, err := kv.In(tx).OpenBlob(ctx, []byte("to"))
		vaulttest.Must(t, err)
		return kv.In(tx).PutFrom(ctx, []byte("third"), b.Size(), b)
	}))
	wantBlob(t, kv, "third", value)
}

// TestValueThatNoRowHoldsIsRefused: a value that no row can hold is refused at
// once, and hardly anything of the source is read.
func TestValueThatNoRowHoldsIsRefused(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	kv := v.KV()
	vaulttest.Put(t, kv, "key", "old")
	most := int64(1_000_000_000 - 64)
	for _, size := range []int64{most - 2, most + 1, 1 << 40, 1<<63 - 1} {
		source := &counted{Reader: vaulttest.Endless{}}
		err := kv.PutFrom(ctx, []byte("key"), size, source)
		vaulttest.WantErrText(t, fmt.Sprint(size), err, columnvault.ErrTooLarge, fmt.Sprint(size), fmt.Sprint(most-3))
		vaulttest.WantKey(t, err, "key")
		if source.n > 10 {
			t.Errorf("%d bytes of the source are read", source.n)
		}
		// The header counts too.
		if size < 1<<63-10 {
			err = kv.PutFrom(ctx, []byte("key"), size-10, io.MultiReader(strings.NewReader(header), vaulttest.Endless{}))
			vaulttest.WantErr(t, "with a header", err, columnvault.ErrTooLarge)
		}
	}
	value := make([]byte, most-2)
	vaulttest.WantErr(t, "Put", kv.Put(ctx, []byte("key"), value), columnvault.ErrTooLarge)
	vaulttest.WantErr(t, "PutMany", kv.PutMany(ctx, columnvault.Pair{Key: []byte("a")}, columnvault.Pair{Key: []byte("key"), Value: value}), columnvault.ErrTooLarge)
	vaulttest.WantErr(t, "SetDefault", vaulttest.ErrOf(kv.SetDefault(ctx, []byte("new"), value)), columnvault.ErrTooLarge)
	vaulttest.Must(t, v.EnableCache(ctx, nil))
	vaulttest.WantErr(t, "Put in a cache", kv.Put(ctx, []byte("key"), value), columnvault.ErrTooLarge)
	vaulttest.WantPairs(t, kv, "key", "old")
}

// TestStreamMemory: 64 MiB go in and out, with a fraction of that in
// memory.
func TestStreamMemory(t *testing.T) {
	const size, most = 64 << 20, 32 << 20
	ctx := t.Context()
	dir := t.TempDir()
	kv := vaulttest.OpenAt(t, filepath.Join(dir, "test.db"), nil).KV()
	file := filepath.Join(dir, "file")
	for _, step := range []struct {
		what string
		fn   func() error
	}{
		{"PutFrom", func() error { return kv.PutFrom(ctx, []byte("key"), size, vaulttest.Endless{}) }},
		{"PutFrom in place of a value", func() error { return kv.PutFrom(ctx, []byte("key"), size, vaulttest.Endless{}) }},
		{"GetToFile", func() error { return kv.GetToFile(ctx, []byte("key"), file) }},
		{"PutFile", func() error { return kv.PutFile(ctx, []byte("file"), file) }},
		{"OpenBlob", func() error {
			b, err := kv.OpenBlob(ctx, []byte("file"))
			vaulttest.Must(t, err)
			n, err := io.Copy(io.Discard, b)
			if n != size {
				t.Errorf("the blob gives %d bytes", n)
			}
			return errors.Join(err, b.Close())
		}},
		{"Stat", func() error { return vaulttest.ErrOf(kv.Stat(ctx, []byte("file"))) }},
		{"Keys", func() error { return vaulttest.LoopErr(kv.Keys(ctx, nil)) }},
		{"Delete", func() error { return vaulttest.ErrOf(kv.Delete(ctx, []byte("file"))) }},
	} {
		if n := memoryOf(func() { vaulttest.Must(t, step.fn()) }); n > most {
			t.Errorf("%s takes %d bytes of memory for a value of %d", step.what, n, size)
		}
	}
}

// TestLargestValue: a value may be as large as a row can be, also one that is
// put as a whole: SQLite by itself would not have the memory.
func TestLargestValue(t *testing.T) {
	if testing.Short() {
		t.Skip("a value of 1 GB")
	}
	vaulttest.NeedsDisk(t, 1100<<20)
	ctx := t.Context()
	v := vaulttest.Open(t)
	kv := v.KV()
	value := bytes.Repeat([]byte("0123456789abcdef"), 1_000_000_000/16)[:1_000_000_000-64-3]
	vaulttest.Must(t, kv.Put(ctx, []byte("key"), value))
	for p, err := range kv.All(ctx, nil) {
		vaulttest.Must(t, err)
		if !bytes.Equal(p.Value, value) {
			t.Errorf("%d bytes come back, and not those that were put", len(p.Value))
		}
	}
	vaulttest.WantErr(t, "one byte more", kv.Put(ctx, []byte("key2"), value), columnvault.ErrTooLarge)
}

// endingCtx is a ctx that ends after it was looked at so many times.
type endingCtx struct {
	context.Context
	left int
}

func (c *endingCtx) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestGetToFile: the file appears when it is complete, and what was there
// before stays until then.
func TestGetToFile(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	v := vaulttest.Open(t)
	kv := v.KV()
	value := append([]byte(header), streamed(300_000)...)
	vaulttest.Must(t, kv.Put(ctx, []byte("key"), value))
	path := filepath.Join(dir, "file")
	want := func(content []byte, files ...string) {
		t.Helper()
		got, err := os.ReadFile(path)
		vaulttest.Must(t, err)
		if !bytes.Equal(got, content) {
			t.Errorf("the file has %d bytes, which are not the %d that it should have", len(got), len(content))
		}
		entries, err := os.ReadDir(dir)
		vaulttest.Must(t, err)
		vaulttest.WantValues(t, "files", vaulttest.Sequence(len(entries), func(i int) string { return entries[i].Name() }), files)
	}
	vaulttest.Must(t, kv.GetToFile(ctx, []byte("key"), path))
	want(value, "file")
	vaulttest.Must(t, os.WriteFile(path, []byte("an older file"), 0o666))
	vaulttest.WantErr(t, "GetToFile of no key", kv.GetToFile(ctx, []byte("missing"), path), columnvault.ErrNotFound)
	want([]byte("an older file"), "file")

	// Reading ends at every point at which it can end.
	tries := 0
	for {
		err := kv.GetToFile(&endingCtx{Context: ctx, left: tries}, []byte("key"), path)
		if err == nil {
			break
		}
		vaulttest.WantErr(t, "GetToFile with a ctx that ends", err, context.Canceled)
		want([]byte("an older file"), "file")
		tries++
	}
	if tries < 3 {
		t.Errorf("GetToFile looks at its ctx %d times only", tries)
	}
	want(value, "file")

	missing := filepath.Join(dir, "no", "such", "folder")
	err := kv.GetToFile(ctx, []byte("key"), missing)
	vaulttest.WantErrText(t, "GetToFile into no folder", err, os.ErrNotExist, "folder")
	vaulttest.WantKey(t, err, "key")
	vaulttest.Must(t, os.Mkdir(filepath.Join(dir, "folder"), 0o777))
	if err := kv.GetToFile(ctx, []byte("key"), filepath.Join(dir, "folder")); err == nil {
		t.Error("GetToFile replaces a folder")
	}
	want(value, "file", "folder")
}

func TestPutFile(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	kv := vaulttest.Open(t).KV()
	for _, size := range []int{0, 10, 300_000} {
		path := filepath.Join(dir, fmt.Sprint(size))
		vaulttest.Must(t, os.WriteFile(path, streamed(size), 0o666))
		vaulttest.Must(t, kv.PutFile(ctx, []byte("key"), path))
		wantBlob(t, kv, "key", streamed(size))
	}
	vaulttest.Put(t, kv, "key", "old")
	err := kv.PutFile(ctx, []byte("key"), filepath.Join(dir, "missing"))
	vaulttest.WantErrText(t, "PutFile of no file", err, os.ErrNotExist, "missing")
	vaulttest.WantKey(t, err, "key")
	vaulttest.WantErrText(t, "PutFile of a folder", kv.PutFile(ctx, []byte("key"), dir), columnvault.ErrInvalidArgument, "not a file")
	vaulttest.WantPairs(t, kv, "key", "old")
}

// TestErrorsOfFilesHaveKinds: what the system says of a file beside the vault is
// of a kind of this package, and can still be told by what it is.
func TestErrorsOfFilesHaveKinds(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	kv := vaulttest.Open(t).KV()
	key := []byte("key")
	vaulttest.Put(t, kv, "key", "old")
	missing := filepath.Join(dir, "missing", "file")
	want := func(what string, got, kind, system error) {
		t.Helper()
		vaulttest.WantErr(t, what, got, kind)
		vaulttest.WantErr(t, what, got, system)
		vaulttest.WantKey(t, got, "key")
	}
	want("PutFile of no file", kv.PutFile(ctx, key, missing), columnvault.ErrNotFound, fs.ErrNotExist)
	want("GetToFile into no folder", kv.GetToFile(ctx, key, missing), columnvault.ErrNotFound, fs.ErrNotExist)
	err := kv.GetToFile(ctx, key, dir)
	vaulttest.WantErr(t, "GetToFile in place of a folder", err, columnvault.ErrUnavailable)

	closed, err := os.Open(dir)
	vaulttest.Must(t, err)
	vaulttest.Must(t, closed.Close())
	want("PutFrom a file that is closed", kv.PutFrom(ctx, key, 3, closed), columnvault.ErrUnavailable, fs.ErrClosed)
	vaulttest.WantPairs(t, kv, "key", "old")

	vaulttest.WantErr(t, "PutFrom a reader that fails", kv.PutFrom(ctx, key, 3, iotest.ErrReader(vaulttest.ErrOwn)), vaulttest.ErrOwn)
}

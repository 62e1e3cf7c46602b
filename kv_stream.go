package columnvault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"columnvault/internal/kvcodec"
	"columnvault/internal/publish"
)

// streamPiece is the number of bytes of a value that are in memory at once
// when it is streamed.
const streamPiece = 256 << 10

// PutFrom stores the next size bytes of r as the value of a key, without
// holding them in memory. If r ends before, or fails, nothing is stored and
// the key keeps what it had. The vault's only writer waits for r meanwhile, so
// r should be fast: a file rather than a network.
func (kv *KV) PutFrom(ctx context.Context, key []byte, size int64, r io.Reader) error {
	src := &source{r: r, size: size}
	head, err := kv.readHead(key, src)
	if err != nil {
		return &Error{Op: "put", Column: kv.table, Key: key, Index: -1, Err: err}
	}
	runs := 0
	return kv.update(ctx, "put", key, func(t tableIn) error {
		if runs++; runs > 1 {
			return fmt.Errorf("%w: the storage engine asks for the source a second time", ErrInvalidArgument)
		}
		err := t.tx.putFrom(ctx, t.name, key, head, src)
		if err != nil {
			t.tx.w.Abort(err) // a part is stored
		}
		return err
	})
}

// source is the bytes of a value to be stored.
type source struct {
	r          io.Reader
	size, read int64
}

// fill reads the next bytes, as many as there is room for in p.
func (s *source) fill(p []byte) error {
	n, err := io.ReadFull(s.r, p)
	s.read += int64(n)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: the source has ended after %d of %d bytes: %w", ErrInvalidArgument, s.read, s.size, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return fmt.Errorf("reading the source: %w", fileError(err))
	}
	return nil
}

// readHead reads the first bytes of a value, on which depends how it is stored;
// see [kvcodec.EncodeRaw]. It returns how it begins in its stored form.
func (kv *KV) readHead(key []byte, src *source) ([]byte, error) {
	if src.size < 0 {
		return nil, fmt.Errorf("%w: a size of %d bytes", ErrInvalidArgument, src.size)
	}
	if err := kv.checkSize(key, src.size); err != nil {
		return nil, err
	}
	head := make([]byte, min(src.size, kvcodec.HeaderSize))
	if err := src.fill(head); err != nil {
		return nil, err
	}
	head = kvcodec.EncodeRaw(head)
	return head, kv.checkSize(key, int64(len(head))+src.size-src.read)
}

// putFrom stores a value: head, and what is still to come from the source.
func (tx *Tx) putFrom(ctx context.Context, table string, key, head []byte, src *source) error {
	at := int64(len(head))
	tx.pairs++
	if err := tx.w.PutZero(ctx, table, key, at+src.size-src.read); err != nil {
		return err
	}
	if err := tx.w.PutAt(ctx, table, key, head, 0); err != nil {
		return err
	}
	piece := make([]byte, min(src.size-src.read, streamPiece))
	for src.read < src.size {
		piece = piece[:min(src.size-src.read, streamPiece)]
		if err := src.fill(piece); err != nil {
			return err
		}
		if err := tx.w.PutAt(ctx, table, key, piece, at); err != nil {
			return err
		}
		at += int64(len(piece))
	}
	return nil
}

// PutFile stores the content of a file as the value of a key; see PutFrom.
func (kv *KV) PutFile(ctx context.Context, key []byte, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return kv.fail("put", key, fileError(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: %s is not a file that has a size", ErrInvalidArgument, path)
	}
	if err != nil {
		return kv.fail("put", key, fileError(err))
	}
	return kv.PutFrom(ctx, key, info.Size(), f)
}

// Blob reads a value without loading it. Size, Read, ReadAt, Seek and WriteTo
// are those of the interfaces of package io; ReadAt may be called from many
// goroutines. A Blob shows the value as it was when it was opened, and holds a
// snapshot until it is closed, as a View does.
type Blob struct {
	size, pos int64
	readAt    func(p []byte, offset int64) error
	close     func() error
}

var (
	_ io.ReadSeekCloser = (*Blob)(nil)
	_ io.ReaderAt       = (*Blob)(nil)
	_ io.WriterTo       = (*Blob)(nil)
)

// OpenBlob opens the value of a key for reading, as Get would return it. The
// ctx is that of all reading. Inside a transaction the Blob ends with that, and
// inside an Update it reads what the key has by then: do not change the key
// before the Blob has been read.
func (kv *KV) OpenBlob(ctx context.Context, key []byte) (*Blob, error) {
	b, err := kv.openBlob(ctx, key)
	if err != nil {
		return nil, kv.fail("open", key, err)
	}
	return b, nil
}

func (kv *KV) openBlob(ctx context.Context, key []byte) (*Blob, error) {
	if kv.in.tx != nil {
		return kv.blobIn(ctx, kv.in.tx, key, func() error { return nil })
	}
	tx, snap, err := kv.home.openView(ctx)
	if err != nil {
		return nil, err
	}
	end := func() error { tx.end(); return snap.Close() }
	b, err := kv.blobIn(ctx, tx, key, end)
	if err != nil {
		end()
	}
	return b, err
}

// blobIn opens a value in a transaction that end ends.
func (kv *KV) blobIn(ctx context.Context, tx *Tx, key []byte, end func() error) (*Blob, error) {
	t, err := kv.open(tx)
	if err != nil {
		return nil, err
	}
	b := &Blob{close: end}
	if value, ok := t.held.Get(key); ok {
		value = kvcodec.DecodeRaw(value)
		b.size = int64(len(value))
		b.readAt = func(p []byte, offset int64) error {
			return tx.do(func(*Tx) error { copy(p, value[offset:]); return nil })
		}
		return b, nil
	}
	if b.size, err = t.size(ctx, key); err != nil {
		return nil, err
	}
	base := int64(0)
	head := make([]byte, min(b.size, kvcodec.HeaderSize))
	if err := tx.r.GetAt(ctx, kv.table, key, head, 0); err != nil {
		return nil, err
	}
	if len(kvcodec.DecodeRaw(head)) < len(head) {
		base = kvcodec.HeaderSize // raw bytes after a header
	}
	b.size -= base
	key = append([]byte{}, key...)
	b.readAt = func(p []byte, offset int64) error {
		return tx.do(func(*Tx) error { return tx.r.GetAt(ctx, kv.table, key, p, base+offset) })
	}
	return b, nil
}

// Size is the number of bytes of the value.
func (b *Blob) Size() int64 { return b.size }

func (b *Blob) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fail("read", "", -1, fmt.Errorf("%w: an offset of %d", ErrInvalidArgument, offset))
	}
	n := int(min(int64(len(p)), max(0, b.size-offset)))
	if n > 0 {
		if err := b.readAt(p[:n], offset); err != nil {
			return 0, fail("read", "", -1, err)
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (b *Blob) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := b.ReadAt(p, b.pos)
	b.pos += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

func (b *Blob) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += b.pos
	case io.SeekEnd:
		offset += b.size
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return b.pos, fail("seek", "", -1, fmt.Errorf("%w: offset %d, whence %d", ErrInvalidArgument, offset, whence))
	}
	b.pos = offset
	return offset, nil
}

func (b *Blob) WriteTo(w io.Writer) (written int64, err error) {
	piece := make([]byte, min(max(0, b.size-b.pos), streamPiece))
	for b.pos < b.size {
		piece = piece[:min(b.size-b.pos, streamPiece)]
		if _, err := b.ReadAt(piece, b.pos); err != nil {
			return written, err
		}
		n, err := w.Write(piece)
		written += int64(n)
		b.pos += int64(n)
		if err == nil && n < len(piece) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// Close gives the snapshot back.
func (b *Blob) Close() error { return fail("close", "", -1, b.close()) }

// GetToFile writes the value of a key, as Get would return it, to a file. The
// file appears when it is complete, in place of an older one.
func (kv *KV) GetToFile(ctx context.Context, key []byte, path string) error {
	b, err := kv.OpenBlob(ctx, key)
	if err != nil {
		return err
	}
	defer b.Close()
	return kv.fail("get", key, fileError(writeFile(path, b)))
}

// writeFile writes a file beside its place and then moves it there.
func writeFile(path string, content io.WriterTo) (err error) {
	work, err := publish.Begin(path)
	if err != nil {
		return err
	}
	defer work.End()
	f, err := os.OpenFile(work.Path(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = content.WriteTo(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return work.Rename()
}

// fileError gives an error of a file beside the vault its kind. Others are left
// as they are.
func fileError(err error) error {
	var onPath *fs.PathError
	var onLink *os.LinkError
	switch {
	case !errors.As(err, &onPath) && !errors.As(err, &onLink):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

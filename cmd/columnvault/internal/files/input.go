// Package files opens the files that commands read, and puts those that they
// write in their places.
package files

import (
	"context"
	"fmt"
	"io"
	"os"

	"columnvault/cmd/columnvault/internal/term"
	"columnvault/exchange/compressed"
)

// Input is a file that can be read more than once.
type Input struct {
	file *os.File
	name string
	size int64
	temp bool
}

// Open opens a file. What cannot be read twice, such as a pipe or a device, is
// first copied to a temporary file by way of [Spool].
func Open(ctx context.Context, path string, progress *term.Progress) (*Input, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = fmt.Errorf("%s is a directory", path)
	case !info.Mode().IsRegular():
		defer f.Close()
		return Spool(ctx, f, path, progress)
	default:
		return &Input{file: f, name: path, size: info.Size()}, nil
	}
	f.Close()
	return nil, err
}

// Spool copies r, which errors call name, to a temporary file.
func Spool(ctx context.Context, r io.Reader, name string, progress *term.Progress) (*Input, error) {
	f, err := os.CreateTemp("", "columnvault-")
	if err != nil {
		return nil, err
	}
	in := &Input{file: f, name: name, temp: true}
	defer progress.Finish()
	if in.size, err = io.Copy(f, progress.Reader(Interruptible(ctx, r))); err != nil {
		in.Close()
		return nil, in.Failed(err)
	}
	return in, nil
}

// Size is the size of the file in bytes.
func (in *Input) Size() int64 { return in.size }

// Name is what errors call the file.
func (in *Input) Name() string { return in.name }

// Path is where the file is.
func (in *Input) Path() string { return in.file.Name() }

// ReadAt reads bytes from a place of the file on.
func (in *Input) ReadAt(p []byte, at int64) (int, error) { return in.file.ReadAt(p, at) }

// Close gives the file back, and removes it if it is a temporary one.
func (in *Input) Close() {
	in.file.Close() // it was only read
	if in.temp {
		os.Remove(in.file.Name())
	}
}

// Rewind returns a reader of the whole file that ends with ctx.
func (in *Input) Rewind(ctx context.Context, progress *term.Progress) (io.Reader, error) {
	if _, err := in.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return &cancelable{ctx, progress.Reader(in.file)}, nil
}

// Content returns a reader of what the file holds, decompressed if its name says
// that it is compressed. It
// must be closed before the file.
func (in *Input) Content() (*compressed.Reader, error) {
	if _, err := in.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return compressed.NewReader(in.file, in.name)
}

// Failed returns the error of something in the file.
func (in *Input) Failed(err error) error { return fmt.Errorf("%s: %w", in.name, err) }

// cancelable is a reader that ends with a context.
type cancelable struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// Interruptible makes reading from r end with ctx, which reads of a terminal or
// a pipe do not do by themselves.
func Interruptible(ctx context.Context, r io.Reader) io.Reader {
	pr, pw := io.Pipe()
	context.AfterFunc(ctx, func() { pw.CloseWithError(ctx.Err()) })
	go func() {
		_, err := io.CopyBuffer(pw, struct{ io.Reader }{r}, make([]byte, 256<<10))
		pw.CloseWithError(err)
	}()
	return pr
}

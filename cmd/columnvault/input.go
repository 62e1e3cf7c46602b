package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
)

// input is a file that is read more than once.
type input struct {
	*os.File
	name string
	size int64
	temp bool
}

// openInput opens a file to import. Standard input, a pipe or a device is
// copied to a temporary file first.
func (a *app) openInput(ctx context.Context, path string, quiet bool) (*input, error) {
	if path == "-" {
		return a.spool(ctx, a.in, "standard input", quiet)
	}
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
		return a.spool(ctx, f, path, quiet)
	default:
		return &input{File: f, name: path, size: info.Size()}, nil
	}
	f.Close()
	return nil, err
}

// spool copies r to a temporary file.
func (a *app) spool(ctx context.Context, r io.Reader, name string, quiet bool) (*input, error) {
	f, err := os.CreateTemp("", "columnvault-")
	if err != nil {
		return nil, err
	}
	in := &input{File: f, name: name, temp: true}
	bar := a.newProgress(quiet, "receiving", -1)
	defer bar.Finish()
	counted := progressbar.NewReader(interruptible(ctx, r), bar)
	if in.size, err = io.Copy(f, &counted); err != nil {
		in.close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return in, nil
}

// close gives the file back, and removes it if it is a temporary one.
func (in *input) close() {
	in.Close() // it was only read
	if in.temp {
		os.Remove(in.Name())
	}
}

// rewind returns a reader of the whole file that ends with ctx.
func (in *input) rewind(ctx context.Context, bar *progressbar.ProgressBar) (io.Reader, error) {
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	counted := progressbar.NewReader(in.File, bar)
	return &cancellable{ctx, &counted}, nil
}

// records opens the file as one of records.
func (in *input) records(ctx context.Context, format, into string, bar *progressbar.ProgressBar) (records, error) {
	r, err := in.rewind(ctx, bar)
	if err != nil {
		return nil, err
	}
	if format == formatJSONL {
		return newJSONFile(r, into), nil
	}
	f, err := newCSVFile(r)
	if err != nil {
		return nil, in.failed(err)
	}
	return f, nil
}

// failed makes the error of something in the file.
func (in *input) failed(err error) error { return fmt.Errorf("%s: %w", in.name, err) }

// cancellable is a reader that ends with a context.
type cancellable struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

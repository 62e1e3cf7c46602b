// Package compressed reads files that are compressed, as their endings say: .gz
// and .zst. Others it reads as they are. A [Reader] can begin again, which
// sources of text need when a later row changes the types of their columns, and
// tells how far it has come:
//
//	file, err := os.Open("weather.csv.gz")
//	text, err := compressed.NewReader(file, file.Name())
//	defer text.Close()
//	result, err := exchange.Import(ctx, v, csv.NewReader(text, nil), nil)
//
// A hostile file costs at most 128 MiB of memory for decoding, however it is
// made; how much text comes out of it is for the reader to bound.
package compressed

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory in bytes for decoding zstd. It is what zstd takes
// without --long=28 and more.
const maxWindow = 128 << 20

// endings are what a name ends in, and the decoders.
var endings = map[string]func(io.Reader) (io.ReadCloser, error){
	".gz": func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) },
	".zst": func(r io.Reader) (io.ReadCloser, error) {
		d, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	},
}

// Plain returns a name without the ending that tells of compression.
func Plain(name string) string {
	if ext := filepath.Ext(name); endings[strings.ToLower(ext)] != nil {
		return strings.TrimSuffix(name, ext)
	}
	return name
}

// Reader reads the content of a file. It seeks to the beginning only.
type Reader struct {
	file   *os.File
	size   int64
	read   int64 // of the file, in all passes
	open   func(io.Reader) (io.ReadCloser, error)
	plain  io.ReadCloser // nil at the beginning
	failed error
}

// NewReader returns a reader of a file of this name, which it does not close.
// The name need not be that of the file on the disk.
func NewReader(file *os.File, name string) (*Reader, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return &Reader{file: file, size: info.Size(), open: endings[strings.ToLower(filepath.Ext(name))]}, nil
}

// Size is the size of the file in bytes, as it is on the disk.
func (r *Reader) Size() int64 { return r.size }

// Consumed is how many bytes of the file have been read since the reader was
// made.
func (r *Reader) Consumed() int64 { return r.read }

// Read reads what the file holds.
func (r *Reader) Read(p []byte) (int, error) {
	if r.open == nil {
		n, err := r.file.Read(p)
		r.read += int64(n)
		return n, err
	}
	if r.plain == nil {
		if r.plain, r.failed = r.open(counter{r}); r.failed != nil {
			r.plain = nil
			if errors.Is(r.failed, io.EOF) {
				r.failed = io.ErrUnexpectedEOF
			}
			return 0, r.failed
		}
	}
	return r.plain.Read(p)
}

// counter counts the bytes of the file.
type counter struct{ *Reader }

func (c counter) Read(p []byte) (int, error) {
	n, err := c.file.Read(p)
	c.read += int64(n)
	return n, err
}

var errSeek = errors.New("a compressed file can be read from its beginning only")

// Seek goes to the beginning, or says that it is there.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekStart && (whence != io.SeekCurrent || r.plain != nil) {
		return 0, errSeek
	}
	if whence == io.SeekStart {
		r.Close()
		if _, err := r.file.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// Close ends the decoding. The file stays open.
func (r *Reader) Close() {
	if r.plain != nil {
		r.plain.Close()
		r.plain = nil
	}
}

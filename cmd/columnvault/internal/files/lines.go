package files

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds the memory for a line. An element has at most 128 MiB, which
// takes more as base64 or with escapes.
const maxLine = 512 << 20

// byteOrderMark may begin a file in UTF-8.
var byteOrderMark = []byte("\ufeff")

// Lines reads text line by line.
type Lines struct {
	r      *bufio.Reader
	Number int    // of the line that Next has returned
	long   []byte // holds a line that is longer than the buffer
}

// NewLines returns the lines of r.
func NewLines(r io.Reader) *Lines { return &Lines{r: bufio.NewReaderSize(r, 1<<20)} }

// Next returns the next line with its ending, which the last one may lack. It
// may be changed, and is valid until the next call.
func (l *Lines) Next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		l.long = l.long[:0]
		for errors.Is(err, bufio.ErrBufferFull) && len(l.long) < maxLine {
			l.long = append(l.long, line...)
			line, err = l.r.ReadSlice('\n')
		}
		l.long = append(l.long, line...)
		line = l.long
	}
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("line %d is longer than %d MiB", l.Number+1, maxLine>>20)
	case err != nil && (!errors.Is(err, io.EOF) || len(line) == 0):
		return nil, err
	}
	if l.Number++; l.Number == 1 {
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	return line, nil
}

// Ready tells whether another whole line is there without waiting for it.
func (l *Lines) Ready() bool {
	waiting, _ := l.r.Peek(l.r.Buffered())
	return bytes.IndexByte(waiting, '\n') >= 0
}

// TrimEnding removes the ending of a line.
func TrimEnding(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

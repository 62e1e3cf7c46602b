package main

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

// lines reads text line by line.
type lines struct {
	r      *bufio.Reader
	number int    // of the line that next has returned
	long   []byte // holds a line that is longer than the buffer
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 1<<20)} }

// next returns the next line with its ending, which the last one may lack. It
// may be changed, and is valid until the next call.
func (l *lines) next() ([]byte, error) {
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
		return nil, fmt.Errorf("line %d is longer than %d MiB", l.number+1, maxLine>>20)
	case err != nil && (!errors.Is(err, io.EOF) || len(line) == 0):
		return nil, err
	}
	if l.number++; l.number == 1 {
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	return line, nil
}

// ready tells whether another whole line is there without waiting for it.
func (l *lines) ready() bool {
	waiting, _ := l.r.Peek(l.r.Buffered())
	return bytes.IndexByte(waiting, '\n') >= 0
}

// trimEnding removes the ending of a line.
func trimEnding(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

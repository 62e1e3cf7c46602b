package records

import (
	"bytes"
	"context"
	"errors"
	"io"

	"columnvault/dtype"
	"columnvault/internal/hint"
)

// Input is a file as UTF-8 text. Its byte-order mark is left out.
type Input struct {
	ctx     context.Context
	source  io.Reader
	text    io.Reader // source, decoded
	choice  dtype.Encoding
	begun   bool
	read    int64 // in all passes
	total   int64
	passes  int64
	seeking bool
	start   int64 // where the text begins
}

// NewInput returns the text of r.
func NewInput(r io.Reader, e dtype.Encoding) *Input {
	in := &Input{source: r, choice: e, total: -1}
	s, ok := r.(io.Seeker)
	if !ok {
		return in
	}
	if at, err := s.Seek(0, io.SeekCurrent); err == nil {
		in.start, in.seeking = at, true
	}
	if p, ok := r.(interface{ Size() int64 }); ok {
		in.total = p.Size()
	} else if end, err := s.Seek(0, io.SeekEnd); err == nil {
		in.total = end - in.start
		_, err = s.Seek(in.start, io.SeekStart)
		in.seeking = in.seeking && err == nil
	}
	return in
}

// rewind goes to the beginning.
func (in *Input) rewind(ctx context.Context) error {
	if in.begun {
		if !in.seeking {
			err := errors.New("a later row changes the types, and the source cannot be read again")
			return hint.Add(err, "name the types, or read from a file")
		}
		if _, err := in.source.(io.Seeker).Seek(in.start, io.SeekStart); err != nil {
			return err
		}
	}
	in.begun = true
	in.passes++
	in.ctx, in.text = ctx, nil
	return nil
}

// Read reads text.
func (in *Input) Read(p []byte) (int, error) {
	if in.text == nil {
		if err := in.begin(); err != nil {
			return 0, err
		}
	}
	return in.text.Read(p)
}

// begin looks at the first bytes for the encoding.
func (in *Input) begin() error {
	head := make([]byte, 3)
	n, err := io.ReadFull(raw{in}, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	head = head[:n]
	encoding := in.choice
	for _, m := range marks {
		if rest, ok := bytes.CutPrefix(head, m.mark); ok && (in.choice == dtype.UTF8 || in.choice == m.encoding) {
			encoding, head = m.encoding, rest
			break
		}
	}
	in.text = io.MultiReader(bytes.NewReader(head), raw{in})
	switch encoding {
	case dtype.UTF16LE, dtype.UTF16BE, dtype.Latin1:
		in.text = &decoder{r: in.text, encoding: encoding}
	}
	return nil
}

// marks are the byte-order marks.
var marks = []struct {
	mark     []byte
	encoding dtype.Encoding
}{
	{[]byte("\xef\xbb\xbf"), dtype.UTF8}, {[]byte("\xff\xfe"), dtype.UTF16LE}, {[]byte("\xfe\xff"), dtype.UTF16BE},
}

// Progress is how much has been read of all passes that there are so far.
func (in *Input) Progress() (done, total int64) {
	if in.total < 0 {
		return in.read, -1
	}
	done = in.read
	if p, ok := in.source.(interface{ Consumed() int64 }); ok {
		done = p.Consumed()
	}
	return done, in.total * max(in.passes, 1)
}

// raw reads the bytes of the file. It counts them and ends with the ctx.
type raw struct{ *Input }

func (in raw) Read(p []byte) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := in.source.Read(p)
	in.read += int64(n)
	return n, err
}

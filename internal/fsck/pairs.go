package fsck

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/kvcodec"
	"columnvault/internal/store"
)

// tables reads and decodes every value of the key-value tables, if that is
// asked for.
func (c *checker) tables(ctx context.Context) error {
	if !c.o.Full {
		return nil
	}
	tables, err := c.r.Tables(ctx)
	if errors.Is(err, store.ErrCorrupt) {
		return nil // the storage engine has said so
	}
	for _, t := range tables {
		if t.Kind != store.TablePlain {
			continue // what another program means by it is not known
		}
		if err := c.table(ctx, t.Name); err != nil {
			return err
		}
		if err := c.settle(); err != nil {
			return err
		}
	}
	return err
}

func (c *checker) table(ctx context.Context, name string) error {
	var d *column.Digest
	if c.o.Digest {
		d = column.NewDigest("kv")
	}
	pairs, foreign := 0, 0
	whole := true
	for p, err := range c.r.Scan(ctx, name, store.KeyRange{MaxValue: max(c.o.Window, kvcodec.HeaderSize)}) {
		if errors.Is(err, store.ErrCorrupt) {
			c.emit(Finding{Kind: Unreadable, Severity: Damage, Table: name, Chunk: -1,
				Text: fmt.Sprintf("of the pairs only the first %d can be read: %s", pairs, excerpt.Line(err.Error(), excerpt.Path))})
			whole = false
			break
		}
		if err != nil {
			return err
		}
		pairs++
		if d != nil {
			d.Part(p.Key)
		}
		err = c.value(ctx, name, p, d)
		switch {
		case errors.Is(err, kvcodec.ErrUnsupportedEncoding):
			foreign++
		case errors.Is(err, kvcodec.ErrAlmostHeader):
			c.wrongValue(Value, Hazard, name, p, err)
		case errors.Is(err, store.ErrCorrupt):
			c.wrongValue(Value, Damage, name, p, err)
		case errors.Is(err, errPart):
			c.wrongValue(Unreadable, Damage, name, p, errors.Unwrap(err))
			whole = false
		case err != nil:
			return err
		}
		if c.err != nil {
			return c.err
		}
	}
	if foreign > 0 {
		c.emit(Finding{Kind: Unread, Table: name, Chunk: -1, Text: fmt.Sprintf("values that were not decoded, because this version does not read their encoding: %d", foreign)})
	}
	if d != nil && whole {
		c.emit(Finding{Kind: Digest, Table: name, Chunk: -1, Digest: d.Sum(), Text: fmt.Sprintf("SHA-256 of %d pairs", pairs)})
	}
	return nil
}

func (c *checker) wrongValue(kind Kind, severity Severity, table string, p store.Pair, why error) {
	c.emit(Finding{Kind: kind, Severity: severity, Table: table, Chunk: -1, Bytes: int64(len(p.Value)),
		Text: fmt.Sprintf("the value of the key %s: %s", excerpt.Quote(p.Key, excerpt.Name), excerpt.Line(why.Error(), excerpt.Path))})
}

// value decodes one value and adds it to the digest.
func (c *checker) value(ctx context.Context, table string, p store.Pair, d *column.Digest) error {
	if p.Value == nil {
		return c.largeValue(ctx, table, p.Key, d)
	}
	if d != nil {
		d.Part(p.Value)
	}
	c.advance(int64(len(p.Key) + len(p.Value)))
	return kvcodec.Check(p.Value)
}

// partError is why a part of a value cannot be read.
type partError struct{ error }

func (e partError) Unwrap() error { return e.error }

func (partError) Is(target error) bool { return target == errPart }

var errPart = errors.New("a part of the value cannot be read")

// largeValue is value for one that is not read at once: text is, and bytes are,
// looked at piece by piece. What has to be there as a whole is, up to the size
// that an element may have.
func (c *checker) largeValue(ctx context.Context, table string, key []byte, d *column.Digest) error {
	size, err := c.r.Size(ctx, table, key)
	if err != nil {
		return err
	}
	head := make([]byte, kvcodec.HeaderSize)
	if err := c.r.GetAt(ctx, table, key, head, 0); err != nil {
		return partOf(err)
	}
	encoding, _, err := kvcodec.Parse(head)
	if err == nil && encoding != kvcodec.Raw && encoding != kvcodec.Text && encoding != kvcodec.Packed {
		if size > column.MaxElement {
			return fmt.Errorf("%w: %d bytes of %v", kvcodec.ErrUnsupportedEncoding, size, encoding)
		}
		value, err := c.r.Get(ctx, table, key)
		if err != nil {
			return partOf(err)
		}
		return c.value(ctx, table, store.Pair{Key: key, Value: value}, d)
	}
	if d != nil {
		d.Begin(int(size))
	}
	failure := kvcodec.Check(head)
	if encoding == kvcodec.Text {
		failure = nil
	}
	text := textCheck{valid: true}
	buf := make([]byte, min(size, c.o.Window))
	for at := int64(0); at < size; {
		piece := buf[:min(size-at, int64(len(buf)))]
		if err := c.r.GetAt(ctx, table, key, piece, at); err != nil {
			return partOf(err)
		}
		if d != nil {
			d.More(piece)
		}
		if encoding == kvcodec.Text {
			text.add(piece[max(0, min(int64(len(piece)), kvcodec.HeaderSize-at)):])
		}
		c.advance(int64(len(piece)))
		at += int64(len(piece))
	}
	if encoding == kvcodec.Text && !text.end() {
		return fmt.Errorf("%w: the text is not UTF-8", store.ErrCorrupt)
	}
	return failure
}

func partOf(err error) error {
	if errors.Is(err, store.ErrCorrupt) {
		return partError{err}
	}
	return err
}

// textCheck looks whether pieces are UTF-8 together.
type textCheck struct {
	valid bool
	rest  []byte // of a character that the last piece has cut
}

func (t *textCheck) add(p []byte) {
	for len(t.rest) > 0 && len(p) > 0 && !utf8.FullRune(t.rest) {
		t.rest, p = append(t.rest, p[0]), p[1:]
	}
	if len(t.rest) > 0 && utf8.FullRune(t.rest) {
		t.valid = t.valid && utf8.Valid(t.rest)
		t.rest = t.rest[:0]
	}
	end := len(p)
	for k := 1; k < utf8.UTFMax && k <= len(p); k++ {
		if utf8.RuneStart(p[len(p)-k]) {
			if !utf8.FullRune(p[len(p)-k:]) {
				end = len(p) - k
			}
			break
		}
	}
	t.valid = t.valid && utf8.Valid(p[:end])
	t.rest = append(t.rest, p[end:]...)
}

func (t *textCheck) end() bool { return t.valid && len(t.rest) == 0 }

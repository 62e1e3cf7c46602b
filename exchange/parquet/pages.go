package parquet

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"columnvault/exchange/internal/block"
	"columnvault/exchange/parquet/internal/encoding"
)

// The bounds of what a file can make the reader take. A header of a page has
// statistics in it, which may hold values.
const (
	maxHeader     = 16 << 20
	maxPageValues = 128 << 20
	maxFooter     = 128 << 20
	maxInPages    = 512 << 20
)

var (
	errEarly   = errors.New("the column ends early")
	errOutside = errors.New("the column lies outside of the file")
)

// input is a file.
type input struct {
	r    io.ReaderAt
	size int64
	read int64 // bytes
	held int64 // bytes of the pages that are in memory
}

// readAt reads bytes that must be there.
func (in *input) readAt(p []byte, at int64) error {
	if at < 0 || int64(len(p)) > in.size-at {
		return errOutside
	}
	n, err := in.r.ReadAt(p, at)
	in.read += int64(n)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// hold counts memory for pages, or gives it back.
func (in *input) hold(n int64) error {
	if in.held += n; in.held > maxInPages {
		return fmt.Errorf("the pages of the columns take more than %d MiB together", maxInPages>>20)
	}
	return nil
}

// pages are those of one column in one row group.
type pages struct {
	in      *input
	leaf    *node
	codec   int
	at, end int64
	left    int64 // values in pages that have not been read

	// dict is the dictionary, of values that have one size or of others.
	dict      []byte
	dictText  [][]byte
	hasDict   bool
	packed    []byte // memory for compressed pages
	body      []byte // memory for others
	held      int64
	heldDict  int64
	headerBuf []byte

	// n is how many values, missing ones included, there still are in the page.
	n        int
	rep, def *encoding.RLE
	fixed    encoding.Fixed
	strings  encoding.Strings
	bools    interface{ Read([]uint32) error }
	numbers  []uint32 // memory for levels and booleans
	raw      []byte   // memory for values
}

func newPages(in *input, leaf *node, c *chunk) (*pages, error) {
	p := &pages{in: in, leaf: leaf, codec: c.codec, at: c.dataAt, left: c.values}
	if c.dictAt > 0 && c.dictAt < p.at {
		p.at = c.dictAt
	}
	switch {
	case c.elsewhere:
		return nil, errors.New("the column is in another file")
	case c.physical != leaf.physical || c.values < 0:
		return nil, errSchema
	case p.at < 0 || c.packed < 0 || p.at > in.size || c.packed > in.size-p.at:
		return nil, errOutside
	}
	p.end = p.at + c.packed
	switch c.codec {
	case codecNone, codecSnappy, codecGzip, codecLZ4Hadoop, codecZstd, codecLZ4:
		return p, nil
	}
	name, ok := codecNames[c.codec]
	if !ok {
		name = fmt.Sprintf("codec %d", c.codec)
	}
	return nil, fmt.Errorf("the column is compressed by %s, which is not supported", name)
}

// close gives back the memory of the pages.
func (p *pages) close() {
	p.in.held -= p.held + p.heldDict
	p.held, p.heldDict = 0, 0
}

// more makes sure that there are values, or returns io.EOF after the last.
func (p *pages) more() error {
	for p.n == 0 {
		if p.left == 0 {
			return io.EOF
		}
		if p.at >= p.end {
			return errEarly
		}
		if err := p.next(); err != nil {
			return err
		}
	}
	return nil
}

// header reads the header of the next page.
func (p *pages) header() (pageHeader, error) {
	for size := int64(512); ; size *= 8 {
		n := min(size, p.end-p.at)
		if int64(cap(p.headerBuf)) < n {
			p.headerBuf = make([]byte, n)
		}
		if err := p.in.readAt(p.headerBuf[:n], p.at); err != nil {
			return pageHeader{}, err
		}
		h, used, err := readPageHeader(p.headerBuf[:n])
		if err == nil {
			p.at += int64(used)
			return h, nil
		}
		if n < size || size > maxHeader {
			return pageHeader{}, fmt.Errorf("the page at byte %d: %w", p.at, err)
		}
	}
}

// next reads the next page.
func (p *pages) next() error {
	h, err := p.header()
	if err != nil {
		return err
	}
	if h.packed < 0 || h.raw < 0 || h.raw > block.MaxSize || int64(h.packed) > p.end-p.at || h.values < 0 || h.values > maxPageValues {
		return fmt.Errorf("the page at byte %d has a size that cannot be", p.at)
	}
	at := p.at
	p.at += int64(h.packed)
	switch h.kind {
	case pageDict:
		err = p.readDict(h, at)
	case pageData, pageDataV2:
		if int64(h.values) > p.left {
			err = errors.New("it has more values than the column")
			break
		}
		p.left -= int64(h.values)
		p.n = h.values
		if err = p.readData(h, at); err != nil {
			p.n = 0
		}
	}
	if err != nil {
		return fmt.Errorf("the page at byte %d: %w", at, err)
	}
	return nil
}

// load reads the bytes of a page, of which the first so many are never
// compressed. Those of values that vary in size get memory of their own, because
// the values go on lying in it.
func (p *pages) load(h pageHeader, at int64, stored int) ([]byte, error) {
	if stored > h.packed || stored > h.raw {
		return nil, encoding.ErrShort
	}
	codec := p.codec
	if h.kind == pageDataV2 && h.stored {
		codec = codecNone
	}
	own := p.leaf.physical == typeBytes || h.kind == pageDict
	need := int64(h.raw)
	if codec != codecNone {
		need += int64(h.packed)
	}
	held := &p.held
	if h.kind == pageDict {
		held = &p.heldDict
	}
	if err := p.in.hold(need - *held); err != nil {
		return nil, err
	}
	*held = need
	body := p.body
	if own || cap(body) < h.raw {
		body = make([]byte, 0, h.raw)
	}
	packed := p.packed
	if codec == codecNone {
		packed = body
	}
	if cap(packed) < h.packed {
		packed = make([]byte, h.packed)
	}
	packed = packed[:h.packed]
	if err := p.in.readAt(packed, at); err != nil {
		return nil, err
	}
	if h.hasCRC && crc32.ChecksumIEEE(packed) != h.crc {
		return nil, errors.New("its checksum is not that of its bytes")
	}
	if codec == codecNone {
		if h.packed != h.raw {
			return nil, block.ErrDamaged
		}
		if !own {
			p.body = packed
		}
		return packed, nil
	}
	p.packed = packed
	rest, err := p.unpack(codec, body[stored:stored], packed[stored:], h.raw-stored)
	if err != nil {
		return nil, err
	}
	if stored > 0 {
		rest = append(append(make([]byte, 0, h.raw), packed[:stored]...), rest...)
	}
	if !own {
		p.body = rest
	}
	return rest, nil
}

func (p *pages) unpack(codec int, dst, src []byte, size int) ([]byte, error) {
	if size == 0 {
		return dst, nil
	}
	switch codec {
	case codecSnappy:
		return block.Snappy(dst, src, size)
	case codecGzip:
		return block.Gzip(dst, src, size)
	case codecZstd:
		return block.Zstd(dst, src, size)
	case codecLZ4:
		return block.LZ4(dst, src, size)
	}
	return block.HadoopLZ4(dst, src, size)
}

// readDict reads the dictionary.
func (p *pages) readDict(h pageHeader, at int64) error {
	if h.encoding != encPlain && h.encoding != encPlainDict {
		return fmt.Errorf("the encoding %d of its dictionary is not supported", h.encoding)
	}
	b, err := p.load(h, at, 0)
	if err != nil {
		return err
	}
	p.hasDict = true
	if p.leaf.physical != typeBytes {
		size := p.leaf.width()
		if size == 0 || h.values > len(b)/size {
			return encoding.ErrShort
		}
		p.dict = b[:h.values*size]
		return nil
	}
	if h.values > len(b)/4 {
		return encoding.ErrShort
	}
	if err := p.in.hold(24 * int64(h.values)); err != nil {
		return err
	}
	p.heldDict += 24 * int64(h.values)
	p.dictText = make([][]byte, 0, h.values)
	if h.values > 0 {
		p.dictText, err = encoding.NewPlainStrings(b).Read(p.dictText, h.values, len(b))
	}
	return err
}

// readData reads a page of values.
func (p *pages) readData(h pageHeader, at int64) (err error) {
	stored := 0
	if h.kind == pageDataV2 {
		if h.repLen < 0 || h.defLen < 0 || h.repLen > h.packed || h.defLen > h.packed-h.repLen {
			return encoding.ErrShort
		}
		stored = h.repLen + h.defLen
	}
	b, err := p.load(h, at, stored)
	if err != nil {
		return err
	}
	p.rep, p.def = nil, nil
	if h.kind == pageDataV2 {
		if p.leaf.rep > 0 {
			if p.rep, err = encoding.NewRLE(b[:h.repLen], encoding.Width(p.leaf.rep)); err != nil {
				return err
			}
		}
		if p.leaf.def > 0 {
			if p.def, err = encoding.NewRLE(b[h.repLen:stored], encoding.Width(p.leaf.def)); err != nil {
				return err
			}
		}
		return p.setValues(h, b[stored:])
	}
	for _, levels := range []struct {
		max int
		to  **encoding.RLE
	}{{p.leaf.rep, &p.rep}, {p.leaf.def, &p.def}} {
		if levels.max == 0 {
			continue
		}
		if len(b) < 4 {
			return encoding.ErrShort
		}
		n := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24
		if n > uint64(len(b)-4) {
			return encoding.ErrShort
		}
		if *levels.to, err = encoding.NewRLE(b[4:4+n], encoding.Width(levels.max)); err != nil {
			return err
		}
		b = b[4+n:]
	}
	return p.setValues(h, b)
}

// setValues takes the values of a page.
func (p *pages) setValues(h pageHeader, b []byte) (err error) {
	indexed := h.encoding == encDict || h.encoding == encPlainDict
	if indexed && !p.hasDict {
		return errors.New("it refers to a dictionary that is not there")
	}
	size := p.leaf.width()
	switch {
	case p.leaf.physical == typeBool && h.encoding == encPlain:
		p.bools = encoding.NewBools(b)
		return nil
	case p.leaf.physical == typeBool && h.encoding == encRLE:
		if len(b) < 4 {
			return encoding.ErrShort
		}
		p.bools, err = encoding.NewRLE(b[4:], 1)
		return err
	case p.leaf.physical == typeBool:
	case p.leaf.physical == typeBytes:
		switch {
		case indexed:
			p.strings, err = encoding.NewIndexedStrings(b, p.dictText)
			return err
		case h.encoding == encPlain:
			p.strings = encoding.NewPlainStrings(b)
			return nil
		case h.encoding == encDeltaLength:
			p.strings, err = encoding.NewLengthStrings(b, h.values)
			return err
		case h.encoding == encDeltaBytes:
			p.strings, err = encoding.NewPrefixStrings(b, h.values)
			return err
		}
	case indexed:
		p.fixed, err = encoding.NewIndexed(b, p.dict, size)
		return err
	case h.encoding == encPlain:
		p.fixed = encoding.NewPlain(b)
		return nil
	case h.encoding == encSplit:
		p.fixed, err = encoding.NewSplit(b, size)
		return err
	case h.encoding == encDelta && (p.leaf.physical == typeInt32 || p.leaf.physical == typeInt64):
		p.fixed, err = encoding.NewIntegers(b, size, h.values)
		return err
	case h.encoding == encDeltaBytes && p.leaf.physical == typeFixed:
		p.fixed, err = encoding.NewPrefixFixed(b, size, h.values)
		return err
	}
	return fmt.Errorf("the encoding %d is not supported for a %s", h.encoding, p.leaf.describe())
}

// width is the size of a value in bytes, 0 if that varies or is a bit.
func (n *node) width() int {
	switch n.physical {
	case typeInt32, typeFloat:
		return 4
	case typeInt64, typeDouble:
		return 8
	case typeInt96:
		return 12
	case typeFixed:
		return n.size
	}
	return 0
}

// readRaw reads m values of one size.
func (p *pages) readRaw(m int) ([]byte, error) {
	size := m * p.leaf.width()
	if cap(p.raw) < size {
		p.raw = make([]byte, size)
	}
	p.raw = p.raw[:size]
	return p.raw, p.fixed.Read(p.raw)
}

// readBools reads m booleans. They are valid until the next call of readBools
// or readLevels.
func (p *pages) readBools(m int) ([]uint32, error) {
	list := p.ints(m)
	return list, p.bools.Read(list)
}

func (p *pages) ints(n int) []uint32 {
	if cap(p.numbers) < n {
		p.numbers = make([]uint32, n)
	}
	return p.numbers[:n]
}

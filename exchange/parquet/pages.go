package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"

	"columnvault/exchange/internal/block"
)

// The bounds of what a file can make the reader take. A header of a page has
// statistics in it, which may hold values. A page is decoded as a whole, and
// valueBytes is what a value may take then beyond its bytes in the page.
const (
	maxHeader     = 16 << 20
	maxPageValues = 16 << 20
	valueBytes    = 6
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
	codec   format.CompressionCodec
	at, end int64
	left    int64 // values in pages that have not been read

	// dict is the dictionary.
	dict     values
	hasDict  bool
	packed   []byte // memory for compressed pages
	body     []byte // memory for others
	held     int64
	heldDict int64

	// n is how many values, missing ones included, there still are in the page,
	// and reps and defs are their levels.
	n          int
	reps, defs []byte
	levels     [2][]byte // memory for them
	values     values
	indexes    []int32 // of the values in dict, if indexed
	indexed    bool
	next       int    // value
	raw        []byte // memory for values
}

// plainDictionary is what older writers call an encoding by way of a dictionary.
const plainDictionary format.Encoding = 2

// values are those of a page or a dictionary: all bytes, one value after the
// other. Those that vary in size have offsets, one more than there are values.
// Booleans take a byte each.
type values struct {
	bytes   []byte
	offsets []uint32
}

func (v *values) text(i int) []byte {
	return v.bytes[v.offsets[i]:v.offsets[i+1]:v.offsets[i+1]]
}

func newPages(in *input, leaf *node, c *format.ColumnChunk) (*pages, error) {
	m := &c.MetaData
	p := &pages{in: in, leaf: leaf, codec: m.Codec, at: m.DataPageOffset, left: m.NumValues}
	if m.DictionaryPageOffset > 0 && m.DictionaryPageOffset < p.at {
		p.at = m.DictionaryPageOffset
	}
	switch {
	case c.FilePath != "":
		return nil, errors.New("the column is in another file")
	case m.Type != leaf.physical || m.NumValues < 0:
		return nil, errSchema
	case p.at < 0 || m.TotalCompressedSize < 0 || p.at > in.size || m.TotalCompressedSize > in.size-p.at:
		return nil, errOutside
	}
	p.end = p.at + m.TotalCompressedSize
	switch m.Codec {
	case format.Uncompressed, format.Snappy, format.Gzip, format.Lz4, format.Zstd, format.Lz4Raw:
		return p, nil
	}
	return nil, fmt.Errorf("the column is compressed by %v, which is not supported", m.Codec)
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
		if err := p.nextPage(); err != nil {
			return err
		}
	}
	return nil
}

// header reads the header of the next page.
func (p *pages) header() (h format.PageHeader, err error) {
	for size := int64(512); ; size *= 8 {
		n := min(size, p.end-p.at)
		b := make([]byte, n) // of which h keeps parts
		if err := p.in.readAt(b, p.at); err != nil {
			return h, err
		}
		h = format.PageHeader{}
		used, err := decodeThrift(b, &h)
		if err == nil {
			p.at += int64(used)
			return h, nil
		}
		if n < size || size > maxHeader {
			return h, fmt.Errorf("the page at byte %d: %w", p.at, err)
		}
	}
}

// nextPage reads the next page. The library panics about some that are damaged.
func (p *pages) nextPage() (err error) {
	at := p.at
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the page at byte %d: %w: %v", at, errDamaged, r)
		}
	}()
	h, err := p.header()
	if err != nil {
		return err
	}
	var n int32
	var known bool
	switch h.Type {
	case format.DictionaryPage:
		n, known = h.DictionaryPageHeader.V.NumValues, h.DictionaryPageHeader.Valid
	case format.DataPage:
		n, known = h.DataPageHeader.V.NumValues, h.DataPageHeader.Valid
	case format.DataPageV2:
		n, known = h.DataPageHeaderV2.V.NumValues, h.DataPageHeaderV2.Valid
	default:
		known = true
	}
	if h.CompressedPageSize < 0 || h.UncompressedPageSize < 0 || h.UncompressedPageSize > block.MaxSize ||
		int64(h.CompressedPageSize) > p.end-p.at || !known || n < 0 || n > maxPageValues {
		return fmt.Errorf("the page at byte %d has a size that cannot be", p.at)
	}
	at = p.at
	p.at += int64(h.CompressedPageSize)
	switch h.Type {
	case format.DictionaryPage:
		err = p.readDict(&h, int(n), at)
	case format.DataPage, format.DataPageV2:
		if int64(n) > p.left {
			err = errors.New("it has more values than the column")
			break
		}
		p.left -= int64(n)
		if err = p.readData(&h, int(n), at); err == nil {
			p.n = int(n)
		}
	}
	if err != nil {
		return fmt.Errorf("the page at byte %d: %w", at, err)
	}
	return nil
}

// load reads the bytes of a page of n values, of which the first so many bytes
// are never compressed. Those of values that vary in size get memory of their
// own, because the values go on lying in it.
func (p *pages) load(h *format.PageHeader, n int, at int64, stored int) ([]byte, error) {
	size, raw := int(h.CompressedPageSize), int(h.UncompressedPageSize)
	if stored > size || stored > raw {
		return nil, errDamaged
	}
	codec := p.codec
	if v2 := h.DataPageHeaderV2.V; h.Type == format.DataPageV2 && v2.IsCompressed.Valid && !v2.IsCompressed.V {
		codec = format.Uncompressed
	}
	own := p.leaf.physical == format.ByteArray || h.Type == format.DictionaryPage
	need := int64(raw) + valueBytes*int64(n)
	if codec != format.Uncompressed {
		need += int64(size)
	}
	held := &p.held
	if h.Type == format.DictionaryPage {
		held = &p.heldDict
	}
	if err := p.in.hold(need - *held); err != nil {
		p.in.held -= need - *held
		return nil, err
	}
	*held = need
	body := p.body
	if own || cap(body) < raw {
		body = make([]byte, 0, raw)
	}
	packed := p.packed
	if codec == format.Uncompressed {
		packed = body
	}
	if cap(packed) < size {
		packed = make([]byte, size)
	}
	packed = packed[:size]
	if err := p.in.readAt(packed, at); err != nil {
		return nil, err
	}
	if h.CRC != 0 && crc32.ChecksumIEEE(packed) != uint32(h.CRC) {
		return nil, errors.New("its checksum is not that of its bytes")
	}
	if codec == format.Uncompressed {
		if size != raw {
			return nil, block.ErrDamaged
		}
		if !own {
			p.body = packed
		}
		return packed, nil
	}
	p.packed = packed
	rest, err := unpack(codec, body[stored:stored], packed[stored:], raw-stored)
	if err != nil {
		return nil, err
	}
	if stored > 0 {
		rest = append(append(make([]byte, 0, raw), packed[:stored]...), rest...)
	}
	if !own {
		p.body = rest
	}
	return rest, nil
}

// unpack decompresses a page. The decompressors of the library take memory
// without bounds for pages that are damaged.
func unpack(codec format.CompressionCodec, dst, src []byte, size int) ([]byte, error) {
	if size == 0 {
		return dst, nil
	}
	switch codec {
	case format.Snappy:
		return block.Snappy(dst, src, size)
	case format.Gzip:
		return block.Gzip(dst, src, size)
	case format.Zstd:
		return block.Zstd(dst, src, size)
	case format.Lz4Raw:
		return block.LZ4(dst, src, size)
	}
	return block.HadoopLZ4(dst, src, size)
}

// readDict reads the dictionary.
func (p *pages) readDict(h *format.PageHeader, n int, at int64) error {
	e := h.DictionaryPageHeader.V.Encoding
	if e != format.Plain && e != plainDictionary {
		return fmt.Errorf("the encoding %v of its dictionary is not supported", e)
	}
	b, err := p.load(h, n, at, 0)
	if err != nil {
		return err
	}
	p.dict, err = p.leaf.decode(format.Plain, b, n)
	p.hasDict = err == nil
	return err
}

// readData reads a page of values.
func (p *pages) readData(h *format.PageHeader, n int, at int64) (err error) {
	v1, v2 := h.DataPageHeader.V, h.DataPageHeaderV2.V
	e, stored := v1.Encoding, 0
	if h.Type == format.DataPageV2 {
		e = v2.Encoding
		rep, def := int64(v2.RepetitionLevelsByteLength), int64(v2.DefinitionLevelsByteLength)
		if rep < 0 || def < 0 || rep+def > int64(h.CompressedPageSize) {
			return errDamaged
		}
		stored = int(rep + def)
	}
	b, err := p.load(h, n, at, stored)
	if err != nil {
		return err
	}
	sizes := [2]int{int(v2.RepetitionLevelsByteLength), int(v2.DefinitionLevelsByteLength)}
	for i, highest := range [2]int{p.leaf.rep, p.leaf.def} {
		size := sizes[i]
		if h.Type == format.DataPage && highest > 0 {
			if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
				return errDamaged
			}
			size = int(binary.LittleEndian.Uint32(b))
			b = b[4:]
		}
		if p.levels[i], err = decodeLevels(p.levels[i], b[:size], n, highest); err != nil {
			return err
		}
		b = b[size:]
	}
	p.reps, p.defs = p.levels[0], p.levels[1]
	present := n
	if p.leaf.def > 0 {
		present = bytes.Count(p.defs, []byte{byte(p.leaf.def)})
	}
	p.next = 0
	p.indexed = e == format.RLEDictionary || e == plainDictionary
	if p.indexed {
		return p.readIndexes(b, present)
	}
	p.values, err = p.leaf.decode(e, b, present)
	return err
}

// readIndexes reads which values of the dictionary those of the page are.
func (p *pages) readIndexes(b []byte, n int) error {
	if !p.hasDict {
		return errors.New("it refers to a dictionary that is not there")
	}
	p.indexes = p.indexes[:0]
	if n == 0 {
		return nil
	}
	if len(b) == 0 || b[0] > 32 {
		return errDamaged
	}
	bits := int(b[0])
	runs, err := checkRuns(b[1:], bits, n)
	if err != nil {
		return err
	}
	if p.indexes, err = (&rle.Encoding{BitWidth: bits}).DecodeInt32(p.indexes, runs); err != nil || len(p.indexes) < n {
		return errDamaged
	}
	count := len(p.dict.offsets) - 1
	if size := p.leaf.width(); size > 0 {
		count = len(p.dict.bytes) / size
	}
	for _, i := range p.indexes[:n] {
		if i < 0 || int(i) >= count {
			return errDamaged
		}
	}
	return nil
}

// width is the size of a value in bytes, 0 if that varies.
func (n *node) width() int {
	switch n.physical {
	case format.Boolean:
		return 1
	case format.Int32, format.Float:
		return 4
	case format.Int64, format.Double:
		return 8
	case format.Int96:
		return 12
	case format.FixedLenByteArray:
		return n.size
	}
	return 0
}

// readRaw returns m values of one size. They are valid until the next call.
func (p *pages) readRaw(m int) ([]byte, error) {
	size, from := p.leaf.width(), p.next
	p.next += m
	if !p.indexed {
		if p.next*size > len(p.values.bytes) {
			return nil, errDamaged
		}
		return p.values.bytes[from*size : p.next*size], nil
	}
	if p.next > len(p.indexes) {
		return nil, errDamaged
	}
	p.raw = slices.Grow(p.raw[:0], m*size)
	switch size {
	case 4:
		for _, i := range p.indexes[from:p.next] {
			p.raw = append(p.raw, p.dict.bytes[4*i:4*i+4]...)
		}
	case 8:
		for _, i := range p.indexes[from:p.next] {
			p.raw = append(p.raw, p.dict.bytes[8*i:8*i+8]...)
		}
	default:
		for _, i := range p.indexes[from:p.next] {
			p.raw = append(p.raw, p.dict.bytes[int(i)*size:(int(i)+1)*size]...)
		}
	}
	return p.raw, nil
}

// readStrings adds values that vary in size, at most m, and at least one, until
// they have so many bytes.
func (p *pages) readStrings(dst [][]byte, m, limit int) ([][]byte, error) {
	for ; m > 0; m-- {
		if p.indexed && p.next >= len(p.indexes) || !p.indexed && p.next+1 >= len(p.values.offsets) {
			return dst, errDamaged
		}
		v := []byte(nil)
		if p.indexed {
			v = p.dict.text(int(p.indexes[p.next]))
		} else {
			v = p.values.text(p.next)
		}
		p.next++
		dst = append(dst, v)
		if limit -= len(v); limit <= 0 {
			break
		}
	}
	return dst, nil
}

// takeLevels returns the levels of the next n values; nil are those that are 0
// for all.
func (p *pages) takeLevels(n int) (reps, defs []byte) {
	if p.leaf.rep > 0 {
		reps, p.reps = p.reps[:n], p.reps[n:]
	}
	if p.leaf.def > 0 {
		defs, p.defs = p.defs[:n], p.defs[n:]
	}
	p.n -= n
	return reps, defs
}

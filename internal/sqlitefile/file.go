package sqlitefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

const (
	headerSize = 100
	magic      = "SQLite format 3\x00"
	minPage    = 512
	maxPage    = 65536
	// minUsable is what is left of each page at least where a file keeps bytes at
	// their ends for extensions of SQLite.
	minUsable = 480
	// lockByte is where SQLite takes its locks. The page around it is not used.
	lockByte = 1 << 30
	// windowBytes is what is read at once around a page that is asked for.
	windowBytes = 64 << 10
)

// ErrNoPages is the error of a file in which nothing looks like a page.
var ErrNoPages = errors.New("nothing in the file looks like a page of a SQLite database")

// File is a SQLite file. It is not safe for concurrent use.
type File struct {
	main io.ReaderAt
	size int64
	log  *wal

	pageSize int
	usable   int
	pages    uint32
	// declared is the number of pages that the header speaks of, 0 where it
	// cannot be known.
	declared uint32
	mapped   bool
	encoding Encoding
	header   bool // whether the header could be read

	window   []byte
	windowAt int64
	page     []byte // from the log

	used  bitmap // pages that a tree, a chain or the list of free pages has
	free  bitmap
	freed int
	// listed says that the list of free pages is as long as the header says.
	listed bool
	// followers is the page after each in the chains of the pointer map, made
	// when it is first needed.
	followers []uint32
	// unreadable are the pages that were needed and could not be used.
	unreadable map[uint32]struct{}
	notes      []string
}

// Encoding is that of text in the file.
type Encoding uint32

// The encodings, with their numbers in the header.
const (
	UTF8    Encoding = 1
	UTF16LE Encoding = 2
	UTF16BE Encoding = 3
)

// Source is a file of this size.
type Source struct {
	io.ReaderAt
	Size int64
}

// Open looks at the header and the log, which may be missing. It fails only if
// there is nothing to begin with.
func Open(main, log Source) (*File, error) {
	f := &File{main: main.ReaderAt, size: main.Size, unreadable: map[uint32]struct{}{}, windowAt: -1}
	if log.ReaderAt != nil && log.Size > 0 {
		var note string
		if f.log, note = readLog(log); note != "" {
			f.notes = append(f.notes, note)
		}
	}
	if err := f.findPageSize(); err != nil {
		return nil, err
	}
	f.used, f.free = newBitmap(f.pages), newBitmap(f.pages)
	f.mapped = f.looksMapped() || f.mapped && f.header
	f.used.set(f.lockPage())
	f.markMaps()
	f.readFree()
	return f, nil
}

// PageSize is the size of a page in bytes.
func (f *File) PageSize() int { return f.pageSize }

// Pages is the number of pages, those in the log included.
func (f *File) Pages() uint32 { return f.pages }

// Declared is the number of pages that the header speaks of, 0 where it cannot
// be known. It may be a lie.
func (f *File) Declared() uint32 { return f.declared }

// Mapped tells whether the file has a pointer map.
func (f *File) Mapped() bool { return f.mapped }

// Notes says what was wrong with the header and the log.
func (f *File) Notes() []string { return f.notes }

// LogPages is the number of pages that come from the log.
func (f *File) LogPages() int {
	if f.log == nil {
		return 0
	}
	return len(f.log.frames)
}

// Counts is how many pages are free, how many could not be used, and how many
// nothing has led to.
type Counts struct{ Free, Unreadable, Unattributed int }

// Counts counts pages. Call it when all that is wanted has been read.
func (f *File) Counts() Counts {
	lost := 0
	for n := uint32(1); n <= f.pages; n++ {
		if _, bad := f.unreadable[n]; !bad && !f.used.has(n) {
			lost++
		}
	}
	return Counts{Free: f.freed, Unreadable: len(f.unreadable), Unattributed: lost}
}

// findPageSize takes the size of pages from the header, from the log, or from
// what pages look like.
func (f *File) findPageSize() error {
	head := make([]byte, headerSize)
	f.headOf(head)
	size, reserved := headerPageSize(head)
	f.header = bytes.HasPrefix(head, []byte(magic)) && size > 0
	switch {
	case f.log != nil:
		if f.header && size != f.log.pageSize {
			f.notes = append(f.notes, fmt.Sprintf("the header says that pages have %d bytes, and the log %d", size, f.log.pageSize))
		}
		if size != f.log.pageSize {
			f.header, size, reserved = false, f.log.pageSize, 0
		}
	case f.header && (f.size < int64(2*size) || f.fits(size, reserved, 1) > 0):
	default:
		guess := f.guessPageSize()
		if f.header && guess == 0 {
			guess = size
		}
		f.header = f.header && guess == size
		if size != guess {
			size, reserved = guess, 0
		}
	}
	if size == 0 {
		return ErrNoPages
	}
	f.setPageSize(size, reserved)
	if f.pages == 0 {
		return ErrNoPages
	}
	f.encoding = UTF8
	if !f.header {
		f.notes = append(f.notes, fmt.Sprintf("the header cannot be read; pages have %d bytes by the look of them", size))
		return nil
	}
	if e := Encoding(binary.BigEndian.Uint32(head[56:])); e == UTF16LE || e == UTF16BE {
		f.encoding = e
	}
	f.mapped = binary.BigEndian.Uint32(head[52:]) != 0
	if bytes.Equal(head[24:28], head[92:96]) {
		// A file that has been cut has lost at most what a number of a page
		// can name; what is beyond is a lie.
		f.declared = binary.BigEndian.Uint32(head[28:])
	}
	return nil
}

func (f *File) setPageSize(size, reserved int) {
	f.pageSize, f.usable = size, size-reserved
	f.pages = uint32(min(f.size/int64(size), 1<<32-2))
	if f.log != nil {
		// What is past the end of the file lies in the log, page by page.
		f.pages = max(f.pages, uint32(min(int64(f.log.pages), int64(f.pages)+int64(len(f.log.frames)))))
	}
	f.windowAt = -1
}

// headOf reads the first bytes of the database.
func (f *File) headOf(head []byte) {
	if f.log != nil {
		if at, ok := f.log.frames[1]; ok {
			if _, err := f.log.ReadAt(head, at); err == nil {
				return
			}
		}
	}
	n, _ := f.main.ReadAt(head, 0)
	clear(head[n:])
}

// headerPageSize is the size of pages according to the header, 0 if that is
// impossible, and the bytes at their ends that are not used.
func headerPageSize(head []byte) (size, reserved int) {
	size = int(binary.BigEndian.Uint16(head[16:]))
	if size == 1 {
		size = maxPage
	}
	if size < minPage || size&(size-1) != 0 {
		return 0, 0
	}
	if reserved = int(head[20]); size-reserved < minUsable {
		reserved = 0
	}
	return size, reserved
}

// sampled is how many stretches of the file are looked at to find out how large
// its pages are.
const sampled = 1024

// guessPageSize finds the size at which most bytes lie in pages that look like
// those of a tree, 0 if none does.
func (f *File) guessPageSize() int {
	best, score := 0, int64(0)
	for size := minPage; size <= maxPage; size *= 2 {
		if n := f.fits(size, 0, math.MaxInt64) * int64(size); n > score {
			best, score = size, n
		}
	}
	return best
}

// fits counts the pages that look like those of a tree if pages have this size,
// in a sample that is as large a part of the file for every size. It stops at
// enough.
func (f *File) fits(size, reserved int, enough int64) (n int64) {
	f.setPageSize(size, reserved)
	per := int64(maxPage / size) // pages in a stretch of the sample
	step := max(1, f.size/maxPage/sampled) * per
	for at := int64(1); at <= int64(f.pages); at += step {
		for k := at; k < at+per && k <= int64(f.pages); k++ {
			if p, err := f.Page(uint32(k)); err == nil && f.looksFilled(p, pageStart(uint32(k))) {
				n++
			}
			if n >= enough {
				return n
			}
		}
	}
	return n
}

// errPage is the error of a page that is not there.
type errPage uint32

func (e errPage) Error() string { return fmt.Sprintf("page %d cannot be read", uint32(e)) }

// Page returns the bytes of a page, counted from 1. They are valid until the
// next call.
func (f *File) Page(n uint32) ([]byte, error) {
	if n == 0 || n > f.pages {
		return nil, errPage(n)
	}
	if f.log != nil {
		if at, ok := f.log.frames[n]; ok {
			if len(f.page) != f.pageSize {
				f.page = make([]byte, f.pageSize)
			}
			if k, err := f.log.ReadAt(f.page, at); k < f.pageSize {
				return nil, fmt.Errorf("%w: %w", errPage(n), err)
			}
			return f.page, nil
		}
	}
	at := int64(n-1) * int64(f.pageSize)
	if f.windowAt >= 0 && at >= f.windowAt && at+int64(f.pageSize) <= f.windowAt+int64(len(f.window)) {
		return f.window[at-f.windowAt:][:f.pageSize], nil
	}
	if cap(f.window) == 0 {
		f.window = make([]byte, windowBytes)
	}
	k, _ := f.main.ReadAt(f.window[:cap(f.window)], at)
	f.windowAt, f.window = at, f.window[:k]
	if k >= f.pageSize {
		return f.window[:f.pageSize], nil
	}
	// A disk with a bad sector may fail the whole window and read the page.
	k, err := f.main.ReadAt(f.window[:f.pageSize], at)
	if k == f.pageSize {
		f.window = f.window[:k]
		return f.window, nil
	}
	f.windowAt = -1
	return nil, fmt.Errorf("%w: %w", errPage(n), err)
}

// pageStart is where the head of a page in a tree begins.
func pageStart(n uint32) int {
	if n == 1 {
		return headerSize
	}
	return 0
}

// lockPage is the page that is never used, which may lie past the end.
func (f *File) lockPage() uint32 { return uint32(lockByte/f.pageSize) + 1 }

// spoil notes that a page was needed and could not be used.
func (f *File) spoil(n uint32) {
	if n > 0 && n <= f.pages {
		f.unreadable[n] = struct{}{}
	}
}

// readFree follows the list of free pages.
func (f *File) readFree() {
	head := make([]byte, headerSize)
	f.headOf(head)
	trunk := uint32(0)
	if f.header {
		trunk = binary.BigEndian.Uint32(head[32:])
	}
	for trunk != 0 && f.release(trunk) {
		p, err := f.Page(trunk)
		if err != nil {
			f.spoil(trunk)
			break
		}
		next, n := binary.BigEndian.Uint32(p), binary.BigEndian.Uint32(p[4:])
		if n > uint32(f.usable/4-2) {
			f.spoil(trunk)
			break
		}
		for k := range n {
			f.release(binary.BigEndian.Uint32(p[8+4*k:]))
		}
		trunk = next
	}
	f.listed = f.header && trunk == 0 && f.freed == int(binary.BigEndian.Uint32(head[36:]))
	if !f.mapped {
		return
	}
	for n := uint32(3); n <= f.pages; n++ {
		if kind, parent := f.owner(n); kind == ownerFree && parent == 0 {
			f.release(n)
		}
	}
}

// release notes that a page is free. It returns false for one that has been
// noted before, or does not exist.
func (f *File) release(n uint32) bool {
	if n < 2 || n > f.pages || f.used.has(n) {
		return false
	}
	f.used.set(n)
	f.free.set(n)
	f.freed++
	return true
}

// bitmap is a set of page numbers.
type bitmap []uint64

func newBitmap(pages uint32) bitmap { return make(bitmap, pages/64+1) }

func (b bitmap) has(n uint32) bool { return int(n/64) < len(b) && b[n/64]&(1<<(n%64)) != 0 }

func (b bitmap) set(n uint32) {
	if int(n/64) < len(b) {
		b[n/64] |= 1 << (n % 64)
	}
}

package sqlitefile

import (
	"encoding/binary"
	"fmt"
)

const (
	logHeader   = 32
	frameHeader = 24
	logMagic    = 0x377f0682 // the lowest bit tells how checksums read words
)

// wal is the committed part of a write-ahead log.
type wal struct {
	Source
	pageSize int
	// frames is where the last committed version of each page lies.
	frames map[uint32]int64
	// pages is the number of pages after the last commit.
	pages uint32
}

// readLog reads a log up to its last commit, by salts and checksums as SQLite
// does. It returns nil if nothing in it counts, and says what is wrong with it.
func readLog(src Source) (l *wal, note string) {
	head := make([]byte, logHeader)
	if n, _ := src.ReadAt(head, 0); n < logHeader {
		return nil, "the log beside the file ends inside its header, and was not used"
	}
	words := [6]uint32{}
	for i := range words {
		words[i] = binary.BigEndian.Uint32(head[4*i:])
	}
	size := int(words[2])
	if words[0]&^1 != logMagic || size < minPage || size > maxPage || size&(size-1) != 0 {
		return nil, "the header of the log beside the file cannot be read, and the log was not used"
	}
	var order binary.ByteOrder = binary.LittleEndian
	if words[0]&1 != 0 {
		order = binary.BigEndian
	}
	sum := checksum{order: order}
	sum.add(head[:24])
	if !sum.is(head[24:]) {
		return nil, "the header of the log beside the file has another checksum than it should, and the log was not used"
	}
	l = &wal{Source: src, pageSize: size, frames: map[uint32]int64{}}
	open := map[uint32]int64{} // since the last commit
	frame := make([]byte, frameHeader+size)
	at := int64(logHeader)
	for ; ; at += int64(len(frame)) {
		if n, _ := src.ReadAt(frame, at); n < len(frame) {
			break
		}
		page, pages := binary.BigEndian.Uint32(frame), binary.BigEndian.Uint32(frame[4:])
		sum.add(frame[:8])
		sum.add(frame[frameHeader:])
		if page == 0 || string(frame[8:16]) != string(head[16:24]) || !sum.is(frame[16:]) {
			break
		}
		open[page] = at + frameHeader
		if pages == 0 {
			continue
		}
		for page, at := range open {
			l.frames[page] = at
		}
		clear(open)
		l.pages = pages
	}
	for page := range l.frames {
		if page > l.pages { // the database has shrunk since
			delete(l.frames, page)
		}
	}
	if at < src.Size && len(l.frames) == 0 {
		note = "no commit in the log beside the file is whole"
	} else if len(open) > 0 {
		note = fmt.Sprintf("the log beside the file ends with %d pages that were not committed", len(open))
	}
	if len(l.frames) == 0 {
		return nil, note
	}
	return l, note
}

// checksum is that of a log, which runs on from frame to frame.
type checksum struct {
	order binary.ByteOrder
	a, b  uint32
}

func (c *checksum) add(p []byte) {
	a, b := c.a, c.b
	if c.order == binary.BigEndian {
		for ; len(p) >= 8; p = p[8:] {
			a += binary.BigEndian.Uint32(p) + b
			b += binary.BigEndian.Uint32(p[4:]) + a
		}
	} else {
		for ; len(p) >= 8; p = p[8:] {
			a += binary.LittleEndian.Uint32(p) + b
			b += binary.LittleEndian.Uint32(p[4:]) + a
		}
	}
	c.a, c.b = a, b
}

// is tells whether the sum stands in these bytes.
func (c *checksum) is(p []byte) bool {
	return binary.BigEndian.Uint32(p) == c.a && binary.BigEndian.Uint32(p[4:]) == c.b
}

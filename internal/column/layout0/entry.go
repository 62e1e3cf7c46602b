package layout0

import (
	"encoding/binary"
	"fmt"
	"math"
)

// EntrySize is the number of bytes of an index entry.
const EntrySize = 12

// indexDType is the dtype that marks the index row of a variable-size column.
const indexDType = "adaptive_idx"

// maxChunkNumber is the largest number a chunk can have in an entry.
const maxChunkNumber = math.MaxInt32

// entry says where one element of a variable-size column lies: the bytes from
// Start up to End of a data chunk. In the file it is three little-endian
// signed 32-bit numbers.
type entry struct {
	Chunk, Start, End int32
}

// parseEntry reads the entry in the first EntrySize bytes of b.
func parseEntry(b []byte) entry {
	_ = b[EntrySize-1]
	return entry{
		Chunk: int32(binary.LittleEndian.Uint32(b[0:])),
		Start: int32(binary.LittleEndian.Uint32(b[4:])),
		End:   int32(binary.LittleEndian.Uint32(b[8:])),
	}
}

// Append appends the entry's bytes to dst.
func (e entry) Append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(e.Chunk))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(e.Start))
	return binary.LittleEndian.AppendUint32(dst, uint32(e.End))
}

// entryList is entries as they lie in the file.
type entryList []byte

// Len is the number of entries.
func (e entryList) Len() int { return len(e) / EntrySize }

// At is the entry at position k.
func (e entryList) At(k int) entry { return parseEntry(e[k*EntrySize:]) }

// Len is the number of bytes of the element.
func (e entry) Len() int64 { return int64(e.End) - int64(e.Start) }

// Check reports an entry that points nowhere. Whether its chunk exists and is
// long enough is for the reader of the chunk to find out.
func (e entry) Check() error {
	if e.nowhere() {
		return fmt.Errorf("index entry (chunk %d, bytes %d to %d) points nowhere", e.Chunk, e.Start, e.End)
	}
	return nil
}

// nowhere tells whether the entry points nowhere.
func (e entry) nowhere() bool { return e.Chunk < 0 || e.Start < 0 || e.End < e.Start }

package powerfs

import (
	"math/rand/v2"
	"slices"
)

// Sector is the number of bytes that a disk writes whole or not at all. What
// is beside them does not change.
const Sector = 512

// Loss is what becomes of the changes that have not been synced when the power
// fails.
type Loss int

// The losses, from the plainest on.
const (
	// Dropped loses all of them.
	Dropped Loss = iota
	// Kept loses none.
	Kept
	// Cut loses all after a moment of chance.
	Cut
	// TornPage is Cut in the middle of a write, at a multiple of 4096 bytes.
	TornPage
	// TornSector is Cut in the middle of a write: of its sectors some are lost.
	TornSector
	// Reordered loses some changes, whichever.
	Reordered
	// ReorderedSectors loses some sectors of some writes, whichever.
	ReorderedSectors
	// Losses is how many there are.
	Losses
)

func (l Loss) String() string {
	return [Losses]string{"dropped", "kept", "cut", "torn at pages", "torn at sectors", "reordered", "reordered in sectors"}[l]
}

// Disk is what a disk holds for certain, and the changes that may be on it or
// not, at a moment of a record. What an event brings follows from [Disk.Do].
type Disk struct {
	durable map[int][]byte
	names   map[string]int // that are durable
	pending []Event        // in the order in which they were made
}

// NewDisk is an empty disk.
func NewDisk() *Disk { return &Disk{durable: map[int][]byte{}, names: map[string]int{}} }

// Do lets an event happen.
func (d *Disk) Do(e Event) {
	switch e.Kind {
	case Mark:
	case Sync:
		d.settle(func(p Event) bool { return p.Kind <= Truncate && p.file == e.file })
	case SyncDir:
		d.settle(func(p Event) bool { return p.Kind > Truncate })
	default:
		d.pending = append(d.pending, e)
	}
}

// settle makes pending changes durable.
func (d *Disk) settle(these func(Event) bool) {
	d.pending = slices.DeleteFunc(d.pending, func(p Event) bool {
		if !these(p) {
			return false
		}
		apply(d.durable, d.names, p)
		return true
	})
}

// Pending is the number of changes that may be lost.
func (d *Disk) Pending() int { return len(d.pending) }

// Image is what the files may hold, by their names, after the power has failed
// now.
func (d *Disk) Image(loss Loss, random *rand.Rand) map[string][]byte {
	kept := d.pending
	switch loss {
	case Dropped:
		kept = nil
	case Cut, TornPage, TornSector:
		kept = kept[:random.IntN(len(kept)+1)]
	case Reordered, ReorderedSectors:
		share := random.Float64()
		kept = nil
		last := len(d.pending) // of what happens to names, all up to a moment
		if random.IntN(2) == 0 {
			last = random.IntN(len(d.pending) + 1)
		}
		for i, e := range d.pending {
			switch {
			case e.Kind > Truncate:
				if i < last {
					kept = append(kept, e)
				}
			case loss == Reordered || e.Kind == Truncate:
				if random.Float64() < share {
					kept = append(kept, e)
				}
			default:
				kept = append(kept, torn(e, Sector, share, random)...)
			}
		}
	}
	if n := len(kept); n > 0 && kept[n-1].Kind == Write {
		switch loss {
		case TornPage:
			kept = append(slices.Clone(kept[:n-1]), torn(kept[n-1], 4096, random.Float64(), random)...)
		case TornSector:
			kept = append(slices.Clone(kept[:n-1]), torn(kept[n-1], Sector, random.Float64(), random)...)
		}
	}
	files := map[int][]byte{}
	for number, data := range d.durable {
		files[number] = slices.Clone(data)
	}
	names := map[string]int{}
	for name, number := range d.names {
		names[name] = number
	}
	for _, e := range kept {
		apply(files, names, e)
	}
	image := map[string][]byte{}
	for name, number := range names {
		image[name] = files[number]
	}
	return image
}

// torn is what is left of a write of which a share of the units arrives, which
// begin at multiples of their size in the file. The file may have got its new
// size all the same.
func torn(e Event, unit int64, share float64, random *rand.Rand) (parts []Event) {
	if random.IntN(2) == 0 {
		parts = append(parts, Event{Kind: Write, file: e.file, offset: e.offset + int64(len(e.data))})
	}
	for from := int64(0); from < int64(len(e.data)); {
		to := min((e.offset+from)/unit*unit+unit-e.offset, int64(len(e.data)))
		if random.Float64() < share {
			parts = append(parts, Event{Kind: Write, file: e.file, offset: e.offset + from, data: e.data[from:to]})
		}
		from = to
	}
	return parts
}

// apply carries out a change. A write beyond the end leaves zeros in between.
func apply(files map[int][]byte, names map[string]int, e Event) {
	switch e.Kind {
	case Create:
		names[e.name] = e.file
	case Delete:
		delete(names, e.name)
	case Truncate:
		files[e.file] = resize(files[e.file], int(e.offset))
	case Write:
		data := files[e.file]
		if end := int(e.offset) + len(e.data); end > len(data) {
			data = resize(data, end)
		}
		copy(data[e.offset:], e.data)
		files[e.file] = data
	}
}

func resize(data []byte, size int) []byte {
	if size <= len(data) {
		return data[:size:size]
	}
	return append(data, make([]byte, size-len(data))...)
}

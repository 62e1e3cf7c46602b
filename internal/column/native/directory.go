package native

import (
	"context"
	"math"
	"sort"
	"sync"

	"columnvault/internal/store"
)

// Directory is the runs of a column before the last, in order. It does not
// change once others may see it.
type Directory struct {
	structure int64
	runs      []run
	// damage says why the column must not be edited.
	damage error
}

// Cache keeps directories and decoded frames from transaction to transaction. It
// is safe for concurrent use.
type Cache struct {
	// FrameBytes is how many bytes of decoded frames are kept; 0 is
	// DefaultFrameBytes. It must not change.
	FrameBytes int64

	frames frames

	mu    sync.Mutex
	known map[store.ColumnID]*Directory
	runs  int
}

// maxCached bounds the runs in a cache; each takes some 100 bytes.
const maxCached = 1 << 18

// get returns the directory of a column as long as the structure is that.
func (c *Cache) get(id store.ColumnID, structure int64) *Directory {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.known[id]; d != nil && d.structure == structure {
		return d
	}
	return nil
}

// put keeps the directory of a structure that is committed.
func (c *Cache) put(id store.ColumnID, d *Directory) {
	if c == nil || len(d.runs) > maxCached {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || c.runs+len(d.runs) > maxCached {
		c.known, c.runs = map[store.ColumnID]*Directory{}, 0
	}
	if old := c.known[id]; old != nil {
		c.runs -= len(old.runs)
	}
	c.known[id] = d
	c.runs += len(d.runs)
}

// load finds the directory in the cache, or reads it.
func (c *Column) load(ctx context.Context, r store.Reader) error {
	if c.dir != nil {
		return nil
	}
	if c.dir = c.cache.get(c.row.ID, c.row.MinChunk); c.dir != nil {
		return nil
	}
	return c.readDirectory(ctx, r)
}

// readDirectory is load where the cache has none. It is a function of its own
// because its loop makes each call allocate.
func (c *Column) readDirectory(ctx context.Context, r store.Reader) error {
	d := &Directory{structure: c.row.MinChunk}
	first := int64(0)
	if c.exists {
		for chunk, err := range r.Chunks(ctx, c.row.ID, math.MinInt64, c.last.number) {
			if err != nil {
				return err
			}
			x, err := runOf(chunk, c.size)
			if err == nil && x.tail > 0 {
				err = corrupt("run %d is not the last and has elements beside its bytes", x.number)
				x.meta = meta{codec: broken}
			}
			if err != nil && d.damage == nil {
				d.damage = err
			}
			x.first = first
			x.rows = min(x.rows, c.base()-first)
			first += x.rows
			if x.rows != chunk.Used && d.damage == nil {
				d.damage = corrupt("the runs before the last have more elements than the %d that the catalog says", c.base())
			}
			d.runs = append(d.runs, x)
		}
	}
	if first != c.base() && d.damage == nil {
		d.damage = corrupt("the runs before the last have %d elements, and the catalog says %d", first, c.base())
	}
	c.dir = d
	if !c.restructured { // else the number does not tell what of the runs is changed by now
		c.cache.put(c.row.ID, d)
	}
	return nil
}

// own makes the directory one that may be changed.
func (c *Column) own(ctx context.Context, r store.Reader) error {
	if err := c.load(ctx, r); err != nil {
		return err
	}
	if c.dir.damage != nil {
		return c.dir.damage
	}
	if !c.owned {
		c.dir = &Directory{runs: append(make([]run, 0, len(c.dir.runs)+8), c.dir.runs...)}
		c.owned = true
	}
	return nil
}

// count is the number of runs, of a directory that is loaded.
func (c *Column) count() int {
	if !c.exists {
		return len(c.dir.runs)
	}
	return len(c.dir.runs) + 1
}

// run is run k, of a directory that is loaded.
func (c *Column) run(k int) *run {
	if k == len(c.dir.runs) {
		return &c.last
	}
	return &c.dir.runs[k]
}

// find is the run in which element i lies, and its place. Nothing is known of
// the place of the last one until the directory is loaded.
func (c *Column) find(ctx context.Context, r store.Reader, i int64) (*run, error) {
	if i >= c.last.first && c.exists {
		return &c.last, nil
	}
	k, err := c.place(ctx, r, i)
	if err != nil {
		return nil, err
	}
	x := c.run(k)
	if i >= x.end() {
		return nil, corrupt("no run has element %d", i)
	}
	return x, nil
}

// place is the number of runs before the one in which element i lies, or would
// lie.
func (c *Column) place(ctx context.Context, r store.Reader, i int64) (int, error) {
	if err := c.load(ctx, r); err != nil {
		return 0, err
	}
	if c.exists && i >= c.last.first {
		return len(c.dir.runs), nil
	}
	// Neighbors are often asked for together, and often all runs have the same
	// number of elements.
	runs := c.dir.runs
	if c.at < len(runs) && i >= runs[c.at].first && i < runs[c.at].end() {
		return c.at, nil
	}
	k := int(min(i/max(1, c.base()/int64(max(1, len(runs)))), int64(len(runs)-1)))
	if k < 0 || i < runs[k].first || i >= runs[k].end() {
		k = sort.Search(len(runs), func(k int) bool { return runs[k].end() > i })
	}
	if k == len(runs) {
		return 0, corrupt("no run has element %d", i)
	}
	c.at = k
	return k, nil
}

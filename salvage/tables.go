package salvage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"

	"columnvault/internal/excerpt"
	"columnvault/internal/sqlitefile"
	"columnvault/internal/store"
)

const (
	// maxKey is the longest key, in bytes, that is read.
	maxKey = 64 << 20
	// bigValue is the size in bytes from which on a value has a transaction of
	// its own, and is not in memory as a whole.
	bigValue = 1 << 20
)

// saveMeta saves what other programs have left in kohakuvault_meta. What says
// something about the file itself, the new one has of its own.
func (j *job) saveMeta(ctx context.Context) error {
	_, err := j.survey.of(roleMeta, func(r *sqlitefile.Row, stray bool) error {
		key, ok := r.Text(0, maxText)
		value, valued := r.Text(1, maxText)
		if !ok || !valued {
			j.note("a row of kohakuvault_meta cannot be read")
			return ctx.Err()
		}
		if key == "schema_version" || strings.HasPrefix(key, "columnvault_") {
			return nil
		}
		return j.target.SetMeta(ctx, key, value)
	})
	return err
}

// saveTables saves all tables of pairs.
func (j *job) saveTables(ctx context.Context) error {
	for _, o := range j.survey.objects {
		if o.role == rolePairs {
			if err := j.saveTable(ctx, o); err != nil {
				return err
			}
		}
	}
	return j.saveLoose(ctx)
}

// table is one that is being saved.
type table struct {
	*job
	Table
	name  string // in the new vault
	batch []store.Pair
	held  map[string]bool // the keys in batch
	size  int
	// cut are the keys of pairs whose values are cut short.
	cut map[uint64]bool
}

var seed = maphash.MakeSeed()

func (j *job) newTable(name string) *table {
	t := &table{job: j, name: name, held: map[string]bool{}, cut: map[uint64]bool{}}
	t.Name, t.LostKeys = name, [][]byte{}
	return t
}

func (j *job) saveTable(ctx context.Context, o *object) error {
	t := j.newTable(o.name)
	if err := t.choose(ctx); err != nil {
		return err
	}
	bad, err := j.survey.rows(o, func(r *sqlitefile.Row, stray bool) error {
		key, ok := t.key(r)
		if !ok {
			return ctx.Err()
		}
		if stray {
			// What nothing leads to may be older than what the table has.
			if there, err := t.has(ctx, key); there || err != nil {
				return err
			}
		}
		return t.save(ctx, r, key)
	})
	if err == nil {
		err = t.flush(ctx)
	}
	if err != nil {
		return err
	}
	if bad > 0 || o.lost() {
		t.Unsure = o.keys == nil || o.keys.lost()
		if o.keys != nil {
			err = t.findLost(ctx, o.keys)
		}
	}
	if bad > int(t.Lost) {
		t.Lost = int64(bad)
	}
	j.report.Tables = append(j.report.Tables, t.Table)
	return err
}

// choose takes another name if the vault cannot have a table of this one.
func (t *table) choose(ctx context.Context) error {
	for n := 1; ; n++ {
		err := t.target.read(ctx, func(r store.Reader) error {
			found, err := r.Table(ctx, t.name)
			if err == nil && found.Kind != store.TableNone {
				err = store.ErrExists
			}
			return err
		})
		if err == nil || n == 100 || !errors.Is(err, store.ErrInvalidArgument) && !errors.Is(err, store.ErrExists) {
			return err
		}
		t.name = fmt.Sprintf("recovered_%d", n)
		t.Saved = t.name
	}
}

// key returns the key of a pair. A pair whose key cannot be read is lost.
func (t *table) key(r *sqlitefile.Row) (key []byte, ok bool) {
	if len(r.Fields) >= 2 && r.Fields[1].Kind >= sqlitefile.Text {
		key, ok = r.Bytes(0, maxKey)
	}
	if !ok {
		t.Lost++
	}
	return key, ok
}

func (t *table) has(ctx context.Context, key []byte) (there bool, err error) {
	if t.held[string(key)] {
		return true, nil
	}
	err = t.target.read(ctx, func(r store.Reader) error {
		_, err := r.Size(ctx, t.name, key)
		there = err == nil
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return there, err
}

// save stores a pair, unless its value is cut short.
func (t *table) save(ctx context.Context, r *sqlitefile.Row, key []byte) error {
	value, _ := r.Value(1)
	if holes := value.Holes(0, value.Size); len(holes) > 0 {
		t.cut[maphash.Bytes(seed, key)] = true
		t.lose(key)
		return nil
	}
	if value.Size >= bigValue {
		if err := t.flush(ctx); err != nil {
			return err
		}
		whole, err := t.saveBig(ctx, key, value)
		if err == nil && whole {
			t.Read++
		}
		return err
	}
	data := make([]byte, value.Size)
	if holes := value.ReadAt(data, 0); len(holes) > 0 { // the disk fails now
		t.lose(key)
		return nil
	}
	t.advance(value.Size + int64(len(key)))
	t.Read++
	t.batch = append(t.batch, store.Pair{Key: key, Value: data})
	t.held[string(key)] = true
	if t.size += len(key) + len(data) + 64; t.size < batchBytes {
		return nil
	}
	return t.flush(ctx)
}

// errHole ends a transaction of a value that turns out to be cut short.
var errHole = errors.New("the value cannot be read")

func (t *table) saveBig(ctx context.Context, key []byte, value sqlitefile.Value) (whole bool, err error) {
	err = t.target.Update(ctx, func(tx store.Tx) error {
		if err := tx.PutZero(ctx, t.name, key, value.Size); err != nil {
			return err
		}
		for at := int64(0); at < value.Size; {
			data := t.buffer(min(pieceBytes, value.Size-at))
			if holes := value.ReadAt(data, at); len(holes) > 0 {
				tx.Abort(errHole)
				return errHole
			}
			if err := tx.PutAt(ctx, t.name, key, data, at); err != nil {
				tx.Abort(err)
				return err
			}
			at += int64(len(data))
			t.advance(int64(len(data)))
		}
		return nil
	})
	if errors.Is(err, errHole) || errors.Is(err, store.ErrTooLarge) {
		t.lose(key)
		return false, nil
	}
	return err == nil, err
}

func (t *table) flush(ctx context.Context) error {
	if len(t.batch) == 0 {
		return nil
	}
	err := t.target.Update(ctx, func(tx store.Tx) error {
		for _, p := range t.batch {
			if err := tx.Put(ctx, t.name, p.Key, p.Value); err != nil {
				tx.Abort(err)
				return err
			}
		}
		return nil
	})
	t.batch, t.size = t.batch[:0], 0
	clear(t.held)
	return err
}

// lose reports a pair whose key is known.
func (t *table) lose(key []byte) {
	t.Lost++
	if len(t.LostKeys) < maxLostKeys {
		t.LostKeys = append(t.LostKeys, bytes.Clone(key[:min(len(key), maxLostKey)]))
	}
}

// findLost looks for keys that the index has and the new table has not.
func (t *table) findLost(ctx context.Context, keys *object) error {
	_, err := t.survey.rows(keys, func(r *sqlitefile.Row, stray bool) error {
		key, ok := r.Bytes(0, maxKey)
		if stray || !ok || !has(r.Fields, "bi") || t.cut[maphash.Bytes(seed, key)] {
			return ctx.Err()
		}
		there, err := t.has(ctx, key)
		if !there && err == nil {
			t.lose(key)
		}
		return err
	})
	return err
}

// maxLoose is how many tables pairs of unknown tables are put into.
const maxLoose = 8

// saveLoose saves pairs that may be of any table. Those of one key with different
// values come from different tables.
func (j *job) saveLoose(ctx context.Context) error {
	var tables []*table
	for _, tree := range j.survey.loose {
		var err error
		for _, page := range tree.Pages {
			j.survey.f.Rows(page, func(r *sqlitefile.Row) bool {
				err = j.saveLooseRow(ctx, &tables, r)
				return err == nil
			})
			if err != nil {
				return err
			}
		}
	}
	for _, t := range tables {
		if err := t.flush(ctx); err != nil {
			return err
		}
		j.note("the table %s has pairs of which the table is not known", excerpt.Quote(t.name, excerpt.Name))
		j.report.Tables = append(j.report.Tables, t.Table)
	}
	return nil
}

func (j *job) saveLooseRow(ctx context.Context, tables *[]*table, r *sqlitefile.Row) error {
	for k := 0; ; k++ {
		if k == maxLoose {
			(*tables)[k-1].Lost++
			return ctx.Err()
		}
		if k == len(*tables) {
			t := j.newTable(j.survey.newName("kv"))
			j.survey.objects = append(j.survey.objects, &object{name: t.name})
			if err := t.choose(ctx); err != nil {
				return err
			}
			*tables = append(*tables, t)
		}
		t := (*tables)[k]
		key, ok := t.key(r)
		if !ok {
			return ctx.Err()
		}
		there, err := t.has(ctx, key)
		if err != nil {
			return err
		}
		if !there {
			return t.save(ctx, r, key)
		}
	}
}

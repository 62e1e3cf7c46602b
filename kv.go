package columnvault

import (
	"context"
	"errors"
	"fmt"

	"columnvault/internal/kvcodec"
	"columnvault/internal/store"
	"columnvault/internal/writeback"
)

// KV is a handle of a key-value table: values of any size under keys that are
// bytes, in the same file and the same transactions as the columns, and those
// of KohakuVault's KVault. Like a Column it holds no state, and may be used
// from many goroutines. The table is made when the first pair is stored.
//
// Values are bytes here; PutValue and GetValue store and read Go values.
// Loading a value takes memory of its size; OpenBlob and PutFrom do not.
type KV struct {
	in    scope
	table string
	home  *Vault
}

// defaultTable is the table that KohakuVault uses unless it is told otherwise.
const defaultTable = "kv"

// KV returns the vault's key-value table of the name kv.
func (v *Vault) KV() *KV { return v.KVTable(defaultTable) }

// KVTable returns the key-value table with that name, which may be anything but
// empty and the names of tables that belong to the vault or to SQLite; with
// such a name every operation fails. Capital letters from A to Z count, and are
// kept, as small ones. [Vault.Tables] lists those that there are.
func (v *Vault) KVTable(name string) *KV {
	return &KV{in: v.scope, table: smallLetters(name), home: v}
}

// KVOptions say how [Vault.EnsureKV] creates a key-value table.
type KVOptions struct {
	// Home is that of [ColumnOptions].
	Home int
}

// EnsureKV returns the key-value table with a name, as [Vault.KVTable] does, and
// creates it if there is none; nil options mean the defaults. The first pair would
// also create it, in the home 0. A table that is in another home gives
// [ErrExists].
func (s *scope) EnsureKV(ctx context.Context, name string, o *KVOptions) (*KV, error) {
	if o == nil {
		o = &KVOptions{}
	}
	kv := &KV{in: *s, table: smallLetters(name), home: s.v}
	err := s.update(ctx, "ensure table", kv.table, func(tx *Tx) error {
		if err := store.CheckHome(int64(o.Home)); err != nil {
			return err
		}
		return tx.w.CreateTable(ctx, kv.table, int64(o.Home))
	})
	if err != nil {
		return nil, err
	}
	return kv, nil
}

// smallLetters makes capital letters small as far as SQLite does: it takes
// names for the same that differ in nothing else.
func smallLetters(name string) string {
	small := []byte(name)
	for i, c := range small {
		if 'A' <= c && c <= 'Z' {
			small[i] += 'a' - 'A'
		}
	}
	return string(small)
}

// In returns the table as a part of the transaction. It lives as long as that.
func (kv *KV) In(tx *Tx) *KV {
	part := *kv
	part.in = tx.scope
	return &part
}

// Name is the name of the table.
func (kv *KV) Name() string { return kv.table }

// Key is the key that KohakuVault uses for text: its UTF-8 bytes.
func Key(text string) []byte { return []byte(text) }

// Pair is a key and its value.
type Pair struct {
	Key, Value []byte
}

// tableIn is a key-value table in a transaction.
type tableIn struct {
	tx   *Tx
	name string
	// held is what the caches hold for it.
	held writeback.PairMap
}

// read runs fn on the table in the transaction, or in one of its own for
// reading, which may run it again.
func (kv *KV) read(ctx context.Context, op string, key []byte, fn func(t tableIn) error) error {
	return kv.fail(op, key, kv.in.read(ctx, op, kv.table, kv.opening(fn)))
}

// view runs fn on the table in the transaction, or in a snapshot.
func (kv *KV) view(ctx context.Context, op string, key []byte, fn func(t tableIn) error) error {
	return kv.fail(op, key, kv.in.view(ctx, op, kv.table, kv.opening(fn)))
}

// update runs fn in a writing transaction.
func (kv *KV) update(ctx context.Context, op string, key []byte, fn func(t tableIn) error) error {
	return kv.fail(op, key, kv.in.update(ctx, op, kv.table, kv.opening(fn)))
}

// opening runs fn on the table with what is held for it.
func (kv *KV) opening(fn func(t tableIn) error) func(*Tx) error {
	return func(tx *Tx) error {
		t, err := kv.open(tx)
		if err != nil {
			return err
		}
		return fn(t)
	}
}

// open finds out what is held for the table.
func (kv *KV) open(tx *Tx) (tableIn, error) {
	if tx.v != kv.home {
		return tableIn{}, errOtherVault
	}
	if tx.flush != nil {
		if err := tx.flush.BlockedTable(kv.table); err != nil {
			return tableIn{}, err
		}
	}
	t := tableIn{tx: tx, name: kv.table, held: tx.reading.Table(kv.table)}
	tx.reading.Done()
	return t, nil
}

// fail makes the error of an operation on a key, or of one on the table if that
// is nil.
func (kv *KV) fail(op string, key []byte, err error) error { return keyError(op, kv.table, key, err) }

func keyError(op, table string, key []byte, err error) error {
	err = fail(op, table, -1, err)
	if err == nil || key == nil {
		return err
	}
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	return &Error{Op: op, Column: table, Key: key, Index: -1, Err: e.Err}
}

// Get returns the value of a key, or [ErrNotFound]. It belongs to the caller.
func (kv *KV) Get(ctx context.Context, key []byte) (value []byte, err error) {
	err = kv.read(ctx, "get", key, func(t tableIn) error {
		value, err = t.get(ctx, key)
		return err
	})
	return kvcodec.DecodeRaw(value), err
}

// get returns a value as it is stored.
func (t tableIn) get(ctx context.Context, key []byte) ([]byte, error) {
	if value, ok := t.held.Get(key); ok {
		return append([]byte{}, value...), nil
	}
	return t.tx.r.Get(ctx, t.name, key)
}

// GetMany returns the values of many keys at one moment, nil for a key that
// does not exist.
func (kv *KV) GetMany(ctx context.Context, keys ...[]byte) (values [][]byte, err error) {
	err = kv.read(ctx, "get", nil, func(t tableIn) error {
		values = make([][]byte, len(keys))
		for i, key := range keys {
			value, err := t.get(ctx, key)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			values[i] = kvcodec.DecodeRaw(value)
		}
		return nil
	})
	return values, err
}

// Has tells whether a key exists.
func (kv *KV) Has(ctx context.Context, key []byte) (has bool, err error) {
	err = kv.read(ctx, "has", key, func(t tableIn) error {
		has, err = t.has(ctx, key)
		return err
	})
	return has, err
}

func (t tableIn) has(ctx context.Context, key []byte) (bool, error) {
	_, err := t.size(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// size returns the size of a value as it is stored.
func (t tableIn) size(ctx context.Context, key []byte) (int64, error) {
	if value, ok := t.held.Get(key); ok {
		return int64(len(value)), nil
	}
	return t.tx.r.Size(ctx, t.name, key)
}

// Len returns the number of keys. It goes over all of them.
func (kv *KV) Len(ctx context.Context) (n int, err error) {
	err = kv.read(ctx, "len", nil, func(t tableIn) error {
		stored, err := t.tx.r.Count(ctx, t.name)
		if err != nil {
			return err
		}
		added, err := t.added(ctx, stored)
		n = int(stored) + added
		return err
	})
	return n, err
}

// added is how many of the keys that are held are not among those stored.
func (t tableIn) added(ctx context.Context, stored int64) (n int, err error) {
	held := t.held.Len()
	if held == 0 || stored == 0 {
		return held, nil
	}
	if int64(held) > stored/8 {
		// Going over the stored keys costs less than looking up each one held.
		n = held
		for p, err := range t.tx.r.Scan(ctx, t.name, store.KeyRange{KeysOnly: true}) {
			if err != nil {
				return 0, err
			}
			if _, both := t.held.Get(p.Key); both {
				n--
			}
		}
		return n, nil
	}
	for p := range t.held.Scan(store.KeyRange{KeysOnly: true}) {
		_, err := t.tx.r.Size(ctx, t.name, p.Key)
		if errors.Is(err, ErrNotFound) {
			n++
		} else if err != nil {
			return 0, err
		}
	}
	return n, nil
}

// Put stores a value in place of what the key had. If the vault has a cache,
// that holds the pair; see [Vault.EnableCache].
func (kv *KV) Put(ctx context.Context, key, value []byte) error {
	return kv.putStored(ctx, store.Pair{Key: key, Value: kvcodec.EncodeRaw(value)})
}

// PutMany stores many pairs, all of them or none.
func (kv *KV) PutMany(ctx context.Context, pairs ...Pair) error {
	stored := make([]store.Pair, len(pairs))
	for i, p := range pairs {
		stored[i] = store.Pair{Key: p.Key, Value: kvcodec.EncodeRaw(p.Value)}
	}
	return kv.putStored(ctx, stored...)
}

// putStored stores values as they are to be in the file.
func (kv *KV) putStored(ctx context.Context, pairs ...store.Pair) error {
	var key []byte
	if len(pairs) == 1 {
		key = pairs[0].Key
	}
	for _, p := range pairs {
		if err := kv.checkSize(p.Key, int64(len(p.Value))); err != nil {
			return kv.fail("put", p.Key, err)
		}
	}
	if kv.in.tx == nil {
		if taken, err := kv.putCached(ctx, pairs); taken || err != nil {
			return kv.fail("put", key, err)
		}
	}
	return kv.update(ctx, "put", key, func(t tableIn) error { return t.put(ctx, pairs) })
}

// putCached holds pairs in the cache of the vault. It does not take them if
// there is none, or if they are more than it can hold.
func (kv *KV) putCached(ctx context.Context, pairs []store.Pair) (taken bool, err error) {
	if err := kv.home.checkCall(ctx); err != nil {
		return false, err
	}
	for {
		verdict, err := kv.home.pending.Put(kv.table, pairs)
		if err != nil || verdict == writeback.Held || verdict == writeback.Refused {
			return verdict == writeback.Held, err
		}
		if err := kv.home.prepare(ctx, verdict, kv.look); err != nil {
			return false, err
		}
	}
}

// look asks whether the file has something else under the name of the table,
// and tells the buffer if it has not.
func (kv *KV) look(ctx context.Context) error {
	return kv.home.view(ctx, func(tx *Tx) error {
		tx.reading.Done()
		return tx.admitTable(ctx, kv.table)
	})
}

// admitTable tells the buffer whether it may hold pairs for a table. One with
// rules of its own, such as a trigger or a check, may refuse a pair, and its
// caller should hear of that; so its pairs are written at once.
func (tx *Tx) admitTable(ctx context.Context, table string) error {
	found, err := tx.r.Table(ctx, table)
	if err == nil {
		tx.v.pending.Admit(table, found.Home, found.Kind != store.TableOther)
	}
	return err
}

// checkSize refuses what no row can hold.
func (kv *KV) checkSize(key []byte, size int64) error {
	if most := kv.home.store.Caps().MaxValue - int64(len(key)); size > most {
		return fmt.Errorf("%w: the value has %d bytes, and the limit is %d", ErrTooLarge, size, most)
	}
	return nil
}

func (t tableIn) put(ctx context.Context, pairs []store.Pair) error {
	for i, p := range pairs {
		if err := t.tx.putPair(ctx, t.name, p.Key, p.Value); err != nil {
			if i > 0 {
				t.tx.w.Abort(err) // those before are stored
			}
			return err
		}
	}
	return nil
}

// Delete removes a key and tells whether it was there.
func (kv *KV) Delete(ctx context.Context, key []byte) (there bool, err error) {
	err = kv.update(ctx, "delete", key, func(t tableIn) error {
		there, err = t.tx.w.Delete(ctx, t.name, key)
		return err
	})
	return there, err
}

// Pop removes a key and returns the value that it had, or [ErrNotFound].
func (kv *KV) Pop(ctx context.Context, key []byte) (value []byte, err error) {
	err = kv.update(ctx, "pop", key, func(t tableIn) error {
		if value, err = t.get(ctx, key); err != nil {
			return err
		}
		_, err = t.tx.w.Delete(ctx, t.name, key)
		return err
	})
	return kvcodec.DecodeRaw(value), err
}

// SetDefault returns the value of a key, after it has stored the given one if
// there was none.
func (kv *KV) SetDefault(ctx context.Context, key, value []byte) (found []byte, err error) {
	err = kv.update(ctx, "set default", key, func(t tableIn) error {
		found, err = t.get(ctx, key)
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		stored := kvcodec.EncodeRaw(value)
		if err := kv.checkSize(key, int64(len(stored))); err != nil {
			return err
		}
		found = append([]byte{}, stored...)
		return t.tx.putPair(ctx, t.name, key, stored)
	})
	return kvcodec.DecodeRaw(found), err
}

// Clear removes all keys.
func (kv *KV) Clear(ctx context.Context) error {
	return kv.update(ctx, "clear", nil, func(t tableIn) error { return t.tx.w.Clear(ctx, t.name) })
}

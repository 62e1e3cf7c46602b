package columnvault

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"columnvault/internal/excerpt"
	"columnvault/internal/store"
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
// kept, as small ones.
func (v *Vault) KVTable(name string) *KV {
	return &KV{in: v.scope, table: smallLetters(name), home: v}
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
type Pair = store.Pair

// check refuses names of tables that are not for pairs, and transactions of
// other vaults.
func (kv *KV) check(tx *Tx) error {
	if tx.v != kv.home {
		return fmt.Errorf("%w: the transaction belongs to another vault", ErrInvalidArgument)
	}
	return kv.checkName()
}

func (kv *KV) checkName() error {
	switch name := kv.table; {
	case name == "" || strings.ContainsRune(name, 0):
		return fmt.Errorf("%w: %s is no name for a table", ErrInvalidArgument, excerpt.Quote(kv.table, excerpt.Name))
	case strings.HasPrefix(name, "sqlite_"), strings.HasPrefix(name, "kvault_col_"),
		name == "col_meta", name == "col_chunks", name == "kohakuvault_meta":
		return fmt.Errorf("%w: the table %s is not for pairs", ErrInvalidArgument, excerpt.Quote(kv.table, excerpt.Name))
	}
	return nil
}

// view runs fn in a snapshot, or in the transaction.
func (kv *KV) view(ctx context.Context, op string, key []byte, fn func(tx *Tx) error) error {
	return kv.fail(op, key, kv.in.view(ctx, op, kv.table, func(tx *Tx) error {
		if err := kv.check(tx); err != nil {
			return err
		}
		return fn(tx)
	}))
}

// update runs fn in a writing transaction.
func (kv *KV) update(ctx context.Context, op string, key []byte, fn func(tx *Tx) error) error {
	return kv.fail(op, key, kv.in.update(ctx, op, kv.table, func(tx *Tx) error {
		if err := kv.check(tx); err != nil {
			return err
		}
		return fn(tx)
	}))
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

// Get returns the value of a key, or ErrNotFound. It belongs to the caller.
func (kv *KV) Get(ctx context.Context, key []byte) (value []byte, err error) {
	err = kv.view(ctx, "get", key, func(tx *Tx) error {
		value, err = tx.get(ctx, kv.table, key)
		return err
	})
	return rawValue(value), err
}

// get returns a value as it is stored.
func (tx *Tx) get(ctx context.Context, table string, key []byte) ([]byte, error) {
	if value, ok := tx.held.kv.lookup(table, key); ok {
		return append([]byte{}, value...), nil
	}
	value, err := tx.r.Get(ctx, table, key)
	return value, noKey(err)
}

// noKey says what it is that was not found.
func noKey(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return ErrNotFound
	}
	return err
}

// GetMany returns the values of many keys at one moment, nil for a key that
// does not exist.
func (kv *KV) GetMany(ctx context.Context, keys ...[]byte) (values [][]byte, err error) {
	err = kv.view(ctx, "get", nil, func(tx *Tx) error {
		values = make([][]byte, len(keys))
		for i, key := range keys {
			value, err := tx.get(ctx, kv.table, key)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			values[i] = rawValue(value)
		}
		return nil
	})
	return values, err
}

// Has tells whether a key exists.
func (kv *KV) Has(ctx context.Context, key []byte) (has bool, err error) {
	err = kv.view(ctx, "has", key, func(tx *Tx) error {
		_, err := tx.size(ctx, kv.table, key)
		has = err == nil
		if errors.Is(err, ErrNotFound) {
			err = nil
		}
		return err
	})
	return has, err
}

// size returns the size of a value as it is stored.
func (tx *Tx) size(ctx context.Context, table string, key []byte) (int64, error) {
	if value, ok := tx.held.kv.lookup(table, key); ok {
		return int64(len(value)), nil
	}
	n, err := tx.r.Size(ctx, table, key)
	return n, noKey(err)
}

// Len returns the number of keys. It goes over all of them.
func (kv *KV) Len(ctx context.Context) (n int, err error) {
	err = kv.view(ctx, "len", nil, func(tx *Tx) error {
		count, err := tx.r.Count(ctx, kv.table)
		n = int(count)
		if err != nil {
			return err
		}
		for key := range tx.held.kv.keys(kv.table) {
			_, err := tx.r.Size(ctx, kv.table, []byte(key))
			if errors.Is(err, store.ErrNotFound) {
				n++
			} else if err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// Put stores a value in place of what the key had. If the vault has a cache,
// that holds the pair; see Vault.EnableCache.
func (kv *KV) Put(ctx context.Context, key, value []byte) error {
	return kv.putStored(ctx, Pair{Key: key, Value: storedRaw(value)})
}

// PutMany stores many pairs, all of them or none.
func (kv *KV) PutMany(ctx context.Context, pairs ...Pair) error {
	stored := make([]Pair, len(pairs))
	for i, p := range pairs {
		stored[i] = Pair{Key: p.Key, Value: storedRaw(p.Value)}
	}
	return kv.putStored(ctx, stored...)
}

// putStored stores values as they are to be in the file.
func (kv *KV) putStored(ctx context.Context, pairs ...Pair) error {
	var key []byte
	if len(pairs) == 1 {
		key = pairs[0].Key
	}
	for _, p := range pairs {
		if err := kv.checkSize(p.Key, int64(len(p.Value))); err != nil {
			return kv.fail("put", p.Key, err)
		}
	}
	if err := kv.checkName(); err != nil {
		return kv.fail("put", nil, err)
	}
	if kv.in.tx == nil {
		taken, err := kv.home.pending.putCached(ctx, kv.table, pairs)
		if taken || err != nil {
			return kv.fail("put", key, err)
		}
	}
	return kv.update(ctx, "put", key, func(tx *Tx) error { return tx.put(ctx, kv.table, pairs) })
}

// checkSize refuses what no row can hold.
func (kv *KV) checkSize(key []byte, size int64) error {
	if most := kv.home.store.Caps().MaxValue - int64(len(key)); size > most {
		return fmt.Errorf("%w: the value has %d bytes, and the limit is %d", ErrTooLarge, size, most)
	}
	return nil
}

func (tx *Tx) put(ctx context.Context, table string, pairs []Pair) error {
	for i, p := range pairs {
		if err := tx.w.Put(ctx, table, p.Key, p.Value); err != nil {
			if i > 0 {
				tx.w.Abort(err) // those before are stored
			}
			return err
		}
	}
	return nil
}

// Delete removes a key and tells whether it was there.
func (kv *KV) Delete(ctx context.Context, key []byte) (there bool, err error) {
	err = kv.update(ctx, "delete", key, func(tx *Tx) error {
		there, err = tx.w.Delete(ctx, kv.table, key)
		return err
	})
	return there, err
}

// Pop removes a key and returns the value that it had, or ErrNotFound.
func (kv *KV) Pop(ctx context.Context, key []byte) (value []byte, err error) {
	err = kv.update(ctx, "pop", key, func(tx *Tx) error {
		if value, err = tx.get(ctx, kv.table, key); err != nil {
			return err
		}
		_, err = tx.w.Delete(ctx, kv.table, key)
		return err
	})
	return rawValue(value), err
}

// SetDefault returns the value of a key, after it has stored the given one if
// there was none.
func (kv *KV) SetDefault(ctx context.Context, key, value []byte) (found []byte, err error) {
	err = kv.update(ctx, "set default", key, func(tx *Tx) error {
		found, err = tx.get(ctx, kv.table, key)
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		stored := storedRaw(value)
		if err := kv.checkSize(key, int64(len(stored))); err != nil {
			return err
		}
		found = append([]byte{}, stored...)
		return tx.w.Put(ctx, kv.table, key, stored)
	})
	return rawValue(found), err
}

// Clear removes all keys.
func (kv *KV) Clear(ctx context.Context) error {
	return kv.update(ctx, "clear", nil, func(tx *Tx) error { return tx.w.Clear(ctx, kv.table) })
}

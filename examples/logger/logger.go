package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/scan"
)

// Record is a line of the log.
type Record struct {
	Time time.Time
	Text string
}

// Logger appends records whose times ascend, so that a time is found by binary
// search. It may be used from many goroutines.
type Logger struct {
	v       *columnvault.Vault
	records *columnvault.Table[Record]
	times   *columnvault.Column[int64] // in microseconds

	mu   sync.Mutex
	last time.Time // that of the last record
}

// openLogger opens the log in a vault. What is held is written after a second at
// the latest: no more than that is lost if the process is killed.
func openLogger(ctx context.Context, v *columnvault.Vault, onError func(error)) (*Logger, error) {
	l := &Logger{v: v}
	var err error
	if l.records, err = columnvault.EnsureTable[Record](ctx, v, "log", nil); err != nil {
		return nil, err
	}
	if l.times, err = columnvault.Lookup(ctx, v, "log.Time", dtype.Int64); err != nil {
		return nil, err
	}
	last, err := l.records.At(ctx, -1)
	if err != nil && !errors.Is(err, columnvault.ErrOutOfRange) {
		return nil, err
	}
	l.last = last.Time
	return l, l.records.EnableCache(ctx, &columnvault.CacheOptions{FlushInterval: time.Second, OnError: onError})
}

// Log adds a record with the time of now, or that of the record before it where
// the clock has been set back.
func (l *Logger) Log(ctx context.Context, text string) error {
	l.mu.Lock() // the order of the times is that of the records
	defer l.mu.Unlock()
	now := time.Now()
	if now.Before(l.last) {
		now = l.last
	}
	if err := l.records.Append(ctx, Record{now, text}); err != nil {
		return err
	}
	l.last = now
	return nil
}

// Since calls fn with the records from a time on. It reads them a thousand at a
// time, all of one moment.
func (l *Logger) Since(ctx context.Context, from time.Time, fn func(Record) error) error {
	return l.v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		at, err := l.search(ctx, tx, from)
		if err != nil {
			return err
		}
		buf := make([]Record, 1000)
		for n := len(buf); n == len(buf); at += n {
			if n, err = l.records.In(tx).Read(ctx, buf, at); err != nil {
				return err
			}
			for _, r := range buf[:n] {
				if err := fn(r); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// DeleteBefore deletes the records before a time, gives their room back to the
// file system, and returns how many there were.
func (l *Logger) DeleteBefore(ctx context.Context, before time.Time) (n int, err error) {
	err = l.v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		if n, err = l.search(ctx, tx, before); err != nil || n == 0 {
			return err
		}
		return l.records.In(tx).Delete(ctx, 0, n)
	})
	if err == nil && n > 0 {
		_, err = l.v.Compact(ctx, columnvault.CompactOptions{})
	}
	return n, err
}

// search is the position of the first record that is not before a time.
func (l *Logger) search(ctx context.Context, tx *columnvault.Tx, from time.Time) (int, error) {
	return scan.SearchSorted(ctx, scan.Of(l.times.In(tx)), from.UnixMicro(), scan.Left)
}

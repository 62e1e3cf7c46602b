package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// holder is a list that can hold in memory what is appended.
type holder interface {
	// Hold holds elements for so long at most, or as long as there is room.
	Hold(atMost time.Duration) error
}

// acknowledged is the file in which a process keeps how many of its calls have
// returned. A write survives the end of the process, and is not a pipe, which
// would slow down what is measured.
func acknowledged(dir string) string { return filepath.Clean(dir) + ".acknowledged" }

// untilKilled appends one by one, and says how many it was told are there.
func (b *bench[T]) untilKilled() error {
	if err := b.open(); err != nil {
		return err
	}
	if b.Hold >= 0 {
		h, ok := b.list.(holder)
		if !ok {
			return errDash
		}
		if err := h.Hold(b.Hold); err != nil {
			return err
		}
	}
	f, err := os.Create(acknowledged(b.Dir))
	if err != nil {
		return err
	}
	for i := range b.N {
		if err := b.list.AppendOne(b.at(i)); err != nil {
			return err
		}
		if _, err := f.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(i+1)), 0); err != nil {
			return err
		}
	}
	return errors.New("nobody has killed this process")
}

// countKept compares what is left with what was acknowledged.
func (b *bench[T]) countKept() error {
	told, err := countOf(acknowledged(b.Dir))
	if err != nil {
		return err
	}
	if err := b.open(); err != nil {
		return fmt.Errorf("after %d acknowledged elements: %w", told, err)
	}
	n, err := b.list.Len()
	if err != nil {
		return err
	}
	at := 0
	if err := b.list.Runs(func(run []T) {
		for _, v := range run {
			if err == nil && !b.equal(v, b.at(at)) {
				err = fmt.Errorf("element %d of %d: %v, want %v", at, n, v, b.at(at))
			}
			at++
		}
	}); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	b.put(Sample{Job: "acknowledged when killed", Unit: Elements, Data: []float64{float64(told)}})
	b.put(Sample{Job: "of them lost", Unit: Elements, Data: []float64{float64(max(0, told-n))}})
	return b.store.Close()
}

// countOf reads the count of a process, 0 if it has not begun.
func countOf(path string) (int, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(data) < 8 {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return int(binary.LittleEndian.Uint64(data)), nil
}

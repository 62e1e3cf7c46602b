package main

import (
	"errors"
	"fmt"
	"regexp"
	"runtime/debug"
	"slices"
)

// errDash is the error of what a peer does not do: a dash in the tables.
var errDash = errors.New("the peer does not do this")

// Class says beside what a peer is compared.
type Class int

const (
	// Durable stores are edited in place, and keep an acknowledged write when
	// the process is killed; a power failure leaves them whole.
	Durable Class = iota
	// Loose stores are edited in place, and lose or break more than that.
	Loose
	// Rewritten files cannot be edited: to change one is to write it anew.
	Rewritten
	// Floor is what the machine takes for the bytes alone.
	Floor
)

// Peer is a store that is measured.
type Peer struct {
	Name  string
	Class Class
	// Module is the library whose version the build knows, if it is one.
	Module string
	// Durability is what an acknowledged write survives.
	Durability string
	// Remark is what else a reader of the tables should know, or "".
	Remark string
	// Synced peers wait for the disk at every commit. Those that do so only
	// because they are asked to run in the set of synced commits alone.
	Synced, OnlySynced bool
	// Open opens what is in the folder, and creates what is not there.
	Open func(dir string) (Store, error)
	// Holds says that its lists can hold what is appended.
	Holds bool
	// Import reads the CSV file of a task, and Export writes what was read to
	// another. Both return the peak of the memory of what did it, in bytes.
	Import func(t Task) (peak int64, err error)
	Export func(t Task, out string) (peak int64, err error)
	// Python is the version of KohakuVault, for peers that are not Go.
	Python string
}

// Store is an open store, which one goroutine uses.
type Store interface {
	// List returns the List of the kind's elements, or errDash.
	List(kind Kind) (any, error)
	Close() error
}

// List is a list of elements. Positions are not negative, and all of them are
// there. What a peer does not do returns errDash.
type List[T any] interface {
	Len() (int, error)
	// Append adds values at the end, in one transaction.
	Append(values []T) error
	// AppendOne adds one value, in a transaction of its own.
	AppendOne(v T) error
	// AppendEach adds values by a call for each, held in a cache or by one
	// transaction. It calls held when all are, and then writes them.
	AppendEach(values []T, held func()) error
	// Read fills into with all elements, in memory that becomes the caller's.
	Read(into []T) error
	// Runs calls fn with stretches of all elements, in memory that is lent.
	Runs(fn func(run []T)) error
	Reader[T]
	// View calls fn with a reader whose reads are of one snapshot.
	View(fn func(r Reader[T]) error) error
	// Set replaces an element, in a transaction of its own.
	Set(i int, v T) error
	// SetMany replaces elements by a call for each, in one transaction.
	SetMany(at []int, values []T) error
	// Insert puts a value before position i, in a transaction of its own.
	Insert(i int, v T) error
	// Delete removes an element, in a transaction of its own.
	Delete(i int) error
}

// Reader reads single elements and short stretches.
type Reader[T any] interface {
	At(i int) (T, error)
	Slice(into []T, at int) error
}

// Scanner is a List whose store computes by itself.
type Scanner[T any] interface {
	Sum() (float64, error)
	MinMax() (low, high T, err error)
	CountAtLeast(v T) (int, error)
}

// Asker is a List of records whose store answers SQL.
type Asker interface {
	// Ask runs a query over the table "rows", and returns how many rows it has.
	Ask(query string) (int, error)
}

// dashes does nothing of what a List does. Peers embed it.
type dashes[T any] struct{}

func (dashes[T]) Len() (int, error)                  { return 0, errDash }
func (dashes[T]) Append([]T) error                   { return errDash }
func (dashes[T]) AppendOne(T) error                  { return errDash }
func (dashes[T]) AppendEach([]T, func()) error       { return errDash }
func (dashes[T]) Read([]T) error                     { return errDash }
func (dashes[T]) Runs(func([]T)) error               { return errDash }
func (dashes[T]) At(int) (v T, err error)            { return v, errDash }
func (dashes[T]) Slice([]T, int) error               { return errDash }
func (dashes[T]) View(func(r Reader[T]) error) error { return errDash }
func (dashes[T]) Set(int, T) error                   { return errDash }
func (dashes[T]) SetMany([]int, []T) error           { return errDash }
func (dashes[T]) Insert(int, T) error                { return errDash }
func (dashes[T]) Delete(int) error                   { return errDash }

// peers are all there are, in the order of the tables. Those that need cgo are
// missing from a build without it.
func peers() []Peer {
	return slices.Concat(vaultPeers(), sqlitePeers(), duckdbPeers(), boltPeers(), pebblePeers(), pythonPeers(), filePeers())
}

// choose returns the peers whose names match.
func choose(pattern string) (chosen []Peer, err error) {
	match, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("-peers: %w", err)
	}
	for _, p := range peers() {
		if match.MatchString(p.Name) {
			chosen = append(chosen, p)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("-peers %s: no peer has such a name", pattern)
	}
	return chosen, nil
}

// version is that of the peer's library, as far as the build knows it.
func (p Peer) version() string {
	if p.Python != "" {
		return "kohakuvault " + p.Python
	}
	if p.Module == "" {
		return ""
	}
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if m.Path == p.Module {
			return m.Path + " " + m.Version
		}
	}
	return p.Module
}

package writeback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Part is what is held for one column at one moment. Its memory does not
// change.
type Part struct {
	Target
	// Name is the one that the column had when it was last looked up.
	Name string
	column.Elements
	Count int
	rows  *rows
}

// Pairs is what is held for one key-value table at one moment.
type Pairs struct {
	Table string
	PairMap
	table *table
	// seq is that of the newest pair.
	seq uint64
}

// Flush is the writing of what is held, in a transaction that may run more than
// once. Call, in this order, [Flush.Wait] before the transaction, [Flush.Take] at
// the beginning of every run, [Flush.Shut] when all of it is in the transaction,
// [Flush.Committed] once it is committed, and in any case [Flush.End].
type Flush struct {
	b *Buffer
	// all says to try what an earlier flush could not write.
	all bool
	// home is the one whose columns and tables it writes, or everywhere or
	// nowhere. other says that the transaction was kept from something that is
	// held for another.
	home       int64
	other      bool
	turn, gate bool
	// blind says that Buffer.blind counts this one.
	blind bool
	*taken
	// failed are the parts and pairs that could not be written in an earlier
	// run.
	failed []failure
}

// taken is what a run of a flush has taken.
type taken struct {
	parts []Part
	pairs []Pairs
	// blockedColumns and blockedTables are what the transaction must leave
	// alone, and why.
	blockedColumns map[catalog.ID]error
	blockedTables  map[string]error
}

// nothing is what most flushes take.
var nothing taken

type failure struct {
	rows  *rows
	table *table
	err   error
}

const (
	everywhere = -1
	nowhere    = -2
)

// ErrOtherHome: what is held for a column or table has to be written first, in a
// transaction of its own.
var ErrOtherHome = errors.New("something is held for it that is written first")

// Begin begins a flush. Whatever writes to the vault begins one, and first
// writes what is held. With all it also tries what an earlier flush could not
// write; without, that is left aside.
//
// Where homes are apart, it writes nothing of what is held, because that may be
// of another home: it has to be written before ([Buffer.BeginHome]). What is held
// after that closes its column or table with ErrOtherHome.
func (b *Buffer) Begin(all bool) *Flush {
	if b.apart {
		return b.BeginHome(nowhere, all)
	}
	return b.BeginHome(everywhere, all)
}

// BeginHome is Begin for what is held for columns and tables of one home alone.
func (b *Buffer) BeginHome(home int64, all bool) *Flush {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writers++
	return &Flush{b: b, all: all, home: home, taken: &nothing}
}

// ErrTurn: something may be held by now, so the flush has to wait for its turn.
var ErrTurn = errors.New("another flush may come first")

// Wait waits for the flush's turn if something is held or may be: while a
// transaction runs again, others must not wait in theirs for what it keeps.
func (f *Flush) Wait(ctx context.Context, most time.Duration) error {
	if f.turn || !f.b.active() {
		return nil
	}
	select {
	case f.b.turn <- struct{}{}:
		f.turn = true
		return nil
	default:
	}
	timeout := time.NewTimer(most)
	defer timeout.Stop()
	select {
	case f.b.turn <- struct{}{}:
		f.turn = true
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return fmt.Errorf("%w after %v: another transaction of this process has not ended; if it waits for this one, pass on the ctx that its function received",
			store.ErrBusy, most)
	}
}

// Take takes what is held. It fails with [ErrFlushPaused] where everything is
// asked for and flushing is paused, and with [ErrTurn] where the transaction has
// to end and begin again behind [Flush.Wait].
func (f *Flush) Take() error {
	f.taken, f.other = &nothing, false
	f.reopen() // an earlier run has come to nothing
	b := f.b
	if !f.turn {
		return f.goBlind()
	}
	if !b.Holds() {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.all && b.pauses > 0 && b.count > 0 {
		return ErrFlushPaused
	}
	f.taken = &taken{}
	for _, r := range b.rows {
		if err := f.leftAside(r.Home, r.stuck, failure{rows: r}); err != nil {
			f.blockColumn(r.ID, err)
			continue
		}
		f.parts = append(f.parts, r.part())
	}
	for _, t := range b.tables {
		if t.pairs.Len() == 0 {
			continue
		}
		if err := f.leftAside(t.home, t.stuck, failure{table: t}); err != nil {
			f.blockTable(t.name, err)
			continue
		}
		f.pairs = append(f.pairs, t.lend())
	}
	return nil
}

// goBlind begins a run that has nothing to write of the buffer, unless there may
// be something by now.
func (f *Flush) goBlind() error {
	b := f.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.active() {
		f.see()
		return ErrTurn
	}
	if !f.blind {
		f.blind = true
		b.blind++
	}
	return nil
}

// see ends what goBlind has begun.
func (f *Flush) see() {
	if f.blind {
		f.blind = false
		f.b.blind--
	}
}

// leftAside says why something is not written by this flush, if it is not.
func (f *Flush) leftAside(home int64, stuck error, x failure) error {
	if f.b.pauses > 0 {
		return ErrFlushPaused
	}
	for _, failed := range f.failed {
		if failed.rows == x.rows && failed.table == x.table {
			return failed.err
		}
	}
	if stuck != nil && !f.all {
		return stuck
	}
	if f.home != everywhere && f.home != home {
		return ErrOtherHome
	}
	return nil
}

func (f *Flush) blockColumn(id catalog.ID, err error) {
	if f.blockedColumns == nil {
		f.blockedColumns = map[catalog.ID]error{}
	}
	f.blockedColumns[id] = err
}

func (f *Flush) blockTable(name string, err error) {
	if f.blockedTables == nil {
		f.blockedTables = map[string]error{}
	}
	f.blockedTables[name] = err
}

func (r *rows) part() Part {
	return Part{Target: r.Target, Name: r.of.name, Elements: r.Elements, Count: r.count, rows: r}
}

// Parts are the elements that this run has to write.
func (f *Flush) Parts() []Part { return f.parts }

// Pairs are the pairs that this run has to write.
func (f *Flush) Pairs() []Pairs { return f.pairs }

// Count is how many elements and pairs this run has to write.
func (f *Flush) Count() (n int) {
	for _, p := range f.parts {
		n += p.Count
	}
	for _, p := range f.pairs {
		n += p.Len()
	}
	return n
}

// BlockedColumn says why the transaction must not touch a column: something is
// held for it that this flush does not write, and that has to come first.
func (f *Flush) BlockedColumn(id catalog.ID) error { return f.blocked(f.blockedColumns[id]) }

// BlockedTable is [Flush.BlockedColumn] for a key-value table.
func (f *Flush) BlockedTable(name string) error { return f.blocked(f.blockedTables[name]) }

func (f *Flush) blocked(err error) error {
	f.other = f.other || err == ErrOtherHome
	return err
}

// KeptOut returns ErrOtherHome if the run was kept from something for that reason.
func (f *Flush) KeptOut() error {
	if f.other {
		return ErrOtherHome
	}
	return nil
}

// PartFailed leaves a part out of the runs to come.
func (f *Flush) PartFailed(p Part, err error) {
	f.failed = append(f.failed, failure{rows: p.rows, err: stuckError(err, p.Count, "elements")})
}

// PairsFailed leaves the pairs of a table out of the runs to come.
func (f *Flush) PairsFailed(p Pairs, err error) {
	f.failed = append(f.failed, failure{table: p.table, err: stuckError(err, p.Len(), "pairs")})
}

// Shut makes readers wait until the end. Only the commit lies between. Where
// nothing is or can be held, readers need not wait.
func (f *Flush) Shut() {
	if !f.gate && f.turn {
		f.b.gate.Lock()
		f.gate = true
	}
}

// Change is what the transaction has done to the row of a column.
type Change struct {
	ID catalog.ID
	// From is the name that the column had, To the new one: empty if it was
	// dropped, and the same if it has got another meaning.
	From, To string
}

// Committed gives up what has been written. What came since stays held; it
// follows columns that have another name, and goes with those that were
// dropped.
func (f *Flush) Committed(changes []Change) {
	b := f.b
	b.mu.Lock()
	defer b.mu.Unlock()
	f.drop()
	for _, x := range f.failed {
		x.stick()
	}
	if len(f.failed) == 0 {
		b.failed = nil
	}
	for _, ch := range changes {
		b.change(ch)
	}
	f.open()
}

// Doubtful gives up what may have been written, or not: the outcome of the
// commit is unknown. To write it again could store it twice. It returns what
// that is about.
func (f *Flush) Doubtful() error {
	b := f.b
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []error
	for _, p := range f.parts {
		all = append(all, &PartError{Name: p.Name, Err: doubt(p.Count, "elements")})
	}
	for _, p := range f.pairs {
		all = append(all, &PartError{Name: p.Table, Err: doubt(p.Len(), "pairs")})
	}
	f.drop()
	b.generation++ // columns may have other names by now
	f.open()
	return errors.Join(all...)
}

func doubt(count int, what string) error {
	return fmt.Errorf("%w: %d %s that were held are given up, and may or may not be stored", store.ErrUnknownCommit, count, what)
}

// drop gives up what the flush has taken, once.
func (f *Flush) drop() {
	b := f.b
	for _, p := range f.parts {
		if b.rows[p.ID] == p.rows { // else it was discarded meanwhile
			b.drop(p.rows, p)
		}
	}
	for _, p := range f.pairs {
		b.dropPairs(p)
	}
	f.taken = &nothing
	for k := range b.caches {
		b.arm(k)
	}
}

// stick notes that something could not be written. Where a column is gone, its
// name may stand for another by now.
func (x failure) stick() {
	if t := x.table; t != nil {
		t.stuck, t.checked = x.err, false
		return
	}
	r := x.rows
	r.stuck = x.err
	if errors.Is(x.err, store.ErrNotFound) && r.of.bound == r {
		r.of.bound = nil
	}
}

// change follows a column that has been renamed, dropped or given another
// meaning.
func (b *Buffer) change(ch Change) {
	b.generation++
	from := b.column(ch.From)
	from.bound = nil
	r := b.rows[ch.ID]
	if r != nil && r.of.bound == r {
		r.of.bound = nil
	}
	switch {
	case ch.To == ch.From: // whoever adds something next looks at its meaning
	case ch.To != "":
		to := b.column(ch.To)
		to.bound = nil
		if r != nil {
			r.of, to.bound = to, r
		}
		b.move(&from.own, &to.own)
	case r != nil:
		b.discard(r)
	}
}

// End lets others go on.
func (f *Flush) End() {
	f.b.mu.Lock()
	f.b.writers--
	f.see()
	f.b.mu.Unlock()
	f.open()
}

// reopen lets readers go on.
func (f *Flush) reopen() {
	if f.gate {
		f.gate = false
		f.b.gate.Unlock()
	}
}

// open lets readers and other flushes go on.
func (f *Flush) open() {
	f.reopen()
	if f.turn {
		f.turn = false
		<-f.b.turn
	}
}

// Err is what could not be written, by column and table.
func (f *Flush) Err() error {
	var all []error
	for _, x := range f.failed {
		all = append(all, &PartError{Name: x.name(), Err: x.err})
	}
	return errors.Join(all...)
}

// Failed returns the columns and tables of Err, in order.
func (f *Flush) Failed() (names []string) {
	for _, x := range f.failed {
		names = append(names, x.name())
	}
	slices.Sort(names)
	return names
}

func (x failure) name() string {
	if x.table != nil {
		return x.table.name
	}
	return x.rows.of.name
}

// PartError says why what is held for a column or table cannot be written.
type PartError struct {
	Name string
	Err  error
}

func (e *PartError) Error() string { return e.Name + ": " + e.Err.Error() }

func (e *PartError) Unwrap() error { return e.Err }

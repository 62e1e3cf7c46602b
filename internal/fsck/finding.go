// Package fsck looks for damage in a vault, decides what can be done about it,
// and does it. It reads and writes through the seam to the storage engine, and
// knows columns, dtypes and the values of key-value tables.
package fsck

import (
	"fmt"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Finding is something that a check has found.
type Finding struct {
	Kind     Kind
	Severity Severity
	// Column or Table is what it is about; both are empty for the vault as a
	// whole. In an Uneven, Table is a table of columns.
	Column, Table string
	// Chunk is the number of a chunk, -1 for none.
	Chunk int64
	// From and To are the range of the elements at stake; there are none if they
	// are equal.
	From, To int64
	// Bytes is how many bytes are at stake, 0 where that says nothing.
	Bytes int64
	// Text says what it means.
	Text string
	// Repairable says that Repair can mend it, and Loss what is lost by it.
	Repairable bool
	Loss       string
	// Digest is the digest of a column or table.
	Digest []byte
}

// Severity is how bad a finding is.
type Severity int

const (
	// Note: nothing is wrong.
	Note Severity = iota
	// Hazard: everything can be read, but something may go wrong later.
	Hazard
	// Damage: something cannot be read, or not for certain as what it was.
	Damage
)

// String returns the word for it.
func (s Severity) String() string {
	switch s {
	case Note:
		return "note"
	case Hazard:
		return "hazard"
	case Damage:
		return "damage"
	}
	return fmt.Sprintf("severity %d", int(s))
}

// Kind is what a finding is about. Besides these kinds there are those of the
// storage engine and of columns.
type Kind string

// The kinds.
const (
	Structure = Kind(store.FoundStructure)
	Unused    = Kind(store.FoundUnused)
	Index     = Kind(store.FoundIndex)
	Row       = Kind(store.FoundRow)
	Orphan    = Kind(store.FoundOrphan)
	Trigger   = Kind(store.FoundTrigger)

	Bounds  = Kind(column.ProblemBounds)
	Missing = Kind(column.ProblemMissing)
	Short   = Kind(column.ProblemShort)
	Size    = Kind(column.ProblemSize)
	Used    = Kind(column.ProblemUsed)
	Stray   = Kind(column.ProblemStray)
	Entry   = Kind(column.ProblemEntry)
	Order   = Kind(column.ProblemOrder)

	// Catalog: the catalog cannot be read, or says something impossible.
	Catalog Kind = "catalog"
	// Meaning: what elements mean is not said clearly.
	Meaning Kind = "meaning"
	// Half: half of a variable-size column.
	Half Kind = "half-pair"
	// Unreadable: elements that cannot be read.
	Unreadable Kind = "unreadable"
	// Element: elements that can be read and do not decode.
	Element Kind = "element"
	// Outside: elements outside of the bounds that their column has for them.
	Outside Kind = "run-bounds"
	// Value: a value of a key-value table that is not what its header says.
	Value Kind = "value"
	// Uneven: columns that may be a table, and have unequal lengths.
	Uneven Kind = "uneven"
	// Unread: what the check has not looked at.
	Unread Kind = "unread"
	// Digest: the digest of a column or table.
	Digest Kind = "digest"
)

// mends tells what Repair can do about findings of a kind, and what is lost by
// it.
func (k Kind) mends() (possible bool, loss string) {
	const replaced = "the elements, which are replaced by empty ones if that is asked for"
	switch k {
	case Index, Orphan, Half, Bounds, Size, Used, Stray, Order:
		return true, ""
	case Catalog, Uneven, Outside:
		return true, ""
	case Missing, Short:
		return true, "the elements: those at the end are cut off, others are replaced by empty ones if that is asked for"
	case Entry, Unreadable, Element:
		return true, replaced
	}
	return false, ""
}

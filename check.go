package columnvault

import (
	"context"
	"errors"
	"iter"

	"columnvault/internal/fsck"
	"columnvault/internal/store"
)

// CheckOptions configure [Vault.Check]. The zero value checks quickly.
type CheckOptions struct {
	// Full reads everything: SQLite compares all indexes with their tables,
	// and every element of every column and every value of every key-value
	// table is read and decoded.
	Full bool
	// Digest adds a digest of every column and every key-value table, and
	// implies Full. Columns with equal digests have the same dtype and the same
	// elements, in whatever chunks, layout or file they lie; docs/format.md
	// defines it.
	Digest bool
	// Progress is called from time to time with the bytes that have been looked
	// at. The total is an estimate, and SQLite's own check is one step.
	Progress func(done, total int64)
}

// Finding is something that [Vault.Check] has found.
type Finding struct {
	Kind     FindingKind `json:"kind"`
	Severity Severity    `json:"severity"`
	// Column or Table is the name of what it is about; both are empty for the
	// vault as a whole. In a FindingUneven, Table is a table of columns, and else
	// one of keys and values.
	Column string `json:"column"`
	Table  string `json:"table"`
	// Chunk is the number of a chunk, -1 for none.
	Chunk int64 `json:"chunk"`
	// From and To are the range of the elements at stake; there are none if they
	// are equal.
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Bytes is how many bytes are at stake, 0 where that says nothing.
	Bytes int64 `json:"bytes"`
	// Text says what it means.
	Text string `json:"text"`
	// Repairable says that [Vault.Repair] can mend it, and Loss what is lost
	// by that; it is empty if nothing is.
	Repairable bool   `json:"repairable"`
	Loss       string `json:"loss"`
	// Digest is the SHA-256 of the column or table in a FindingDigest.
	Digest []byte `json:"digest,omitempty"`
}

// Severity is how bad a [Finding] is.
type Severity int

// The severities, from nothing to bad.
const (
	// SeverityNote: nothing is wrong. Notes say what was not looked at and what
	// may be a table of unequal lengths, and carry digests.
	SeverityNote = Severity(fsck.Note)
	// SeverityHazard: everything can be read, but KohakuVault 0.8.6 may fail or
	// do damage when it goes on writing, or space is wasted.
	SeverityHazard = Severity(fsck.Hazard)
	// SeverityDamage: something cannot be read, or not for certain as what it
	// was.
	SeverityDamage = Severity(fsck.Damage)
)

// String returns the word for it: note, hazard or damage.
func (s Severity) String() string { return fsck.Severity(s).String() }

// MarshalText implements [encoding.TextMarshaler] with the word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// FindingKind says what a [Finding] is about. docs/repair.md says of each kind
// what it means and what is done about it.
type FindingKind string

// The kinds that are about the file.
const (
	// FindingStructure is damage to the structure of the SQLite file: anything
	// in it may be hidden. Repair does not touch such a file.
	FindingStructure = FindingKind(fsck.Structure)
	// FindingUnused is a page that nothing uses.
	FindingUnused = FindingKind(fsck.Unused)
	// FindingIndex is an index of SQLite that is damaged, or does not fit its
	// table: rows may not be found.
	FindingIndex = FindingKind(fsck.Index)
	// FindingRow is a row that breaks a rule of its table, or that nothing
	// leads to, or a field of the catalog that this version does not know.
	FindingRow = FindingKind(fsck.Row)
	// FindingOrphan is chunks that belong to no column.
	FindingOrphan = FindingKind(fsck.Orphan)
	// FindingTrigger is a trigger on a table of the vault. It does not run here,
	// but in other programs it does.
	FindingTrigger = FindingKind(fsck.Trigger)
)

// The kinds that are about columns and key-value tables.
const (
	// FindingCatalog is a column of which the catalog says something impossible.
	FindingCatalog = FindingKind(fsck.Catalog)
	// FindingMeaning is a column of which the catalog contradicts itself about
	// what its elements mean: they are plain elements of its dtype, for all
	// programs.
	FindingMeaning = FindingKind(fsck.Meaning)
	// FindingHalf is half of a variable-size column.
	FindingHalf = FindingKind(fsck.Half)
	// FindingBounds is a variable-size column whose parts have chunks of
	// different maxima.
	FindingBounds = FindingKind(fsck.Bounds)
	// FindingMissing is chunks that do not exist and in which elements lie.
	FindingMissing = FindingKind(fsck.Missing)
	// FindingShort is a chunk with fewer bytes than its elements need.
	FindingShort = FindingKind(fsck.Short)
	// FindingSize is a chunk whose capacity is not as it should be.
	FindingSize = FindingKind(fsck.Size)
	// FindingUsed is a chunk that counts its used bytes wrongly.
	FindingUsed = FindingKind(fsck.Used)
	// FindingStray is a chunk in which no element lies.
	FindingStray = FindingKind(fsck.Stray)
	// FindingEntry is an index entry that leads to bytes that are not there.
	FindingEntry = FindingKind(fsck.Entry)
	// FindingRunBounds is elements of a native column outside of the bounds by which
	// searches and scans pass over them: see [Column.Bounds].
	FindingRunBounds = FindingKind(fsck.Outside)
	// FindingOrder is elements that overlap, or do not ascend in their chunk.
	FindingOrder = FindingKind(fsck.Order)
	// FindingUnreadable is elements or pairs that cannot be read.
	FindingUnreadable = FindingKind(fsck.Unreadable)
	// FindingElement is elements that can be read and not decoded.
	FindingElement = FindingKind(fsck.Element)
	// FindingValue is a value of a key-value table that is not what its header
	// says.
	FindingValue = FindingKind(fsck.Value)
	// FindingUneven is a note about columns whose names begin with the same word
	// and a dot, and whose lengths are unequal. If they are a [Table], writes to
	// it give ErrUneven; From and To are the lengths of the shortest and of the
	// longest.
	FindingUneven = FindingKind(fsck.Uneven)
	// FindingUnread is a note of what was not looked at.
	FindingUnread = FindingKind(fsck.Unread)
	// FindingDigest is a note with a digest.
	FindingDigest = FindingKind(fsck.Digest)
)

// Check looks for damage, and whether the vault keeps every rule of the format,
// in one snapshot, and yields what it finds: at most 50 findings of a kind for
// each column and table, and then how many more there are. A damaged part does
// not keep it from looking at the others; an error ends it. Its last findings
// are notes that say what it has not looked at. What caches hold, it does not
// see.
//
// By default it lets SQLite check the structure of every page, compares the
// indexes of the vault with its tables, reads the indexes of variable-size
// columns and asks every chunk for its size, which takes little longer than
// SQLite's own quick_check. Values are not decoded, so bytes that have changed
// in them are not found; CheckOptions.Full decodes them. Even then a number that
// has changed into another is not found: the format has no checksums.
//
// It holds [Options.ReadBytes] bytes and an element at a time, and 100 bytes
// for each chunk of a variable-size column.
func (s *scope) Check(ctx context.Context, o CheckOptions) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		err := s.view(ctx, "check", "", func(tx *Tx) error {
			return fsck.Check(ctx, tx.r, tx.v.store.Caps(), tx.v.checkOptions(ctx, o), func(f fsck.Finding) error {
				if !yield(newFinding(f), nil) {
					return errStop
				}
				return nil
			})
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(Finding{}, err)
		}
	}
}

func newFinding(f fsck.Finding) Finding {
	return Finding{Kind: FindingKind(f.Kind), Severity: Severity(f.Severity), Column: f.Column, Table: f.Table, Chunk: f.Chunk,
		From: f.From, To: f.To, Bytes: f.Bytes, Text: f.Text, Repairable: f.Repairable, Loss: f.Loss, Digest: f.Digest}
}

func (v *Vault) checkOptions(ctx context.Context, o CheckOptions) fsck.Options {
	all := fsck.Options{Full: o.Full, Digest: o.Digest, Progress: o.Progress, Window: v.buffer}
	if files, ok := v.store.(store.File); ok {
		sizes, _ := files.Sizes(ctx) // without it, bounds are as for small files
		all.Size = sizes.Main + sizes.Log
	}
	return all
}

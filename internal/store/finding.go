package store

// Finding is something that Verify has found.
type Finding struct {
	Kind FindingKind
	// Damage says that something cannot be read, or not for certain as what it
	// was. Otherwise it may go wrong with other programs, or waste space.
	Damage bool
	// Table and Index say where, as far as that is known.
	Table, Index string
	// Column is the column whose chunks are left over, in a FoundOrphan, and
	// Number what the storage calls it. 0 says that no ID leads to them.
	Column ColumnID
	Number int64
	Bytes  int64
	Text   string
}

// FindingKind is what is wrong.
type FindingKind string

const (
	// FoundStructure: the structure of the storage is damaged.
	FoundStructure FindingKind = "structure"
	// FoundUnused: space that nothing uses.
	FoundUnused FindingKind = "unused"
	// FoundIndex: an index is damaged, or does not fit what it is over.
	FoundIndex FindingKind = "index"
	// FoundRow: a row that breaks a rule of its table, or that nothing finds, or a
	// field that this version does not know.
	FoundRow FindingKind = "row"
	// FoundOrphan: chunks of no column.
	FoundOrphan FindingKind = "orphan"
	// FoundTrigger: a program in the storage, which others run.
	FoundTrigger FindingKind = "trigger"
)

package column

import "fmt"

// Problem is a rule of its layout that a column breaks.
type Problem struct {
	Kind ProblemKind
	// Damage says that elements cannot be read, or not for certain as what
	// they were. Without it everything can be read, but KohakuVault 0.8.6 may
	// fail or destroy data when it goes on writing, or space is wasted.
	Damage bool
	// Index says that the problem is in the index of a variable-size column.
	Index bool
	// Chunk is the number of the chunk, if the kind is that of a chunk.
	Chunk int64
	// From and To are the range of the elements at stake; there are none if they
	// are equal.
	From, To int64
	// Bytes is how many bytes are at stake, 0 where that says nothing.
	Bytes int64
	// Text says which rule, and where.
	Text string
}

// ProblemKind is what is wrong.
type ProblemKind string

const (
	// ProblemBounds: the catalog gives the parts of a column bounds that do not
	// go together.
	ProblemBounds ProblemKind = "bounds"
	// ProblemMissing: chunks in which elements lie do not exist.
	ProblemMissing ProblemKind = "chunk-missing"
	// ProblemShort: a chunk has fewer bytes than its elements need.
	ProblemShort ProblemKind = "chunk-short"
	// ProblemSize: a chunk has another capacity than it should have, or than it
	// has bytes.
	ProblemSize ProblemKind = "chunk-size"
	// ProblemUsed: a chunk counts its used bytes wrongly.
	ProblemUsed ProblemKind = "chunk-used"
	// ProblemStray: no element lies in a chunk.
	ProblemStray ProblemKind = "chunk-stray"
	// ProblemEntry: an index entry leads to bytes that are not there.
	ProblemEntry ProblemKind = "entry"
	// ProblemOrder: elements overlap, or do not ascend in their chunk.
	ProblemOrder ProblemKind = "order"
)

// Chunked tells whether the problem is that of one chunk, or of several from
// one on.
func (k ProblemKind) Chunked() bool {
	switch k {
	case ProblemMissing, ProblemShort, ProblemSize, ProblemUsed, ProblemStray:
		return true
	}
	return false
}

// Report takes problems as they are found.
type Report func(Problem)

// Damage reports damage. The text is formatted as by [fmt.Sprintf].
func (r Report) Damage(p Problem, format string, args ...any) {
	p.Damage = true
	r.Hazard(p, format, args...)
}

// Hazard reports a problem that is no damage.
func (r Report) Hazard(p Problem, format string, args ...any) {
	p.Text = fmt.Sprintf(format, args...)
	r(p)
}

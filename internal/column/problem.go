package column

import "fmt"

// Problem is a rule of its layout that a column breaks.
type Problem struct {
	// Damage says that elements cannot be read, or not for certain as what
	// they were. Without it everything can be read, but KohakuVault 0.8.6 may
	// fail or destroy data when it goes on writing, or space is wasted.
	Damage bool
	// Text says which rule, and where.
	Text string
}

// maxProblems is how many problems of a column are kept of each kind: one
// damaged chunk may show in a million elements.
const maxProblems = 50

// Problems collects what a check finds. Damage and hazards are counted apart,
// so that many of one kind do not hide the other.
type Problems struct {
	found            []Problem
	damages, hazards int
	// Part is put before every text.
	Part string
}

// Damage adds damage. The text is formatted as by [fmt.Sprintf].
func (p *Problems) Damage(format string, args ...any) { p.add(true, &p.damages, format, args) }

// Hazard adds a problem that is no damage.
func (p *Problems) Hazard(format string, args ...any) { p.add(false, &p.hazards, format, args) }

func (p *Problems) add(damage bool, count *int, format string, args []any) {
	if *count++; *count <= maxProblems {
		p.found = append(p.found, Problem{Damage: damage, Text: p.Part + fmt.Sprintf(format, args...)})
	}
}

// All is what was found, with a line for what was left out of each kind.
func (p *Problems) All() []Problem {
	if more := p.damages - maxProblems; more > 0 {
		p.found = append(p.found, Problem{Damage: true, Text: fmt.Sprintf("and %d more places with damage", more)})
	}
	if more := p.hazards - maxProblems; more > 0 {
		p.found = append(p.found, Problem{Text: fmt.Sprintf("and %d more hazards", more)})
	}
	return p.found
}

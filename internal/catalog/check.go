package catalog

import (
	"context"
	"errors"
	"fmt"

	"columnvault/dtype"
	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// Check looks whether the column keeps the rules of the format.
func Check(ctx context.Context, r store.Reader, e Entry, caps store.Caps) ([]column.Problem, error) {
	switch e.Kind {
	case Later:
		return nil, nil
	case Half:
		return []column.Problem{{Text: "only half of a variable-size column exists: 0.8.6 can neither open nor create it"}}, nil
	}
	var found []column.Problem
	if spec, err := dtype.ParseSpec(e.DType); err == nil { // else it is of another version, for all we know
		if want := int64(spec.ElemSize()); e.Size() != want {
			text := fmt.Sprintf("the catalog gives elements of %s a size of %d bytes, and they have %d", excerpt.Line(e.DType, excerpt.Name), e.Size(), want)
			found = append(found, column.Problem{Damage: true, Text: text})
		}
	}
	col, err := e.Open(caps)
	if errors.Is(err, store.ErrCorrupt) {
		return append(found, column.Problem{Damage: true, Text: err.Error()}), nil
	}
	if err != nil {
		return nil, err
	}
	more, err := col.Check(ctx, r)
	return append(found, more...), err
}

// Size is the size of the elements according to the catalog, 0 where they
// vary.
func (e *Entry) Size() int64 {
	if e.Kind == VarSize {
		return 0
	}
	return e.Data.ElemSize
}

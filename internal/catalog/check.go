package catalog

import (
	"context"
	"errors"
	"fmt"

	"columnvault/dtype"
	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Check looks whether the column keeps the rules of the format.
func Check(ctx context.Context, r store.Reader, e Entry) ([]column.Problem, error) {
	switch e.Kind {
	case Later:
		return nil, nil
	case Half:
		return []column.Problem{{Text: "only half of a variable-size column exists: 0.8.6 can neither open nor create it"}}, nil
	}
	var found []column.Problem
	if spec, err := dtype.ParseSpec(e.DType); err == nil { // else it is of another version, for all we know
		if err := e.CheckSize(spec.ElemSize()); err != nil {
			found = append(found, column.Problem{Damage: true, Text: err.Error()})
		}
	}
	col, err := e.Open()
	if errors.Is(err, store.ErrCorrupt) {
		return append(found, column.Problem{Damage: true, Text: err.Error()}), nil
	}
	if err != nil {
		return nil, err
	}
	more, err := col.Check(ctx, r)
	return append(found, more...), err
}

// CheckSize compares the size of elements in the catalogue with that of the
// dtype, which is 0 where they vary.
func (e Entry) CheckSize(size int) error {
	if e.Kind == Fixed && e.Data.ElemSize != int64(size) || e.Kind == VarSize && size != 0 {
		return fmt.Errorf("%w: the catalogue gives elements of %s a size of %d bytes", store.ErrCorrupt, e.DType, e.Data.ElemSize)
	}
	return nil
}

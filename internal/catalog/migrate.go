package catalog

import (
	"context"

	"columnvault/dtype"
	"columnvault/internal/column/layout0"
	"columnvault/internal/column/layout1"
	"columnvault/internal/store"
)

// Transcoded tells whether elements are read as another dtype than they are
// stored in, with other bytes.
func (e *Entry) Transcoded() bool { return e.form != nil && e.form.Store == nil }

// Form is how the elements of a column of layout 1 are stored there, nil for as
// they are read.
func (e *Entry) Form() *layout1.Form { return e.form }

// migrated is the entry, without IDs, that a column gets in a layout.
func migrated(e Entry, spec dtype.Spec, to store.Layout, codec Codec, caps store.Caps) (Entry, error) {
	text := spec.String()
	if to == store.LayoutV1 {
		size := int64(spec.ElemSize())
		if _, form := formOf(text); form != nil {
			size = form.Stored
		}
		row := layout1.Row(e.Name, text, size)
		row.Attrs = e.Data.Attrs
		return entryV1(row), nil
	}
	if to == store.LayoutNative {
		made, err := nativeRow(e.Name, text, int64(spec.ElemSize()), Options{Codec: codec}, caps)
		made.Data.Attrs = e.Data.Attrs
		return made, err
	}
	names := NamesOf(e.Name)
	made := Entry{Kind: Fixed, Name: e.Name, DType: text}
	var err error
	if size := int64(spec.ElemSize()); size > 0 {
		made.Data, err = layout0.FixedRow(names.Plain, text, size, layout0.Bounds{}, caps)
	} else {
		made.Kind = VarSize
		made.Data, made.Index, err = layout0.VarSizeRows(names.Data, names.Index, text, layout0.Bounds{}, caps)
	}
	made.Data.Attrs = e.Data.Attrs
	return made, err
}

// CheckMigrated says why the column cannot have its name in a layout, from which
// the column replaced goes first.
func CheckMigrated(ctx context.Context, r store.Reader, e Entry, to store.Layout, replaced Entry) error {
	if to == store.LayoutV1 {
		return nil // no name is in the way there but its own
	}
	if err := checkName(e.Name); err != nil {
		return err
	}
	own := map[store.ColumnID]string{e.Data.ID: "", e.Index.ID: "", replaced.Data.ID: "", replaced.Index.ID: ""}
	names := NamesOf(e.Name)
	rows := []string{names.Plain}
	if e.Varies() && to != store.LayoutNative {
		rows = []string{names.Data, names.Index}
	}
	for _, row := range rows {
		if err := checkFree(ctx, r, row, e.Name, own); err != nil {
			return err
		}
	}
	return nil
}

// CreateMigrated adds an empty column that has the name, the dtype and the attrs
// of another, in another layout.
func CreateMigrated(ctx context.Context, tx store.Tx, e Entry, spec dtype.Spec, to store.Layout, codec Codec, caps store.Caps) (Entry, error) {
	made, err := migrated(e, spec, to, codec, caps)
	if err != nil {
		return Entry{}, err
	}
	made.Data.Home = e.Home()
	if to == store.LayoutV1 {
		made.Data, err = tx.CreateColumn(ctx, made.Data)
		return made, err
	}
	return made, made.create(ctx, tx, map[store.ColumnID]string{e.Data.ID: "", e.Index.ID: ""})
}

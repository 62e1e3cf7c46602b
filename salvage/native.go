package salvage

import (
	"context"
	"strings"

	"columnvault/internal/sqlitefile"
	"columnvault/internal/store"
)

// saveMeta saves what other programs have left in kohakuvault_meta. What says
// something about the file itself, the new one has of its own.
func (j *job) saveMeta(ctx context.Context) error {
	_, err := j.survey.of(roleMeta, func(r *sqlitefile.Row, stray bool) error {
		key, ok := r.Text(0, maxText)
		value, valued := r.Text(1, maxText)
		if !ok || !valued {
			j.note("a row of kohakuvault_meta cannot be read")
			return ctx.Err()
		}
		if key == "schema_version" || strings.HasPrefix(key, "columnvault_") {
			return nil
		}
		return j.target.SetMeta(ctx, key, value)
	})
	return err
}

// saveNative saves native columns as they are: rows of the catalog, and chunks
// with what is known of them.
func (j *job) saveNative(ctx context.Context) error {
	bytes := map[int64]sqlitefile.Value{}
	_, err := j.survey.of(roleNativeBytes, func(r *sqlitefile.Row, _ bool) error {
		if v, ok := r.Value(1); ok {
			if _, twice := bytes[r.RowID]; !twice {
				bytes[r.RowID] = v
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	ids, at := map[int64]store.ColumnID{}, map[int64]int{}
	_, err = j.survey.of(roleNativeColumns, func(r *sqlitefile.Row, _ bool) error {
		row := store.Row{ElemSize: intOr(r, 3, 0), Length: intOr(r, 4, 0), MinChunk: intOr(r, 5, 0), MaxChunk: intOr(r, 6, 0), Layout: store.LayoutNative}
		var named, typed bool
		row.Name, named = r.Text(1, maxText)
		row.DType, typed = r.Text(2, maxText)
		row.Attrs = attrsOf(r, 7, row.DType)
		if _, twice := ids[r.RowID]; !named || !typed || twice {
			return nil
		}
		at[r.RowID] = len(j.report.Columns)
		c := Column{Name: row.Name, DType: row.DType, Missing: []Range{}}
		j.note("%s is a native column: what is counted are its chunks", show(row.Name))
		err := j.target.Update(ctx, func(tx store.Tx) error {
			created, err := tx.CreateColumn(ctx, row)
			if err != nil {
				return err
			}
			ids[r.RowID] = created.ID
			return tx.SetLength(ctx, created.ID, row.Length)
		})
		j.report.Columns = append(j.report.Columns, c)
		return err
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	_, err = j.survey.of(roleNativeRuns, func(r *sqlitefile.Row, _ bool) error {
		id, known := ids[intOr(r, 0, 0)]
		number, numbered := r.Int(1)
		if !known || !numbered {
			return ctx.Err()
		}
		c := &j.report.Columns[at[intOr(r, 0, 0)]]
		c.Expected++
		chunk := store.Chunk{Number: number, Capacity: intOr(r, 2, 0), Used: intOr(r, 3, 0)}
		meta, ok := r.Bytes(5, store.MaxMeta)
		value, there := bytes[intOr(r, 4, 0)]
		if !ok || !there || value.Size > j.target.Caps().MaxChunk || len(value.Holes(0, value.Size)) > 0 {
			c.lose(number, number+1, "the bytes of the chunk, or what is known of them, are lost")
			return ctx.Err()
		}
		data := j.buffer(value.Size)
		value.ReadAt(data, 0)
		chunk.Meta, chunk.Capacity = meta, max(chunk.Capacity, value.Size)
		c.Read++
		j.advance(value.Size)
		return j.target.Update(ctx, func(tx store.Tx) error { return tx.PutChunk(ctx, id, chunk, data) })
	})
	return err
}

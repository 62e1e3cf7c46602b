package conformance_test

import (
	"errors"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestDamagedLayout1 breaks the tables of KohakuVault 1.x. Check finds it and does
// not offer to repair it, reads give ErrCorrupt or what was there, migration is
// refused, and the rest of the vault is as usable as before.
func TestDamagedLayout1(t *testing.T) {
	for what, sql := range map[string]string{
		"a block is gone":           `DELETE FROM kvault_col_blocks WHERE block_no = 1`,
		"bytes are gone":            `DELETE FROM kvault_col_data WHERE block_id % 2 = 1`,
		"bytes are cut":             `UPDATE kvault_col_data SET payload = substr(payload, 1, 5)`,
		"offsets are gone":          `UPDATE kvault_col_data SET offsets = NULL`,
		"offsets are cut":           `UPDATE kvault_col_data SET offsets = substr(offsets, 1, 20) WHERE offsets IS NOT NULL`,
		"offsets are noise":         `UPDATE kvault_col_data SET offsets = randomblob(length(offsets)) WHERE offsets IS NOT NULL`,
		"blocks overlap":            `UPDATE kvault_col_blocks SET first_row = 0`,
		"a length is a lie":         `UPDATE kvault_col_columns SET length = 4611686018427387904`,
		"numbers are impossible":    `UPDATE kvault_col_blocks SET first_row = -1, row_count = 9223372036854775807, capacity_bytes = 9223372036854775807, row_capacity = -9`,
		"elements have no size":     `UPDATE kvault_col_columns SET elem_size = 0`,
		"elements are huge":         `UPDATE kvault_col_columns SET elem_size = 4611686018427387904`,
		"elements have a size":      `UPDATE kvault_col_columns SET elem_size = 3`,
		"blocks are of one byte":    `UPDATE kvault_col_columns SET block_bytes = 1`,
		"text in place of numbers":  `UPDATE kvault_col_columns SET length = 'x', elem_size = 'y'`,
		"no version":                `DROP TABLE kvault_col_format`,
		"a later version":           `UPDATE kvault_col_format SET version = 2`,
		"no blocks at all":          `DROP TABLE kvault_col_blocks`,
		"blocks with other fields":  `ALTER TABLE kvault_col_blocks RENAME COLUMN row_count TO rows`,
		"bytes with another field":  `ALTER TABLE kvault_col_data RENAME COLUMN payload TO bytes`,
		"a table without its bytes": `DROP TABLE kvault_col_data`,
	} {
		t.Run(what, func(t *testing.T) {
			ctx := t.Context()
			path := vaulttest.CopyGolden(t, "v1", "many.db")
			vaulttest.ExecSQL(t, path, `PRAGMA ignore_check_constraints = ON`, `PRAGMA foreign_keys = OFF`, sql)
			v := vaulttest.OpenAt(t, path, nil)
			sound := vaulttest.Create(t, v, "sound", dtype.Int64, 1, 2, 3)
			fine := func(what string, err error) {
				t.Helper()
				for _, kind := range []error{columnvault.ErrCorrupt, columnvault.ErrUnsupported, columnvault.ErrOutOfRange} {
					if errors.Is(err, kind) {
						return
					}
				}
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			for _, name := range []string{"i", "s"} {
				col, err := v.Column(ctx, name)
				fine("Column", err)
				if err != nil {
					continue
				}
				for _, i := range []int{0, 1, 1500, -1} {
					_, err = col.At(ctx, i)
					fine("At", err)
				}
				_, err = col.Slice(ctx, 100, 2000)
				fine("Slice", err)
				_, err = col.Slice(ctx, columnvault.Begin, columnvault.End)
				fine("Slice of all", err)
				for _, err := range col.Backward(ctx) {
					if fine("Backward", err); err != nil {
						break
					}
				}
				_, err = col.Stat(ctx)
				fine("Stat", err)
			}
			wrong := 0
			for f, err := range v.Check(ctx, columnvault.CheckOptions{Full: true}) {
				vaulttest.Must(t, err)
				if (f.Severity > columnvault.SeverityNote || f.Kind == columnvault.FindingUnread) && (f.Column == "i" || f.Column == "s") {
					wrong++
					if f.Repairable {
						t.Errorf("repairable: %+v", f)
					}
				}
			}
			if wrong == 0 {
				t.Error("Check finds nothing")
			}
			if _, err := v.Migrate(ctx, columnvault.MigrateOptions{}); err == nil && what != "text in place of numbers" {
				t.Log("migrated all the same") // what is broken concerns 1.1.0 alone
			} else {
				fine("Migrate", err)
			}
			vaulttest.Must(t, sound.Append(ctx, 4))
			vaulttest.WantColumn(t, sound, 1, 2, 3, 4)
		})
	}
}

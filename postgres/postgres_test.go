package postgres_test

import (
	"log/slog"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/internal/vaulttest/pgserver"
)

func TestOpen(t *testing.T) {
	ctx, dsn := t.Context(), pgserver.DSN(t)
	_, err := columnvault.Open(t.Context(), dsn, &columnvault.Options{ReadOnly: true})
	vaulttest.WantErr(t, "no vault, opened for reading", err, columnvault.ErrNotFound)
	v := vaulttest.OpenAt(t, dsn, nil)
	col, err := columnvault.Create(ctx, v, "a", dtype.Int64, nil)
	vaulttest.Must(t, err)
	vaulttest.Must(t, col.Append(ctx, 1, 2, 3))
	other := vaulttest.OpenAt(t, dsn, &columnvault.Options{ReadOnly: true})
	again, err := columnvault.Lookup(ctx, other, "a", dtype.Int64)
	vaulttest.Must(t, err)
	if n, err := again.At(ctx, 1); n != 2 || err != nil {
		t.Errorf("At(1): %d, %v", n, err)
	}
	vaulttest.WantErr(t, "a write to a vault opened for reading", again.Append(ctx, 4), columnvault.ErrReadOnly)
	vaulttest.WantErr(t, "Checkpoint", vaulttest.ErrOf(v.Checkpoint(ctx, columnvault.CheckpointFull)), columnvault.ErrUnsupported)
	vaulttest.WantErr(t, "Compact", vaulttest.ErrOf(v.Compact(ctx, columnvault.CompactOptions{})), columnvault.ErrUnsupported)
}

func TestOptionsOfFiles(t *testing.T) {
	for _, o := range []columnvault.Options{{AddToDatabase: true}, {FullSync: true}, {PageSize: 4096}, {PageCacheBytes: 1}, {MapBytes: 1}} {
		_, err := columnvault.Open(t.Context(), "postgres://nobody@127.0.0.1:1/none", &o)
		vaulttest.WantErr(t, "an option of files", err, columnvault.ErrInvalidArgument)
	}
}

// TestPassword looks for the password where it must not be.
func TestPassword(t *testing.T) {
	var log strings.Builder
	for _, dsn := range []string{
		"postgres://nobody:secret@127.0.0.1:1/none",
		"postgresql://nobody@127.0.0.1:1/none?password=secret",
		"postgres://nobody:secret@127.0.0.1:1/none?sslmode=nonsense",
		"postgres://nobody:secret@[::1/none",
	} {
		_, err := columnvault.Open(t.Context(), dsn, &columnvault.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err == nil || strings.Contains(err.Error()+log.String(), "secret") {
			t.Errorf("%v\n%s", err, log.String())
		}
	}
}

// TestRepair keeps chunks that belong to no column.
func TestRepair(t *testing.T) {
	ctx, dsn := t.Context(), pgserver.DSN(t)
	v := vaulttest.OpenAt(t, dsn, nil)
	vaulttest.Create(t, v, "a", dtype.Int64, 1, 2, 3)
	pgserver.Exec(t, dsn, `INSERT INTO columnvault_chunks VALUES (77, 0, 9, 0, '', 'abc')`)
	plan, err := v.PlanRepair(ctx, columnvault.RepairOptions{NoBackup: true})
	vaulttest.Must(t, err)
	err = v.Repair(ctx, plan)
	vaulttest.Must(t, err)
	for f, err := range v.Check(ctx, columnvault.CheckOptions{Full: true}) {
		t.Errorf("after the repair: %+v, %v", f, err)
	}
	kept := vaulttest.Lookup(t, v, plan.Steps[0].As, dtype.Bytes)
	if n, err := kept.Len(ctx); n != 1 || err != nil {
		t.Errorf("%d elements are kept, %v", n, err)
	}
}

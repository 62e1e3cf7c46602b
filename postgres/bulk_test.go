package postgres_test

import (
	"testing"

	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/internal/vaulttest/pgserver"
)

// TestBulkByCopy: many new chunks go by COPY, also to a column that was cleared. A
// statement with arrays of them would cost the client four times as much.
func TestBulkByCopy(t *testing.T) {
	ctx, dsn := t.Context(), pgserver.DSN(t)
	v := vaulttest.OpenAt(t, dsn, nil)
	c := vaulttest.Create(t, v, "a", dtype.Int64)
	vaulttest.Must(t, c.Append(ctx, 1))
	pgserver.Exec(t, dsn, `CREATE SEQUENCE inserted;
		CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF current_query() NOT LIKE 'COPY%' THEN PERFORM nextval('inserted'); END IF; RETURN NEW; END $$;
		CREATE TRIGGER note BEFORE INSERT ON columnvault_chunks FOR EACH ROW EXECUTE FUNCTION note()`)
	values := vaulttest.Span(0, 1<<20)
	vaulttest.Must(t, c.Append(ctx, values...))
	vaulttest.WantLen(t, c, len(values)+1)
	vaulttest.Must(t, c.Clear(ctx))
	vaulttest.Must(t, c.Append(ctx, values...))
	vaulttest.WantColumn(t, c, values...)
	// What is left of each append goes with the commit.
	pgserver.Exec(t, dsn, `DO $$ BEGIN IF (SELECT last_value FROM inserted) > 32 THEN RAISE 'more than 32 of 256 chunks by INSERT'; END IF; END $$`)
}

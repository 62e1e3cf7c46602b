-- Divides a vault over several PostgreSQL servers: see cluster.md. It is for
-- psql, on the router, in the schema of the vault, while that is empty.
--
-- Before: open the vault once on the router and on every shard, which makes its
-- tables there; and on the router CREATE EXTENSION postgres_fdw, CREATE SERVER
-- for each shard, and CREATE USER MAPPING. After:
--
--   CALL pg_temp.divide();
--   CALL pg_temp.shard('shard0', 'weather', 0, 1);
--   CALL pg_temp.shard('shard1', 'weather', 1, 2);
--   CALL pg_temp.shard('shard2', 'weather', 2, 32768);

-- divide makes the tables of the router ones that hold nothing themselves.
CREATE PROCEDURE pg_temp.divide() LANGUAGE plpgsql AS $$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT * FROM (VALUES ('columns', 'col_id'), ('chunks', 'col_id'), ('tables', 'tbl_id'), ('pairs', 'tbl_id'), ('commits', 'token')) AS v (name, key) LOOP
        EXECUTE format('CREATE TABLE columnvault_divided (LIKE columnvault_%s INCLUDING DEFAULTS) PARTITION BY RANGE (%I)', part.name, part.key);
        EXECUTE format('DROP TABLE columnvault_%s', part.name);
        EXECUTE format('ALTER TABLE columnvault_divided RENAME TO columnvault_%s', part.name);
    END LOOP;
END $$;

-- shard puts the homes from first up to, not including, beyond on a server, where
-- the vault is in a schema. A home is the highest bits of an ID, and the first
-- two bytes of a token.
CREATE PROCEDURE pg_temp.shard(server text, schema text, first bigint, beyond bigint) LANGUAGE plpgsql AS $$
DECLARE
    name text;
    bounds text;
BEGIN
    FOREACH name IN ARRAY ARRAY['columns', 'chunks', 'tables', 'pairs', 'commits'] LOOP
        IF name = 'commits' THEN
            bounds := format($f$FROM ('\x%s') TO ('\x%s')$f$, lpad(to_hex(first), 4, '0'), lpad(to_hex(beyond), 4, '0'));
        ELSIF beyond > 32767 THEN
            bounds := format('FROM (%s) TO (MAXVALUE)', first << 48);
        ELSE
            bounds := format('FROM (%s) TO (%s)', first << 48, beyond << 48);
        END IF;
        EXECUTE format('CREATE FOREIGN TABLE columnvault_%s_%s PARTITION OF columnvault_%s FOR VALUES %s SERVER %I OPTIONS (schema_name %L, table_name %L)',
            name, first, name, bounds, server, schema, 'columnvault_' || name);
    END LOOP;
END $$;

package pgserver

import (
	"context"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
)

// Sharded is a router and shards, each a server of its own.
type Sharded struct {
	Router *Server
	Shards []*Server
}

// StartSharded starts a router and n shards, and has it reach them as the servers
// shard0 to the last.
func StartSharded(n int) (*Sharded, error) {
	s := &Sharded{}
	var err error
	if s.Router, err = Start(); err != nil {
		return nil, err
	}
	for range n {
		shard, err := Start()
		if err != nil {
			s.Stop()
			return nil, err
		}
		s.Shards = append(s.Shards, shard)
	}
	if err := s.connect(); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Sharded) connect() error {
	statements := `CREATE EXTENSION postgres_fdw;`
	for i, shard := range s.Shards {
		u, err := url.Parse(shard.DSN)
		if err != nil {
			return err
		}
		statements += fmt.Sprintf(`CREATE SERVER shard%d FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '%s', port '%s', dbname 'postgres', options '-c lock_timeout=5s', batch_size '100');
			CREATE USER MAPPING FOR columnvault SERVER shard%d OPTIONS (user '%s');`, i, u.Hostname(), u.Port(), i, u.User.Username())
	}
	return runAll(s.Router.DSN, statements)
}

// Vault divides an empty vault over the shards: each of them has one home, and
// the last one also all that follow. open makes a vault where a DSN leads to,
// script is the text of docs/sharding.sql.
func (s *Sharded) Vault(schema, script string, open func(dsn string) error) (dsn string, err error) {
	for _, server := range append([]*Server{s.Router}, s.Shards...) {
		if dsn, err = InSchema(server.DSN, schema); err != nil {
			return "", err
		}
		if err := open(dsn); err != nil {
			return "", err
		}
	}
	script += `; CALL pg_temp.divide();`
	for i := range s.Shards {
		beyond := i + 1
		if beyond == len(s.Shards) {
			beyond = 1 << 15
		}
		script += fmt.Sprintf(`CALL pg_temp.shard('shard%d', '%s', %d, %d);`, i, schema, i, beyond)
	}
	if dsn, err = InSchema(s.Router.DSN, schema); err != nil {
		return "", err
	}
	return dsn, runAll(dsn, script)
}

// Stop stops all servers.
func (s *Sharded) Stop() {
	for _, server := range append([]*Server{s.Router}, s.Shards...) {
		server.Stop()
	}
}

// runAll runs statements in one connection.
func runAll(dsn, statements string) error {
	ctx := context.Background()
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.PgConn().Exec(ctx, statements).ReadAll()
	return err
}

package pgserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Start starts a server on the loopback interface. Its files are in memory
// where the machine has a file system for that.
func Start() (*Server, error) {
	initdb, err := program("initdb")
	if err != nil {
		return nil, err
	}
	if _, err := program("postgres"); err != nil {
		return nil, err
	}
	parent := ""
	if f, err := os.Stat("/dev/shm"); err == nil && f.IsDir() {
		parent = "/dev/shm"
	}
	dir, err := os.MkdirTemp(parent, "columnvault-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if err := s.create(initdb); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

func (s *Server) create(initdb string) error {
	who, err := owner()
	if err != nil {
		return err
	}
	if who != nil {
		if err := os.Chown(s.dir, int(who.Uid), int(who.Gid)); err != nil {
			return err
		}
	}
	init := exec.Command(initdb, "-D", s.data(), "-U", "columnvault", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	init.Dir, init.SysProcAttr = s.dir, as(who)
	if out, err := init.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	s.DSN = fmt.Sprintf("postgres://columnvault@127.0.0.1:%d/postgres?sslmode=disable", s.port)
	return s.Restart()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Restart starts a server that was killed. Its backends may live on for a
// moment; until they end, no other server starts on the same files.
func (s *Server) Restart() error {
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if err = s.start(); err == nil {
			return nil
		}
	}
	return err
}

func (s *Server) start() error {
	who, err := owner()
	if err != nil {
		return err
	}
	postgres, err := program("postgres")
	if err != nil {
		return err
	}
	server := exec.Command(postgres, "-D", s.data(), "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=300", "-c", "logging_collector=off")
	server.Dir, server.SysProcAttr = s.dir, as(who)
	server.SysProcAttr.Pdeathsig = syscall.SIGQUIT // if the test is killed
	if err := server.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = server.Wait()
		close(ended)
	}()
	s.stop = func() {
		_ = server.Process.Signal(syscall.SIGINT) // which ends transactions
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			s.kill()
		}
	}
	s.kill = func() {
		_ = server.Process.Kill()
		<-ended
	}
	err = s.wait(ended)
	if err != nil {
		s.kill()
	}
	return err
}

// program finds a program of PostgreSQL: in the PATH, or where Debian has it.
func program(name string) (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return slices.Max(found), nil
	}
	return exec.LookPath(name)
}

// owner is the user that runs the server, which refuses to run as root; nil is
// the present one.
func owner() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("a server does not run as root, and there is neither a user postgres nor nobody")
}

func as(who *syscall.Credential) *syscall.SysProcAttr { return &syscall.SysProcAttr{Credential: who} }

// wait waits until the server answers, or has ended.
func (s *Server) wait(ended <-chan struct{}) error {
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		select {
		case <-ended:
			return errors.New("the server has ended")
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		var c *pgx.Conn
		if c, err = pgx.Connect(ctx, s.DSN); err == nil {
			c.Close(ctx)
			cancel()
			return nil
		}
		cancel()
	}
	return fmt.Errorf("the server does not answer: %w", err)
}

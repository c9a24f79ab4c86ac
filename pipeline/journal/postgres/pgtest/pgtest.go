//go:build unix

// Package pgtest starts a PostgreSQL server for tests.
package pgtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Server is a PostgreSQL of its own, in a temporary folder, on loopback. It
// ends with the program that started it, however that ends.
type Server struct {
	Port int

	bin, dir string
	args     []string
	guard    *exec.Cmd
	stdin    *os.File // as long as it is open, the server runs
	n        int
	mu       sync.Mutex
}

var shared struct {
	sync.Once
	s   *Server
	err error
}

// Start returns the address of a new database. The tests of a program share a
// server that is not safe from a power cut. Where PostgreSQL's programs are not
// installed the test is skipped, or fails if the environment says CI=true.
func Start(t testing.TB) (url string) {
	t.Helper()
	bin := programs(t)
	shared.Do(func() { shared.s, shared.err = start(bin, "-c", "fsync=off") })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.s.Database(t)
}

// New starts a server for one test alone: one that syncs, and that can be
// stopped and started again.
func New(t testing.TB) *Server {
	t.Helper()
	s, err := start(programs(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// programs is the folder with initdb and postgres.
func programs(t testing.TB) string {
	t.Helper()
	folders := filepath.SplitList(os.Getenv("PATH"))
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for _, dir := range append(debian, folders...) {
		if executable(filepath.Join(dir, "initdb")) && executable(filepath.Join(dir, "postgres")) {
			return dir
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("PostgreSQL's programs (initdb, postgres) are not installed")
	}
	t.Skip("PostgreSQL's programs (initdb, postgres) are not installed")
	return ""
}

func executable(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0
}

func start(bin string, args ...string) (*Server, error) {
	dir, err := os.MkdirTemp("", "wedrop-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir, args: args}
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, nobody, nobody); err != nil {
			return nil, err
		}
	}
	initdb := s.command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "wedrop", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if s.Port, err = freePort(); err != nil {
		return nil, err
	}
	return s, s.Run()
}

const nobody = 65534

// command runs as nobody where we are root, whom PostgreSQL refuses.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = s.dir
	c.Env = append(os.Environ(), "HOME="+s.dir, "LC_ALL=C")
	if os.Geteuid() == 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return c
}

// freePort is one below those that systems give to outgoing connections and
// to listeners that ask for any, so nobody takes it before the server does or
// while it is stopped.
func freePort() (port int, err error) {
	for range 100 {
		var l net.Listener
		port = 15000 + rand.IntN(15000)
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}

// guard runs the server for as long as somebody holds the other end of its
// stdin. If nothing was written there before it ended, what the server stored
// is removed: the folder is its $0.
const guard = `"$@" >log 2>&1 </dev/null & pid=$!; read -r keep; kill -QUIT $pid; wait $pid; [ -n "$keep" ] || rm -rf "$0"`

// Run starts the server again after Stop, and waits until it answers.
func (s *Server) Run() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	args := append([]string{"-c", guard, s.dir, filepath.Join(s.bin, "postgres"), "-D", filepath.Join(s.dir, "data"),
		"-p", fmt.Sprint(s.Port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + s.dir,
		"-c", "max_connections=200"}, s.args...)
	s.guard, s.stdin = s.command("sh", args...), w
	s.guard.Stdin = r
	if err := s.guard.Start(); err != nil {
		return err
	}
	r.Close()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		c, err := s.connect("postgres")
		if err == nil {
			return c.Close(context.Background())
		}
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, log)
		}
	}
}

// Halt stops the server at once, as a crash would; Run starts it again.
func (s *Server) Halt() {
	if s.stdin != nil {
		_, _ = s.stdin.WriteString("keep\n")
		s.stdin.Close()
		_ = s.guard.Wait()
		s.stdin = nil
	}
}

// Stop stops the server and removes what it stored.
func (s *Server) Stop() {
	s.Halt()
	os.RemoveAll(s.dir)
}

func (s *Server) connect(database string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return pgx.Connect(ctx, s.URL(database))
}

// URL is the address of a database.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://wedrop@127.0.0.1:%d/%s?sslmode=disable", s.Port, database)
}

// Database makes a new database and returns its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	name := fmt.Sprintf("test_%d_%s", s.n, strings.Map(letter, t.Name()))
	name = name[:min(len(name), 50)]
	c, err := s.connect("postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(context.Background(), `CREATE DATABASE `+pgx.Identifier{name}.Sanitize()); err != nil {
		t.Fatal(err)
	}
	return s.URL(name)
}

func letter(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return -1
}

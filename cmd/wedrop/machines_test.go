//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/journal/postgres/pgtest"
	"wedrop/wecom/wecomtest"
)

// company is several machines with one folder, one database, one WeCom and one
// bucket. Each test has a database server of its own.
type company struct {
	*office
	db *pgtest.Server
}

func newCompany(t *testing.T, files int) *company {
	t.Parallel()
	db := pgtest.New(t)
	c := &company{newOfficeWith(t, files, wecomtest.Options{JobTime: 200 * time.Millisecond}), db}
	c.env = append(c.env, "WEDROP_JOURNAL="+db.URL("postgres"), "WEDROP_LISTEN=127.0.0.1:0", "WEDROP_LANG=en")
	return c
}

// machine starts a daemon, which finds the database at url.
func (c *company) machine(name, url string) *served {
	c.t.Helper()
	config := filepath.Join(c.t.TempDir(), name+".yaml")
	require.NoError(c.t, os.WriteFile(config, []byte(fmt.Sprintf("host: %s\nfolders:\n  - path: %s\n    shared: true\n", name, c.folder)), 0o600))
	s := &served{t: c.t, cmd: c.wedrop("serve", "--config", config), log: &lines{}, ended: make(chan struct{}), patience: 3 * time.Minute}
	s.cmd.Env = append(s.cmd.Env, "WEDROP_JOURNAL="+url)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	require.NoError(c.t, s.cmd.Start())
	go func() { _ = s.cmd.Wait(); close(s.ended) }()
	c.t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.ended
		if c.t.Failed() {
			c.t.Logf("%s:\n%s", name, s.log.tail())
		}
	})
	return s
}

// started starts three machines at once.
func (c *company) started() []*served {
	var all []*served
	for n := range 3 {
		all = append(all, c.machine(fmt.Sprintf("m%d", n+1), c.db.URL("postgres")))
	}
	return all
}

// done counts the Items that have their media_id, by a run on a machine
// without a daemon.
func (c *company) done() int {
	out, err := c.wedrop("list", "--json").Output()
	if err != nil {
		return -1
	}
	n := bytes.Count(out, []byte(`"step":"done"`))
	if n != bytes.Count(out, []byte(`"step":"`))-bytes.Count(out, []byte(`"fault":{"step":"`)) {
		return -1 // a file that two entered in different ways is not one Item yet
	}
	return n
}

// submitted waits until WeCom has had n submits.
func (c *company) submitted(n int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	require.NoError(c.t, c.we.WaitCalls(ctx, "media/upload_by_url", n))
}

// finished waits until everything is done, and requires that nothing was
// submitted more often than allowed.
func (c *company) finished(s *served, files, repeats int) {
	c.t.Helper()
	s.until("all media_ids", func() bool {
		time.Sleep(200 * time.Millisecond)
		return c.done() == files
	})
	repeated := c.check(files)
	c.t.Logf("%d files, %d submits repeated, %d gettoken", files, repeated, c.we.Count("gettoken"))
	require.LessOrEqual(c.t, repeated, repeats)
	require.Equal(c.t, 1, c.we.Count("gettoken"), "one gettoken over all machines")
}

// Three machines start at once on an empty database and share a folder; one is
// killed in the middle. Its Items go on within a minute.
func TestMachinesShareAFolderAndOneIsKilled(t *testing.T) {
	const files = 300
	c := newCompany(t, files)
	m := c.started()
	c.submitted(files / 4)
	require.NoError(t, m[0].cmd.Process.Kill())
	killed := time.Now()
	c.finished(m[1], files, 1)
	took := time.Since(killed)
	t.Logf("everything was done %s after the kill", took.Round(time.Millisecond))
	require.Less(t, took, 2*time.Minute, "a lease and a sweep are 40 s, the rest is the machine's slowness")
	out, err := c.wedrop("get", filepath.Join(c.folder, "007.mp4")).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// A machine that cannot reach the database for longer than its lease lasts
// writes nothing stale, submits nothing again, and works on afterwards.
func TestMachineIsCutOffFromTheDatabase(t *testing.T) {
	const files = 300
	c := newCompany(t, files)
	wire := newWire(t, fmt.Sprintf("127.0.0.1:%d", c.db.Port))
	m := c.started()[:2]
	cut := c.machine("m4", strings.Replace(c.db.URL("postgres"), fmt.Sprint(c.db.Port), fmt.Sprint(wire.port), 1))
	c.submitted(files / 4)
	wire.cut(true)
	time.Sleep(35 * time.Second) // longer than a lease
	wire.cut(false)
	c.finished(m[0], files, 1)
	select {
	case <-cut.ended:
		t.Fatalf("it ended:\n%s", cut.log.tail())
	default:
	}
}

// The database is restarted in the middle, without a word to anybody.
func TestDatabaseRestarts(t *testing.T) {
	const files = 300
	c := newCompany(t, files)
	m := c.started()
	c.submitted(files / 4)
	c.db.Halt()
	time.Sleep(3 * time.Second)
	require.NoError(t, c.db.Run())
	c.finished(m[0], files, 3) // one for each machine: its answer may be lost
	for n, s := range m {
		select {
		case <-s.ended:
			t.Fatalf("machine %d ended:\n%s", n+1, s.log.tail())
		default:
		}
	}
}

// The database's clock is ten minutes ahead of the machines', as it is for one
// whose own clock is ten minutes behind all others'. Nothing is due too late or
// too early, no claim lapses, and a media_id is taken for what it is.
func TestMachinesWithAnotherClock(t *testing.T) {
	const files = 90
	c := newCompany(t, files)
	ctx := context.Background()
	db, err := pgx.Connect(ctx, c.db.URL("postgres"))
	require.NoError(t, err)
	_, err = db.Exec(ctx, `CREATE SCHEMA ahead;
		CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT pg_catalog.clock_timestamp() + interval '10 minutes' $$;
		CREATE FUNCTION ahead.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT pg_catalog.now() + interval '10 minutes' $$`)
	require.NoError(t, err)
	require.NoError(t, db.Close(ctx))
	url := c.db.URL("postgres") + "&search_path=ahead,pg_catalog,public"
	c.env = append(c.env, "WEDROP_JOURNAL="+url)
	began := time.Now()
	var m []*served
	for n := range 3 {
		m = append(m, c.machine(fmt.Sprintf("m%d", n+1), url))
	}
	c.finished(m[0], files, 0)
	out, err := c.wedrop("get", "--json", filepath.Join(c.folder, "007.mp4")).Output()
	require.NoError(t, err)
	var it struct {
		Media pipeline.Media
		Job   pipeline.Job
	}
	require.NoError(t, json.Unmarshal(out, &it))
	require.WithinDuration(t, began, it.Media.CreatedAt, 3*time.Minute, "WeCom's time of the media_id is believed")
	require.Equal(t, 72*time.Hour, it.Media.ExpiresAt.Sub(it.Media.CreatedAt))
	require.WithinDuration(t, began.Add(10*time.Minute), it.Job.SubmittedAt, 3*time.Minute, "the ledger's clock is the database's")
}

// Runs without a daemon share the work with machines that have one.
func TestRunsBesideMachines(t *testing.T) {
	const files = 120
	c := newCompany(t, files)
	m := c.started()
	var runs []*exec.Cmd
	var outs []*bytes.Buffer
	for range 2 {
		r := c.wedrop("push", filepath.Join(c.folder, "000.mp4"), filepath.Join(c.folder, "001.mp4"))
		out := &bytes.Buffer{}
		r.Stdout, r.Stderr = out, out
		require.NoError(t, r.Start())
		runs, outs = append(runs, r), append(outs, out)
	}
	for n, r := range runs {
		require.NoError(t, r.Wait(), "%s", outs[n])
	}
	c.finished(m[2], files, 0)
}

// wire is a way to a server that can be cut: nothing gets through, and nobody
// is told.
type wire struct {
	port int
	mu   sync.Mutex
	open *sync.Cond
	off  bool
}

func newWire(t *testing.T, to string) *wire {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	w := &wire{port: l.Addr().(*net.TCPAddr).Port}
	w.open = sync.NewCond(&w.mu)
	t.Cleanup(func() { w.cut(false) })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer near.Close()
				w.pass()
				far, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer far.Close()
				go w.carry(far, near)
				w.carry(near, far)
			}()
		}
	}()
	return w
}

func (w *wire) carry(to io.WriteCloser, from io.Reader) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		w.pass()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass waits until the wire is whole.
func (w *wire) pass() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.off {
		w.open.Wait()
	}
}

func (w *wire) cut(off bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.off = off
	w.open.Broadcast()
}

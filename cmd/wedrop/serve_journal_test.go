package main

import (
	"bufio"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"wedrop/pipeline/inspect"
	"wedrop/pipeline/inspect/inspecttest"
)

// outsider reads a journal with another program: the shell of SQLite, or where
// there is none this test in a process of its own.
func outsider(t *testing.T, journal string) {
	t.Helper()
	c := exec.Command("sqlite3", journal, "select 'items', count(*) from items")
	if _, err := exec.LookPath("sqlite3"); err != nil {
		c = exec.Command(os.Args[0], "-test.run=^TestOutsider$", "-test.v")
		c.Env = append(os.Environ(), "WEDROP_TEST_OUTSIDER="+journal)
	}
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "items|")
}

func TestOutsider(t *testing.T) {
	path := os.Getenv("WEDROP_TEST_OUTSIDER")
	if path == "" {
		return
	}
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	var n int
	require.NoError(t, db.QueryRow(`SELECT count(*) FROM items`).Scan(&n))
	require.NoError(t, db.Close())
	fmt.Printf("items|%d\n", n)
}

// locksOf counts the locks that a process has on a file (proc_locks(5)). It
// reports false where the system does not tell.
func locksOf(t *testing.T, pid int, path string) (int, bool) {
	t.Helper()
	f, err := os.Open("/proc/locks")
	if runtime.GOOS != "linux" || err != nil {
		return 0, false
	}
	defer f.Close()
	info, err := os.Stat(path)
	require.NoError(t, err)
	holder, inode := fmt.Sprintf(" %d ", pid), fmt.Sprintf(":%d ", inspect.ID(info).Inode)
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if l := lines.Text(); strings.Contains(l, "POSIX") && strings.Contains(l, holder) && strings.Contains(l, inode) {
			n++
		}
	}
	return n, true
}

func (s *served) reload() {
	s.t.Helper()
	before := strings.Count(s.log.String(), `"msg":"serving"`)
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.until("another configuration", func() bool { return strings.Count(s.log.String(), `"msg":"serving"`) > before })
}

// A reload, and then any other program that reads the journal: the daemon lost
// its locks by the first, its WAL by the second, and at the restart everything
// since then.
func TestAReloadKeepsTheJournal(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 2)
	j := o.journal()
	o.env = append(o.env, "WEDROP_FOLDERS="+o.folder)
	s := o.serve(j)
	s.until("media_ids in the table", func() bool { return strings.Count(o.table(o.folder), "3*1*") == 2 })
	before, known := locksOf(t, s.cmd.Process.Pid, j)
	for n := range 3 {
		s.reload()
		if after, _ := locksOf(t, s.cmd.Process.Pid, j); known {
			t.Logf("locks on the journal: %d, after reload %d: %d", before, n+1, after)
			require.Positive(t, after)
		}
		outsider(t, j)
		require.FileExists(t, j+"-wal")
		o.drop(o.folder, fmt.Sprintf("after%d.mp4", n), inspecttest.MP4(20_000, uint64(100+n)))
		s.until("another media_id", func() bool { return strings.Count(o.table(o.folder), "3*1*") == 3+n })
	}
	require.NoError(t, s.cmd.Process.Kill())
	<-s.ended
	require.Zero(t, o.check(5), "no submit is repeated")

	again := o.serve(j)
	again.until("a reading of the folders", func() bool { code, _ := again.get("/readyz", ""); return code == 200 })
	out, err := o.wedrop("get", filepath.Join(o.folder, "after2.mp4")).CombinedOutput()
	require.NoError(t, err, string(out))
	again.stop()
	require.Zero(t, o.check(5), "no submit is repeated")
}

// journalCheck is what /readyz says of the journal.
func (s *served) journalCheck() (int, check) {
	s.t.Helper()
	code, body := s.get("/readyz", "")
	var r readiness
	require.NoError(s.t, json.Unmarshal([]byte(body), &r))
	for _, c := range r.Checks {
		if c.Check == "journal" {
			return code, c
		}
	}
	return code, check{}
}

// A journal that was taken away under the daemon: it says so, and sends
// nothing that it could not remember.
func TestServeNoticesAReplacedJournal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, about, want string
		harm              func(t *testing.T, j string)
		back              func(t *testing.T, j string)
	}{
		{"deleted", "", "was deleted", func(t *testing.T, j string) { require.NoError(t, os.Rename(j, j+".away")) },
			func(t *testing.T, j string) { require.NoError(t, os.Rename(j+".away", j)) }},
		{"replaced", "", "was replaced", func(t *testing.T, j string) {
			require.NoError(t, os.Rename(j, j+".away"))
			data, err := os.ReadFile(j + ".away")
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(j, data, 0o600))
		}, func(t *testing.T, j string) { require.NoError(t, os.Rename(j+".away", j)) }},
		{"no WAL", "-wal", "was deleted", func(t *testing.T, j string) { require.NoError(t, os.Remove(j+"-wal")) }, func(*testing.T, string) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, 1)
			j := o.journal()
			o.env = append(o.env, "WEDROP_FOLDERS="+o.folder)
			s := o.serve(j)
			s.until("a media_id", func() bool { return strings.Count(o.table(o.folder), "3*1*") == 1 })
			s.until("200", func() bool { code, _ := s.journalCheck(); return code == 200 })
			c.harm(t, j)
			var said check
			s.until("503", func() bool {
				var code int
				code, said = s.journalCheck()
				return code == 503 && !said.OK
			})
			require.Contains(t, said.Message, j+c.about)
			require.Contains(t, said.Message, c.want)
			require.Contains(t, said.Remedy, "systemctl stop wedrop")
			o.drop(o.folder, "late.mp4", inspecttest.MP4(20_000, 77))
			s.until("a line in the log", s.says(c.want))
			out, _ := o.wedrop("doctor", "--json").CombinedOutput()
			require.Contains(t, string(out), c.want, "doctor")
			require.Contains(t, string(out), "while it was in use", "doctor")
			out, _ = o.wedrop("doctor", "--lang", "zh").CombinedOutput()
			require.Contains(t, string(out), "在使用中被", "doctor")
			require.Equal(t, 1, o.we.Count("media/upload_by_url"), "nothing that would be forgotten is sent")

			s.stop()
			c.back(t, j)
			again := o.serve(j)
			again.until("both media_ids", func() bool { return strings.Count(o.table(o.folder), "3*1*") == 2 })
			again.stop()
			require.Zero(t, o.check(2), "no submit is repeated")
		})
	}
}

// What sits in a WAL is lost to whoever copies the file alone.
func TestACopyOfTheJournalIsWhole(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 3)
	j := o.journal()
	out, err := o.wedrop("sync", "-q", o.folder).CombinedOutput()
	require.NoError(t, err, string(out))
	listed := func(j string) int {
		c := o.wedrop("list", "--json")
		c.Env = append(c.Env, "WEDROP_JOURNAL="+j)
		out, err := c.Output()
		require.NoError(t, err)
		return strings.Count(string(out), "\n")
	}
	copied := func() string {
		data, err := os.ReadFile(j)
		require.NoError(t, err)
		return o.drop(t.TempDir(), "copy.db", data)
	}
	require.Equal(t, 3, listed(copied()), "after a run")

	o.env = append(o.env, "WEDROP_FOLDERS="+o.folder)
	s := o.serve(j)
	o.drop(o.folder, "late.mp4", inspecttest.MP4(20_000, 77))
	s.until("another media_id", func() bool { return strings.Count(o.table(o.folder), "3*1*") == 4 })
	s.until("a quiet moment", func() bool { info, err := os.Stat(j + "-wal"); return err == nil && info.Size() == 0 })
	require.NoError(t, s.cmd.Process.Kill())
	<-s.ended
	require.Equal(t, 4, listed(copied()), "of a daemon that was killed in a quiet moment")
}

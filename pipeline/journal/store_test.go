package journal_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/pipeline/journal"
)

// outside reads the file with SQLite in a process of its own, as the shell of
// SQLite does. The last one to close a file removes its WAL.
func outside(t *testing.T, path string, env ...string) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestOutsideClient$", "-test.v")
	c.Env = append(append(os.Environ(), "WEDROP_TEST_OUTSIDE="+path), env...)
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "read")
}

// TestOutsideClient is the other process.
func TestOutsideClient(t *testing.T) {
	path := os.Getenv("WEDROP_TEST_OUTSIDE")
	if path == "" {
		return
	}
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	var n int
	require.NoError(t, db.QueryRow(`SELECT count(*) FROM sqlite_master`).Scan(&n))
	require.NoError(t, db.Close())
	if to := os.Getenv("WEDROP_TEST_COPY"); to != "" {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to, b, 0o600))
	}
	fmt.Println("read", n)
}

func enter(t *testing.T, j pipeline.Journal, path string) {
	t.Helper()
	_, err := j.Enter(context.Background(), "corp", "here", []pipeline.File{{Path: path, Type: inspect.Auto, ID: inspect.FileID{Size: 9}}})
	require.NoError(t, err)
}

func items(t *testing.T, j pipeline.Journal) int {
	t.Helper()
	got, err := j.Items(context.Background(), pipeline.Query{})
	require.NoError(t, err)
	return len(got)
}

// A journal that is opened a second time in one process, by whatever name, and
// closed again, is still locked: another program that reads it in between does
// not take the WAL away.
func TestASecondOpenKeepsTheLocks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("symbolic links need a privilege on Windows")
	}
	for name, alias := range map[string]func(old, new string) error{
		"the same path": nil, "a symbolic link": os.Symlink, "a hard link": os.Link,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "l.db")
			second := path
			j := open(t, path, journal.Options{})
			enter(t, j, "/before.mp4")
			if alias != nil {
				second = filepath.Join(t.TempDir(), "other.db")
				require.NoError(t, alias(path, second))
			}
			again, err := journal.Open(context.Background(), second, journal.Options{})
			require.NoError(t, err)
			require.Equal(t, 1, items(t, again))
			enter(t, again, "/meanwhile.mp4")
			require.Equal(t, 2, items(t, j))
			require.NoError(t, again.Close())
			require.NoError(t, again.Close(), "a second Close does nothing")
			_, err = again.Enter(context.Background(), "corp", "here", []pipeline.File{{Path: "/late.mp4", Type: inspect.Auto}})
			require.ErrorContains(t, err, "closed")

			outside(t, path)
			enter(t, j, "/after.mp4")
			require.NoError(t, j.Close())
			require.Equal(t, 3, items(t, open(t, path, journal.Options{})))
		})
	}
}

// Each of two Journals on one file has claims of its own, and closing one ends
// its own alone.
func TestJournalsOfOneProcessClaimForThemselves(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "l.db")
	a, b := open(t, path, journal.Options{}), open(t, path, journal.Options{})
	enter(t, a, "/a.mp4")
	enter(t, a, "/b.mp4")
	want := pipeline.Want{Corp: "corp", Hosts: []string{"here"}, Steps: []pipeline.Step{pipeline.Inspect}, Limit: 1}
	one, err := a.Claim(ctx, want)
	require.NoError(t, err)
	require.Len(t, one, 1)
	two, err := b.Claim(ctx, want)
	require.NoError(t, err)
	require.Len(t, two, 1)
	require.NotEqual(t, one[0].ID, two[0].ID)
	require.NoError(t, b.Close())
	want.Limit = 9
	free, err := a.Claim(ctx, want)
	require.NoError(t, err)
	require.Len(t, free, 1)
	require.Equal(t, two[0].ID, free[0].ID)
	lost, err := a.Beat(ctx)
	require.NoError(t, err)
	require.Empty(t, lost)
}

// alone is how many Items a copy of the file has, without its WAL.
func alone(t *testing.T, path string) int {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copy.db")
	outside(t, path, "WEDROP_TEST_COPY="+copied) // this process may have it open
	db, err := sql.Open("sqlite", copied)
	require.NoError(t, err)
	defer db.Close()
	var n int
	if err := db.QueryRow(`SELECT count(*) FROM items`).Scan(&n); err != nil {
		return -1
	}
	return n
}

func TestACopyOfAClosedJournalHasEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	j := open(t, path, journal.Options{})
	enter(t, j, "/a.mp4")
	enter(t, j, "/b.mp4")
	require.NoError(t, j.Close())
	require.NoFileExists(t, path+"-wal")
	require.NoFileExists(t, path+"-shm")
	require.Equal(t, 2, alone(t, path))
}

// A daemon that is killed in a quiet moment leaves a whole file, too.
func TestAQuietJournalEmptiesItsWAL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	j := open(t, path, journal.Options{})
	for n := range 20 {
		enter(t, j, fmt.Sprintf("/%d.mp4", n))
	}
	require.Eventually(t, func() bool {
		info, err := os.Stat(path + "-wal")
		require.NoError(t, err)
		// Questions and changes of nothing, such as a daemon asks for work,
		// do not keep it from that.
		_, err = j.Claim(context.Background(), pipeline.Want{Corp: "other", Steps: []pipeline.Step{pipeline.Inspect}, Limit: 1})
		require.NoError(t, err)
		return info.Size() == 0
	}, 20*time.Second, 50*time.Millisecond)
	require.Equal(t, 20, alone(t, path))
	enter(t, j, "/more.mp4")
	require.Equal(t, 21, items(t, j))
}

// What was killed while it made the file leaves nothing that looks like one.
func TestANewJournalHasItsTablesOrNoName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	for _, left := range []string{".new", ".new-wal", ".new-shm"} {
		require.NoError(t, os.WriteFile(path+left, []byte("half"), 0o600))
	}
	j := open(t, path, journal.Options{})
	enter(t, j, "/a.mp4")
	require.NoError(t, j.Close())
	names, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	for _, name := range names {
		require.False(t, strings.Contains(filepath.Base(name), ".new"), name)
	}
}

// A copy of the file alone from before, or one that was emptied, is no new
// journal: everything would be sent again.
func TestAJournalWithoutTablesIsNoNewOne(t *testing.T) {
	for name, make := range map[string]func(t *testing.T, path string){
		"a copy without its WAL": func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", path+"?_pragma=journal_mode(WAL)")
			require.NoError(t, err)
			require.NoError(t, db.Ping())
			_, err = db.Exec(`CREATE TABLE t (x); DROP TABLE t`)
			require.NoError(t, err)
			require.NoError(t, db.Close())
		},
		"emptied": func(t *testing.T, path string) {
			j := open(t, path, journal.Options{})
			enter(t, j, "/a.mp4")
			require.NoError(t, j.Close())
			require.NoError(t, os.Truncate(path, 0))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "l.db")
			make(t, path)
			for _, open := range []func(context.Context, string, journal.Options) (*journal.Journal, error){journal.Open, journal.OpenReading} {
				_, err := open(context.Background(), path, journal.Options{})
				var bare *journal.TablelessError
				require.ErrorAs(t, err, &bare)
				_, remedy := bare.Explain("en")
				require.Contains(t, remedy, "journal restore")
			}
		})
	}
	path := filepath.Join(t.TempDir(), "l.db")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	enter(t, open(t, path, journal.Options{}), "/a.mp4") // mktemp made the file
}

// Nothing is recorded in a file that nobody will ever read again.
func TestAReplacedJournalIsNoticed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file is not removed on Windows")
	}
	for _, c := range []struct {
		name    string
		harm    func(t *testing.T, path string)
		about   string
		deleted bool
	}{
		{"deleted", func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) }, "", true},
		{"another file", func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path+".2", nil, 0o600))
			require.NoError(t, os.Rename(path+".2", path))
		}, "", false},
		{"no WAL", func(t *testing.T, path string) { require.NoError(t, os.Remove(path+"-wal")) }, "-wal", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "l.db")
			j := open(t, path, journal.Options{})
			enter(t, j, "/a.mp4")
			c.harm(t, path)
			_, err := j.Enter(context.Background(), "corp", "here", []pipeline.File{{Path: "/b.mp4", Type: inspect.Auto}})
			var replaced *journal.ReplacedError
			require.ErrorAs(t, err, &replaced)
			require.Equal(t, path+c.about, replaced.Path)
			require.Equal(t, c.deleted, replaced.Deleted)
			for _, lang := range []string{"zh", "en"} {
				message, remedy := replaced.Explain(lang)
				require.Contains(t, message, path)
				require.Contains(t, remedy, "journal restore")
			}
			j.Close()
			if c.about != "" { // what was recorded before is in the file after the close
				require.Equal(t, 1, items(t, open(t, path, journal.Options{})))
			}
		})
	}
}

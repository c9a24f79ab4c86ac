package main

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sent is an office with three files that have media_ids, and its journal.
func sent(t *testing.T) (*office, string) {
	o := newOffice(t, 3)
	j := o.journal()
	out, err := o.wedrop("sync", "-q", o.folder).CombinedOutput()
	require.NoError(t, err, string(out))
	return o, j
}

// lockFor holds the journal's write lock until the test ends.
func lockFor(t *testing.T, j string) {
	t.Helper()
	db, err := sql.Open("sqlite", j)
	require.NoError(t, err)
	conn, err := db.Conn(context.Background())
	require.NoError(t, err)
	_, err = conn.ExecContext(context.Background(), `BEGIN IMMEDIATE`)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(); _ = db.Close() })
}

// get printed the right id, hung for a minute and ended with 1 while another
// program held the write lock; list took 39 s.
func TestReadingWaitsForNobody(t *testing.T) {
	t.Parallel()
	o, j := sent(t)
	lockFor(t, j)
	for _, args := range [][]string{{"get", filepath.Join(o.folder, "000.mp4")}, {"list"}, {"list", "--held"}} {
		began := time.Now()
		out, err := o.wedrop(args...).CombinedOutput()
		t.Logf("%v: %v", args, time.Since(began))
		require.NoError(t, err, string(out))
		require.Less(t, time.Since(began), 5*time.Second, args)
	}
	// What has to be made first needs the lock: for as long as was said.
	began := time.Now()
	c := o.wedrop("get", filepath.Join(o.folder, "000.mp4"), "--min-ttl", "71h59m59.999s", "--wait", "1s")
	out, _ := c.CombinedOutput()
	t.Logf("get that renews: %v: %s", time.Since(began), out)
	require.Equal(t, 4, c.ProcessState.ExitCode(), string(out))
	require.Less(t, time.Since(began), 20*time.Second)
	require.Contains(t, string(out), "keeps the journal "+j+" locked")
}

// A damaged journal is said to be damaged, with the way to the last backup.
func TestADamagedJournalIsCalledThat(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(data []byte){
		"the first page": func(data []byte) { copy(data, strings.Repeat("x", 200)) },
		"the pages":      func(data []byte) { copy(data[4096:], strings.Repeat("\xff", len(data)-4096)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, j := sent(t)
			data, err := os.ReadFile(j)
			require.NoError(t, err)
			harm(data)
			require.NoError(t, os.WriteFile(j, data, 0o600))
			for _, args := range [][]string{{"list"}, {"get", "000.mp4"}, {"sync", o.folder}, {"doctor"}} {
				c := o.wedrop(args...)
				out, _ := c.CombinedOutput()
				require.Equal(t, 3, c.ProcessState.ExitCode(), "%v: %s", args, out)
				require.Contains(t, string(out), "is damaged", args)
				require.Contains(t, string(out), "wedrop journal restore", args)
			}
			out, _ := o.wedrop("list", "--lang", "zh").CombinedOutput()
			require.Contains(t, string(out), "已损坏")
		})
	}
}
